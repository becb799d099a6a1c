/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_MAP_H
#define HOCKET_MAP_H
#include <hocket/executor.h>
#include <hocket/queue.h>

/*
 * map - one function over many inputs, on any executor
 *
 * Inputs come one at a time from a callback and results go one at a time to another,
 * both called in the calling task.  At most a *window* of jobs is on its way at any time, so a
 * map over an endless list takes constant memory.
 *
 *     struct list { char **paths; size_t next, count; };
 *
 *     static int next_path(void *context, const void **ret_input, size_t *ret_size)
 *     {
 *         struct list *l = context;
 *         if (l->next == l->count)
 *             return 0;
 *         *ret_input = l->paths[l->next++];
 *         *ret_size = strlen(*ret_input) + 1;
 *         return 1;
 *     }
 *
 *     static int print_count(void *context, const hocket_map_result *r)
 *     {
 *         if (r->result < 0)
 *             fprintf(stderr, "%s: %s\n", (const char *)r->input, r->error->message);
 *         else
 *             printf("%s: %d\n", (const char *)r->input, *(const int *)r->output);
 *         return 0;                             // go on, also after a failed job
 *     }
 *
 *     err = hocket_map(ex, count_lines, next_path, print_count, &list, NULL, HOCKET_FOREVER);
 *
 * Its forms: hocket_map takes results by a callback or into a queue (option `results`),
 * hocket_map_queues takes the inputs from a queue, too, hocket_imap_* one at a time when asked for, hocket_map_async is one future for all,
 * hocket_starmap calls a function with several arguments for each row of a table.
 *
 *   Callers    threads and fibers alike.
 *   Blocks     all but open; cancel points on every call, close excepted.
 *   Chunks     inputs that take little time are given to a job several at a time: `chunk`, or
 *              HOCKET_MAP_AUTO, which begins with one and doubles as long as a job takes
 *              less than about 50 us.  Results come one at a time all the same, after
 *              their job has ended; a cancelled job leaves the rest of its inputs out.
 */

/* As `chunk`: as many inputs a job as make its price small. */
#define HOCKET_MAP_AUTO ((size_t)-1)

/* Give the next input: 1; there is no more: 0; negative: stop, map returns that.  The bytes are
 * copied before the next call of anything. */
typedef int hocket_map_next(void *context, const void **ret_input, size_t *ret_size);

/* One result; everything it points to is gone when the callback has returned. */
typedef struct hocket_map_result {
    size_t index;      /* of the input: 0 for the first that next gave */
    const void *input; /* the executor's copy of it, aligned for any type */
    size_t input_size;
    int result;         /* what the job returned */
    const void *output; /* what it wrote; NULL if nothing */
    size_t output_size;
    const hocket_error *error; /* words, never NULL if result is negative, else NULL */
} hocket_map_result;

/* Take a result: 0 to go on, anything else to stop: map returns that. */
typedef int hocket_map_take(void *context, const hocket_map_result *result);

typedef struct hocket_map_options {
    size_t size;           /* sizeof(hocket_map_options); 0 = the fields of version 0.1 */
    size_t window;         /* jobs given and not taken; 0 = twice the workers (inline: 1), with
                              HOCKET_MAP_AUTO four times those of the runtime */
    bool as_completed;     /* results as they are done; otherwise in order of the inputs */
    size_t chunk;          /* inputs a job; 0 = 1; HOCKET_MAP_AUTO */
    bool keep_going;       /* without `take`: the first failure does not stop the map */
    hocket_queue *results; /* of hocket_map_result *: where results go as they are done; see map */
} hocket_map_options;

#define HOCKET_MAP_OPTIONS_DEFAULT                           \
    {                                                        \
        sizeof(hocket_map_options), 0, false, 0, false, NULL \
    }
