# The SIMD micro-kernels are compiled once per instruction set: src/kernels/isa/<name>.c with that set's flags. Which of them
# this build has is told to src/kernels/dispatch.c by LC_HAVE_<NAME>. -DLC_ISAS="neon" builds only these (of those the processor has),
# -DLC_ISAS=ref none: then the reference kernels run.
set(LC_ISAS "all" CACHE STRING "instruction sets to build kernels for: all, ref (none), or a list of portable, avx2, avx512, neon")

# LC_PROCESSOR: the family the compiler makes code for, which -m32 changes and CMAKE_SYSTEM_PROCESSOR does not know about.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
  set(LC_PROCESSOR x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(LC_PROCESSOR aarch64)
else()
  set(LC_PROCESSOR other)
endif()

function(lc_isa_add list name flags)
  if(NOT LC_ISAS STREQUAL "all" AND NOT name IN_LIST LC_ISAS)
    return()
  endif()
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
  set(fast $<IF:$<CONFIG:MinSizeRel>,-Os,-O3>)
  lc_isa_add(${list} portable "${fast}")
  if(LC_PROCESSOR STREQUAL "x86")
    lc_isa_add(${list} avx2 "${fast};-mavx2;-mfma")
    lc_isa_add(${list} avx512 "${fast};-mavx512f;-mavx512vl;-mavx512bw;-mavx512dq;-mfma;-mprefer-vector-width=512")
  elseif(LC_PROCESSOR STREQUAL "aarch64")
    lc_isa_add(${list} neon "${fast}")
  endif()
  foreach(name IN LISTS LC_ISAS)
    if(NOT name MATCHES "^(all|ref|portable|avx2|avx512|neon)$")
      message(FATAL_ERROR "LC_ISAS: no instruction set \"${name}\"; one or more of portable, avx2, avx512, neon, or all, or ref")
    endif()
  endforeach()
endmacro()
