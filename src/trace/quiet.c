/* SPDX-License-Identifier: MIT */
/*
 * quiet - what a test has left behind
 *
 * What there is is counted from the records, as the dump does.  A task of a scope is known by the
 * address of the scope it was spawned into; that of another scope that lay at the same place is
 * over by then.
 */
#include <hocket/dump.h>

#include "base/panic.h"
#include "task/task.h"
#include "task/timer.h"
#include "trace/dump.h"

#define SHOWN 16

struct left {
    const void *scope; /* NULL: everything */
    const hocket_task *self;
    unsigned tasks, waiters;
    uint32_t slots[SHOWN]; /* of the first */
};

/* Threads of the program's own count when they wait, tasks when they are there. */
static bool counts(const struct left *l, const hocket_task *t, bool *ret_waiter)
{
    uint16_t flags = hk_load(&t->flags);
    *ret_waiter = hk_load_acq(&t->wait_class) != NULL;
    if (t == l->self || hk_load_acq(&t->id) == 0 || (hocket__life(t) & HOCKET__LIFE_DONE))
        return false;
    if (l->scope != NULL)
        return hk_load(&t->home) == l->scope;
    if (flags & (HOCKET__TASK_DAEMON | HOCKET__TASK_ROOT))
        return false;
    if (hk_load(&t->kind) != HOCKET__FOREIGN)
        return true;
    const void *object = hk_load_acq(&t->wait_object);
    return *ret_waiter && object != hocket_main_task() && object != &hocket__root_scope;
}

static void look(struct left *l)
{
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        bool waiter;
        if (!counts(l, hocket__record_at(slot), &waiter))
            continue;
        if (l->tasks < SHOWN)
            l->slots[l->tasks] = slot;
        l->tasks++;
        l->waiters += waiter;
    }
}

static void show(const struct left *l)
{
    static struct hocket__look seen; /* one dump at a time */
    struct hocket__dump *d = hocket__dump_begin(2, NULL);
    if (d == NULL)
        return;
    hocket__out_text(&d->out, "hocket: not quiet, these are left:\n");
    for (unsigned i = 0; i < l->tasks && i < SHOWN; i++) {
        hocket_task *t = hocket__record_at(l->slots[i]);
        if (!hocket__dump_look(d, t, &seen))
            continue;
        struct hocket__dumped one = { .id = seen.id, .slot = l->slots[i] };
        hocket__dump_task(d, &seen, 1, &one, 1);
    }
    if (l->tasks > SHOWN) {
        hocket__out_text(&d->out, "  and ");
        hocket__out_number(&d->out, l->tasks - SHOWN);
        hocket__out_text(&d->out, " more\n");
    }
    (void)hocket__dump_end(d);
}

void hocket_assert_quiet(const hocket_scope *scope)
{
    struct left l = { .scope = scope != NULL ? (const void *)scope : NULL,
                      .self = hocket__self_or_null() };
    look(&l);
    bool timers = scope == NULL && hocket__timers_pending();
    if (l.tasks == 0 && !timers)
        return;
    show(&l);
    if (scope != NULL)
        hocket__panic("hocket_assert_quiet: scope %p has %u task(s) left, %u of them waiting",
                      (const void *)scope, l.tasks, l.waiters);
    hocket__panic("hocket_assert_quiet: %u task(s) are left, %u of them waiting, and %s timer",
                  l.tasks, l.waiters, timers ? "a" : "no");
}
