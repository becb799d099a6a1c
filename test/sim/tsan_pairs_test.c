/* SPDX-License-Identifier: MIT */
/*
 * tsan_pairs: each way to order two accesses, once right and once with the access on the wrong side
 *
 * Under TSan the explorer's own hand-overs order nothing (tsan_race_test.c), so TSan judges by what the
 * library orders: the racy form must be reported, the other one must not.  Without TSan the bodies
 * only run.
 */
#include "support/explored.h"

#include <hocket/select.h>

#include "base/atomic.h"
#include "support/death.h"
#include "sys/sanitizer.h"

static const struct explore_options few = { .seeds = 64 };
/* Some races need the two to meet: the first seed that tells one ends it. */
static const struct explore_options many = { .seeds = 4000, .seconds = 15 };

/*
 * A hand-over: what one thread does before give is visible to another after take.  The racy form
 * writes after give.  An exclusion: enter and leave; the racy form has a wrong enter.
 */
struct pair {
    const char *name;
    void (*give)(void), (*take)(void);
    void (*enter)(bool right), (*leave)(bool right);
};

static const struct pair *pair;
static bool racy;
static long plain;

static hocket_mutex mutex, other;
static hocket_rmutex rmutex;
static hocket_rwlock rwlock;
static hocket_cond cond;
static hocket_event event;
static hocket_sem sem;
static hocket_latch latch;
static hocket_barrier barrier;
static hocket_once once;
static hocket_queue *queue;
static hocket_promise *promise;
static hocket_future *future;
static hocket_word word;
static bool ready;

/* ---- hand-overs ---- */

static void flag_give(void)
{
    hk_store_rel(hk_word32(&word), 1);
}

static void flag_take(void)
{
    explore_until(hk_load_acq(hk_word32(&word)) == 1);
}

static void word_give(void)
{
    hk_store_rel(hk_word32(&word), 1);
    (void)hocket_wake(&word, 1);
}

static void word_take(void)
{
    while (hk_load_acq(hk_word32(&word)) == 0)
        (void)!hocket_wait_on(&word, 0, HOCKET_FOREVER);
}

static void event_give(void)
{
    hocket_event_set(&event);
}

static void event_take(void)
{
    HK_EXPECT_OK(hocket_event_wait(&event, HOCKET_FOREVER));
}

static void event_select(void)
{
    hocket_case cases[] = { hocket_case_event(&event) };
    HK_EXPECT_EQ(hocket_select(cases, 1, HOCKET_FOREVER), 0);
}

static void sem_give(void)
{
    HK_EXPECT_OK(hocket_sem_release(&sem));
}

static void sem_take(void)
{
    HK_EXPECT_OK(hocket_sem_acquire(&sem, HOCKET_FOREVER));
}

static void latch_give(void)
{
    hocket_latch_done(&latch);
}

static void latch_take(void)
{
    HK_EXPECT_OK(hocket_latch_wait(&latch, HOCKET_FOREVER));
}

static void barrier_meet(void)
{
    HK_EXPECT(hocket_barrier_wait(&barrier, HOCKET_FOREVER) >= 0);
}

static void cond_give(void)
{
    hocket_mutex_lock(&mutex);
    ready = true;
    hocket_cond_signal(&cond);
    hocket_mutex_unlock(&mutex);
}

static void cond_take(void)
{
    hocket_mutex_lock(&mutex);
    while (!ready)
        HK_EXPECT_OK(hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER));
    hocket_mutex_unlock(&mutex);
}

static int made(void *arg)
{
    (void)arg;
    return 0;
}

static void once_give(void)
{
    HK_EXPECT_OK(hocket_once_do(&once, made, NULL, HOCKET_FOREVER));
}

static void once_take(void)
{
    explore_until(hocket_once_done(&once));
}

static void queue_give(void)
{
    int value = 1;
    HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_FOREVER));
}

static void queue_take(void)
{
    int value;
    HK_EXPECT_OK(hocket_queue_get(queue, &value, HOCKET_FOREVER));
}

static void queue_select(void)
{
    int value;
    hocket_case cases[] = { hocket_case_get(queue, &value) };
    HK_EXPECT_EQ(hocket_select(cases, 1, HOCKET_FOREVER), 0);
}

static void queue_close(void)
{
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
}

static void queue_end(void)
{
    int value;
    HK_EXPECT_EQ(hocket_queue_get(queue, &value, HOCKET_FOREVER), -EPIPE);
}

static void promise_give(void)
{
    HK_EXPECT_OK(hocket_promise_set(promise, 0, NULL, 0));
}

static void promise_take(void)
{
    HK_EXPECT_OK(hocket_future_wait(future, HOCKET_FOREVER));
}

/* ---- exclusions ---- */

static void mutex_enter(bool right)
{
    if (right)
        hocket_mutex_lock(&mutex);
}

static void mutex_leave(bool right)
{
    if (right)
        hocket_mutex_unlock(&mutex);
}

static void try_enter(bool right)
{
    while (hocket_mutex_trylock(&mutex) != 0 && right)
        explore_pause();
}

