/* SPDX-License-Identifier: MIT */
/*
 * order - see sync/order.h
 *
 * Classes are numbered at their first use; `after` is a matrix of bits: after[a] has
 * bit b when b was waited for with a held.  A known pair, the usual case, is
 * one load.  A new pair is looked at under one guard: a search from b tells whether a comes
 * after it.  If so the pair is marked as reported instead, so the matrix itself never has a cycle.
 *
 * Bits are only ever set; words are atomics so that the quick look needs no guard.
 */
#include "sync/order.h"

#include "park/report.h"
#include "sync/held.h"

#define CLASSES    256u
#define WORDS      (CLASSES / 64)
#define UNNUMBERED CLASSES /* there are too many classes */

typedef _Atomic uint64_t bits[WORDS];

_Atomic bool hocket__order_checked;

static hocket__guard order_guard;
static bits after[CLASSES];
static bits reported[CLASSES];
static uint32_t last_id; /* ids start at 1; under order_guard */

static bool bit_get(bits *row, uint32_t bit)
{
    return (hk_load(&(*row)[bit / 64]) >> (bit % 64)) & 1;
}

static void bit_set(bits *row, uint32_t bit)
{
    (void)hk_or(&(*row)[bit / 64], UINT64_C(1) << (bit % 64));
}

static uint32_t class_id(hocket_lock_class *cls)
{
    _Atomic uint32_t *id = hk_word32(&cls->hocket__id);
    uint32_t n = hk_load(id);
    if (n != 0)
        return n;
    hocket__guard_lock(&order_guard);
    n = hk_load(id);
    if (n == 0) {
        n = last_id + 1 < CLASSES ? ++last_id : UNNUMBERED;
        hk_store(id, n);
    }
    hocket__guard_unlock(&order_guard);
    return n;
}

/* Does `to` come after `from`, over any number of pairs?  Under order_guard. */
static bool reaches(uint32_t from, uint32_t to)
{
    uint8_t seen[CLASSES] = { 0 };
    uint8_t stack[CLASSES];
    unsigned depth = 0;
    stack[depth++] = (uint8_t)from;
    seen[from] = 1;
    while (depth > 0) {
        uint32_t at = stack[--depth];
        if (bit_get(&after[at], to))
            return true;
        for (uint32_t next = 1; next < CLASSES; next++) {
            if (!seen[next] && bit_get(&after[at], next)) {
                seen[next] = 1;
                stack[depth++] = (uint8_t)next;
            }
        }
    }
    return false;
}

/* The class of the i-th entry of the table, NULL if it has none. */
static hocket_lock_class *held_class_at(const hocket_task *self, unsigned i);

bool hocket__order_broken(hocket_task *self, hocket_lock_class *cls)
{
    uint32_t id = class_id(cls);
    bool broken = false;
    for (unsigned i = 0; i < HOCKET__HELD_READS && id != UNNUMBERED; i++) {
        hocket_lock_class *held = held_class_at(self, i);
        uint32_t held_id = held ? class_id(held) : UNNUMBERED;
        if (held_id == UNNUMBERED || held_id == id || bit_get(&after[held_id], id))
            continue;
        hocket__guard_lock(&order_guard);
        broken = broken || reaches(id, held_id);
        hocket__guard_unlock(&order_guard);
    }
    return broken;
}

/* True if the pair is the wrong way round and was not reported before. */
static bool learn_pair(uint32_t held, uint32_t wanted)
{
    bool news = false;
    hocket__guard_lock(&order_guard);
    if (!reaches(wanted, held)) {
        bit_set(&after[held], wanted);
    } else if (!bit_get(&reported[held], wanted)) {
        bit_set(&reported[held], wanted);
        news = true;
    }
    hocket__guard_unlock(&order_guard);
    return news;
}

void hocket__order_learn(hocket_task *self, hocket_lock_class *cls, const char *function,
                         const void *lock)
{
    uint32_t id = class_id(cls);
    for (unsigned i = 0; i < HOCKET__HELD_READS && id != UNNUMBERED; i++) {
        hocket_lock_class *held = held_class_at(self, i);
        uint32_t held_id = held ? class_id(held) : UNNUMBERED;
        if (held_id == UNNUMBERED || held_id == id || bit_get(&after[held_id], id) ||
            bit_get(&reported[held_id], id))
            continue;
        if (learn_pair(held_id, id) && !hk_load(&hocket__order_checked)) {
            char name[HOCKET_NAME_MAX];
            hocket__report("%s: lock order: task %s waits for %p of class \"%s\" while it holds "
                           "one of class \"%s\"; the other way round was seen before",
                           function, hocket__task_name(self, name, sizeof name), lock, cls->name,
                           held->name);
        }
    }
}

static hocket_lock_class *held_class_at(const hocket_task *self, unsigned i)
{
    uintptr_t entry = (uintptr_t)hk_load(&self->held_reads[i]);
    return entry & 1 ? (hocket_lock_class *)(entry - 1) : NULL;
}
