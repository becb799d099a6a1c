/* SPDX-License-Identifier: MIT */
/* select: every kind of case, alone and among others; exactly one happens; fairness; errors. */
#include <errno.h>
#include <fcntl.h>
#include <hocket.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/modes.h"
#include "support/run.h"

#include "base/atomic.h"

static hocket_queue *make(size_t capacity)
{
    hocket_queue *q = NULL;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), &o));
    return q;
}

static hocket_time soon(void)
{
    return hocket_after(2 * HOCKET_MS);
}

/* ---- one task, nothing to wait for ---- */

START_TEST(what_is_ready_happens)
{
    hocket_queue *q = make(1);
    hocket_event event = { 0 };
    int in = 7, out = 0;
    hocket_case cases[] = { hocket_case_put(q, &in), hocket_case_get(q, &out),
                            hocket_case_event(&event), hocket_case_none() };

    HK_EXPECT_EQ(hocket_select(cases, 4, HOCKET_NOW), 0); /* empty: only the put can */
    HK_EXPECT_EQ(cases[0].error, 0);
    HK_EXPECT_EQ(hocket_queue_length(q), 1);
    HK_EXPECT_EQ(hocket_select(cases, 4, HOCKET_FOREVER), 1); /* full: only the get can */
    HK_EXPECT_EQ(out, 7);
    cases[0].object = cases[1].object = NULL;
    HK_EXPECT_EQ(hocket_select(cases, 4, HOCKET_NOW), -ETIMEDOUT);
    hocket_event_set(&event);
    HK_EXPECT_EQ(hocket_select(cases, 4, HOCKET_NOW), 2);
    HK_EXPECT(hocket_event_is_set(&event));
    hocket_event_destroy(&event);
    hocket_queue_free(q);
}
END_TEST

START_TEST(nothing_to_wait_for)
{
    hocket_case out[] = { hocket_case_none(),
                          hocket_case_get(NULL, NULL),
                          hocket_case_event(NULL),
                          hocket_case_join(NULL, NULL),
                          hocket_case_future(NULL, NULL),
                          hocket_case_fd(-1, HOCKET_READABLE),
                          hocket_case_timer(HOCKET_FOREVER) };
    HK_EXPECT_EQ(hocket_select(NULL, 0, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_select(NULL, 0, soon()), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_select(out, sizeof out / sizeof *out, soon()), -ETIMEDOUT);
}
END_TEST

START_TEST(what_makes_no_sense)
{
    hocket_case c = hocket_case_none();
    c.kind = 8;
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_NOW), -EINVAL);
    c.kind = -1;
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_NOW), -EINVAL);
    c = hocket_case_fd(0, 0);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_NOW), -EINVAL);
    c = hocket_case_fd(0, 4);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_NOW), -EINVAL);
    HK_EXPECT_EQ(hocket_select(&c, (size_t)-1, HOCKET_NOW), -EINVAL);
}
END_TEST

START_TEST(timers)
{
    hocket_time now = hocket_now();
    hocket_case cases[] = { hocket_case_timer(now + 1000 * HOCKET_SEC), hocket_case_timer(now),
                            hocket_case_timer(now + 2000 * HOCKET_SEC) };
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_NOW), 1);
    cases[1] = hocket_case_none();
    cases[2] = hocket_case_timer(now + 3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER), 2);
    HK_EXPECT(hocket_now() >= now + 3 * HOCKET_MS); /* never early */
    HK_EXPECT_EQ(hocket_select(cases, 1, hocket_after(HOCKET_MS)), -ETIMEDOUT);
}
END_TEST

