/* SPDX-License-Identifier: MIT */
/*
 * dump_collect - who there is, and which scopes are open
 *
 * A task's open scopes are read under its guard, as its own enter and leave do; in a signal
 * handler the guard may be the interrupted function's, so there it is only tried.  A task's home
 * is noted as an address: the scope may be gone before we get to it.
 */
#include <string.h>

#include "base/hash.h"
#include "sched/worker.h"
#include "task/task.h"
#include "trace/dump.h"

static enum hocket__dump_state fiber_state(hocket_task *t, bool waiting, uint32_t wait)
{
    bool suspended = hk_load_acq(&t->stack) != NULL;
    if (waiting && wait <= HOCKET__CLAIMED_PARKED)
        return HOCKET__DUMP_WAITING;
    if (suspended || (hk_load(&t->queued_on) & HOCKET__QUEUED_NUMBER) != 0)
        return HOCKET__DUMP_READY;
    return waiting || hocket__dump_worker_of(t) ? HOCKET__DUMP_RUNNING : HOCKET__DUMP_READY;
}

/* Sets *ret_seq to the number of the wait that was looked at. */
static bool look_once(hocket_task *t, struct hocket__look *l, uint32_t *ret_seq)
{
    l->task = t;
    l->id = hk_load_acq(&t->id);
    uint32_t life = hocket__life(t);
    if (l->id == 0 || (life & HOCKET__LIFE_DONE))
        return false;
    *ret_seq = hk_load_acq(&t->wait_seq);
    uint32_t wait = hk_load_acq(&t->wait_state);
    l->cls = hk_load_acq(&t->wait_class); /* pairs with wait_begin: the rest is older */
    l->object = hk_load_acq(&t->wait_object);
    l->deadline = hk_load_acq(&t->wait_deadline);
    l->since = hk_load_acq(&t->wait_since);
    l->on_top = l->cls && wait == HOCKET__IDLE;
    if (life & HOCKET__LIFE_HELD)
        l->state = HOCKET__DUMP_HELD;
    else if (hk_load(&t->kind) == HOCKET__FIBER)
        l->state = fiber_state(t, l->cls != NULL, wait);
    else
        l->state = l->cls ? HOCKET__DUMP_WAITING : HOCKET__DUMP_RUNNING;
    return true;
}

bool hocket__dump_state_of(hocket_task *t, struct hocket__look *l)
{
    uint32_t seq;
    l->stacked = false;
    return look_once(t, l, &seq);
}

bool hocket__dump_look(struct hocket__dump *d, hocket_task *t, struct hocket__look *l)
{
    for (int i = 0; i < 3; i++) {
        uint32_t seq;
        if (!look_once(t, l, &seq))
            return false;
        l->refused = HOCKET__SAMPLE_GOOD;
        l->stacked = hocket__backtrace_task(t, d->in_handler, &l->frames) ||
                     hocket__dump_running(d, l);
        if (hk_load_acq(&t->wait_seq) == seq && hk_load_acq(&t->id) == l->id)
            return true;
    }
    l->stacked = false;
    l->refused =
        HOCKET__SAMPLE_GOOD; /* it is quick: what we have is a mixture of neighbouring moments */
    l->cls = NULL;
    l->state = HOCKET__DUMP_RUNNING;
    return true;
}

/* Tasks are alike that stand at the same place for the same reason; of a lock each has its own. */
static uint64_t key_of(const struct hocket__look *l)
{
    uint64_t key = hocket__hash_mix(17, (uint64_t)l->state + (l->on_top ? 8 : 0));
    key = hocket__hash_mix(key, hk_load(&l->task->kind));
    if (l->state == HOCKET__DUMP_WAITING) {
        key = hocket__hash_mix(key, (uintptr_t)l->cls);
        key = hocket__hash_mix(key, l->cls->holder ? (uintptr_t)l->object : 0);
        key = hocket__hash_mix(key, l->deadline == HOCKET_FOREVER);
    }
    key = hocket__hash_mix(key, l->refused);
    for (unsigned i = 0; l->stacked && i < l->frames.count; i++)
        key = hocket__hash_mix(key, l->frames.pc[i]);
    return key;
}

static void note_scope(struct hocket__dump *d, struct hocket__cancel_scope *s, uint32_t owner,
                       uint32_t depth)
{
    if (d->scope_count == d->scope_room)
        return;
    struct hocket__dumped_scope *n = &d->scopes[d->scope_count++];
    const char *name = hocket__scope_of_cancel(s)->name;
    *n = (struct hocket__dumped_scope){ .scope = s,
                                        .owner = owner,
                                        .depth = depth,
                                        .deadline = s->own_deadline,
                                        .shield = s->shield,
                                        .cancelled = hk_load(&s->cancelled) };
    if (name != NULL)
        strncpy(n->name, name, sizeof n->name - 1);
}

/* True if it has any. */
static bool note_scopes(struct hocket__dump *d, hocket_task *t)
{
    if (!d->in_handler)
        hocket__guard_lock(&t->guard);
    else if (!hocket__guard_trylock(&t->guard))
        return false;
    uint32_t depth = 0;
    for (struct hocket__cancel_scope *s = t->scopes; s != NULL && depth < 4096; s = s->outer)
        note_scope(d, s, t->slot, depth++);
    (void)hocket__guard_unlock(&t->guard);
    return depth > 0;
}

void hocket__dump_collect(struct hocket__dump *d)
{
    static struct hocket__look l; /* one dump at a time */
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        if (hk_load_acq(&t->id) == 0 || !hocket__dump_look(d, t, &l))
            continue;
        d->by_state[l.state]++;
        if (d->task_count == d->task_room) {
            d->missed++;
            continue;
        }
        struct hocket__dumped *n = &d->tasks[d->task_count++];
        *n = (struct hocket__dumped){ .id = l.id,
                                      .key = key_of(&l),
                                      .slot = slot,
                                      .home = hk_load(&t->home),
                                      .state = (uint8_t)l.state };
        n->owner = note_scopes(d, t);
        if (n->owner)
            n->key = hocket__hash_mix(n->key, l.id); /* like nobody: its children follow it */
    }
}
