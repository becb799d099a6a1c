/* SPDX-License-Identifier: MIT */
/*
 * local - one value for each task
 *
 * A local gets a key at its first use.  What destructors and inheritance need of it is copied
 * into a directory then, so the hocket_local itself is never looked at behind its
 * owner's back.  A task keeps its values in an array indexed by key.
 *
 * The directory grows by chunks that double and never move.  Keys are given out under a
 * guard: the entry is written, then the key is stored with release into the local; whoever
 * loads the key with acquire may read the entry without the guard.
 *
 * Values are the task's own and need no atomics.  Destructors and copy functions
 * are the user's and may set locals: the array is looked up again after each.
 */
#include "task/local.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "park/forks.h"
#include "task/foreign.h"

#define ROUNDS      4
#define FIRST_CHUNK 64u
#define CHUNKS      16u /* 64 + 128 + ... : four million keys */

struct entry {
    void (*destroy)(void *value);
    void *(*copy)(const void *value);
    bool inherit;
};

struct slot {
    void *value;
    bool borrowed; /* inherited by reference: the parent's to destroy */
};

struct hocket__locals {
    uint32_t size;
    bool inheritable; /* some value may be of an inherited local */
    struct slot slots[];
};

static hocket__guard guard; /* giving out keys */
static uint32_t keys;       /* given out so far; under the guard */
static struct entry first_chunk[FIRST_CHUNK];
static struct entry *chunks[CHUNKS] = { first_chunk };

/* Key 1 is the first entry of chunk 0. */
static void place(uint32_t key, uint32_t *ret_chunk, uint32_t *ret_index)
{
    uint32_t i = key - 1 + FIRST_CHUNK;
    uint32_t top = 31u - (uint32_t)__builtin_clz(i);
    *ret_chunk = top - 6u;
    *ret_index = i - (1u << top);
}

_Static_assert(FIRST_CHUNK == 1u << 6, "place() counts on it");

static struct entry *entry_of(uint32_t key)
{
    uint32_t chunk, index;
    place(key, &chunk, &index);
    return &chunks[chunk][index];
}

/* 0 without memory. */
HK_COLD static uint32_t key_make(hocket_local *local)
{
    hocket__guard_lock(&guard);
    uint32_t key = hk_load(hk_word32(&local->hocket__key)), chunk, index;
    if (key == 0) {
        place(keys + 1, &chunk, &index);
        if (chunk < CHUNKS && chunks[chunk] == NULL)
            chunks[chunk] = hocket__calloc(FIRST_CHUNK << chunk, sizeof(struct entry));
        if (chunk < CHUNKS && chunks[chunk] != NULL) {
            key = ++keys;
            chunks[chunk][index] = (struct entry){
                .destroy = local->destroy,
                .copy = local->copy,
                .inherit = (local->flags & HOCKET_LOCAL_INHERIT) != 0,
            };
            hk_store_rel(hk_word32(&local->hocket__key), key); /* pairs with key_of */
        }
    }
    (void)hocket__guard_unlock(&guard);
    return key;
}

static uint32_t key_of(hocket_local *local)
{
    return hk_load_acq(hk_word32(&local->hocket__key));
}

void *hocket_local_get(hocket_local *local)
{
    const hocket_task *self = hocket__self_or_null();
    const struct hocket__locals *l = self != NULL ? self->locals : NULL;
    uint32_t key = key_of(local);
    return l != NULL && key - 1 < l->size ? l->slots[key - 1].value : NULL;
}

static struct hocket__locals *grow(struct hocket__locals *old, uint32_t key)
{
    uint32_t size = old != NULL ? old->size : 0, more = size < 4 ? 4 : 2 * size;
    if (more < key)
        more = key;
    struct hocket__locals *l = hocket__realloc(old, sizeof *l + more * sizeof l->slots[0]);
    if (l == NULL)
        return NULL;
    if (old == NULL)
        l->inheritable = false;
    memset(&l->slots[size], 0, (more - size) * sizeof l->slots[0]);
    l->size = more;
    return l;
}

int hocket_local_set(hocket_local *local, void *value)
{
    hocket_task *self = hocket__self_attach();
    uint32_t key = key_of(local);
    if (self == NULL || (key == 0 && (key = key_make(local)) == 0))
        return -ENOMEM;
    struct hocket__locals *l = self->locals;
    if (l == NULL || key > l->size) {
        if (value == NULL)
            return 0;
        l = grow(l, key);
        if (l == NULL)
            return -ENOMEM;
        self->locals = l;
        if (self->kind == HOCKET__FOREIGN)
            hocket__foreign_watch();
    }
    l->slots[key - 1] = (struct slot){ value, false };
    if (value != NULL && !l->inheritable && entry_of(key)->inherit) {
        l->inheritable = true;
        /* Branches must come with them from now on: task/fork.c. */
        (void)hk_and(hk_word32(&self->forks.attention), ~HOCKET__FORKS_ON);
    }
    return 0;
}

/* One round of destructors; false if there was nothing to destroy. */
static bool destroy_round(hocket_task *task)
{
    bool any = false;
    for (uint32_t key = 1; key <= task->locals->size; key++) {
        struct slot *s = &task->locals->slots[key - 1];
        void *value = s->value;
        void (*destroy)(void *) = s->borrowed || value == NULL ? NULL : entry_of(key)->destroy;
        s->value = NULL;
        if (destroy != NULL) {
            destroy(value);
            any = true;
        }
    }
    return any;
}

void hocket__locals_end(hocket_task *task)
{
    for (int round = 0; round < ROUNDS && destroy_round(task); round++)
        ;
    hocket__free(task->locals);
    task->locals = NULL;
}

bool hocket__locals_inheritable(const hocket_task *task)
{
    return task->locals != NULL && task->locals->inheritable;
}

int hocket__locals_inherit(hocket_task *child, hocket_task *parent)
{
    if (!parent->locals->inheritable)
        return 0;
    uint32_t size = parent->locals->size;
    struct hocket__locals *l = hocket__calloc(1, sizeof *l + size * sizeof l->slots[0]);
    if (l == NULL)
        return -ENOMEM;
    l->size = size;
    for (uint32_t key = 1; key <= size; key++) {
        void *value = parent->locals->slots[key - 1].value;
        const struct entry *e = value != NULL ? entry_of(key) : NULL;
        if (e == NULL || !e->inherit)
            continue;
        struct slot *s = &l->slots[key - 1];
        s->borrowed = e->copy == NULL;
        s->value = s->borrowed ? value : e->copy(value);
        l->inheritable = true;
    }
    child->locals = l;
    return 0;
}
