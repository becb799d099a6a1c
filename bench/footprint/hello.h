/* SPDX-License-Identifier: MIT */
#ifndef FOOTPRINT_HELLO_H
#define FOOTPRINT_HELLO_H

/* hello - what the C and C++ programs of this folder do in their task */

#include <stdio.h>
#include <string.h>

/* Say hello; asked to be `idle`, say that we are ready and wait for the end of standard input. */
static inline int hello(const char *mode)
{
    if (strcmp(mode, "idle") != 0) {
        puts("hello");
        return 0;
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}

#endif
