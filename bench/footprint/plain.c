/* SPDX-License-Identifier: MIT */

/* No runtime at all: what the C library and the kernel charge anyway. */

#include "hello.h"

int main(int argc, char **argv)
{
    return hello(argc > 1 ? argv[1] : "");
}
