/* SPDX-License-Identifier: MIT */
/*
 * Each function is a cancel point always or never.  In a cancelled scope every call of the first list
 * fails with -ECANCELED, though it could succeed at once; no call of the second does.
 *
 * The first list is that of hocket-cancel(7), which comes from the words of the headers:
 * scripts/check-docs compares the names.
 */
#include "support/suite.h"

#include <errno.h>

#include <hocket.h>

static hocket_mutex mutex;
static hocket_rmutex rmutex;
static hocket_rwlock rwlock;
static hocket_cond cond;
static hocket_event event;
static hocket_sem sem = HOCKET_SEM_INIT(100);
static hocket_latch latch;
static hocket_once once;
static hocket_guarded guarded;
static hocket_word word;
static hocket_queue *queue;
static hocket_delay_queue *delayed;
static hocket_broadcast *broadcast;
static hocket_reader *reader;
static hocket_executor *executor;
static hocket_future *future, *none;
static hocket_completed *completed;
static hocket_imap *imap;
static const hocket_map_result *mapped_result;
static size_t index_of_done;
static hocket_timer *timer;
static hocket_ticker *ticker;
static hocket_task *ended;
static int calls; /* of functions that must not be called */

static int work(void *arg)
{
    (void)arg;
    calls++;
    return 0;
}

static int job(const void *input, size_t size, hocket_buffer *output)
{
    (void)input;
    (void)size;
    (void)output;
    calls++;
    return 0;
}

static int star(void *const *args)
{
    (void)args;
    return work(NULL);
}

static int follow(hocket_future *before, void *arg)
{
    (void)before;
    return work(arg);
}

static int range(size_t begin, size_t end, void *arg)
{
    (void)begin;
    (void)end;
    return work(arg);
}

static int gather(size_t begin, size_t end, void *value, void *arg)
{
    (void)value;
    return range(begin, end, arg);
}

static void combine(void *value, const void *right, void *arg)
{
    (void)value;
    (void)right;
    (void)work(arg);
}

static const hocket_reduction reduction = { &calls, sizeof(int), gather, combine, NULL };

static int value_call(void *value, void *arg)
{
    (void)value;
    return work(arg);
}

static bool yes(void *arg)
{
    (void)arg;
    return true;
}

static int no_more(void *context, const void **ret_input, size_t *ret_size)
{
    (void)ret_input;
    (void)ret_size;
    (void)work(context);
    return 0;
}

