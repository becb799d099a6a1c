/* SPDX-License-Identifier: MIT */
/*
 * What one waits for others with, under every schedule: cond, event, sem, latch, barrier, once,
 * and the wait-on-address pair.  Also from signal handlers, where that is allowed.
 */
#include "support/explored.h"

#include "park/record.h"

/* ---- cond ---- */

static hocket_mutex mutex;
static hocket_cond cond;
static int items, taken;

static void cond_start(void)
{
    hocket_mutex_init(&mutex, 0, NULL);
    memset(&cond, 0, sizeof cond);
    items = taken = 0;
}

static void produce(bool all)
{
    hocket_mutex_lock(&mutex);
    items++;
    if (all)
        hocket_cond_broadcast(&cond);
    else
        hocket_cond_signal(&cond);
    hocket_mutex_unlock(&mutex);
}

/* Take one item; or give up, and leave it and its signal to another. */
static int consumer(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    hocket_time deadline = limit ? hocket_after(limit) : HOCKET_FOREVER;
    int err = 0;
    hocket_mutex_lock(&mutex);
    while (items == 0 && err == 0)
        err = hocket_cond_wait(&cond, &mutex, deadline);
    HK_EXPECT(hocket_mutex_held(&mutex));
    if (items > 0) {
        items--;
        taken++;
    }
    hocket_mutex_unlock(&mutex);
    return err;
}

static void *consumer_thread(void *arg)
{
    (void)consumer(arg);
    return NULL;
}

static void cond_end(int all)
{
    HK_EXPECT_EQ(items + taken, all);
    HK_EXPECT_EQ(hocket_cond_waiting(&cond), 0);
    hocket_cond_destroy(&cond);
    hocket_mutex_destroy(&mutex);
}

EXPLORED(cond_signals, NULL)
{
    cond_start();
    int a = explore_start(consumer_thread, NULL), b = explore_start(consumer_thread, NULL);
    produce(false);
    produce(false);
    explore_join(a);
    explore_join(b);
    cond_end(2);
}

EXPLORED(cond_broadcast, NULL)
{
    cond_start();
    int a = explore_start(consumer_thread, NULL), b = explore_start(consumer_thread, NULL);
    produce(true);
    produce(true);
    explore_join(a);
    explore_join(b);
    cond_end(2);
}

/* One signal, one waiter that may time out, one that may not: the latter gets an item. */
EXPLORED(cond_timed, NULL)
{
    cond_start();
    int a = explore_start(consumer_thread, (void *)(intptr_t)(6 * HOCKET_US));
    int b = explore_start(consumer_thread, NULL);
    produce(false);
    explore_join(a);
    hocket_mutex_lock(&mutex);
    bool again = taken == 1 && items == 0; /* it may have been the impatient one that got it */
    hocket_mutex_unlock(&mutex);
    if (again)
        produce(false);
    explore_join(b);
    HK_EXPECT(taken > 0);
    cond_end(taken + items);
}

