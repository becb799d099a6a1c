# SPDX-License-Identifier: MIT
# The program `hocket`: tools/*.c, one file a command, and the folders of tools/ that have no main.c
# (shared parts).  A folder with a main.c is a helper, the program hocket-<folder>, not installed.
# Gzip support comes from whichever of the three libraries is there; none is needed.
set(hocket_gzip "")
if(NOT CMAKE_CROSSCOMPILING)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    foreach(pair IN ITEMS "ZLIB=zlib" "ISAL=libisal" "DEFLATE=libdeflate")
      string(REPLACE "=" ";" pair "${pair}")
      list(GET pair 0 name)
      list(GET pair 1 module)
      pkg_check_modules(HOCKET_${name} QUIET IMPORTED_TARGET ${module})
      if(HOCKET_${name}_FOUND)
        list(APPEND hocket_gzip ${name})
      endif()
    endforeach()
  endif()
endif()

# Source lines in dumps come from libdw (elfutils), if it is there.
if(NOT CMAKE_CROSSCOMPILING AND PkgConfig_FOUND)
  pkg_check_modules(HOCKET_DW QUIET IMPORTED_TARGET libdw)
endif()

function(hocket_tool_target target)
  hocket_flags(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tools)
  target_link_libraries(${target} PUBLIC hocket_static)
  foreach(name IN LISTS hocket_gzip)
    target_compile_definitions(${target} PRIVATE HOCKET_HAVE_${name})
    target_link_libraries(${target} PUBLIC PkgConfig::HOCKET_${name})
  endforeach()
  if(HOCKET_DW_FOUND)
    target_compile_definitions(${target} PRIVATE HOCKET_HAVE_DW)
    target_link_libraries(${target} PUBLIC PkgConfig::HOCKET_DW)
  endif()
endfunction()

file(GLOB tool_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/*.c)
set(tool_main ${tool_sources})
list(FILTER tool_main INCLUDE REGEX "/(main|hocket)\\.c$")
list(FILTER tool_sources EXCLUDE REGEX "/(main|hocket)\\.c$")
set(helpers "")
file(GLOB folders LIST_DIRECTORIES true CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/*)
foreach(folder IN LISTS folders)
  file(GLOB found CONFIGURE_DEPENDS ${folder}/*.c)
  if(IS_DIRECTORY ${folder} AND found)
    if(EXISTS ${folder}/main.c)
      list(APPEND helpers ${folder})
    else()
      list(APPEND tool_sources ${found})
    endif()
  endif()
endforeach()
if(NOT tool_sources OR NOT tool_main)
  message(STATUS "hocket: tools/ is not complete, the program is not built")
  return()
endif()

# The page of `hocket trace view`, which is part of the program.
set(page_folder ${PROJECT_SOURCE_DIR}/tools/view/page)
file(GLOB page_sources CONFIGURE_DEPENDS ${page_folder}/*)
set(page_c ${CMAKE_CURRENT_BINARY_DIR}/view_page.c)
add_custom_command(OUTPUT ${page_c} VERBATIM
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${page_folder} -DOUT=${page_c}
    -P ${PROJECT_SOURCE_DIR}/cmake/page.cmake
  DEPENDS ${page_sources} ${PROJECT_SOURCE_DIR}/cmake/page.cmake
  COMMENT "The page of hocket trace view")

# An archive of everything but the main functions: helpers and tests take what they use.
add_library(hocket_tools STATIC ${tool_sources} ${page_c})
hocket_tool_target(hocket_tools)
add_executable(hocket_program ${tool_main})
hocket_tool_target(hocket_program)
set_target_properties(hocket_program PROPERTIES OUTPUT_NAME hocket)
target_link_libraries(hocket_program PRIVATE hocket_tools)

foreach(folder IN LISTS helpers)
  get_filename_component(name ${folder} NAME)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
  add_executable(hocket-${name} ${sources})
  hocket_tool_target(hocket-${name})
  target_link_libraries(hocket-${name} PRIVATE hocket_tools)
endforeach()
message(STATUS "hocket: gzip by ${hocket_gzip}")
