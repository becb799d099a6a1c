# SPDX-License-Identifier: MIT
# Cross build for aarch64 with Debian's gcc-aarch64-linux-gnu; tests run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(HOCKET_NO_CXX ON)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
find_program(HOCKET_QEMU_AARCH64 NAMES qemu-aarch64-static qemu-aarch64)
if(HOCKET_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${HOCKET_QEMU_AARCH64} -L /usr/aarch64-linux-gnu)
endif()
