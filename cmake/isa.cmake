# The SIMD micro-kernels are compiled once per instruction set: src/kernels/isa/<name>.c with that set's flags. Which of them
# this build has is told to src/kernels/dispatch.c by LC_HAVE_<NAME>.
function(lc_isa_add list name flags)
  set(file src/kernels/isa/${name}.c)
  if(LC_FUZZ)
    # clang takes minutes and gigabytes over unrolled kernels with every check in them; the asan preset (gcc) has those.
    list(APPEND flags -fno-sanitize=all)
  endif()
  set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${flags}")
  string(TOUPPER ${name} NAME)
  set_property(DIRECTORY APPEND PROPERTY COMPILE_DEFINITIONS LC_HAVE_${NAME}=1)
  set(${list} ${${list}} ${file} PARENT_SCOPE)
endfunction()

macro(lc_isa_sources list)
  lc_isa_add(${list} portable "-O3")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
    lc_isa_add(${list} avx2 "-O3;-mavx2;-mfma")
    lc_isa_add(${list} avx512 "-O3;-mavx512f;-mavx512vl;-mavx512bw;-mavx512dq;-mfma;-mprefer-vector-width=512")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    lc_isa_add(${list} neon "-O3")
  endif()
endmacro()
