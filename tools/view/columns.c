/* SPDX-License-Identifier: MIT */
#include "view/columns.h"

#include <stdlib.h>
#include <string.h>

void columns_free(struct columns *c)
{
    free(c->bytes);
}

bool columns_grow(void *array, size_t used, size_t *room, size_t size)
{
    void **memory = array;
    if (used < *room)
        return true;
    size_t more = *room < 64 ? 64 : *room * 2;
    void *moved = more <= SIZE_MAX / 2 / size ? realloc(*memory, more * size) : NULL;
    if (moved == NULL)
        return false;
    *memory = moved;
    *room = more;
    return true;
}

void columns_put(struct columns *c, const void *bytes, size_t size)
{
    if (c->room - c->used < size) {
        size_t room = c->room * 2 > c->used + size ? c->room * 2 : c->used + size + 4096;
        unsigned char *moved = c->failed ? NULL : realloc(c->bytes, room);
        if (moved == NULL) {
            c->failed = true;
            return;
        }
        c->bytes = moved;
        c->room = room;
    }
    if (size > 0)
        memcpy(c->bytes + c->used, bytes, size);
    c->used += size;
}

void columns_number(struct columns *c, uint64_t n)
{
    unsigned char bytes[10];
    size_t size = 0;
    for (; n > 127; n >>= 7)
        bytes[size++] = (unsigned char)(n | 128);
    bytes[size++] = (unsigned char)n;
    columns_put(c, bytes, size);
}

void columns_signed(struct columns *c, int64_t n)
{
    columns_number(c, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void columns_double(struct columns *c, double value)
{
    uint64_t bits;
    unsigned char bytes[8];
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    columns_put(c, bytes, sizeof bytes);
}

/* ---- pairs ---- */

static size_t pair_slot(uint64_t a, uint64_t b, size_t room)
{
    uint64_t h = (a ^ b << 47 ^ b >> 17) * 0x9e3779b97f4a7c15u;
    return (size_t)((h ^ h >> 32) & (room - 1));
}

/* Twice as many slots, when the half of them is taken. */
static bool slots_grow(uint32_t **slots, size_t used, size_t *room)
{
    if (used * 2 < *room)
        return false;
    size_t more = *room < 64 ? 64 : *room * 2;
    uint32_t *fresh = used < UINT32_MAX / 2 ? calloc(more, sizeof fresh[0]) : NULL;
    if (fresh == NULL)
        return false;
    free(*slots);
    *slots = fresh;
    *room = more;
    return true;
}

uint32_t pairs_find(const struct pairs *p, uint64_t a, uint64_t b)
{
    if (p->slots_room == 0)
        return PAIRS_NONE;
    for (size_t at = pair_slot(a, b, p->slots_room); p->slots[at] != 0;
         at = (at + 1) & (p->slots_room - 1)) {
        const struct pair *pair = &p->pairs[p->slots[at] - 1];
        if (pair->a == a && pair->b == b)
            return p->slots[at] - 1;
    }
    return PAIRS_NONE;
}

static void pairs_place(struct pairs *p, uint32_t place)
{
    size_t at = pair_slot(p->pairs[place].a, p->pairs[place].b, p->slots_room);
    while (p->slots[at] != 0)
        at = (at + 1) & (p->slots_room - 1);
    p->slots[at] = place + 1;
}

uint32_t pairs_of(struct pairs *p, uint64_t a, uint64_t b, bool *ret_new)
{
    uint32_t place = pairs_find(p, a, b);
    *ret_new = place == PAIRS_NONE;
    if (!*ret_new)
        return place;
    if (slots_grow(&p->slots, p->used, &p->slots_room))
        for (uint32_t i = 0; i < p->used; i++)
            pairs_place(p, i);
    if (p->used + 1 >= p->slots_room ||
        !columns_grow(&p->pairs, p->used, &p->pairs_room, sizeof p->pairs[0]))
        return PAIRS_NONE;
    place = (uint32_t)p->used++;
    p->pairs[place] = (struct pair){ a, b };
    pairs_place(p, place);
    return place;
}

void pairs_free(struct pairs *p)
{
    free(p->pairs);
    free(p->slots);
}

/* ---- words ---- */

static size_t word_slot(const char *text, size_t length, size_t room)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)((h ^ h >> 32) & (room - 1));
}

static void words_place(struct words *w, uint32_t place)
{
    const struct word *word = &w->words[place];
    const char *text = word->length > 0 ? (const char *)w->text.bytes + word->at : "";
    size_t at = word_slot(text, word->length, w->slots_room);
    while (w->slots[at] != 0)
        at = (at + 1) & (w->slots_room - 1);
    w->slots[at] = place + 1;
}

static uint32_t words_add(struct words *w, const char *text, size_t length)
{
    if (slots_grow(&w->slots, w->used, &w->slots_room))
        for (uint32_t i = 0; i < w->used; i++)
            words_place(w, i);
    if (w->used + 1 >= w->slots_room ||
        !columns_grow(&w->words, w->used, &w->words_room, sizeof w->words[0])) {
        w->text.failed = true;
        return 0;
    }
    size_t at = w->text.used;
    columns_put(&w->text, text, length);
    if (w->text.failed)
        return 0;
    uint32_t place = (uint32_t)w->used++;
    w->words[place] = (struct word){ at, (uint32_t)length };
    words_place(w, place);
    return place;
}

uint32_t words_of(struct words *w, const char *text)
{
    size_t length = strlen(text);
    if (w->used == 0)
        (void)words_add(w, "", 0);
    if (w->text.failed || length == 0)
        return 0;
    for (size_t at = word_slot(text, length, w->slots_room); w->slots[at] != 0;
         at = (at + 1) & (w->slots_room - 1)) {
        const struct word *word = &w->words[w->slots[at] - 1];
        if (word->length == length && memcmp(w->text.bytes + word->at, text, length) == 0)
            return w->slots[at] - 1;
    }
    return words_add(w, text, length);
}

void words_put(const struct words *w, struct columns *to)
{
    columns_number(to, w->used);
    for (size_t i = 0; i < w->used; i++)
        columns_number(to, w->words[i].length);
    columns_put(to, w->text.bytes, w->text.used);
}

void words_free(struct words *w)
{
    columns_free(&w->text);
    free(w->words);
    free(w->slots);
}