START_TEST(closed_queues)
{
    hocket_queue *q = make(2);
    int in = 1, out = 0;
    hocket_case get = hocket_case_get(q, &out), put = hocket_case_put(q, &in);
    HK_EXPECT_OK(hocket_queue_put(q, &in, HOCKET_NOW));
    HK_EXPECT_OK(hocket_queue_close(q, HOCKET_CLOSE_DRAIN));
    HK_EXPECT_EQ(hocket_select(&put, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(put.error, -EPIPE);
    HK_EXPECT_EQ(hocket_select(&get, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(get.error, 0);
    HK_EXPECT_EQ(out, 1);
    HK_EXPECT_EQ(hocket_select(&get, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(get.error, -EPIPE);
    hocket_queue_free(q);
}
END_TEST

/* A select with a put and a get of one queue does not hand a value to itself. */
START_TEST(not_with_itself)
{
    hocket_queue *q = make(HOCKET_RENDEZVOUS);
    int in = 1, out = 0;
    hocket_case cases[] = { hocket_case_put(q, &in), hocket_case_get(q, &out),
                            hocket_case_put(q, &in) };
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_select(cases, 3, soon()), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_getters(q) + hocket_queue_putters(q), 0);
    hocket_queue_free(q);
}
END_TEST

/* Priorities, and an unbounded queue whose put needs memory. */
START_TEST(all_kinds_of_queues)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.order = HOCKET_PRIORITY;
    o.capacity = HOCKET_UNBOUNDED;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), &o));
    for (int i = 0; i < 500; i++) {
        int value = (i * 7) % 500;
        hocket_case put = hocket_case_put_with(q, &value, value);
        HK_EXPECT_EQ(hocket_select(&put, 1, HOCKET_FOREVER), 0);
    }
    for (int i = 0; i < 500; i++) {
        int value = -1;
        hocket_case get = hocket_case_get(q, &value);
        HK_EXPECT_EQ(hocket_select(&get, 1, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(value, i);
    }
    hocket_queue_free(q);
}
END_TEST

/* Of n that are ready each is taken within 4.9 standard deviations of N/n. */
START_TEST(fair)
{
    enum { CASES = 5, N = 50000 };
    hocket_queue *q[CASES];
    int count[CASES] = { 0 }, value = 1;
    hocket_case cases[CASES + 2];
    for (int i = 0; i < CASES; i++) {
        q[i] = make(1);
        HK_EXPECT_OK(hocket_queue_put(q[i], &value, HOCKET_NOW));
    }
    /* Unevenly between two that are never ready. */
    for (int i = 0; i < CASES; i++)
        cases[i + (i > 1)] = hocket_case_get(q[i], &value);
    cases[2] = hocket_case_none();
    cases[CASES + 1] = hocket_case_timer(HOCKET_FOREVER);
    for (int turn = 0; turn < N; turn++) {
        int i = hocket_select(cases, CASES + 2, HOCKET_FOREVER);
        HK_EXPECT(i >= 0 && i != 2 && i <= CASES);
        count[i - (i > 2)]++;
        HK_EXPECT_OK(hocket_queue_put(q[i - (i > 2)], &value, HOCKET_NOW));
    }
    for (int i = 0; i < CASES; i++) {
        double share = (double)count[i] / N, off = share - 1.0 / CASES;
        HK_EXPECT(off * off < 4.9 * 4.9 / (4.0 * N));
        hocket_queue_free(q[i]);
    }
}
END_TEST

/* ---- several tasks ---- */

struct world {
    hocket_queue *a, *b;
    hocket_event event;
    _Atomic int turn;
};

static void world_make(struct world *w, size_t capacity)
{
    *w = (struct world){ .a = make(capacity), .b = make(capacity) };
}

static void world_end(struct world *w)
{
    HK_EXPECT_EQ(hocket_queue_getters(w->a) + hocket_queue_putters(w->a), 0);
    HK_EXPECT_EQ(hocket_queue_getters(w->b) + hocket_queue_putters(w->b), 0);
    hocket_queue_free(w->a);
    hocket_queue_free(w->b);
    hocket_event_destroy(&w->event);
}

/* Woken by each of its cases in turn; the others have left no trace. */
static int woken_body(int index, void *arg)
{
    struct world *w = arg;
    for (int turn = 0; turn < 6; turn++) {
        int value = 0;
        if (index == 0) {
            hocket_case cases[] = { hocket_case_get(w->a, &value), hocket_case_event(&w->event),
                                    hocket_case_get(w->b, &value), hocket_case_get(w->a, &value) };
            int i = hocket_select(cases, 4, HOCKET_FOREVER);
            HK_EXPECT_EQ(cases[i].error, 0);
            switch (turn % 3) {
            case 0: HK_EXPECT((i == 0 || i == 3) && value == turn + 1); break;
            case 1: HK_EXPECT_EQ(i, 1); break;
            default: HK_EXPECT(i == 2 && value == turn + 1); break;
            }
            hocket_event_clear(&w->event);
            atomic_store(&w->turn, turn + 1);
        } else {
            value = turn + 1;
            MODE_WAIT_UNTIL(mode_parked(0));
            HK_EXPECT_EQ(hocket_queue_getters(w->a), 2);
            if (turn % 3 == 1)
                hocket_event_set(&w->event);
            else
                HK_EXPECT_OK(hocket_queue_put(turn % 3 == 0 ? w->a : w->b, &value, HOCKET_FOREVER));
            MODE_WAIT_UNTIL(atomic_load(&w->turn) == turn + 1);
        }
    }
    return 0;
}

START_TEST(woken_by_each)
{
    struct world w;
    world_make(&w, 2);
    mode_run(_i, 2, woken_body, &w);
    world_end(&w);
}
END_TEST

/* Two selects meet: a put of one with a get of the other, on one of two rendezvous queues. */
static int meet_body(int index, void *arg)
{
    struct world *w = arg;
    for (int turn = 0; turn < 200; turn++) {
        int in = index * 1000 + turn, a = -1, b = -1;
        hocket_case cases[] = { hocket_case_put(w->a, &in), hocket_case_put(w->b, &in) };
        if (index == 1) {
            cases[0] = hocket_case_get(w->a, &a);
            cases[1] = hocket_case_get(w->b, &b);
        }
        int i = hocket_select(cases, 2, HOCKET_FOREVER);
        HK_EXPECT(i >= 0 && cases[i].error == 0);
        if (index == 1)
            HK_EXPECT((i == 0 ? a : b) == turn && (i == 0 ? b : a) == -1);
    }
    return 0;
}

START_TEST(two_selects_meet)
{
    struct world w;
    world_make(&w, HOCKET_RENDEZVOUS);
    mode_run(_i, 2, meet_body, &w);
    world_end(&w);
}
END_TEST

/* All put and get at once, each of them in one select: nothing is lost, nothing doubled. */
#define TURNS 300
static _Atomic int n_puts, n_gets;

static int crowd_body(int index, void *arg)
{
    struct world *w = arg;
    (void)index;
    for (int turn = 0; turn < TURNS; turn++) {
        int in = 1, out = 0;
        hocket_case cases[] = { hocket_case_put(w->a, &in), hocket_case_get(w->b, &out),
                                hocket_case_put(w->b, &in), hocket_case_get(w->a, &out) };
        int i = hocket_select(cases, 4, HOCKET_FOREVER);
        HK_EXPECT(i >= 0 && cases[i].error == 0);
        HK_EXPECT_EQ(out, i % 2);
        (void)atomic_fetch_add(i % 2 ? &n_gets : &n_puts, 1);
    }
    return 0;
}

START_TEST(a_crowd)
{
    struct world w;
    int value;
    world_make(&w, 3);
    atomic_store(&n_puts, 0);
    atomic_store(&n_gets, 0);
    mode_run(_i, 6, crowd_body, &w);
    int left = (int)(hocket_queue_length(w.a) + hocket_queue_length(w.b));
    HK_EXPECT_EQ(atomic_load(&n_puts) + atomic_load(&n_gets), 6 * TURNS);
    HK_EXPECT_EQ(atomic_load(&n_puts) - atomic_load(&n_gets), left);
    while (hocket_queue_get(w.a, &value, HOCKET_NOW) == 0 ||
           hocket_queue_get(w.b, &value, HOCKET_NOW) == 0)
        left--;
    HK_EXPECT_EQ(left, 0);
    world_end(&w);
}
END_TEST

/* A close wakes who waits in vain, as a case that happened. */
static int closed_body(int index, void *arg)
{
    struct world *w = arg;
    int value = 0;
    if (index == 0) {
        hocket_case cases[] = { hocket_case_get(w->a, &value), hocket_case_get(w->b, &value) };
        HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_FOREVER), 1);
        HK_EXPECT_EQ(cases[1].error, -EPIPE);
    } else {
        MODE_WAIT_UNTIL(mode_parked(0));
        HK_EXPECT_OK(hocket_queue_close(w->b, HOCKET_CLOSE_DRAIN));
    }
    return 0;
}

START_TEST(woken_by_a_close)
{
    struct world w;
    world_make(&w, 2);
    mode_run(_i, 2, closed_body, &w);
    world_end(&w);
}
END_TEST

/* Cancelled in the wait: nothing has happened, no node is left. */
static int cancelled_body(int index, void *arg)
{
    struct world *w = arg;
    int value = 0;
    if (index == 0) {
        hocket_case cases[] = { hocket_case_get(w->a, &value), hocket_case_event(&w->event) };
        HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_FOREVER), -ECANCELED);
        HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_NOW), -ECANCELED);
        HK_EXPECT_EQ(hocket_queue_getters(w->a), 0);
    } else {
        MODE_WAIT_UNTIL(mode_parked(0));
        hocket_cancel(mode_task(0));
    }
    return 0;
}

