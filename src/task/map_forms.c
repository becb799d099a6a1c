/* SPDX-License-Identifier: MIT */
/*
 * map_forms - hocket_map with its callbacks or its queue, as one future, and over rows of arguments
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/fail.h"
#include "task/map.h"

/* ---- results that go into a queue ---- */

/* One block of memory: the result, its words, input, output, text. */
struct kept {
    hocket_map_result result;
    hocket_error error;
    struct hocket__words *words;
    _Alignas(max_align_t) unsigned char bytes[];
};

static struct kept *keep(const hocket_map_result *r, struct hocket__words *words)
{
    size_t align = _Alignof(max_align_t), output = (r->input_size + align - 1) / align * align;
    struct kept *k = hocket__alloc(sizeof *k + output + r->output_size);
    if (k == NULL)
        return NULL;
    k->result = *r;
    k->words = hocket__words_ref(words);
    k->result.input = k->bytes;
    if (r->input_size > 0)
        memcpy(k->bytes, r->input, r->input_size);
    if (r->output != NULL)
        k->result.output = memcpy(k->bytes + output, r->output, r->output_size);
    if (r->error != NULL && words == NULL) { /* plain: static text */
        k->error = *r->error;
        k->result.error = &k->error;
    }
    return k;
}

hocket_map_result *hocket__map_result_keep(const hocket_map_result *r, struct hocket__words *words)
{
    struct kept *k = keep(r, words);
    return k != NULL ? &k->result : NULL;
}

void hocket_map_result_free(hocket_map_result *result)
{
    struct kept *k = (struct kept *)(void *)result;
    if (k == NULL)
        return;
    hocket__words_unref(k->words);
    hocket__free(k);
}

static int into_queue(struct hocket_imap *m, hocket_queue *queue, hocket_time deadline)
{
    hocket_map_result *value = hocket__map_result_keep(&m->result, m->words);
    int err = value != NULL ? hocket_queue_put(queue, &value, deadline) : -ENOMEM;
    if (err != 0)
        hocket_map_result_free(value);
    return err;
}

/* ---- map ---- */

/* Nobody takes the results: the first failure is kept; negative: stop. */
static int drop(struct hocket_imap *m, hocket_task *self, bool keep_going, int *first)
{
    int result = m->result.result;
    if (result >= 0 || *first < 0)
        return 0;
    *first = result;
    hocket__words_adopt(self, m->words);
    return keep_going ? 0 : result;
}

static int go_on(hocket_task *self, hocket_time deadline)
{
    int err = hocket__cancel_point(self);
    if (err == 0 && deadline != HOCKET_FOREVER && hocket_now() >= deadline)
        err = -ETIMEDOUT;
    return err;
}

int hocket_map(hocket_executor *executor, hocket_call *call, hocket_map_next *next,
               hocket_map_take *take, void *context, const hocket_map_options *options,
               hocket_time deadline)
{
    static const hocket_map_options defaults = HOCKET_MAP_OPTIONS_DEFAULT;
    hocket_map_options o = options != NULL ? *options : defaults;
    hocket_task *self = hocket__self_attach();
    const hocket_map_result *r;
    struct hocket_imap m;
    int first = 0;
    if (take != NULL && o.results != NULL)
        return -EINVAL;
    o.as_completed = o.as_completed || o.results != NULL;
    int err = self != NULL ? hocket__imap_init(&m, executor, call, next, context, &o) : -ENOMEM;
    if (err != 0)
        return err;
    while (err == 0 && (err = go_on(self, deadline)) == 0 &&
           (err = hocket_imap_next(&m, &r, deadline)) == 0 && (err = go_on(self, deadline)) == 0)
        err = take != NULL        ? take(context, r)
              : o.results != NULL ? into_queue(&m, o.results, deadline)
                                  : drop(&m, self, o.keep_going, &first);
    hocket__imap_destroy(&m, self);
    return err == -ENOENT ? first : err;
}

/* ---- as one future ---- */

struct async {
    hocket_executor *executor;
    hocket_call *call;
    hocket_map_next *next;
    hocket_map_take *take;
    void *context;
    hocket_map_options options;
};

static int map_all(const void *input, size_t size, hocket_buffer *output)
{
    const struct async *a = input;
    (void)size;
    (void)output;
    return hocket_map(a->executor, a->call, a->next, a->take, a->context, &a->options,
                      HOCKET_FOREVER);
}

int hocket_map_async(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                     hocket_map_next *next, hocket_map_take *take, void *context,
                     const hocket_map_options *options)
{
    struct async a = { executor, call, next, take, context, HOCKET_MAP_OPTIONS_DEFAULT };
    if (options != NULL)
        a.options = *options;
    if (options != NULL && options->size != 0 && options->size < sizeof *options)
        return -EINVAL;
    return hocket_submit(executor, ret_future, map_all, &a, sizeof a);
}

/* ---- rows of arguments ---- */

struct stars {
    hocket_star_fn *fn;
    void *const *const *rows;
    size_t count, next;
    int *results;
    struct star {
        hocket_star_fn *fn;
        void *const *row;
    } star; /* what the next job gets */
};

static int next_row(void *context, const void **ret_input, size_t *ret_size)
{
    struct stars *s = context;
    if (s->next == s->count)
        return 0;
    s->star = (struct star){ s->fn, s->rows[s->next++] };
    *ret_input = &s->star;
    *ret_size = sizeof s->star;
    return 1;
}

static int call_row(const void *input, size_t size, hocket_buffer *output)
{
    const struct star *star = input;
    (void)size;
    (void)output;
    return star->fn(star->row);
}

static int take_row(void *context, const hocket_map_result *r)
{
    struct stars *s = context;
    s->results[r->index] = r->result;
    return 0;
}

int hocket_starmap(hocket_executor *executor, hocket_star_fn *fn, void *const *const *rows,
                   size_t count, int *ret_results, const hocket_map_options *options,
                   hocket_time deadline)
{
    struct stars s = { .fn = fn, .rows = rows, .count = count, .results = ret_results };
    return hocket_map(executor, call_row, next_row, ret_results != NULL ? take_row : NULL, &s,
                      options, deadline);
}
