/* SPDX-License-Identifier: MIT */
/*
 * map - one function over many inputs, at most `window` of them on their way
 *
 * The window is an array of items.  An item is free, or belongs to the input of its index,
 * from the submit until the result was taken.  In order of inputs the items form a
 * ring by index; as completed, finished items line up in `ready`.
 *
 * Jobs that end say so through a watch, which may run in any task: it marks the item under the
 * map's guard and wakes the mapping task if that waits for this very thing.  The
 * map lies on the mapping task's stack; the task leaves only after it has seen, under the
 * guard, that every watch was called.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/executor.h"
#include "task/fail.h"

static const struct hocket__wait_class map_class = { "map", NULL };

struct map;

struct item {
    struct hocket__watch watch;
    struct map *map;
    hocket_future *future; /* NULL: free */
    size_t index;          /* of the input */
    struct item *next;     /* in `free` or `ready` */
    bool ended;            /* under the guard */
};

struct map {
    hocket_executor *executor;
    hocket_call *call;
    hocket_map_next *next;
    hocket_map_take *take;
    void *context;
    hocket_time deadline;
    bool as_completed;
    size_t window;
    size_t given; /* inputs so far */
    struct item *items;
    struct item *free; /* as completed: items not in use */

    hocket__guard guard; /* everything below; `taken` changes in the mapping task only */
    size_t taken;        /* results so far */
    struct item *ready, **ready_tail;
    size_t pending; /* watches not called yet */
    bool draining;  /* waiting for all of them */
    hocket_task *waiting;
};

static bool came_true(const struct map *m)
{
    if (m->draining)
        return m->pending == 0;
    return m->as_completed ? m->ready != NULL : m->items[m->taken % m->window].ended;
}

static void item_done(struct hocket__watch *watch, hocket_future *future)
{
    (void)future;
    struct item *item = hk_container_of(watch, struct item, watch);
    struct map *m = item->map;
    hocket__guard_lock(&m->guard);
    m->pending--;
    item->ended = true;
    if (m->as_completed) {
        item->next = NULL;
        *m->ready_tail = item;
        m->ready_tail = &item->next;
    }
    hocket_task *task = came_true(m) ? m->waiting : NULL;
    if (task != NULL) {
        m->waiting = NULL;
        if (!hocket__claim(task))
            task = NULL; /* timed out or cancelled */
    }
    (void)hocket__guard_unlock(&m->guard);
    if (task != NULL)
        hocket__complete(task);
}

/* Wait until came_true(). */
static int await(struct map *m, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__guard_lock(&m->guard);
    bool now = came_true(m);
    if (!now) {
        hocket__sync_begin(&node, self, &map_class, m->executor, cancel);
        m->waiting = self;
    }
    (void)hocket__guard_unlock(&m->guard);
    if (now)
        return 0;
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&m->guard);
        m->waiting = NULL;
        (void)hocket__guard_unlock(&m->guard);
    }
    hocket__wait_end(self);
    return err;
}

/* ---- one input, one result ---- */

/* 1: one more is on its way.  0: there are no more.  Or an error. */
static int feed(struct map *m)
{
    const void *input = NULL;
    size_t size = 0;
    int rc = m->next(m->context, &input, &size);
    if (rc <= 0)
        return rc;
    struct item *item = m->as_completed ? m->free : &m->items[m->given % m->window];
    hocket_future *f;
    rc = hocket_submit_until(m->executor, &f, m->call, input, size, m->deadline);
    if (rc != 0)
        return rc;
    if (m->as_completed)
        m->free = item->next;
    item->future = f;
    item->index = m->given++;
    hocket__guard_lock(&m->guard);
    m->pending++;
    (void)hocket__guard_unlock(&m->guard);
    hocket__future_watch(f, &item->watch);
    return 1;
}

static struct item *pick(struct map *m)
{
    if (!m->as_completed)
        return &m->items[m->taken % m->window];
    hocket__guard_lock(&m->guard);
    struct item *item = m->ready;
    m->ready = item->next;
    if (m->ready == NULL)
        m->ready_tail = &m->ready;
    (void)hocket__guard_unlock(&m->guard);
    return item;
}

