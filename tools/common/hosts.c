/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "common/hosts.h"
#include "common/hosts_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_ARENA = 16 << 10, FIRST_SLOTS = 512 };

int hosts_record_compare(const struct hosts_record *a, const struct hosts_record *b)
{
    int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static struct hosts_record *record_at(const struct hosts *h, uint32_t slot)
{
    return (struct hosts_record *)(h->arena + (size_t)(slot - 1) * 8);
}

const struct hosts_record *hosts_sorted_at(const struct hosts *h, size_t n)
{
    return record_at(h, h->table[n]);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step, folded by a wide multiplication with a secret: no set of hosts is slow for all. */
static uint32_t hash_of(const struct hosts *h, const char *p, size_t n)
{
    uint64_t x = h->seed ^ n, word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        x = mix(x ^ word, h->seed | 1);
    }
    word = 0;
    memcpy(&word, p, n);
    x = mix(x ^ word, 0x9e3779b97f4a7c15 ^ h->seed);
    return (uint32_t)(x ^ x >> 32);
}

void hosts_init(struct hosts *h, const struct hosts_limits *limits)
{
    *h = (struct hosts){ .limits = *limits, .file = -1 };
    if (getrandom(&h->seed, sizeof h->seed, GRND_NONBLOCK) != sizeof h->seed)
        h->seed = (uint64_t)(uintptr_t)h * 0x2545f4914f6cdd1d;
}

void hosts_destroy(struct hosts *h)
{
    hosts_runs_destroy(h);
    free(h->arena);
    free(h->table);
}

void hosts_clear(struct hosts *h)
{
    h->used = h->count = 0;
    h->sorted = false;
    if (h->table != NULL)
        memset(h->table, 0, h->slots * sizeof h->table[0]);
}

/* The slot of this host, or the empty one where it belongs. */
static uint32_t *slot_of(const struct hosts *h, uint32_t hash, const char *host, size_t length)
{
    for (size_t i = hash;; i++) {
        uint32_t *slot = &h->table[i & (h->slots - 1)];
        if (*slot == 0)
            return slot;
        const struct hosts_record *r = record_at(h, *slot);
        if (r->hash == hash && r->length == length && memcmp(r->bytes, host, length) == 0)
            return slot;
    }
}

static bool grow_table(struct hosts *h)
{
    size_t slots = h->slots > 0 ? h->slots * 2 : FIRST_SLOTS;
    uint32_t *table = calloc(slots, sizeof table[0]);
    if (table == NULL)
        return false;
    free(h->table);
    h->table = table;
    h->slots = slots;
    for (size_t at = 0; at < h->used;) {
        const struct hosts_record *r = (const void *)(h->arena + at);
        size_t i = r->hash;
        while (table[i & (slots - 1)] != 0)
            i++;
        table[i & (slots - 1)] = (uint32_t)(at / 8) + 1;
        at += hosts_record_size(r->length);
    }
    return true;
}

static bool grow_arena(struct hosts *h, size_t wanted)
{
    size_t room = h->room > 0 ? h->room : FIRST_ARENA;
    while (room < wanted)
        room *= 2;
    if (room > h->limits.arena)
        room = h->limits.arena;
    if (room < wanted)
        return false;
    char *arena = realloc(h->arena, room);
    if (arena == NULL)
        return false;
    h->arena = arena;
    h->room = room;
    return true;
}

bool hosts_try_add(struct hosts *h, const char *host, size_t length, uint64_t hits)
{
    /* At most three slots of four in use; one is always empty. */
    if (h->count >= h->slots / 4 * 3 && !grow_table(h))
        return false;
    uint32_t hash = hash_of(h, host, length), *slot = slot_of(h, hash, host, length);
    if (*slot != 0) {
        record_at(h, *slot)->hits += hits;
        return true;
    }
    size_t size = hosts_record_size(length);
    if (h->used + size > h->room && !grow_arena(h, h->used + size))
        return false;
    struct hosts_record *r = (void *)(h->arena + h->used);
    r->hits = hits;
    r->hash = hash;
    r->length = (uint32_t)length;
    memcpy(r->bytes, host, length);
    *slot = (uint32_t)(h->used / 8) + 1;
    h->used += size;
    h->count++;
    return true;
}

int hosts_add(struct hosts *h, const char *host, size_t length, uint64_t hits)
{
    if (hosts_try_add(h, host, length, hits))
        return 0;
    if (h->count == 0)
        return ENOMEM;
    hosts_sort(h);
    int error = hosts_runs_write(h);
    hosts_clear(h);
    if (error != 0)
        return error;
    return hosts_try_add(h, host, length, hits) ? 0 : ENOMEM;
}

int hosts_add_all(struct hosts *h, const struct hosts *from)
{
    int error = 0;
    for (size_t at = 0; at < from->used && error == 0;) {
        const struct hosts_record *r = (const void *)(from->arena + at);
        error = hosts_add(h, r->bytes, r->length, r->hits);
        at += hosts_record_size(r->length);
    }
    return error;
}

static int compare_slots(const void *a, const void *b, void *hosts)
{
    return hosts_record_compare(record_at(hosts, *(const uint32_t *)a),
                                record_at(hosts, *(const uint32_t *)b));
}

/* The table's memory becomes the list of records in order: sorting needs no other. */
void hosts_sort(struct hosts *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->slots; i++)
        if (h->table[i] != 0)
            h->table[n++] = h->table[i];
    if (n > 0)
        qsort_r(h->table, n, sizeof h->table[0], compare_slots, h);
    h->sorted = true;
}

int hosts_each(struct hosts *h, hosts_each_fn *fn, void *arg)
{
    hosts_sort(h);
    if (h->run_count > 0) {
        int error = hosts_runs_write(h);
        return error != 0 ? error : hosts_runs_merge(h, fn, arg);
    }
    int rc = 0;
    for (size_t i = 0; i < h->count && rc == 0; i++) {
        const struct hosts_record *r = hosts_sorted_at(h, i);
        rc = fn(arg, r->bytes, r->length, r->hits);
    }
    return rc;
}
