/* SPDX-License-Identifier: MIT */
/*
 * The first call of a thread that Hocket did not start makes a record for it.  Here there is no
 * memory for that: each call says so (those that return errors) or panics (those that cannot).
 *
 * The objects were made before by a thread that has a record.  All records there are, are taken
 * away, and no new ones can be mapped.
 */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>

#include <hocket.h>

#include "support/death.h"
#include "support/inject.h"

static struct objects {
    hocket_queue *queue, *full;
    hocket_delay_queue *delays;
    hocket_broadcast *broadcast;
    hocket_reader *reader;
    hocket_executor *executor;
    hocket_promise *promise;
    hocket_future *future, *other;
    hocket_completed *completed;
    hocket_imap *imap;
} on;

static hocket_task *records;

/* Until memory_again no thread gets a record. */
static void no_records(void)
{
    hocket_task *t;
    HK_EXPECT(hocket_self() != NULL);
    inject_fail(INJECT_MAP, 1, true);
    while ((t = hocket__record_get()) != NULL) {
        t->run_next = records;
        records = t;
    }
}

static void memory_again(void)
{
    hocket__record_put_chain(records);
    records = NULL;
    HK_EXPECT(inject_off());
}

static int one(const void *input, size_t size, hocket_buffer *output)
{
    (void)input;
    (void)size;
    (void)output;
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int called(hocket_future *future, void *arg)
{
    (void)future;
    (void)arg;
    hk__expect_failed(__FILE__, __LINE__, "no callback of what failed");
}

static int no_inputs(void *context, const void **ret_input, size_t *ret_size)
{
    (void)context;
    (void)ret_input;
    (void)ret_size;
    return -ENOENT;
}

static int no_starmap(void *const *args)
{
    (void)args;
    return 0;
}

/* ---- those that say -ENOMEM ---- */

static void queues(void)
{
    int value = 1;
    HK_EXPECT_EQ(hocket_queue_put(on.queue, &value, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_queue_put_with(on.queue, &value, 1, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_queue_put_many(on.queue, &value, 1, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_queue_get(on.full, &value, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_queue_get_many(on.full, &value, 1, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_queue_join(on.queue, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_delay_queue_put(on.delays, &value, HOCKET_NOW, HOCKET_NOW), -ENOMEM);
    HK_EXPECT_EQ(hocket_delay_queue_get(on.delays, &value, HOCKET_NOW), -ENOMEM);
    HK_EXPECT_EQ(hocket_broadcast_put(on.broadcast, &value, HOCKET_NOW), -ENOMEM);
    HK_EXPECT_EQ(hocket_reader_get(on.reader, &value, NULL, HOCKET_NOW), -ENOMEM);
    hocket_case c = hocket_case_get(on.full, &value);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_FOREVER), -ENOMEM);
}

static void futures(void)
{
    size_t i;
    HK_EXPECT_EQ(hocket_future_get(on.future, NULL, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_future_wait(on.future, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_future_wait_many(&on.future, 1, HOCKET_WAIT_ALL, &i, HOCKET_NOW), -ENOMEM);
    HK_EXPECT_EQ(hocket_completed_next(on.completed, &i, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_future_on_done(on.future, called, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_future_then(on.future, NULL, on.executor, called, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_promise_set(on.promise, 0, NULL, 0), -ENOMEM);
    HK_EXPECT_EQ(hocket_promise_start(on.promise), 0); /* it can still be set */
    hocket_completed *completed;
    HK_EXPECT_EQ(hocket_completed_open(&completed, &on.future, 1), -ENOMEM);
}

static void executors(void)
{
    const hocket_map_result *r;
    hocket_imap *imap;
    int result;
    HK_EXPECT_EQ(hocket_submit(on.executor, NULL, one, NULL, 0), -ENOMEM);
    HK_EXPECT_EQ(hocket_submit_fn(on.executor, NULL, nothing, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_map(on.executor, one, no_inputs, NULL, NULL, NULL, HOCKET_FOREVER),
                 -ENOMEM);
    HK_EXPECT_EQ(hocket_imap_open(&imap, on.executor, one, no_inputs, NULL, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_imap_next(on.imap, &r, HOCKET_FOREVER), -ENOMEM);
    HK_EXPECT_EQ(hocket_map_queues(on.executor, one, on.queue, 4, NULL, NULL, HOCKET_FOREVER),
                 -ENOMEM);
    HK_EXPECT_EQ(hocket_starmap(on.executor, no_starmap, NULL, 0, &result, NULL, HOCKET_FOREVER),
                 -ENOMEM);
}

static void runtimes(void)
{
    static hocket_local local = HOCKET_LOCAL_INIT(NULL);
    HK_EXPECT(hocket_self() == NULL);
    HK_EXPECT_EQ(hocket_local_set(&local, &local), -ENOMEM);
    HK_EXPECT(hocket_local_get(&local) == NULL);
    HK_EXPECT_EQ(hocket_fail(-EDOM, "words that cannot be kept"), -EDOM);
    hocket_fail_clear();
    HK_EXPECT_EQ(hocket_run(nothing, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_runtime_start(NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), -ENOMEM);
}

/* What nobody holds cannot be given back. */
static void locks(void)
{
    hocket_mutex mutex = HOCKET_MUTEX_INIT;
    hocket_rmutex rmutex = HOCKET_RMUTEX_INIT;
    hocket_rwlock rwlock = HOCKET_RWLOCK_INIT;
    HK_EXPECT_EQ(hocket_mutex_unlock_checked(&mutex), -EPERM);
    HK_EXPECT_EQ(hocket_rmutex_unlock_checked(&rmutex), -EPERM);
    HK_EXPECT_EQ(hocket_rwlock_unlock_checked(&rwlock), -EPERM);
}

/* The shutdown begins all the same. */
static void shutdowns(void)
{
    HK_EXPECT_EQ(hocket_executor_shutdown(on.executor, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER),
                 -ENOMEM);
}

static void *thread(void *what)
{
    (*(void (**)(void))what)();
    return NULL;
}

START_TEST(it_is_told)
{
    static void (*const what[])(void) = { queues, futures, executors, runtimes, locks, shutdowns };
    int value = 7;
    inject_install();
    HK_EXPECT_OK(hocket_queue_new(&on.queue, sizeof value, NULL));
    HK_EXPECT_OK(hocket_queue_new(&on.full, sizeof value, HOCKET_QUEUE_OPTIONS(.capacity = 1)));
    HK_EXPECT_OK(hocket_queue_put(on.full, &value, HOCKET_NOW));
    HK_EXPECT_OK(hocket_delay_queue_new(&on.delays, sizeof value, NULL));
    HK_EXPECT_OK(hocket_broadcast_new(&on.broadcast, sizeof value, NULL));
    HK_EXPECT_OK(hocket_broadcast_subscribe(on.broadcast, &on.reader));
    HK_EXPECT_OK(hocket_executor_new(&on.executor, "inline", NULL));
    HK_EXPECT_OK(hocket_promise_new(&on.promise, &on.future));
    HK_EXPECT_OK(hocket_completed_open(&on.completed, &on.future, 1));
    HK_EXPECT_OK(hocket_imap_open(&on.imap, on.executor, one, no_inputs, NULL, NULL));

    no_records();
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
        pthread_t t;
        HK_EXPECT_EQ(pthread_create(&t, NULL, thread, (void *)&what[i]), 0);
        HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    }
    memory_again();

    /* Nothing was changed by what failed. */
    HK_EXPECT(hocket_queue_empty(on.queue) && hocket_queue_unfinished(on.queue) == 0);
    HK_EXPECT_EQ(hocket_queue_length(on.full), 1);
    HK_EXPECT_EQ(hocket_delay_queue_length(on.delays), 0);
    HK_EXPECT_EQ(hocket_reader_pending(on.reader), 0);
    HK_EXPECT(!hocket_future_done(on.future));
    HK_EXPECT_EQ(hocket_submit(on.executor, NULL, one, NULL, 0), -EPIPE);
    HK_EXPECT_OK(hocket_promise_set(on.promise, 0, NULL, 0));

    hocket_imap_close(on.imap);
    hocket_completed_close(on.completed);
    hocket_promise_free(on.promise);
    hocket_future_free(on.future);
    hocket_executor_free(on.executor);
    hocket_reader_free(on.reader);
    hocket_broadcast_free(on.broadcast);
    hocket_delay_queue_free(on.delays);
    hocket_queue_free(on.full);
    hocket_queue_free(on.queue);
}
END_TEST

/* ---- those that return nothing, or have no such error ---- */

static void lock_mutex(void)
{
    static hocket_mutex mutex = HOCKET_MUTEX_INIT;
    hocket_mutex_lock(&mutex);
}

static void wait_for_event(void)
{
    static hocket_event event = HOCKET_EVENT_INIT;
    HK_EXPECT_OK(hocket_event_wait(&event, HOCKET_FOREVER));
}

static void sleep_a_little(void)
{
    HK_EXPECT_OK(hocket_sleep(1));
}

static void in_a_thread(void *what)
{
    pthread_t t;
    void (*call)(void) = *(void (**)(void))what;
    inject_install();
    no_records();
    HK_EXPECT_EQ(pthread_create(&t, NULL, thread, (void *)&call), 0);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
}

START_TEST(it_is_a_panic)
{
    void (*what[])(void) = { lock_mutex, wait_for_event, sleep_a_little };
    static const char *const says[] = { "hocket_mutex_lock: no memory for the record",
                                        "hocket_event_wait: no memory for the record",
                                        "hocket_sleep_until: no memory for the record" };
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++)
        death_by_signal(in_a_thread, (void *)&what[i], SIGABRT, says[i]);
}
END_TEST

SUITE("first_call", 30)
{
    suite_once(it_is_told);
    suite_once(it_is_a_panic);
}