EXPLORED(cond_cancelled, &explored_held)
{
    cond_start();
    explored_runtime(2);
    hocket_task *f = explored_spawn(consumer, NULL), *g = explored_spawn(consumer, NULL);
    hocket_cancel(f);
    produce(false);
    produce(false);
    int a, b;
    HK_EXPECT_OK(hocket_join(f, &a, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_join(g, &b, HOCKET_FOREVER));
    HK_EXPECT(a == 0 || a == -ECANCELED);
    HK_EXPECT_EQ(b, 0);
    hocket_task_release(f);
    hocket_task_release(g);
    explored_runtime_end();
    cond_end(2);
}

/* ---- event ---- */

static hocket_event event, second;

static void *event_waiter(void *arg)
{
    HK_EXPECT_OK(hocket_event_wait(arg, HOCKET_FOREVER));
    return NULL;
}

static void *event_impatient(void *arg)
{
    int err = hocket_event_wait(arg, hocket_after(4 * HOCKET_US));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    return NULL;
}

static void events_start(void)
{
    memset(&event, 0, sizeof event);
    memset(&second, 0, sizeof second);
}

static void events_end(void)
{
    hocket_event_destroy(&event);
    hocket_event_destroy(&second);
}

/* Set and cleared at once: who waited before passes. */
EXPLORED(event_pulse, NULL)
{
    events_start();
    int a = explore_start(event_waiter, &event), b = explore_start(event_impatient, &event);
    hocket_event_set(&event);
    hocket_event_clear(&event);
    hocket_event_set(&event);
    explore_join(a);
    explore_join(b);
    events_end();
}

static void set_event(void *arg)
{
    hocket_event_set(arg);
}

/* The handler runs anywhere in the waiter's own call, also while it has the guard. */
EXPLORED(event_set_by_handler, NULL)
{
    events_start();
    int a = explore_start(event_waiter, &event), b = explore_start(event_waiter, &event);
    explore_interrupt(explore_choice(2) ? a : b, set_event, &event);
    if (explore_choice(2)) {
        int c = explore_start(event_impatient, &event);
        explore_join(c);
    }
    hocket_event_set(&event); /* a thread may end without a handler */
    explore_join(a);
    explore_join(b);
    events_end();
}

static int handled_root(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_event_wait(&event, HOCKET_FOREVER));
    return 0;
}

/* The handler interrupts a worker, at any point of the scheduler. */
EXPLORED(event_set_on_worker, &explored_held)
{
    events_start();
    int worker = 1; /* hocket-0: the first thread that the runtime starts */
    explored_runtime(explore_choice(2) ? 1 : 2);
    hocket_task *f = explored_spawn(handled_root, NULL), *g = explored_spawn(handled_root, NULL);
    explore_interrupt(worker, set_event, &event);
    explored_finish(f, 0);
    explored_finish(g, 0);
    explored_runtime_end();
    events_end();
}

/* The event is freed by the waiter while the setter may still be at it. */
static void *event_setter(void *arg)
{
    hocket_event_set(arg);
    return NULL;
}

EXPLORED(event_dies_early, NULL)
{
    hocket_event e = HOCKET_EVENT_INIT;
    int a = explore_start(event_setter, &e);
    HK_EXPECT_OK(hocket_event_wait(&e, HOCKET_FOREVER));
    memset(&e, 0x5a, sizeof e);
    explore_join(a);
    for (size_t i = 0; i < sizeof e; i++)
        HK_EXPECT_EQ(((unsigned char *)&e)[i], 0x5a);
}

/* ---- semaphore ---- */

static hocket_sem sem;
static _Atomic int held, got;

static void *acquirer(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    int err = hocket_sem_acquire(&sem, limit ? hocket_after(limit) : HOCKET_FOREVER);
    if (err) {
        HK_EXPECT(limit > 0 && err == -ETIMEDOUT);
        return NULL;
    }
    HK_EXPECT(atomic_fetch_add(&held, 1) < 2);
    explore_point();
    atomic_fetch_add(&got, 1);
    atomic_fetch_sub(&held, 1);
    HK_EXPECT_OK(hocket_sem_release(&sem));
    return NULL;
}

