# SPDX-License-Identifier: MIT
# Build for musl with Debian's musl-tools.  The programs run here as they are; only libraries
# that were built for glibc (Check, zlib, libstdc++) must not be found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)
set(HOCKET_NO_CXX ON)

# musl-gcc leaves out the kernel's headers with all else of /usr/include; these three folders of it
# belong to the kernel alone.
set(kernel_headers ${CMAKE_BINARY_DIR}/kernel-headers)
file(MAKE_DIRECTORY ${kernel_headers})
foreach(name IN ITEMS linux asm-generic asm)
  foreach(parent IN ITEMS /usr/include/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu /usr/include)
    if(EXISTS ${parent}/${name} AND NOT EXISTS ${kernel_headers}/${name})
      file(CREATE_LINK ${parent}/${name} ${kernel_headers}/${name} SYMBOLIC)
    endif()
  endforeach()
endforeach()
set(CMAKE_C_FLAGS_INIT "-idirafter ${kernel_headers}")
# Its specs leave out the index of the unwind tables, which dumps need.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--eh-frame-hdr")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,--eh-frame-hdr")
