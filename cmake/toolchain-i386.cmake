# 32 bits on an x86-64 machine, which runs the programs itself.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER gcc)
# The headers of the kernel: the package gcc-multilib would link them to where -m32 looks, but it does not go together with cross compilers.
set(CMAKE_C_FLAGS_INIT "-m32 -idirafter /usr/include/x86_64-linux-gnu")
