/* SPDX-License-Identifier: MIT */
/* task_done and join. */
#include <errno.h>
#include <hocket/scope.h>

#include "support/death.h"
#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"

static hocket_queue *make(int kind)
{
    return queue_make(sizeof(int), kind < 3 ? kind : HOCKET_FIFO,
                      kind < 3    ? 4
                      : kind == 3 ? HOCKET_UNBOUNDED
                                  : HOCKET_RENDEZVOUS);
}

#define KINDS 5

START_TEST(one_task)
{
    for (int kind = 0; kind < KINDS - 1; kind++) {
        hocket_queue *q = make(kind);
        int value = 1, out[3];
        HK_EXPECT_EQ(hocket_queue_task_done(q), -EOVERFLOW);
        HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_NOW), 0);
        for (int turn = 0; turn < 10; turn++) {
            for (int i = 0; i < 3; i++)
                HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_unfinished(q), 3);
            HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_NOW), -ETIMEDOUT);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 3, HOCKET_NOW), 3);
            /* fetched is not done */
            HK_EXPECT_EQ(hocket_queue_unfinished(q), 3);
            HK_EXPECT_EQ(hocket_queue_join(q, hocket_after(10 * HOCKET_US)), -ETIMEDOUT);
            for (int i = 0; i < 3; i++)
                HK_EXPECT_EQ(hocket_queue_task_done(q), 0);
            HK_EXPECT_EQ(hocket_queue_task_done(q), -EOVERFLOW);
            HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_FOREVER), 0);
        }
        hocket_queue_free(q);
    }
}
END_TEST

START_TEST(a_close_finishes_what_it_drops)
{
    for (int kind = 0; kind < KINDS - 1; kind++) {
        hocket_queue *q = make(kind);
        int value = 1;
        for (int i = 0; i < 3; i++)
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
        HK_EXPECT_EQ(hocket_queue_unfinished(q), 3);
        HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_unfinished(q), 1);
        HK_EXPECT_EQ(hocket_queue_task_done(q), 0);
        HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_NOW), 0);
        hocket_queue_free(q);
    }
}
END_TEST

#define JOINERS 2
#define WORKERS 3
#define VALUES  30

struct shared {
    hocket_queue *q;
    _Atomic int done, joined, fetched;
};

/* Joiners return when the last value is done, not when it is fetched. */
static int work(int index, void *arg)
{
    struct shared *s = arg;
    int value = 0, err;
    if (index == 0) {
        for (int i = 0; i < VALUES; i++)
            HK_EXPECT_EQ(hocket_queue_put(s->q, &i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_queue_join(s->q, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hk_load(&s->done), VALUES);
        return hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN);
    }
    while ((err = hocket_queue_get(s->q, &value, HOCKET_FOREVER)) == 0) {
        if (value % 3 == 0)
            mode_yield();
        (void)hk_add(&s->done, 1);
        HK_EXPECT_EQ(hocket_queue_task_done(s->q), 0);
    }
    HK_EXPECT_EQ(err, -EPIPE);
    return 0;
}

START_TEST(joined_when_done)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct shared s = { .q = make(kind) };
        mode_run(_i, 1 + WORKERS, work, &s);
        HK_EXPECT_EQ(hocket_queue_unfinished(s.q), 0);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* Several joiners, all woken at the same task_done; a cancelled one and a late one are not. */
static int several(int index, void *arg)
{
    struct shared *s = arg;
    int value = 1;
    if (index > 0) {
        int err = hocket_queue_join(s->q, index == 4 ? hocket_after(HOCKET_MS) : HOCKET_FOREVER);
        HK_EXPECT_EQ(err, index == 3 ? -ECANCELED : index == 4 ? -ETIMEDOUT : 0);
        (void)hk_add(&s->joined, 1);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2) && mode_parked(3));
    hocket_cancel(mode_task(3));
    MODE_WAIT_UNTIL(hk_load_acq(&s->joined) == 2);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_task_done(s->q), 0);
    MODE_WAIT_UNTIL(hk_load_acq(&s->joined) == 4);
    return 0;
}

START_TEST(all_joiners_are_woken)
{
    struct shared s = { .q = make(0) };
    int value = 1;
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), 0);
    mode_run(_i, 5, several, &s);
    hocket_queue_free(s.q);
}
END_TEST

/* A close that drops the rest lets joiners go. */
static int closed(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0)
        return hocket_queue_join(s->q, HOCKET_FOREVER);
    MODE_WAIT_UNTIL(mode_parked(1));
    return hocket_queue_close(s->q, HOCKET_CLOSE_NOW);
}

START_TEST(a_close_lets_joiners_go)
{
    struct shared s = { .q = make(0) };
    int value = 1;
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), 0);
    mode_run(_i, 2, closed, &s);
    hocket_queue_free(s.q);
}
END_TEST

static int cancelled(int index, void *arg)
{
    struct shared *s = arg;
    hocket_scope scope;
    (void)index;
    hocket_scope_open(&scope, NULL);
    hocket_scope_cancel(&scope);
    HK_EXPECT_EQ(hocket_queue_join(s->q, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_task_done(s->q), -EOVERFLOW);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    return 0;
}

START_TEST(join_is_a_cancel_point)
{
    struct shared s = { .q = make(0) };
    mode_run(_i, 2, cancelled, &s);
    hocket_queue_free(s.q);
}
END_TEST

static int free_under_joiner(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0)
        return hocket_queue_join(s->q, HOCKET_FOREVER);
    MODE_WAIT_UNTIL(mode_parked(1));
    hocket_queue_free(s->q);
    return 0;
}

static void free_in_use(void *arg)
{
    struct shared s = { .q = make(0) };
    HK_EXPECT_EQ(hocket_queue_put(s.q, arg, HOCKET_NOW), 0);
    mode_run(MODE_FIBERS_1, 2, free_under_joiner, &s);
}

START_TEST(free_with_joiners_panics)
{
    int value = 1;
    death_by_signal(free_in_use, &value, SIGABRT, "hocket_queue_free: task task-");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, one_task);
    tcase_add_test(tc, a_close_finishes_what_it_drops);
    MODE_TESTS(tc, joined_when_done);
    MODE_TESTS(tc, all_joiners_are_woken);
    MODE_TESTS(tc, a_close_lets_joiners_go);
    MODE_TESTS(tc, join_is_a_cancel_point);
    tcase_add_test(tc, free_with_joiners_panics);
}

int main(void)
{
    return mode_main("queue_join", add);
}
