/* SPDX-License-Identifier: MIT */
/*
 * map - one function over many inputs, at most `window` jobs of them on their way
 *
 * A job is a chunk of inputs: their bytes one behind the other, and what became of each.  The window
 * is an array of items, each with a chunk that is used again.  An item is free, or belongs
 * to a job, from the submit until its last result was taken.  In order of inputs the items
 * form a ring by number of job; as completed, finished items line up in `ready`.
 *
 * Jobs that end say so through a watch, which may run in any task: it marks the item under the
 * map's guard and wakes the mapping task if that waits for this very thing.  The
 * map lies in the mapping task's hands; it leaves only after it has seen, under the
 * guard, that every watch was called.
 */
#include <errno.h>
#include <hocket/runtime.h>

#include "base/alloc.h"
#include "sys/ticks.h"
#include "task/fail.h"
#include "task/map.h"

#define ALIGN     (_Alignof(max_align_t))
#define CHUNK_MAX 4096
#define JOB_SHORT (50 * (int64_t)HOCKET__TICKS_PER_US)  /* AUTO: a job gets more inputs below */
#define JOB_LONG  (200 * (int64_t)HOCKET__TICKS_PER_US) /* and fewer above */

static const struct hocket__wait_class map_class = { "map", NULL };

/* One input and what became of it. */
struct one {
    size_t offset, size; /* in the chunk's bytes */
    int result;          /* -ECANCELED until it has one */
    bool told;           /* it was cancelled */
    struct hocket__words *words;
    hocket_buffer output;
};

struct hocket__map_item {
    struct hocket__watch watch;
    struct hocket_imap *map;
    hocket_future *future;         /* NULL: free, or loaded */
    struct hocket__map_item *next; /* in `free` or `ready` */
    bool ended;                    /* under the guard */
    size_t index;                  /* of its first input */
    hocket_buffer bytes;
    struct one *ones;
    size_t count, capacity;
    int64_t took; /* ticks; written by the job */
};

/* ---- the job ---- */

static int run_chunk(void *arg)
{
    struct hocket__map_item *item = arg;
    hocket_task *self = hocket__self_or_null();
    int64_t start = hocket__ticks();
    for (size_t i = 0; i < item->count; i++) {
        struct one *one = &item->ones[i];
        if (i > 0 && hocket__cancelled(self))
            break;
        int result = item->map->call(item->bytes.data + one->offset, one->size, &one->output);
        one->told = result == -ECANCELED && hocket__cancelled(self);
        if (result < 0)
            one->words = hocket__words_for(self, result);
        if (self->words != NULL)
            hocket_fail_clear();
        one->result = result;
    }
    item->took = hocket__ticks() - start;
    return 0;
}

/* ---- waiting ---- */

static bool came_true(const struct hocket_imap *m)
{
    if (m->draining)
        return m->pending == 0;
    return m->as_completed ? m->ready != NULL : m->items[m->taken % m->window].ended;
}