/* A function and a call of it that could succeed without waiting. */
#define POINT(function, ...)                                              \
    do {                                                                  \
        int rc = function(__VA_ARGS__);                                   \
        if (rc != -ECANCELED)                                             \
            hk__expect_eq(__FILE__, __LINE__, #function, rc, -ECANCELED); \
    } while (0)
#define NEVER(function, ...)                                     \
    do {                                                         \
        int rc = function(__VA_ARGS__);                          \
        if (rc == -ECANCELED)                                    \
            hk__expect_eq(__FILE__, __LINE__, #function, rc, 0); \
    } while (0)

static void cancel_points(void)
{
    int n = 0;
    POINT(hocket_sleep, 0);
    POINT(hocket_sleep_until, HOCKET_NOW);
    POINT(hocket_yield);
    POINT(hocket_check);
    POINT(hocket_join, ended, NULL, HOCKET_FOREVER);
    POINT(hocket_stop, ended, HOCKET_FOREVER);
    POINT(hocket_blocking, work, NULL);
    POINT(hocket_parallel_for, 0, 0, 0, range, NULL);
    POINT(hocket_parallel_reduce, &reduction, 0, 1, 0, &n);
    POINT(hocket_wait_on, &word, 1, HOCKET_NOW);
    POINT(hocket_mutex_lock_until, &mutex, HOCKET_FOREVER);
    POINT(hocket_rmutex_lock_until, &rmutex, HOCKET_NOW);
    POINT(hocket_rwlock_rdlock_until, &rwlock, HOCKET_FOREVER);
    POINT(hocket_rwlock_wrlock_until, &rwlock, HOCKET_NOW);
    POINT(hocket_lock_all_refs, NULL, 0, HOCKET_FOREVER);
    POINT(hocket_lock_all, &mutex, &rmutex);
    POINT(hocket_lock_all_until, HOCKET_NOW, &mutex, &rmutex);
    POINT(hocket_event_wait, &event, HOCKET_NOW);
    POINT(hocket_sem_acquire, &sem, HOCKET_FOREVER);
    POINT(hocket_latch_wait, &latch, HOCKET_FOREVER);
    POINT(hocket_once_do, &once, work, NULL, HOCKET_FOREVER);
    POINT(hocket_guarded_call_until, &guarded, value_call, NULL, HOCKET_FOREVER);
    POINT(hocket_select, NULL, 0, HOCKET_NOW);
    POINT(hocket_queue_put, queue, &n, HOCKET_NOW);
    POINT(hocket_queue_put_with, queue, &n, 1, HOCKET_NOW);
    POINT(hocket_queue_get, queue, &n, HOCKET_FOREVER);
    POINT(hocket_queue_put_many, queue, &n, 1, HOCKET_NOW);
    POINT(hocket_queue_get_many, queue, &n, 1, HOCKET_FOREVER);
    POINT(hocket_queue_join, queue, HOCKET_NOW);
    POINT(hocket_delay_queue_put, delayed, &n, HOCKET_NOW, HOCKET_FOREVER);
    POINT(hocket_delay_queue_get, delayed, &n, HOCKET_NOW);
    POINT(hocket_broadcast_put, broadcast, &n, HOCKET_FOREVER);
    POINT(hocket_reader_get, reader, &n, NULL, HOCKET_NOW);
    POINT(hocket_submit, executor, &none, job, NULL, 0);
    POINT(hocket_submit_until, executor, &none, job, NULL, 0, HOCKET_NOW);
    POINT(hocket_submit_with, executor, &none, job, NULL, 0, 1, HOCKET_NOW);
    POINT(hocket_submit_fn, executor, &none, work, NULL);
    POINT(hocket_submit_fn_with, executor, &none, work, NULL, 1, HOCKET_NOW);
    POINT(hocket_submit_fn_until, executor, &none, work, NULL, HOCKET_FOREVER);
    POINT(hocket_map, executor, job, no_more, NULL, NULL, NULL, HOCKET_FOREVER);
    POINT(hocket_map_queues, executor, job, queue, sizeof(int), queue, NULL, HOCKET_NOW);
    POINT(hocket_map_async, executor, &none, job, no_more, NULL, NULL, NULL);
    POINT(hocket_imap_next, imap, &mapped_result, HOCKET_NOW);
    POINT(hocket_starmap, executor, star, NULL, 0, NULL, NULL, HOCKET_NOW);
    POINT(hocket_future_get, future, NULL, HOCKET_FOREVER);
    POINT(hocket_future_wait, future, HOCKET_NOW);
    POINT(hocket_submit_at, executor, &none, HOCKET_NOW, work, NULL);
    POINT(hocket_timer_stop, timer, HOCKET_FOREVER);
    POINT(hocket_ticker_wait, ticker, NULL, NULL, HOCKET_FOREVER);
    POINT(hocket_future_wait_many, &future, 1, HOCKET_WAIT_ALL, NULL, HOCKET_NOW);
    POINT(hocket_completed_next, completed, &index_of_done, HOCKET_NOW);
    POINT(hocket_future_then, future, &none, executor, follow, NULL);
    HOCKET_WITH(&mutex) {
        POINT(hocket_cond_wait, &cond, &mutex, HOCKET_NOW);
        POINT(hocket_cond_wait_for, &cond, &mutex, yes, NULL, HOCKET_FOREVER);
        HK_EXPECT(hocket_mutex_held(&mutex));
    }
    HOCKET_WITH(&rmutex) {
        POINT(hocket_rmutex_lock_until, &rmutex, HOCKET_FOREVER);
        POINT(hocket_cond_wait_rmutex, &cond, &rmutex, HOCKET_NOW);
        POINT(hocket_cond_wait_for_rmutex, &cond, &rmutex, yes, NULL, HOCKET_FOREVER);
        HK_EXPECT_EQ(hocket_rmutex_depth(&rmutex), 1);
    }
    hocket_barrier barrier = HOCKET_BARRIER_INIT(1);
    POINT(hocket_barrier_wait, &barrier, HOCKET_FOREVER);
    HK_EXPECT(hocket_barrier_broken(&barrier));
    POINT(hocket_executor_shutdown, executor, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER);
    HK_EXPECT_EQ(calls, 0);
}

static int locks_that_never(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    NEVER(hocket_mutex_trylock, &mutex);
    NEVER(hocket_mutex_unlock_checked, &mutex);
    hocket_rmutex_lock(&rmutex);
    NEVER(hocket_rmutex_trylock, &rmutex);
    NEVER(hocket_rmutex_unlock_checked, &rmutex);
    hocket_rmutex_unlock(&rmutex);
    hocket_rwlock_rdlock(&rwlock);
    NEVER(hocket_rwlock_tryrdlock, &rwlock);
    hocket_rwlock_unlock(&rwlock);
    NEVER(hocket_rwlock_unlock_checked, &rwlock);
    hocket_rwlock_wrlock(&rwlock);
    NEVER(hocket_rwlock_trywrlock, &rwlock);
    hocket_rwlock_unlock(&rwlock);
    NEVER(hocket_sem_try, &sem);
    NEVER(hocket_sem_release, &sem);
    NEVER(hocket_sem_release_many, &sem, 1);
    NEVER(hocket_latch_add, &latch, 1);
    NEVER(hocket_cond_signal_many, &cond, 1);
    NEVER(hocket_guarded_call, &guarded, value_call, NULL);
    NEVER(hocket_wake, &word, 1);
    return 0;
}

static void never(void)
{
    static hocket_local local;
    hocket_queue *q;
    hocket_reader *extra = NULL;
    hocket_task *t;
    hocket_executor *ex;
    hocket_buffer b = { 0 };
    hocket_scope inner;
    (void)locks_that_never(NULL);
    hocket_scope_open(&inner, NULL);
    NEVER(hocket_spawn, &inner, locks_that_never, NULL);
    NEVER(hocket_scope_wait, &inner);
    NEVER(hocket_spawn_copy, &inner, locks_that_never, "", 1);
    NEVER(hocket_scope_close, &inner);
    NEVER(hocket_spawn_task, &t, NULL, locks_that_never, NULL, HOCKET_SPAWN_OPTIONS(.held = true));
    NEVER(hocket_task_start, t);
    hocket_task_release(t);
    NEVER(hocket_queue_new, &q, 1, NULL);
    NEVER(hocket_queue_task_done, q);
    NEVER(hocket_delay_queue_close, delayed, HOCKET_CLOSE_DRAIN);
    NEVER(hocket_broadcast_subscribe, broadcast, &extra);
    NEVER(hocket_broadcast_close, broadcast);
    NEVER(hocket_queue_close, q, HOCKET_CLOSE_NOW);
    hocket_queue_free(q);
    hocket_reader_free(extra);
    NEVER(hocket_executor_new, &ex, "inline", NULL);
    hocket_executor_free(ex);
    NEVER(hocket_buffer_append, &b, "x", 1);
    hocket_buffer_free(&b);
    NEVER(hocket_timer_start, timer, HOCKET_FOREVER);
    NEVER(hocket_timer_start_every, timer, HOCKET_FOREVER, 1, HOCKET_FIXED_RATE);
    NEVER(hocket_local_set, &local, NULL);
    NEVER(hocket_hooks_set, NULL, NULL);
    NEVER(hocket_print, stderr, "%s", "");
    NEVER(hocket_runtime_start, NULL);
    if (hocket_task_placement(hocket_self()) == HOCKET_ON_THREAD)
        NEVER(hocket_runtime_stop, HOCKET_FOREVER);
}

static int tick(hocket_timer *t, void *arg)
{
    (void)t;
    return work(arg);
}

static int body(void *arg)
{
    hocket_scope scope;
    int value = 0;
    (void)arg;
    hocket_event_set(&event);
    hocket_guarded_init(&guarded, &value, NULL);
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_delay_queue_new(&delayed, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_delay_queue_put(delayed, &value, HOCKET_NOW, HOCKET_NOW));
    HK_EXPECT_OK(hocket_broadcast_new(&broadcast, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_broadcast_subscribe(broadcast, &reader));
    HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_NOW));
    HK_EXPECT_OK(hocket_executor_new(&executor, "inline", NULL));
    HK_EXPECT_OK(hocket_submit_fn(executor, &future, work, NULL));
    HK_EXPECT_OK(hocket_completed_open(&completed, &future, 1));
    HK_EXPECT_OK(hocket_imap_open(&imap, executor, job, no_more, NULL, NULL));
    HK_EXPECT_OK(hocket_timer_new(&timer, tick, NULL));
    HK_EXPECT_OK(hocket_ticker_new(&ticker, 1));
    ended = run_spawn(work, NULL);
    HK_EXPECT_OK(hocket_join(ended, NULL, HOCKET_FOREVER));
    calls = 0;
    hocket_scope_open(&scope, NULL);
    hocket_scope_cancel(&scope);
    cancel_points();
    never();
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    HK_EXPECT_EQ(hocket_check(), 0); /* the cancel was the scope's */
    hocket_completed_close(completed);
    hocket_imap_close(imap);
    hocket_future_free(future);
    hocket_executor_free(executor);
    hocket_queue_free(queue);
    hocket_delay_queue_free(delayed);
    hocket_reader_free(reader);
    hocket_broadcast_free(broadcast);
    hocket_timer_free(timer);
    hocket_ticker_free(ticker);
    hocket_task_release(ended);
    return 0;
}

START_TEST(always_or_never)
{
    run_in(_i, body, NULL);
}
END_TEST

SUITE("cancel points", 10)
{
    suite_each(always_or_never);
}
