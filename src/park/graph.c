/* SPDX-License-Identifier: MIT */
/*
 * graph - see park/graph.h
 *
 * Most waits need no search: whoever holds what the task wants is running, or
 * waits for something that nobody in particular holds.  That is seen without
 * any lock, from the own object and type-stable records alone.
 *
 * The search is depth first, from `self` along holders.  All edges of a wait must
 * give way before it ends, so one that leads back to `self` is enough.  Every edge is read
 * twice, the second time after the whole cycle was found.  Each wait of the cycle is pinned
 * (park/graph.h) and was undecided at both times; a task that waits neither takes nor
 * gives what it holds.  So all edges existed together between the two readings, and since
 * none of the waits ends by itself, they stay.
 *
 * Two tasks that close a cycle together: each publishes its record, passes a fence and reads the
 * other's.  At least one of them finds the cycle; the first to get the lock
 * reports it and withdraws its record.
 *
 * wait_deadline is 0 from the start of a wait until the task parks, which counts as timed: such a
 * task has its own search still before it, after the deadline is known.
 *
 * Limits: cycles of up to PATH_MAX tasks, STEPS_MAX edges a search.  Beyond: no claim.
 */
#include "park/graph.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "park/report.h"
#include "park/wait.h"

#define CYCLE_MAX 512
#define STEPS_MAX 8192

struct edge {
    hocket_task *task; /* the waiter */
    unsigned index;    /* which of its holders is next in the path */
};

_Atomic uint32_t hocket__graph_busy;
void (*_Atomic hocket__cycle_hook)(hocket_task *const *tasks, unsigned count);

/* All of it under graph_guard. */
static hocket__guard graph_guard;
static struct edge path[CYCLE_MAX];
static unsigned path_length;

void hocket__graph_wait(void)
{
    hocket__guard_lock(&graph_guard);
    hocket__guard_unlock(&graph_guard);
}

static bool undecided(uint32_t state)
{
    return state == HOCKET__WAITING || state == HOCKET__WAITING_C || state == HOCKET__PARKED ||
           state == HOCKET__PARKED_C;
}

static bool cancellable_state(uint32_t state)
{
    return state == HOCKET__WAITING_C || state == HOCKET__PARKED_C;
}

/*
 * The class of the wait of `t` if its edges may count, else NULL.  IDLE with a class is a joiner
 * whose child runs on its stack, or a wait that is just ending: next_of tells them apart.
 */
static const struct hocket__wait_class *edges_of(hocket_task *t)
{
    /* Class before state: wait_begin writes the object before the class. */
    const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
    if (!cls || !cls->holder)
        return NULL;
    uint32_t state = hk_load_acq(&t->wait_state);
    return undecided(state) || state == HOCKET__IDLE ? cls : NULL;
}

/*
 * The index-th task that `t` waits for; NULL: no further one, or unknown.  The edge of a joiner
 * counts only if the child says so itself; it is `self`, or waits as well, and
 * then its record was written before its wait_class, which is read here.
 */
static hocket_task *next_of(hocket_task *self, hocket_task *t, unsigned index)
{
    uint32_t seq = hk_load_acq(&t->wait_seq);
    const struct hocket__wait_class *cls = edges_of(t);
    if (!cls || hk_load(&t->wait_deadline) != HOCKET_FOREVER)
        return NULL;
    /*
     * The join of a child in place is not pinned: it may be over, and the object that of the
     * next wait.  That one has written its object after the class was cleared, and counts.
     */
    const void *object = hk_load_acq(&t->wait_object); /* pairs with wait_begin */
    if (hk_load_acq(&t->wait_class) != cls || hk_load_acq(&t->wait_seq) != seq)
        return NULL;
    uint32_t slot = cls->holder(object, index);
    if (slot == 0 || slot == HOCKET__HOLDER_UNKNOWN)
        return NULL;
    hocket_task *next = hocket__record_at(slot);
    if (!next)
        return NULL;
    if (hk_load(&t->wait_state) == HOCKET__IDLE &&
        ((next != self && !edges_of(next)) || hk_load(&next->in_place_of) != t->slot))
        return NULL;
    return next;
}

/* Of `self`, whose own deadline does not matter: nobody of the cycle acts before it. */
static hocket_task *next_of_self(hocket_task *self, unsigned index)
{
    const struct hocket__wait_class *cls = hk_load(&self->wait_class);
    uint32_t slot = cls->holder(hk_load(&self->wait_object), index);
    return slot == 0 || slot == HOCKET__HOLDER_UNKNOWN ? NULL : hocket__record_at(slot);
}

/* Cheap and without the lock: can there be a cycle at all? */
static bool suspicious(hocket_task *self)
{
    hocket_task *t;
    for (unsigned i = 0; (t = next_of_self(self, i)) != NULL; i++)
        if (t == self || edges_of(t))
            return true;
    return false;
}

