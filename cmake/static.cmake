# lc_link_program(TARGET): links a program with all of litec, statically where that works: with libc, zlib, libpng and libjpeg in
# it. It is then one file that runs on any machine of its architecture, and it starts and converts a small model in half the memory:
# five shared libraries cost 1.4 MB of pages and 68 page faults before the first line of main. -static-pie keeps the
# addresses random. Sanitizers, and systems without the static libraries, get the shared ones; -DLC_STATIC=OFF asks for them.
option(LC_STATIC "link the program litec statically where the system has the libraries for it" ON)

if(LC_STATIC AND NOT LC_SANITIZE)
  include(CheckCSourceCompiles)
  foreach(name png16 jpeg z)
    find_library(LC_STATIC_${name} NAMES lib${name}.a)
    mark_as_advanced(LC_STATIC_${name})
    list(APPEND libraries ${LC_STATIC_${name}})
  endforeach()
  set(CMAKE_REQUIRED_FLAGS -fPIE)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
  set(CMAKE_REQUIRED_INCLUDES ${PNG_INCLUDE_DIRS} ${JPEG_INCLUDE_DIRS} ${ZLIB_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_LIBRARIES ${libraries} m Threads::Threads)
  check_c_source_compiles("#include <stdio.h>
    #include <png.h>
    #include <jpeglib.h>
    #include <zlib.h>
    int main(void) {
      struct jpeg_error_mgr errors;
      return !png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL) + !jpeg_std_error(&errors) + !zlibVersion();
    }" LC_STATIC_WORKS)
  foreach(name FLAGS LINK_OPTIONS INCLUDES LIBRARIES)
    unset(CMAKE_REQUIRED_${name})
  endforeach()
  if(LC_STATIC_WORKS)
    set(LC_STATIC_LIBRARIES ${libraries})
  endif()
endif()

function(lc_link_program target)
  if(LC_STATIC_LIBRARIES)
    # by its file, because the target litec_static brings the shared libraries along
    add_dependencies(${target} litec_static)
    target_link_libraries(${target} PRIVATE $<TARGET_FILE:litec_static> ${LC_STATIC_LIBRARIES} m Threads::Threads)
    target_link_options(${target} PRIVATE -static-pie)
    # glibc warns of dlopen in static programs; what may come of it stays in a process of its own (src/cli/cmd_dataset.c)
    include(CheckLinkerFlag)
    check_linker_flag(C -Wl,--no-warnings LC_LINKER_NO_WARNINGS)
    if(LC_LINKER_NO_WARNINGS)
      target_link_options(${target} PRIVATE -Wl,--no-warnings)
    endif()
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS $<TARGET_FILE:litec_static>)
  else()
    target_link_libraries(${target} PRIVATE litec_static)
  endif()
endfunction()