START_TEST(cancelled)
{
    struct world w;
    world_make(&w, 2);
    mode_run(_i, 2, cancelled_body, &w);
    world_end(&w);
}
END_TEST

/* ---- tasks, jobs and descriptors ---- */

static int ends_with(void *arg)
{
    hocket_event *gate = arg;
    int err = hocket_event_wait(gate, HOCKET_FOREVER);
    return err ? err : 41;
}

static int fails(void *arg)
{
    (void)arg;
    return -EIO;
}

static int join_body(void *arg)
{
    hocket_event gates[2] = { 0 }, other = { 0 };
    hocket_task *t[2];
    int result = 0, results[2] = { 0 };
    (void)arg;
    for (int i = 0; i < 2; i++)
        t[i] = run_spawn(ends_with, &gates[i]);
    hocket_case self = hocket_case_join(hocket_self(), NULL);
    HK_EXPECT_EQ(hocket_select(&self, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(self.error, -EDEADLK);
    hocket_case cases[] = { hocket_case_join(t[0], &results[0]),
                            hocket_case_join(t[1], &results[1]), hocket_case_event(&other) };
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_NOW), -ETIMEDOUT);
    hocket_event_set(&gates[1]);
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER), 1);
    HK_EXPECT(results[1] == 41 && results[0] == 0);
    hocket_event_set(&gates[0]);
    HK_EXPECT_OK(hocket_join(t[0], &result, HOCKET_FOREVER));
    results[1] = 0;
    cases[0] = hocket_case_none();
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER), 1); /* again */
    HK_EXPECT_EQ(results[1], 41);
    hocket_task_release(t[0]);
    hocket_task_release(t[1]);
    return 0;
}

