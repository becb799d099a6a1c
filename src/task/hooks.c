/* SPDX-License-Identifier: MIT */
/*
 * hooks - one table of functions that see every task
 *
 * `hocket__hooks` is NULL or points to a
 * table that never changes and is never freed: a task may be in a hook of
 * it, or about to call one, for as long as it likes.  So that a program that switches
 * hooks on and off for ever needs no memory for it, equal tables are kept once.
 *
 * Order: a table is filled in before the release store that publishes it; readers acquire.
 */
#include <hocket/hooks.h>

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fail.h"

struct table {
    hocket_hooks hooks;
    struct table *next;
};

static hocket__guard guard; /* `tables`, and replacing the pointer */
static struct table *tables;

static bool equal(const hocket_hooks *a, const hocket_hooks *b)
{
    return a->context == b->context && a->spawn == b->spawn && a->start == b->start &&
           a->park == b->park && a->unpark == b->unpark && a->exit == b->exit &&
           a->error == b->error;
}

/* The one table with this content.  Under the guard. */
static const hocket_hooks *intern(const hocket_hooks *hooks)
{
    for (struct table *t = tables; t != NULL; t = t->next)
        if (equal(&t->hooks, hooks))
            return &t->hooks;
    struct table *t = hocket__alloc(sizeof *t);
    if (t == NULL)
        return NULL;
    t->hooks = *hooks;
    t->hooks.size = sizeof t->hooks;
    t->next = tables;
    tables = t;
    return &t->hooks;
}

/* The hooks look on like everybody else (park/watch.h); errors are told to them by task/fail.c. */
static void look(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    const hocket_hooks *h = hk_load_acq(&hocket__hooks); /* pairs with hocket_hooks_set */
    if (h == NULL)
        return;
    if (event == HOCKET__EVENT_SPAWN && h->spawn != NULL) {
        h->spawn(task, h->context);
    } else if (event == HOCKET__EVENT_START && h->start != NULL) {
        h->start(task, h->context);
    } else if (event == HOCKET__EVENT_PARK && h->park != NULL) {
        const struct hocket__wait_class *cls = hk_load(&task->wait_class);
        h->park(task, cls != NULL ? cls->name : "?", object, h->context);
    } else if (event == HOCKET__EVENT_UNPARK && h->unpark != NULL) {
        h->unpark(task, (int)value, h->context);
    } else if (event == HOCKET__EVENT_EXIT && h->exit != NULL) {
        h->exit(task, (int)value, h->context);
    }
}

static uint32_t events_of(const hocket_hooks *h)
{
    uint32_t events = 0;
    if (h == NULL)
        return 0;
    events |= h->spawn != NULL ? HOCKET__EVENT_BIT(HOCKET__EVENT_SPAWN) : 0;
    events |= h->start != NULL ? HOCKET__EVENT_BIT(HOCKET__EVENT_START) : 0;
    events |= h->park != NULL ? HOCKET__EVENT_BIT(HOCKET__EVENT_PARK) : 0;
    events |= h->unpark != NULL ? HOCKET__EVENT_BIT(HOCKET__EVENT_UNPARK) : 0;
    events |= h->exit != NULL ? HOCKET__EVENT_BIT(HOCKET__EVENT_EXIT) : 0;
    return events;
}

int hocket_hooks_set(const hocket_hooks *hooks, hocket_hooks *ret_old)
{
    if (hooks != NULL && hooks->size != 0 && hooks->size < sizeof *hooks)
        return -EINVAL;
    int err = 0;
    hocket__guard_lock(&guard);
    const hocket_hooks *old = hk_load(&hocket__hooks);
    const hocket_hooks *table = hooks != NULL ? intern(hooks) : NULL;
    if (hooks != NULL && table == NULL) {
        err = -ENOMEM;
    } else {
        hk_store_rel(&hocket__hooks, table); /* pairs with every reader */
        hocket__onlook(HOCKET__WATCH_HOOKS, events_of(table), look);
    }
    (void)hocket__guard_unlock(&guard);
    if (err == 0 && ret_old != NULL)
        *ret_old = old != NULL ? *old : (hocket_hooks)HOCKET_HOOKS_DEFAULT;
    return err;
}
