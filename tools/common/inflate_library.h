/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_INFLATE_LIBRARY_H
#define TOOLS_INFLATE_LIBRARY_H
/*
 * What each library gives to inflate.c: one file a library, empty where it is
 * not built in.
 */
struct inflate_library {
    const char *name;
    void *(*new)(void); /* NULL: no memory */
    void (*free)(void *state);
    void (*start)(void *state);
    int (*step)(void *state, const unsigned char **in, const unsigned char *in_end,
                unsigned char **out, unsigned char *out_end);
};

extern const struct inflate_library inflate_isal;
extern const struct inflate_library inflate_zlib;

#endif