/* Fill `path` with a cycle from self to self. */
static bool find_cycle(hocket_task *self)
{
    unsigned steps = 0;
    path[0] = (struct edge){ self, 0 };
    path_length = 1;
    while (path_length > 0 && steps++ < STEPS_MAX) {
        struct edge *last = &path[path_length - 1];
        hocket_task *t = last->task == self ? next_of_self(self, last->index)
                                            : next_of(self, last->task, last->index);
        if (t == self)
            return true;
        if (!t) {
            if (--path_length > 0)
                path[path_length - 1].index++;
        } else if (edges_of(t) && path_length < CYCLE_MAX) {
            path[path_length++] = (struct edge){ t, 0 };
        } else {
            last->index++;
        }
    }
    return false;
}

/* The second reading.  Sets *ret_certain if no wait but the last could be cancelled. */
static bool verify_cycle(hocket_task *self, bool *ret_certain)
{
    *ret_certain = true;
    for (unsigned i = 0; i < path_length; i++) {
        const struct edge *e = &path[i];
        hocket_task *to = i + 1 < path_length ? path[i + 1].task : self;
        hocket_task *now = i == 0 ? next_of_self(self, e->index) : next_of(self, e->task, e->index);
        if (now != to)
            return false;
        uint32_t state = hk_load_acq(&e->task->wait_state);
        if (!undecided(state) && state != HOCKET__IDLE)
            return false;
        if (i > 0 && cancellable_state(state))
            *ret_certain = false;
    }
    return true;
}

/* "a waits for mutex 0x1 held by b; b waits for ..." as far as it fits. */
static void describe_cycle(char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < path_length; i++) {
        hocket_task *t = path[i].task, *to = path[(i + 1) % path_length].task;
        const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
        char name[HOCKET_NAME_MAX], holder[HOCKET_NAME_MAX];
        int n = snprintf(text + used, size - used, "%s%s waits for %s %p of %s", i ? "; " : "",
                         hocket__task_name(t, name, sizeof name), cls ? cls->name : "?",
                         hk_load(&t->wait_object), hocket__task_name(to, holder, sizeof holder));
        if (n < 0 || (size_t)n >= size - used) {
            snprintf(text + used, size - used, "; ...");
            return;
        }
        used += (size_t)n;
    }
}

uint32_t hocket__graph_holder(hocket_task *task, unsigned index, bool try_only)
{
    uint32_t slot = 0;
    if (try_only && !hocket__guard_trylock(&graph_guard))
        return 0;
    if (!try_only)
        hocket__guard_lock(&graph_guard);
    hk_store(&hocket__graph_busy, 1u);
    hk_fence_sc(); /* pairs with hocket__graph_leave */
    uint32_t seq = hk_load_acq(&task->wait_seq);
    const struct hocket__wait_class *cls = hk_load_acq(&task->wait_class);
    const void *object = hk_load_acq(&task->wait_object);
    /* All of one wait, which goes on: it has not cleared its class, or waits for us at its end. */
    if (cls && cls->holder && object && hk_load_acq(&task->wait_class) == cls &&
        hk_load_acq(&task->wait_seq) == seq)
        slot = cls->holder(object, index);
    hk_store_rel(&hocket__graph_busy, 0u);
    hocket__guard_unlock(&graph_guard);
    return slot == HOCKET__HOLDER_UNKNOWN ? 0 : slot;
}

/* Under graph_guard. */
static unsigned copy_cycle(hocket_task **tasks)
{
    unsigned n = 0;
    for (; n < path_length && n < HOCKET__CYCLE_SHOWN; n++)
        tasks[n] = path[n].task;
    return n;
}

static void show_cycle(hocket_task *const *tasks, unsigned count)
{
    void (*hook)(hocket_task *const *, unsigned) = hk_load_acq(&hocket__cycle_hook);
    if (hook)
        hook(tasks, count);
}

int hocket__graph_check(hocket_task *self, hocket_time deadline, bool cancellable)
{
    (void)deadline; /* the closing wait may be timed: it is as hopeless */
    hk_fence_sc();  /* own record before others'; pairs with the same line in another task */
    if (!suspicious(self))
        return 0;

    char text[360] = "";
    hocket_task *cycle[HOCKET__CYCLE_SHOWN];
    unsigned count = 0;
    bool certain = false;
    hocket__guard_lock(&graph_guard);
    hk_store(&hocket__graph_busy, 1u);
    hk_fence_sc(); /* pairs with hocket__graph_leave */
    bool found = find_cycle(self) && verify_cycle(self, &certain);
    if (found) {
        describe_cycle(text, sizeof text);
        count = copy_cycle(cycle);
        if (cancellable)
            hk_store_rel(&self->wait_class, NULL); /* broken: not to be found by the others */
    }
    hk_store_rel(&hocket__graph_busy, 0u);
    hocket__guard_unlock(&graph_guard);

    if (!found)
        return 0;
    if (cancellable)
        return -EDEADLK;
    if (certain) {
        show_cycle(cycle, count);
        hocket__panic("deadlock: %s", text);
    }
    hocket__report("deadlock unless cancelled: %s", text);
    show_cycle(cycle, count);
    return 0;
}