static void item_done(struct hocket__watch *watch, hocket_future *future)
{
    (void)future;
    struct hocket__map_item *item = hk_container_of(watch, struct hocket__map_item, watch);
    struct hocket_imap *m = item->map;
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
static int await(struct hocket_imap *m, hocket_task *self, hocket_time deadline, bool cancel)
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

/* ---- feeding ---- */

/* Room for one more input in the item's chunk. */
static int widen(struct hocket__map_item *item)
{
    if (item->count < item->capacity)
        return 0;
    size_t capacity = item->capacity == 0 ? 1 : 2 * item->capacity;
    struct one *ones = hocket__realloc(item->ones, capacity * sizeof *ones);
    if (ones == NULL)
        return -ENOMEM;
    item->ones = ones;
    item->capacity = capacity;
    return 0;
}

static int add_input(struct hocket__map_item *item, const void *input, size_t size)
{
    static const unsigned char zeroes[ALIGN];
    int err = widen(item);
    if (err == 0)
        err = hocket_buffer_append(&item->bytes, zeroes, -item->bytes.size % ALIGN);
    size_t offset = item->bytes.size;
    if (err == 0)
        err = hocket_buffer_append(&item->bytes, input, size);
    if (err == 0 && item->bytes.data == NULL)
        err = hocket_buffer_reserve(&item->bytes, 1); /* an input of 0 bytes has an address */
    if (err != 0)
        return err;
    item->ones[item->count++] =
        (struct one){ .offset = offset, .size = size, .result = -ECANCELED, .told = true };
    return 0;
}

/* Fill the chunk of the next item. */
static int load(struct hocket_imap *m)
{
    struct hocket__map_item *item = m->as_completed ? m->free : &m->items[m->given % m->window];
    item->index = m->inputs;
    while (m->more && item->count < m->chunk_now) {
        const void *input = NULL;
        size_t size = 0;
        int rc = m->next(m->context, &input, &size);
        if (rc > 0)
            rc = add_input(item, input, size);
        else if (rc == 0)
            m->more = false;
        if (rc < 0) {
            item->count = item->bytes.size = 0;
            m->more = false;
            return rc;
        }
    }
    if (item->count == 0)
        return 0;
    m->inputs += item->count;
    if (m->as_completed)
        m->free = item->next;
    m->loaded = item;
    return 0;
}

/* One more job on its way, if there are inputs. */
static int feed(struct hocket_imap *m, hocket_time deadline)
{
    int err = m->loaded == NULL ? load(m) : 0;
    struct hocket__map_item *item = m->loaded;
    if (err != 0 || item == NULL)
        return err;
    hocket_future *f;
    err = hocket_submit_fn_until(m->executor, &f, run_chunk, item, deadline);
    if (err != 0)
        return err;
    m->loaded = NULL;
    m->given++;
    item->future = f;
    hocket__guard_lock(&m->guard);
    m->pending++;
    (void)hocket__guard_unlock(&m->guard);
    hocket__future_watch(f, &item->watch);
    return 0;
}

/* ---- results ---- */

static struct hocket__map_item *pick(struct hocket_imap *m)
{
    if (!m->as_completed)
        return &m->items[m->taken % m->window];
    hocket__guard_lock(&m->guard);
    struct hocket__map_item *item = m->ready;
    m->ready = item->next;
    if (m->ready == NULL)
        m->ready_tail = &m->ready;
    (void)hocket__guard_unlock(&m->guard);
    return item;
}

/* Longer or shorter jobs, by what the last one has cost. */
static void adapt(struct hocket_imap *m, const struct hocket__map_item *item)
{
    if (m->chunk != HOCKET_MAP_AUTO || item->count < m->chunk_now)
        return;
    if (item->took < JOB_SHORT && m->chunk_now < CHUNK_MAX)
        m->chunk_now *= 2;
    else if (item->took > JOB_LONG && m->chunk_now > 1)
        m->chunk_now /= 2;
}

static void give(struct hocket_imap *m, struct hocket__map_item *item, size_t i)
{
    struct one *one = &item->ones[i];
    m->result = (hocket_map_result){
        .index = item->index + i,
        .input = item->bytes.data + one->offset,
        .input_size = one->size,
        .result = one->result,
        .output = one->output.data,
        .output_size = one->output.size,
    };
    m->words = one->words;
    if (one->result < 0 && one->words == NULL) {
        m->plain.code = one->result;
        m->plain.message = hocket_error_text(one->result);
        m->plain.task = "";
    }
    if (one->result < 0)
        m->result.error = one->words != NULL ? hocket__words_error(one->words) : &m->plain;
}

/* All of a job's results are given, or, if `seen` says less, dropped. */
static void clear(struct hocket__map_item *item, size_t seen)
{
    for (size_t i = 0; i < item->count; i++) {
        struct one *one = &item->ones[i];
        if (i >= seen && one->result < 0 && !one->told)
            hocket__words_report(one->words);
        hocket__words_unref(one->words);
        hocket_buffer_free(&one->output);
    }
    item->count = item->bytes.size = 0;
    hocket_future_free(item->future);
    item->future = NULL;
}

/* The last result that was given is not needed any more. */
static void close_open(struct hocket_imap *m)
{
    struct hocket__map_item *item = m->open;
    if (item == NULL || m->position < item->count)
        return;
    m->open = NULL;
    adapt(m, item);
    clear(item, item->count);
    if (m->as_completed) {
        item->next = m->free;
        m->free = item;
    }
    hocket__guard_lock(&m->guard);
    item->ended = false;
    m->taken++;
    (void)hocket__guard_unlock(&m->guard);
}

static int await_job(struct hocket_imap *m, hocket_task *self, hocket_time deadline)
{
    struct hocket__pool_runner *lent;
    int err = hocket__pool_lend(self, &lent);
    if (err == 0) {
        err = await(m, self, deadline, true);
        hocket__pool_back(lent);
    }
    return err;
}

int hocket_imap_next(hocket_imap *m, const hocket_map_result **ret_result, hocket_time deadline)
{
    hocket__touch("next", m);
    hocket_task *self = hocket__self_attach();
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0)
        return err;
    close_open(m);
    while ((m->more || m->loaded != NULL) && m->given - m->taken < m->window && err == 0)
        if ((err = hocket__cancel_point(self)) == 0)
            err = feed(m, deadline);
    if (err != 0 && (err != -ETIMEDOUT || m->given == m->taken))
        return err; /* else there may be a result all the same */
    if (m->open == NULL) {
        if (m->given == m->taken)
            return -ENOENT;
        if ((err = await_job(m, self, deadline)) != 0)
            return err;
        m->open = pick(m);
        m->position = 0;
    }
    give(m, m->open, m->position++);
    *ret_result = &m->result;
    return 0;
}