START_TEST(ends_of_tasks)
{
    run_in(_i, join_body, NULL);
}
END_TEST

static int future_body(void *arg)
{
    static const char *const schemes[] = { "threads", "fibers" };
    (void)arg;
    for (int k = 0; k < 2; k++) {
        hocket_executor *ex;
        hocket_future *f[2];
        hocket_event gate = { 0 };
        int results[2] = { 0, 0 };
        hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
        o.workers = 2;
        int err = hocket_executor_new(&ex, schemes[k], &o);
        if (err == -EAGAIN)
            continue; /* no threads where there are no workers */
        HK_EXPECT_OK(err);
        HK_EXPECT_OK(hocket_submit_fn(ex, &f[0], ends_with, &gate));
        HK_EXPECT_OK(hocket_submit_fn(ex, &f[1], fails, NULL));
        hocket_case cases[] = { hocket_case_future(f[0], &results[0]),
                                hocket_case_future(f[1], &results[1]) };
        HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_FOREVER), 1);
        HK_EXPECT_EQ(results[1], -EIO); /* looked at: not for the error hook */
        cases[1] = hocket_case_none();
        HK_EXPECT_EQ(hocket_select(cases, 2, soon()), -ETIMEDOUT);
        hocket_event_set(&gate);
        HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(results[0], 41);
        hocket_future_free(f[0]);
        hocket_future_free(f[1]);
        hocket_executor_free(ex);
        hocket_event_destroy(&gate);
    }
    return 0;
}

START_TEST(ends_of_jobs)
{
    run_in(_i, future_body, NULL);
}
END_TEST

static int write_byte(void *arg)
{
    hocket_time late = hocket_after(HOCKET_MS);
    HK_EXPECT_OK(hocket_sleep_until(late));
    HK_EXPECT_EQ(write(*(int *)arg, "x", 1), 1);
    return 0;
}

