# Install rules: library, headers, CMake and pkg-config files, report tool, parameters, job scripts.
include(CMakePackageConfigHelpers)
install(TARGETS halograft EXPORT halograft LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET program)
  install(TARGETS program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/halograft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/params ${PROJECT_SOURCE_DIR}/jobscripts
  DESTINATION ${CMAKE_INSTALL_DATADIR}/halograft)
# The program looks for the report tool beside its data, users find the tools in PATH.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tools/halograft_tools
  DESTINATION ${CMAKE_INSTALL_DATADIR}/halograft/tools PATTERN __pycache__ EXCLUDE)
foreach(tool halograft-report halograft-model)
  install(PROGRAMS ${PROJECT_SOURCE_DIR}/tools/${tool}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/halograft/tools)
  install(PROGRAMS ${PROJECT_SOURCE_DIR}/tools/${tool} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CITATION.cff
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT halograft NAMESPACE halograft:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halograft
  FILE halograft-targets.cmake)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/halograft-config.cmake.in
  ${PROJECT_BINARY_DIR}/halograft-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halograft)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/halograft-config-version.cmake
  COMPATIBILITY SameMinorVersion)
# Relative, so that `cmake --install --prefix` and moved trees work.
file(RELATIVE_PATH HG_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/halograft.pc.in ${PROJECT_BINARY_DIR}/halograft.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/halograft-config.cmake
  ${PROJECT_BINARY_DIR}/halograft-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halograft)
install(FILES ${PROJECT_BINARY_DIR}/halograft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