static void try_leave(bool right)
{
    if (right || hocket_mutex_held(&mutex))
        hocket_mutex_unlock(&mutex);
}

static void rmutex_enter(bool right)
{
    if (right)
        hocket_rmutex_lock(&rmutex);
}

static void rmutex_leave(bool right)
{
    if (right)
        hocket_rmutex_unlock(&rmutex);
}

/* Two who write, but hold it for reading. */
static void rwlock_enter(bool right)
{
    if (right)
        hocket_rwlock_wrlock(&rwlock);
    else
        hocket_rwlock_rdlock(&rwlock);
}

static void rwlock_leave(bool right)
{
    (void)right;
    hocket_rwlock_unlock(&rwlock);
}

/* A semaphore with one permit too many. */
static void sem_enter(bool right)
{
    if (!right)
        HK_EXPECT_OK(hocket_sem_release(&sem));
    HK_EXPECT_OK(hocket_sem_acquire(&sem, HOCKET_FOREVER));
}

static void sem_leave(bool right)
{
    if (right)
        HK_EXPECT_OK(hocket_sem_release(&sem));
}

static void all_enter(bool right)
{
    if (right)
        HK_EXPECT_OK(hocket_lock_all(&mutex, &other));
}

static void all_leave(bool right)
{
    if (right)
        hocket_unlock_all(&mutex, &other);
}

static const struct pair pairs[] = {
    { "flag", flag_give, flag_take, NULL, NULL },
    { "word", word_give, word_take, NULL, NULL },
    { "event", event_give, event_take, NULL, NULL },
    { "event in select", event_give, event_select, NULL, NULL },
    { "sem", sem_give, sem_take, NULL, NULL },
    { "latch", latch_give, latch_take, NULL, NULL },
    { "barrier", barrier_meet, barrier_meet, NULL, NULL },
    { "cond", cond_give, cond_take, NULL, NULL },
    { "once", once_give, once_take, NULL, NULL },
    { "queue", queue_give, queue_take, NULL, NULL },
    { "queue in select", queue_give, queue_select, NULL, NULL },
    { "close", queue_close, queue_end, NULL, NULL },
    { "promise", promise_give, promise_take, NULL, NULL },
    { "mutex", NULL, NULL, mutex_enter, mutex_leave },
    { "trylock", NULL, NULL, try_enter, try_leave },
    { "rmutex", NULL, NULL, rmutex_enter, rmutex_leave },
    { "rwlock", NULL, NULL, rwlock_enter, rwlock_leave },
    { "sem as a lock", NULL, NULL, sem_enter, sem_leave },
    { "lock_all", NULL, NULL, all_enter, all_leave },
};

#define PAIRS ((int)(sizeof pairs / sizeof pairs[0]))

static void *giver(void *arg)
{
    if (!racy)
        plain++;
    pair->give();
    if (racy)
        plain++;
    return arg;
}

static void *taker(void *arg)
{
    pair->take();
    plain++;
    return arg;
}

static void *visitor(void *arg)
{
    pair->enter(!racy);
    plain++;
    pair->leave(!racy);
    return arg;
}

static void body(void *arg)
{
    bool exclusion = pair->enter != NULL;
    (void)arg;
    memset(&mutex, 0, sizeof mutex);
    memset(&other, 0, sizeof other);
    memset(&rmutex, 0, sizeof rmutex);
    memset(&rwlock, 0, sizeof rwlock);
    memset(&cond, 0, sizeof cond);
    memset(&event, 0, sizeof event);
    memset(&latch, 0, sizeof latch);
    memset(&barrier, 0, sizeof barrier);
    memset(&once, 0, sizeof once);
    word = 0;
    ready = false;
    plain = 0;
    HK_EXPECT_OK(hocket_sem_init(&sem, exclusion ? 1 : 0, 0));
    HK_EXPECT_OK(hocket_latch_add(&latch, 1));
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 2, NULL, NULL));
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_promise_new(&promise, &future));
    int first = explore_start(exclusion ? visitor : giver, NULL);
    int second = explore_start(exclusion ? visitor : taker, NULL);
    explore_join(first);
    explore_join(second);
    if (pair->give != promise_give)
        HK_EXPECT_OK(hocket_promise_set(promise, 0, NULL, 0));
    hocket_promise_free(promise);
    hocket_future_free(future);
    hocket_queue_free(queue);
}

static void explore_pair(void *arg)
{
    explore(pair->name, body, arg, racy && HOCKET_TSAN ? &many : &few);
}

START_TEST(a_race_is_told)
{
    pair = &pairs[_i];
    racy = true;
    if (HOCKET_TSAN)
        death_by_signal(explore_pair, NULL, SIGABRT, "data race");
    else
        explore_pair(NULL);
}
END_TEST

START_TEST(what_is_ordered_is_not)
{
    pair = &pairs[_i];
    racy = false;
    explore_pair(NULL);
}
END_TEST

SUITE("tsan_pairs", 30)
{
    tcase_add_loop_test(suite__case, a_race_is_told, 0, PAIRS);
    tcase_add_loop_test(suite__case, what_is_ordered_is_not, 0, PAIRS);
}
