# SPDX-License-Identifier: MIT
# The library: one set of objects, an archive and a shared object made from it.
find_package(Threads REQUIRED)

set(hocket_layers base sys park sched sync queue task trace sim)
set(hocket_sources "")
foreach(layer IN LISTS hocket_layers)
  file(GLOB found CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/src/${layer}/*.c
    ${PROJECT_SOURCE_DIR}/src/${layer}/*_${HOCKET_ARCH}.S)
  list(APPEND hocket_sources ${found})
endforeach()

# A project that includes Hocket builds only the form that it links.
set(hocket_all "")
if(NOT PROJECT_IS_TOP_LEVEL)
  set(hocket_all EXCLUDE_FROM_ALL)
endif()

add_library(hocket_objects OBJECT ${hocket_all} ${hocket_sources})
hocket_flags(hocket_objects)
hocket_tsan_no_sync(hocket_objects)
set_target_properties(hocket_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(hocket_objects
  PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(hocket_objects PRIVATE HOCKET_BUILDING
  $<$<BOOL:${HOCKET_LOCKORDER}>:HOCKET_LOCKORDER_DEFAULT=1>)

add_library(hocket_static STATIC ${hocket_all} $<TARGET_OBJECTS:hocket_objects>)
# Not called hocket: to Ninja that is the file, which is the program.
add_library(hocket_shared SHARED ${hocket_all} $<TARGET_OBJECTS:hocket_objects>)
add_library(hocket::hocket ALIAS hocket_shared)
add_library(hocket::hocket_static ALIAS hocket_static)

foreach(target IN ITEMS hocket_shared hocket_static)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME hocket LINKER_LANGUAGE C)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE c_std_11)
endforeach()
target_link_libraries(hocket_shared PRIVATE Threads::Threads)
target_link_libraries(hocket_static PUBLIC Threads::Threads)
# Whoever links instrumented objects needs the sanitizer's runtime too.
target_link_options(hocket_static INTERFACE $<BUILD_INTERFACE:${hocket_instrument}>)
# Compilers leave it out of static programs; without it dumps show no calls.
target_link_options(hocket_static INTERFACE LINKER:--eh-frame-hdr)

set_target_properties(hocket_shared PROPERTIES EXPORT_NAME hocket
  VERSION ${PROJECT_VERSION} SOVERSION ${HOCKET_SOVERSION}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/hocket.map)
# nodelete: workers are never joined at exit, so their code must never go away.
target_link_options(hocket_shared PRIVATE ${hocket_instrument}
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/hocket.map LINKER:-z,nodelete)
if(NOT HOCKET_SANITIZE)
  target_link_options(hocket_shared PRIVATE LINKER:--no-undefined)
endif()
