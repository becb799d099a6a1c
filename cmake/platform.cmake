# SPDX-License-Identifier: MIT
# Where Hocket runs.  Anything else stops here with one line, before a compiler does with many.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(HOCKET_ARCH x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(HOCKET_ARCH aarch64)
else()
  set(HOCKET_ARCH "")
endif()
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT HOCKET_ARCH OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  math(EXPR bits "8 * 0${CMAKE_SIZEOF_VOID_P}")
  message(FATAL_ERROR "Hocket needs Linux on x86-64 or aarch64 (64 bit); this is "
    "${CMAKE_SYSTEM_NAME} on ${CMAKE_SYSTEM_PROCESSOR}, ${bits} bit.")
endif()