EXPLORED(sem_threads, NULL)
{
    HK_EXPECT_OK(hocket_sem_init(&sem, 1, 0));
    atomic_store(&got, 0);
    int a = explore_start(acquirer, NULL), b = explore_start(acquirer, NULL);
    int c = explore_start(acquirer, (void *)(intptr_t)(4 * HOCKET_US));
    acquirer(NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    HK_EXPECT(atomic_load(&got) >= 3);
    HK_EXPECT_EQ(hocket_sem_value(&sem), 1);
    hocket_sem_destroy(&sem);
}

static void release_sem(void *arg)
{
    HK_EXPECT_OK(hocket_sem_release(arg));
    atomic_fetch_add(&got, 1);
}

static void *taker(void *arg)
{
    HK_EXPECT_OK(hocket_sem_acquire(arg, HOCKET_FOREVER));
    return NULL;
}

EXPLORED(sem_released_by_handler, NULL)
{
    HK_EXPECT_OK(hocket_sem_init(&sem, 0, 0));
    atomic_store(&got, 0);
    int a = explore_start(taker, &sem), b = explore_start(taker, &sem);
    explore_interrupt(a, release_sem, &sem);
    explore_interrupt(b, release_sem, &sem);
    release_sem(&sem); /* a thread may end without a handler */
    release_sem(&sem);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ((int)hocket_sem_value(&sem), atomic_load(&got) - 2);
    hocket_sem_destroy(&sem);
}

/* ---- latch, barrier, once ---- */

static hocket_latch latch;

static void *counter(void *arg)
{
    (void)arg;
    atomic_fetch_add(&got, 1);
    hocket_latch_done(&latch);
    return NULL;
}

static void *latch_waiter(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_latch_wait(&latch, HOCKET_FOREVER));
    HK_EXPECT_EQ(atomic_load(&got), 2);
    return NULL;
}

EXPLORED(latch_threads, NULL)
{
    memset(&latch, 0, sizeof latch);
    atomic_store(&got, 0);
    HK_EXPECT_OK(hocket_latch_add(&latch, 2));
    int a = explore_start(counter, NULL), b = explore_start(counter, NULL);
    int c = explore_start(latch_waiter, NULL);
    latch_waiter(NULL);
    explore_join(c); /* the count-downs are through with it, other waiters need not be */
    hocket_latch_destroy(&latch);
    memset(&latch, 0, sizeof latch);
    explore_join(a);
    explore_join(b);
}

static hocket_barrier barrier;
static _Atomic int rounds, broken;

static int next_round(void *arg)
{
    (void)arg;
    atomic_fetch_add(&rounds, 1);
    return 0;
}

static void *party(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    for (int i = 0; i < 2; i++) {
        int before = atomic_load(&rounds);
        int rc = hocket_barrier_wait(&barrier, limit ? hocket_after(limit) : HOCKET_FOREVER);
        if (rc < 0) {
            HK_EXPECT(rc == -EPIPE || rc == -ETIMEDOUT);
            atomic_fetch_add(&broken, 1);
            return NULL;
        }
        HK_EXPECT(rc < 3);
        HK_EXPECT_EQ(atomic_load(&rounds) > before, 1);
    }
    return NULL;
}

EXPLORED(barrier_rounds, NULL)
{
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 3, next_round, NULL));
    atomic_store(&rounds, 0);
    atomic_store(&broken, 0);
    int a = explore_start(party, NULL), b = explore_start(party, NULL);
    party(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&rounds), 2);
    HK_EXPECT_EQ(atomic_load(&broken), 0);
    hocket_barrier_destroy(&barrier);
}

/* One may time out: all go on, and if one was told that it broke it is broken. */
EXPLORED(barrier_breaks, NULL)
{
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 3, next_round, NULL));
    atomic_store(&rounds, 0);
    atomic_store(&broken, 0);
    int a = explore_start(party, NULL);
    int b = explore_start(party, (void *)(intptr_t)(5 * HOCKET_US));
    party(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(hocket_barrier_broken(&barrier), atomic_load(&broken) > 0);
    HK_EXPECT_EQ(hocket_barrier_waiting(&barrier), 0);
    hocket_barrier_destroy(&barrier);
}

static hocket_once once;
static int once_calls;

static int once_fn(void *arg)
{
    (void)arg;
    once_calls++;
    explore_point();
    return once_calls == 1 ? -EIO : 0;
}

static void *once_main(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    int err = hocket_once_do(&once, once_fn, NULL, limit ? hocket_after(limit) : HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -EIO || (limit && err == -ETIMEDOUT));
    return NULL;
}

