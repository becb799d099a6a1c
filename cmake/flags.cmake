# SPDX-License-Identifier: MIT
# Compiler and linker flags, as functions on one target: nothing here leaks into a project
# that includes Hocket.
include(CheckCCompilerFlag)

set(hocket_warnings -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wundef)
set(hocket_warnings_c -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
if(HOCKET_WERROR)
  list(APPEND hocket_warnings -Werror)
endif()

# A stack probe a page: without it one large frame jumps over a fiber's guard.
check_c_compiler_flag(-fstack-clash-protection HOCKET_HAS_STACK_CLASH)
# Calls between our own exported functions are direct and may be inlined.
check_c_compiler_flag(-fno-semantic-interposition HOCKET_HAS_NO_INTERPOSITION)

set(hocket_codegen -fvisibility=hidden -fno-common)
if(HOCKET_HAS_STACK_CLASH)
  list(APPEND hocket_codegen -fstack-clash-protection)
endif()
if(HOCKET_HAS_NO_INTERPOSITION)
  list(APPEND hocket_codegen -fno-semantic-interposition)
endif()

set(hocket_instrument "")
if(HOCKET_SANITIZE)
  list(APPEND hocket_instrument -fsanitize=${HOCKET_SANITIZE} -fno-omit-frame-pointer)
  if(HOCKET_SANITIZE MATCHES "undefined")
    list(APPEND hocket_instrument -fno-sanitize-recover=undefined)
  endif()
endif()
# Files of the library that TSan is not to see: the scheduler's, or its own order would be taken for
# that of the tasks, and those that look on, which keep things for a worker's thread whatever fiber it
# runs.  For each folder that builds them.
function(hocket_tsan_no_sync target)
  if(NOT HOCKET_TSAN_NO_SYNC)
    return()
  endif()
  target_compile_definitions(${target} PRIVATE HOCKET_TSAN_NO_SYNC)
  set(unseen ${hocket_sources})
  list(FILTER unseen INCLUDE REGEX "/src/(sched|sys|trace|sim)/[a-z_0-9]*\\.c$")
  set_source_files_properties(${unseen} PROPERTIES
    COMPILE_OPTIONS -fno-sanitize=thread COMPILE_DEFINITIONS HOCKET_UNDER_TSAN)
endfunction()

# Counters that the frontend places, one a region of the source: no branch of the compiler's own
# making is among them.  They live in a mapped file, so that a child that aborts, or is killed, leaves
# what it counted (LLVM_PROFILE_FILE with %c, see scripts/coverage).
if(HOCKET_COVERAGE)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "HOCKET_COVERAGE needs clang (preset cov)")
  endif()
  list(APPEND hocket_instrument -fprofile-instr-generate -fcoverage-mapping)
  list(APPEND hocket_codegen -fprofile-update=atomic "SHELL:-mllvm -runtime-counter-relocation")
endif()

# Flags for every C, C++ and assembly file that is ours.
function(hocket_flags target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C,CXX>:${hocket_warnings}>
    $<$<COMPILE_LANGUAGE:C>:${hocket_warnings_c}>
    $<$<COMPILE_LANGUAGE:C,CXX>:${hocket_codegen}>
    $<$<COMPILE_LANGUAGE:C,CXX>:${hocket_instrument}>)
  # Empty, so that a file that says so itself says the same; C++ compilers define it anyway.
  target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE=>)
  target_link_options(${target} PRIVATE ${hocket_instrument})
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS ON
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()