static int fd_body(void *arg)
{
    int ends[2], other[2];
    char byte;
    hocket_task *t;
    hocket_event event = { 0 };
    (void)arg;
    HK_EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    HK_EXPECT_EQ(pipe2(other, O_CLOEXEC | O_NONBLOCK), 0);
    hocket_case cases[] = { hocket_case_fd(ends[0], HOCKET_READABLE),
                            hocket_case_fd(other[0], HOCKET_READABLE), hocket_case_event(&event) };
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_select(cases, 3, soon()), -ETIMEDOUT);
    for (int turn = 0; turn < 3; turn++) {
        t = run_spawn(write_byte, &ends[1]);
        HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER), 0);
        HK_EXPECT(cases[0].error == 0 && cases[0].ready == HOCKET_READABLE);
        HK_EXPECT_EQ(read(ends[0], &byte, 1), 1);
        HK_EXPECT_OK(hocket_join(t, NULL, HOCKET_FOREVER));
        hocket_task_release(t);
    }
    hocket_event_set(&event); /* while a descriptor is watched too */
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER), 2);
    hocket_event_clear(&event);

    hocket_case both = hocket_case_fd(ends[1], HOCKET_READABLE | HOCKET_WRITABLE);
    HK_EXPECT_EQ(hocket_select(&both, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(both.ready, HOCKET_WRITABLE);
    close(ends[0]);
    HK_EXPECT_EQ(hocket_select(&both, 1, HOCKET_FOREVER), 0); /* nobody reads any more */
    HK_EXPECT(both.ready & HOCKET_WRITABLE);
    close(ends[1]);
    HK_EXPECT_EQ(hocket_select(&both, 1, HOCKET_FOREVER), 0);
    HK_EXPECT(both.error == -EBADF && both.ready == 0);
    close(other[1]);
    HK_EXPECT_EQ(hocket_select(cases, 3, HOCKET_FOREVER) & ~1, 0); /* 0: closed, 1: end of file */
    close(other[0]);
    return 0;
}

START_TEST(descriptors)
{
    run_in(_i, fd_body, NULL);
}
END_TEST

/* Several tasks wait for one descriptor, for different things. */
static int one_end[2];

static int waits_for_fd(void *arg)
{
    hocket_case c = hocket_case_fd(one_end[0], (int)(intptr_t)arg);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_FOREVER), 0);
    return c.error ? c.error : c.ready;
}

static int shared_body(void *arg)
{
    hocket_task *t[4];
    int result;
    (void)arg;
    HK_EXPECT_EQ(pipe2(one_end, O_CLOEXEC | O_NONBLOCK), 0);
    for (int i = 0; i < 4; i++)
        t[i] = run_spawn(waits_for_fd, (void *)HOCKET_READABLE);
    for (int i = 0; i < 4; i++)
        RUN_UNTIL(run_parked(t[i]));
    HK_EXPECT_EQ(write(one_end[1], "x", 1), 1);
    for (int i = 0; i < 4; i++) {
        HK_EXPECT_OK(hocket_join(t[i], &result, HOCKET_FOREVER));
        HK_EXPECT_EQ(result, HOCKET_READABLE);
        hocket_task_release(t[i]);
    }
    close(one_end[0]);
    close(one_end[1]);
    return 0;
}

START_TEST(one_descriptor_for_many)
{
    run_in(_i, shared_body, NULL);
}
END_TEST

/* More cases than fit on the stack. */
START_TEST(many_cases)
{
    enum { MANY = 100 };
    hocket_queue *q[MANY];
    hocket_case cases[MANY];
    int value = 5, out = 0;
    for (int i = 0; i < MANY; i++) {
        q[i] = make(1);
        cases[i] = hocket_case_get(q[i], &out);
    }
    HK_EXPECT_EQ(hocket_select(cases, MANY, soon()), -ETIMEDOUT);
    HK_EXPECT_OK(hocket_queue_put(q[77], &value, HOCKET_NOW));
    HK_EXPECT_EQ(hocket_select(cases, MANY, HOCKET_FOREVER), 77);
    HK_EXPECT_EQ(out, 5);
    for (int i = 0; i < MANY; i++)
        hocket_queue_free(q[i]);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, what_is_ready_happens);
    tcase_add_test(tc, nothing_to_wait_for);
    tcase_add_test(tc, what_makes_no_sense);
    tcase_add_test(tc, timers);
    tcase_add_test(tc, closed_queues);
    tcase_add_test(tc, not_with_itself);
    tcase_add_test(tc, all_kinds_of_queues);
    tcase_add_test(tc, fair);
    tcase_add_test(tc, many_cases);
    MODE_TESTS(tc, woken_by_each);
    MODE_TESTS(tc, two_selects_meet);
    MODE_TESTS(tc, a_crowd);
    MODE_TESTS(tc, woken_by_a_close);
    MODE_TESTS(tc, cancelled);
    tcase_add_loop_test(tc, ends_of_tasks, 0, RUN_MODES);
    tcase_add_loop_test(tc, ends_of_jobs, 0, RUN_MODES);
    tcase_add_loop_test(tc, descriptors, 0, RUN_MODES);
    tcase_add_loop_test(tc, one_descriptor_for_many, 0, RUN_MODES);
}

int main(void)
{
    return mode_main("task_select", add);
}