/* ---- begin and end ---- */

static size_t window_of(const hocket_map_options *o, const hocket_executor *ex)
{
    if (o->window != 0)
        return o->window;
    if (ex->class == &hocket__executor_inline)
        return 1;
    int n = hocket_workers();
    if (o->chunk == HOCKET_MAP_AUTO)
        return 4 * (size_t)(n > 0 ? n : 1);
    return 2 * (size_t)hk_load(&ex->workers);
}

int hocket__imap_init(struct hocket_imap *m, hocket_executor *executor, hocket_call *call,
                      hocket_map_next *next, void *context, const hocket_map_options *options)
{
    static const hocket_map_options defaults = HOCKET_MAP_OPTIONS_DEFAULT;
    const hocket_map_options *o = options != NULL ? options : &defaults;
    if (o->size != 0 && o->size < sizeof *o)
        return -EINVAL;
    *m = (struct hocket_imap){ .executor = executor,
                               .call = call,
                               .next = next,
                               .context = context,
                               .as_completed = o->as_completed,
                               .more = true,
                               .window = window_of(o, executor),
                               .chunk = o->chunk };
    m->chunk_now = o->chunk == 0 || o->chunk == HOCKET_MAP_AUTO ? 1 : o->chunk;
    m->ready_tail = &m->ready;
    m->items = hocket__self_attach() != NULL ? hocket__calloc(m->window, sizeof *m->items) : NULL;
    if (m->items == NULL)
        return -ENOMEM;
    for (size_t i = m->window; i-- > 0;) {
        m->items[i].watch.done = item_done;
        m->items[i].map = m;
        m->items[i].next = m->free;
        m->free = &m->items[i];
    }
    return 0;
}

/* Nothing of the map may be left running. */
void hocket__imap_destroy(struct hocket_imap *m, hocket_task *self)
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
    for (size_t i = 0; i < m->window; i++) {
        struct hocket__map_item *item = &m->items[i];
        clear(item, item == m->open ? m->position : 0);
        hocket_buffer_free(&item->bytes);
        hocket__free(item->ones);
    }
    hocket__free(m->items);
}

int hocket_imap_open(hocket_imap **ret_imap, hocket_executor *executor, hocket_call *call,
                     hocket_map_next *next, void *context, const hocket_map_options *options)
{
    if (options != NULL && options->results != NULL)
        return -EINVAL;
    struct hocket_imap *m = hocket__alloc(sizeof *m);
    int err = m != NULL ? hocket__imap_init(m, executor, call, next, context, options) : -ENOMEM;
    if (err != 0)
        hocket__free(m);
    else
        *ret_imap = m;
    return err;
}

void hocket_imap_close(hocket_imap *m)
{
    hocket__touch("close", m);
    if (m == NULL)
        return;
    hocket__imap_destroy(m, hocket__self_must("hocket_imap_close"));
    hocket__free(m);
}