#ifndef __cplusplus
#define HOCKET_MAP_OPTIONS(...) \
    (&(hocket_map_options){ .size = sizeof(hocket_map_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Call `call` on every input that `next` gives, and give each result to `take`.
 * With `take` NULL the outputs are dropped, and the first failure stops the map (with
 * `keep_going`: is kept until all are done), which returns it; its words are then kept for the
 * calling task (hocket_fail_words).
 *
 * With option `results`, each result is put into that queue as it is done, in memory of its own
 * that whoever gets it gives to hocket_map_result_free; `take` must be NULL then.  Failed
 * jobs go there too and do not stop the map.  The queue stays open at the end.
 *
 *   0           all inputs done and taken
 *   -ETIMEDOUT  the deadline passed
 *   -ECANCELED  the calling task was cancelled
 *   -EINVAL     `take` and `results`
 *   -ENOMEM or -EAGAIN   as hocket_future_get, for a job that maps on its own executor
 *   otherwise   what next, take, a submit or a put returned
 *
 * When it ends early, jobs not done are cancelled and waited for, and their results dropped: no
 * job of the map runs when map has returned.  A cancel point, also between two results.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_map(hocket_executor *executor, hocket_call *call,
                                            hocket_map_next *next, hocket_map_take *take,
                                            void *context, const hocket_map_options *options,
                                            hocket_time deadline);

/* Free a result that came out of a queue; NULL is ignored. */
HOCKET_API void hocket_map_result_free(hocket_map_result *result);

/*
 * A pool between an input, an output and an error queue: until `input` is closed, each of its values
 * (of `value_size` bytes) becomes a job, and what comes of it is put into `output`, or, if the
 * job failed, into `errors` (NULL: `output` as well), by the job itself, so as soon as it is there
 * and as slowly as they are got.  Both hold hocket_map_result *, as with option `results`, and
 * stay open; the index counts the values in the order in which they were got.
 *
 *     err = hocket_spawn(&scope, relay, &three);   // it calls hocket_map_queues
 *     err = hocket_queue_put(input, &value, HOCKET_FOREVER);
 *     err = hocket_queue_get(output, &result, HOCKET_FOREVER);
 *
 *   0           the input is closed, and all its values are done
 *   -ETIMEDOUT, -ECANCELED, -ENOMEM, -EAGAIN   as map
 *   otherwise   what a submit or a put returned
 *
 * When it ends early, jobs not done are cancelled and waited for.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_map_queues(hocket_executor *executor, hocket_call *call,
                                                   hocket_queue *input, size_t value_size,
                                                   hocket_queue *output, hocket_queue *errors,
                                                   hocket_time deadline);

/*
 * The whole map as one job of the executor, with one future: its result is what hocket_map would
 * have returned, with the words of the first failure.  `next` and `take` are called in that job;
 * the options are copied, what they and `context` point to must live until it is done.
 * Cancelling it cancels the map.  Errors as hocket_submit.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_map_async(hocket_executor *executor,
                                                  hocket_future **ret_future, hocket_call *call,
                                                  hocket_map_next *next, hocket_map_take *take,
                                                  void *context, const hocket_map_options *options);

/*
 * A map whose results are asked for: in order of the inputs, or with `as_completed` as they are
 * done.  Inputs are taken from `next` within hocket_imap_next.  For one task at a time.
 *
 *     const hocket_map_result *r;
 *     err = hocket_imap_open(&it, ex, count_lines, next_path, &list, NULL);
 *     while (err == 0 && (err = hocket_imap_next(it, &r, HOCKET_FOREVER)) == 0)
 *         use(r);                               // until the next call
 *     hocket_imap_close(it);                    // err is -ENOENT: that was all
 */
typedef struct hocket_imap hocket_imap;

/* 0; -ENOMEM; -EINVAL: option `results`.  Calls nothing yet. */
HOCKET_API HOCKET_MUST_CHECK int hocket_imap_open(hocket_imap **ret_imap, hocket_executor *executor,
                                                  hocket_call *call, hocket_map_next *next,
                                                  void *context, const hocket_map_options *options);

/*
 * The next result.  0; -ENOENT: that was all; -ETIMEDOUT, -ECANCELED: it goes on with the next
 * call; otherwise what `next` or a submit returned.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_imap_next(hocket_imap *imap,
                                                  const hocket_map_result **ret_result,
                                                  hocket_time deadline);

/* End it, also in the middle: jobs not done are cancelled and waited for.  NULL is ignored. */
HOCKET_API void hocket_imap_close(hocket_imap *imap);

/* A function of several arguments, which the caller keeps alive. */
typedef int hocket_star_fn(void *const *args);

/*
 * fn(rows[i]) for each of `count` rows of arguments, whose number fn knows; for executors that
 * share the caller's memory.  ret_results[i] (NULL: not wanted) becomes what it returned.
 * Without ret_results the first failure stops it, as in hocket_map.  Errors as hocket_map.
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_starmap(hocket_executor *executor, hocket_star_fn *fn,
                                                void *const *const *rows, size_t count,
                                                int *ret_results, const hocket_map_options *options,
                                                hocket_time deadline);

HOCKET_END_DECLS
#endif