/* The first call fails and hands the work on. */
EXPLORED(once_threads, NULL)
{
    memset(&once, 0, sizeof once);
    once_calls = 0;
    int a = explore_start(once_main, NULL), b = explore_start(once_main, NULL);
    int c = explore_start(once_main, (void *)(intptr_t)(4 * HOCKET_US));
    explore_join(a);
    explore_join(b);
    explore_join(c);
    HK_EXPECT_EQ(once_calls, 2);
    HK_EXPECT(hocket_once_done(&once));
}

/* ---- wait on an address ---- */

static hocket_word word;

static void *word_waiter(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    while (hk_load_acq(&word) == 0) {
        int err = hocket_wait_on(&word, 0, limit ? hocket_after(limit) : HOCKET_FOREVER);
        HK_EXPECT(err == 0 || (limit && err == -ETIMEDOUT));
        if (err)
            return NULL;
    }
    return NULL;
}

/* Two wakes for two waiters, one of which may give up: none is eaten by it. */
EXPLORED(word_wakes, NULL)
{
    hk_store(&word, 0);
    int a = explore_start(word_waiter, NULL);
    int b = explore_start(word_waiter, (void *)(intptr_t)(4 * HOCKET_US));
    hk_store_rel(&word, 1);
    HK_EXPECT(hocket_wake(&word, 1) <= 1);
    HK_EXPECT(hocket_wake(&word, 1) <= 1);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(hocket_wake(&word, INT32_MAX), 0);
}

/* ---- a wake is not eaten by one who gives up ---- */

/*
 * One waits for ever, one has hardly any patience; a single wake comes once the former is parked. If
 * the latter gets it after all it passes it on, so in the end the former must have it.
 */
static _Atomic(hocket_task *) patient;

static int wait_once(bool on_cond, hocket_time deadline)
{
    if (!on_cond)
        return hocket_wait_on(&word, 0, deadline);
    hocket_mutex_lock(&mutex);
    int err = hocket_cond_wait(&cond, &mutex, deadline);
    hocket_mutex_unlock(&mutex);
    return err;
}

static int wake_once(bool on_cond)
{
    return on_cond ? hocket_cond_signal_many(&cond, 1) : hocket_wake(&word, 1);
}

static void *patient_main(void *arg)
{
    atomic_store(&patient, hocket_self());
    HK_EXPECT_OK(wait_once(arg != NULL, HOCKET_FOREVER));
    return NULL;
}

static void *hasty_main(void *arg)
{
    hocket_time limit = 100 + 20 * (hocket_time)explore_choice(200);
    int err = wait_once(arg != NULL, hocket_after(limit));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    if (err == 0)
        HK_EXPECT_EQ(wake_once(arg != NULL), 1);
    return NULL;
}

static void one_wake(void *on_cond)
{
    hocket_task *task;
    cond_start();
    hk_store(&word, 0);
    atomic_store(&patient, NULL);
    int b = explore_start(hasty_main, on_cond), a = explore_start(patient_main, on_cond);
    explore_until((task = atomic_load(&patient)) != NULL &&
                  hk_load_acq(&task->wait_state) == HOCKET__PARKED_C);
    HK_EXPECT_EQ(wake_once(on_cond != NULL), 1);
    explore_join(a);
    explore_join(b);
    cond_end(0);
}

EXPLORED(one_wake_on_a_word, NULL)
{
    one_wake(NULL);
}

EXPLORED(one_wake_on_a_cond, NULL)
{
    one_wake(&cond);
}

SUITE("sync_wait", explored_limit())
{
    suite_once(cond_signals);
    suite_once(cond_broadcast);
    suite_once(cond_timed);
    suite_once(cond_cancelled);
    suite_once(event_pulse);
    suite_once(event_set_by_handler);
    suite_once(event_set_on_worker);
    suite_once(event_dies_early);
    suite_once(sem_threads);
    suite_once(sem_released_by_handler);
    suite_once(latch_threads);
    suite_once(barrier_rounds);
    suite_once(barrier_breaks);
    suite_once(once_threads);
    suite_once(word_wakes);
    suite_once(one_wake_on_a_word);
    suite_once(one_wake_on_a_cond);
}
