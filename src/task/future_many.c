/* SPDX-License-Identifier: MIT */
/*
 * future_many - several futures at once: as they are done, or until enough of them are
 *
 * Each future gets a watch, which puts its entry into the list of those that are done and wakes the
 * one task that waits.  Who closes takes back the watches that were not called, and waits
 * for those that are just being called: an entry is gone only when no watch can reach it.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/executor.h"

static const struct hocket__wait_class many_class = { "futures", NULL };

struct entry {
    struct hocket__watch watch;
    struct hocket_completed *set;
    hocket_future *future; /* NULL: skipped */
    struct entry *next;    /* in `ready`; under the guard */
};

struct hocket_completed {
    size_t count, left;  /* entries; not delivered yet */
    hocket__guard guard; /* all below */
    struct entry *ready, **tail;
    size_t pending; /* watches not called */
    bool closing;   /* waiting for pending == 0, else for `ready` */
    hocket_task *waiting;
    struct entry entries[];
};

static bool came_true(const struct hocket_completed *c)
{
    return c->closing ? c->pending == 0 : c->ready != NULL;
}

static void entry_done(struct hocket__watch *watch, hocket_future *future)
{
    struct entry *e = hk_container_of(watch, struct entry, watch);
    struct hocket_completed *c = e->set;
    (void)future;
    hocket__guard_lock(&c->guard);
    c->pending--;
    *c->tail = e;
    c->tail = &e->next;
    hocket_task *task = came_true(c) ? c->waiting : NULL;
    if (task != NULL) {
        c->waiting = NULL;
        if (!hocket__claim(task))
            task = NULL; /* timed out or cancelled */
    }
    (void)hocket__guard_unlock(&c->guard);
    if (task != NULL)
        hocket__complete(task);
}

/* Wait until came_true(). */
static int await(struct hocket_completed *c, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__guard_lock(&c->guard);
    bool now = came_true(c);
    if (!now && deadline > HOCKET_NOW) {
        hocket__sync_begin(&node, self, &many_class, c, cancel);
        c->waiting = self;
    }
    (void)hocket__guard_unlock(&c->guard);
    if (now || deadline <= HOCKET_NOW)
        return now ? 0 : -ETIMEDOUT;
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&c->guard);
        c->waiting = NULL;
        (void)hocket__guard_unlock(&c->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_completed_open(hocket_completed **ret_completed, hocket_future *const *futures,
                          size_t count)
{
    size_t bytes;
    if (hocket__self_attach() == NULL ||
        __builtin_mul_overflow(count, sizeof(struct entry), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct hocket_completed), &bytes))
        return -ENOMEM;
    struct hocket_completed *c = hocket__alloc(bytes);
    if (c == NULL)
        return -ENOMEM;
    memset(c, 0, bytes);
    c->count = count;
    c->tail = &c->ready;
    for (size_t i = 0; i < count; i++) {
        c->entries[i].watch.done = entry_done;
        c->entries[i].set = c;
        c->entries[i].future = futures[i];
        hocket__list_init(&c->entries[i].watch.link);
        c->left += futures[i] != NULL;
    }
    c->pending = c->left;
    for (size_t i = 0; i < count; i++)
        if (futures[i] != NULL)
            hocket__future_watch(futures[i], &c->entries[i].watch);
    *ret_completed = c;
    return 0;
}

int hocket_completed_next(hocket_completed *c, size_t *ret_index, hocket_time deadline)
{
    hocket__touch("next", c);
    hocket_task *self = hocket__self_attach();
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0)
        return err;
    if (c->left == 0)
        return -ENOENT;
    struct hocket__pool_runner *lent;
    err = await(c, self, HOCKET_NOW, true);
    if (err != 0 && deadline > HOCKET_NOW) {
        err = hocket__pool_lend(self, &lent);
        if (err == 0) {
            err = await(c, self, deadline, true);
            hocket__pool_back(lent);
        }
    }
    if (err != 0)
        return err;
    hocket__guard_lock(&c->guard);
    struct entry *e = c->ready;
    c->ready = e->next;
    if (c->ready == NULL)
        c->tail = &c->ready;
    (void)hocket__guard_unlock(&c->guard);
    c->left--;
    *ret_index = (size_t)(e - c->entries);
    return 0;
}

void hocket_completed_close(hocket_completed *c)
{
    if (c == NULL)
        return;
    size_t back = 0;
    hocket_task *self = hocket__self_must("hocket_completed_close");
    for (size_t i = 0; i < c->count; i++)
        if (c->entries[i].future != NULL)
            back += hocket__future_unwatch(c->entries[i].future, &c->entries[i].watch);
    hocket__guard_lock(&c->guard);
    c->pending -= back;
    c->closing = true;
    (void)hocket__guard_unlock(&c->guard);
    (void)await(c, self, HOCKET_FOREVER, false); /* for watches that are being called */
    hocket__free(c);
}

/* ---- until enough are done ---- */

static bool enough(const hocket_future *f, int how)
{
    return how == HOCKET_WAIT_FIRST || (how == HOCKET_WAIT_FAILURE && f->result < 0);
}

/* What needs no wait: true if it is decided; *ret_index as the caller wants it. */
static bool look(hocket_future *const *futures, size_t count, int how, size_t *ret_index)
{
    size_t open = 0, there = 0;
    *ret_index = count;
    for (size_t i = 0; i < count; i++) {
        if (futures[i] == NULL)
            continue;
        there++;
        if (!hocket__future_done(futures[i]))
            open++;
        else if (*ret_index == count && enough(futures[i], how))
            *ret_index = i;
    }
    return *ret_index < count || open == 0 || there == 0;
}

int hocket_future_wait_many(hocket_future *const *futures, size_t count, int how, size_t *ret_index,
                            hocket_time deadline)
{
    hocket__touch("wait many", NULL);
    hocket_task *self = hocket__self_attach();
    size_t index;
    if (how != HOCKET_WAIT_ALL && how != HOCKET_WAIT_FIRST && how != HOCKET_WAIT_FAILURE)
        return -EINVAL;
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err == 0 && !look(futures, count, how, &index)) {
        hocket_completed *c;
        if (deadline <= HOCKET_NOW)
            return -ETIMEDOUT;
        err = hocket_completed_open(&c, futures, count);
        if (err != 0)
            return err;
        while ((err = hocket_completed_next(c, &index, deadline)) == 0)
            if (enough(futures[index], how))
                break;
        if (err == -ENOENT) { /* all are done */
            err = 0;
            index = count;
        }
        hocket_completed_close(c);
    }
    if (err == 0 && ret_index != NULL)
        *ret_index = index;
    return err;
}
