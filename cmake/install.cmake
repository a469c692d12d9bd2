# make install: headers, both libraries (shared and static), the program, pkg-config files and a CMake package.
#
#   pkg-config --cflags --libs litec            or litec_runtime; with --static for the archives
#   find_package(litec)                         gives litec::litec, litec::litec_runtime and litec::litec_runtime_static
#   find_package(litec COMPONENTS static)       also litec::litec_static, which needs the development files of what we use
#
# With LC_RUNTIME_ONLY the runtime's part of it. Everything is relocatable: the files name their neighbours, not the prefix they were configured with.
include(CMakePackageConfigHelpers)

if(LC_RUNTIME_ONLY)
  set(LC_INSTALL litec_runtime)
  install(FILES include/litec/runtime.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/litec)
else()
  set(LC_INSTALL litec litec_runtime)
  set(LC_INSTALL_SHARED litec_shared)
  install(DIRECTORY include/litec DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  install(TARGETS litec RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  foreach(name IN LISTS LC_PROGRAM_NAMES)
    install(FILES $<TARGET_FILE_DIR:litec>/${name} DESTINATION ${CMAKE_INSTALL_BINDIR}) # the link itself
  endforeach()
  install(TARGETS litec_static EXPORT litecStaticTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(TARGETS ${LC_INSTALL_SHARED} litec_runtime_shared litec_runtime_static EXPORT litecTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(LC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/litec)
install(EXPORT litecTargets NAMESPACE litec:: DESTINATION ${LC_CMAKE_DIR})
if(NOT LC_RUNTIME_ONLY)
  install(EXPORT litecStaticTargets NAMESPACE litec:: DESTINATION ${LC_CMAKE_DIR})
endif()
configure_package_config_file(cmake/litecConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/litecConfig.cmake
  INSTALL_DESTINATION ${LC_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/litecConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/litecConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/litecConfigVersion.cmake
  DESTINATION ${LC_CMAKE_DIR})

# The way from lib/pkgconfig to the prefix and from there to lib and include.
file(RELATIVE_PATH LC_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH LC_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH LC_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
foreach(name IN LISTS LC_INSTALL)
  configure_file(cmake/${name}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