static int deliver(struct map *m, hocket_task *self)
{
    struct item *item = pick(m);
    hocket_future *f = item->future;
    int rc = 0;
    if (m->take != NULL) {
        hocket_map_result r = { .index = item->index,
                                .input = f->more->input,
                                .input_size = f->more->input_size,
                                .result = f->result,
                                .error = hocket_future_error(f) };
        r.output = hocket_future_output(f, &r.output_size);
        rc = m->take(m->context, &r);
    } else if (f->result < 0) {
        rc = f->result;
        hk_store(&f->seen, true);
        hocket__words_adopt(self, f->more->words);
    }
    hocket_future_free(f);
    item->future = NULL;
    if (m->as_completed) {
        item->next = m->free;
        m->free = item;
    }
    hocket__guard_lock(&m->guard);
    item->ended = false;
    m->taken++;
    (void)hocket__guard_unlock(&m->guard);
    return rc;
}

/* ---- all of them ---- */

static int check(const struct map *m, hocket_task *self)
{
    int err = hocket__cancel_point(self);
    if (err == 0 && m->deadline != HOCKET_FOREVER && hocket_now() >= m->deadline)
        err = -ETIMEDOUT;
    return err;
}

static int run(struct map *m, hocket_task *self)
{
    for (bool more = true;;) {
        while (more && m->given - m->taken < m->window) {
            int rc = check(m, self);
            if (rc == 0)
                rc = feed(m);
            else
                return rc;
            if (rc < 0)
                return rc;
            more = rc > 0;
        }
        if (m->given == m->taken)
            return 0;
        struct hocket__pool_runner *lent;
        int err = hocket__pool_lend(self, &lent);
        if (err == 0) {
            err = await(m, self, m->deadline, true);
            hocket__pool_back(lent);
        }
        if (err == 0)
            err = check(m, self);
        if (err == 0)
            err = deliver(m, self);
        if (err != 0)
            return err;
    }
}

/* Nothing of the map may be left running. */
static void abandon(struct map *m, hocket_task *self)
{
    struct hocket__pool_runner *lent;
    for (size_t i = 0; i < m->window; i++)
        if (m->items[i].future != NULL)
            (void)hocket_future_cancel(m->items[i].future);
    (void)hocket__pool_lend(self, &lent);
    hocket__guard_lock(&m->guard);
    m->draining = true;
    (void)hocket__guard_unlock(&m->guard);
    (void)await(m, self, HOCKET_FOREVER, false);
    hocket__pool_back(lent);
    for (size_t i = 0; i < m->window; i++)
        hocket_future_free(m->items[i].future);
}

static size_t default_window(const hocket_executor *ex)
{
    return ex->class == &hocket__executor_inline ? 1 : 2 * (size_t)hk_load(&ex->workers);
}

int hocket_map(hocket_executor *executor, hocket_call *call, hocket_map_next *next,
               hocket_map_take *take, void *context, const hocket_map_options *options,
               hocket_time deadline)
{
    static const hocket_map_options defaults = HOCKET_MAP_OPTIONS_DEFAULT;
    const hocket_map_options *o = options != NULL ? options : &defaults;
    if (o->size != 0 && o->size < sizeof *o)
        return -EINVAL;
    hocket_task *self = hocket__self_attach();
    struct map m = { .executor = executor,
                     .call = call,
                     .next = next,
                     .take = take,
                     .context = context,
                     .deadline = deadline,
                     .as_completed = o->as_completed,
                     .window = o->window != 0 ? o->window : default_window(executor) };
    m.ready_tail = &m.ready;
    m.items = self != NULL ? hocket__calloc(m.window, sizeof *m.items) : NULL;
    if (m.items == NULL)
        return -ENOMEM;
    for (size_t i = m.window; i-- > 0;) {
        m.items[i].watch.done = item_done;
        m.items[i].map = &m;
        m.items[i].next = m.free;
        m.free = &m.items[i];
    }
    int err = run(&m, self);
    abandon(&m, self);
    hocket__free(m.items);
    return err;
}
