# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: both libraries, headers, the program, man pages, and the two
# ways in which other builds find us: hocket.pc and a CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS hocket_shared hocket_static EXPORT hocket-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
if(TARGET hocket_program)
  install(TARGETS hocket_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
foreach(section IN ITEMS 1 3 7)
  file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/man${section}/*.${section})
  if(pages)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hocket)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/hocket-config.cmake.in
  ${PROJECT_BINARY_DIR}/hocket-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hocket-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT hocket-targets NAMESPACE hocket:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/hocket-config.cmake
  ${PROJECT_BINARY_DIR}/hocket-config-version.cmake DESTINATION ${package_dir})

# Paths relative to hocket.pc itself, so that an installed tree may be moved.
file(RELATIVE_PATH HOCKET_PC_PREFIX
  "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file(${PROJECT_SOURCE_DIR}/cmake/hocket.pc.in ${PROJECT_BINARY_DIR}/hocket.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hocket.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# gdb finds the first by the name of the library it belongs to (below its own data folder, or one that
# the user calls safe); the second is to be sourced.
set(gdb_script ${PROJECT_SOURCE_DIR}/tools/gdb/hocket-gdb.py)
install(FILES ${gdb_script} DESTINATION ${CMAKE_INSTALL_DATADIR}/hocket)
install(FILES ${gdb_script} RENAME libhocket.so.${PROJECT_VERSION}-gdb.py
  DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load${CMAKE_INSTALL_FULL_LIBDIR})
