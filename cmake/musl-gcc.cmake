# SPDX-License-Identifier: MIT
# Build for musl with Debian's musl-tools.  The programs run here as they are; only libraries
# that were built for glibc (Check, zlib, libstdc++) must not be found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)
set(HOCKET_NO_CXX ON)
