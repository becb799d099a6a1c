/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_VIEW_COLUMNS_H
#define TOOLS_VIEW_COLUMNS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * columns - bytes that grow, numbers of few bytes, and things that get numbers
 *
 * A number takes 7 bits a byte, the low ones first, with the top bit set in all bytes but the last;
 * a signed one is first folded to 0, -1, 1, -2, ...  Running out of memory sticks in
 * `failed`, so that only the end needs to look.
 */
struct columns {
    unsigned char *bytes;
    size_t used, room;
    bool failed;
};

void columns_free(struct columns *c);
void columns_put(struct columns *c, const void *bytes, size_t size);
void columns_number(struct columns *c, uint64_t n);
void columns_signed(struct columns *c, int64_t n);
void columns_double(struct columns *c, double value);

/* Make room for one more of `size` bytes in an array that grows; false without memory. */
bool columns_grow(void *array, size_t used, size_t *room, size_t size);

/* Pairs of numbers, each with its place in the order of coming: 0, 1, 2, ... */
struct pairs {
    struct pair {
        uint64_t a, b;
    } * pairs;
    uint32_t *slots; /* place + 1, 0: free */
    size_t used, pairs_room, slots_room;
};
#define PAIRS_NONE UINT32_MAX

/* The place of (a, b), which is new if *ret_new; PAIRS_NONE without memory. */
uint32_t pairs_of(struct pairs *p, uint64_t a, uint64_t b, bool *ret_new);
/* The place of (a, b) if it has one, else PAIRS_NONE. */
uint32_t pairs_find(const struct pairs *p, uint64_t a, uint64_t b);
void pairs_free(struct pairs *p);

/* Words likewise; place 0 is "".  Bytes that are no UTF-8 are left to whoever shows them. */
struct words {
    struct columns text;
    struct word {
        size_t at;
        uint32_t length;
    } * words;
    uint32_t *slots;
    size_t used, words_room, slots_room;
};

uint32_t words_of(struct words *w, const char *text); /* 0 without memory, and text.failed */
void words_put(const struct words *w, struct columns *to);
void words_free(struct words *w);

#endif
