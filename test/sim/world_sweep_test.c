/* SPDX-License-Identifier: MIT */
/* hocket_sim_sweep: the n-th event of a kind goes wrong, and a body that cannot stand it is found. */
#include <errno.h>
#include <hocket.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

static hocket_sim_result result;

static int sweep(hocket_task_fn *fn, int event)
{
    memset(&result, 0, sizeof result);
    return hocket_sim_sweep(fn, NULL, event,
                            HOCKET_SIM_OPTIONS(.seeds = 3, .quiet = true, .result = &result));
}

static hocket_mutex mutex;
static hocket_cond cond;
static hocket_sem sem;
static int ready, held;

/* ---- a waiter and who tells it; `arg`: it looks again ---- */

static int looks_again(void *arg)
{
    hocket_time deadline = hocket_after(HOCKET_SEC);
    int err = 0;
    (void)arg;
    hocket_mutex_lock(&mutex);
    while (!ready && err == 0)
        err = hocket_cond_wait(&cond, &mutex, deadline);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int looks_once(void *arg)
{
    int err = 0;
    (void)arg;
    hocket_mutex_lock(&mutex);
    if (!ready)
        err = hocket_cond_wait(&cond, &mutex, hocket_after(HOCKET_SEC));
    bool ok = ready || err != 0;
    hocket_mutex_unlock(&mutex);
    return ok ? 0 : -EILSEQ;
}

static int trusts_time(void *arg)
{
    int err = 0;
    (void)arg;
    hocket_mutex_lock(&mutex);
    while (!ready && err == 0)
        err = hocket_cond_wait(&cond, &mutex, hocket_after(HOCKET_SEC));
    bool ok = ready; /* "nobody takes a second" */
    hocket_mutex_unlock(&mutex);
    return ok ? 0 : -EILSEQ;
}

static int teller(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    ready = 1;
    hocket_cond_signal(&cond);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int with(hocket_task_fn *waiter)
{
    hocket_task *t;
    int rc = 0;
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn_task(&t, &scope, waiter, NULL, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, teller, NULL));
    (void)!hocket_scope_close(&scope);
    (void)!hocket_join(t, &rc, HOCKET_FOREVER);
    hocket_task_release(t);
    return rc == -EILSEQ ? rc : 0;
}

static int body_again(void *arg)
{
    (void)arg;
    return with(looks_again);
}

static int body_once(void *arg)
{
    (void)arg;
    return with(looks_once);
}

static int body_time(void *arg)
{
    (void)arg;
    return with(trusts_time);
}

START_TEST(spurious_wakeups)
{
    HK_EXPECT_EQ(sweep(body_once, HOCKET_SIM_SPURIOUS), -EILSEQ);
    HK_EXPECT(result.event >= 1);
    HK_EXPECT_EQ(sweep(body_again, HOCKET_SIM_SPURIOUS), 0);
    HK_EXPECT_EQ(sweep(body_time, HOCKET_SIM_SPURIOUS), 0);
}
END_TEST

START_TEST(time_outs)
{
    HK_EXPECT_EQ(sweep(body_time, HOCKET_SIM_TIMEOUT), -EILSEQ);
    HK_EXPECT_EQ(sweep(body_again, HOCKET_SIM_TIMEOUT), 0);
    HK_EXPECT_EQ(sweep(body_once, HOCKET_SIM_TIMEOUT), 0);
}
END_TEST

/* ---- a permit that is given back, or not, when a cancel comes ---- */

static int keeps_it(void *arg)
{
    (void)arg;
    int err = hocket_sem_acquire(&sem, HOCKET_FOREVER);
    if (err)
        return err;
    held++;
    err = hocket_sleep(HOCKET_MS);
    if (err)
        return err; /* and the permit? */
    held--;
    return hocket_sem_release(&sem);
}

static int gives_it_back(void *arg)
{
    (void)arg;
    int err = hocket_sem_acquire(&sem, HOCKET_FOREVER);
    if (err)
        return err;
    held++;
    err = hocket_sleep(HOCKET_MS);
    held--;
    HK_EXPECT_OK(hocket_sem_release(&sem));
    return err;
}

static int permits(hocket_task_fn *fn)
{
    hocket_task *t[3];
    HK_EXPECT_OK(hocket_sem_init(&sem, 1, 0));
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, fn, NULL, NULL));
    hocket_scope shielded;
    hocket_scope_open(&shielded, &(hocket_scope_options){ .shield = true });
    for (int i = 0; i < 3; i++) {
        (void)!hocket_join(t[i], NULL, HOCKET_FOREVER);
        hocket_task_release(t[i]);
    }
    (void)!hocket_scope_close(&shielded);
    return held == 0 ? 0 : -EILSEQ;
}

static int body_keeps(void *arg)
{
    (void)arg;
    return permits(keeps_it);
}

static int body_gives(void *arg)
{
    (void)arg;
    return permits(gives_it_back);
}

START_TEST(cancels)
{
    int err = sweep(body_keeps, HOCKET_SIM_CANCEL);
    HK_EXPECT(err == -EILSEQ || err == -EDEADLK);
    HK_EXPECT_EQ(sweep(body_gives, HOCKET_SIM_CANCEL), 0);
    HK_EXPECT(result.event > 10);
}
END_TEST

/* ---- memory ---- */

static int body_memory(void *arg)
{
    hocket_queue *q;
    int value = 3, rc = 0;
    (void)arg;
    if (hocket_queue_new(&q, sizeof value, &(hocket_queue_options){ .capacity = HOCKET_UNBOUNDED }))
        return 0;
    for (int i = 0; i < 300 && rc == 0; i++)
        rc = hocket_queue_put(q, &value, HOCKET_FOREVER);
    HK_EXPECT(rc == 0 || rc == -ENOMEM);
    hocket_queue_free(q);
    return 0;
}

static int body_trusts_memory(void *arg)
{
    hocket_queue *q;
    (void)arg;
    if (hocket_queue_new(&q, sizeof(int), NULL) != 0)
        return -EILSEQ;
    hocket_queue_free(q);
    return 0;
}

START_TEST(allocations)
{
    HK_EXPECT_EQ(sweep(body_memory, HOCKET_SIM_ALLOC), 0);
    HK_EXPECT(result.event >= 2);
    HK_EXPECT_EQ(sweep(body_trusts_memory, HOCKET_SIM_ALLOC), -EILSEQ);
    HK_EXPECT_EQ(result.event, 1);
}
END_TEST

/* ---- a message of 40 bytes through a pipe ---- */

enum { MESSAGE = 40 };
static int ends[2];

static int writes(void *arg)
{
    const char *text = arg;
    for (size_t done = 0; done < MESSAGE;) {
        ssize_t n = write(ends[1], text + done, hocket_sim_part(MESSAGE - done));
        HK_EXPECT(n > 0);
        done += (size_t)n;
    }
    return 0;
}

static int wait_readable(void)
{
    hocket_case cases[] = { hocket_case_fd(ends[0], HOCKET_READABLE) };
    return hocket_select(cases, 1, HOCKET_FOREVER);
}

static size_t reads_once(char *text)
{
    HK_EXPECT_EQ(wait_readable(), 0);
    return (size_t)read(ends[0], text, hocket_sim_part(MESSAGE));
}

static size_t reads_all(char *text)
{
    size_t done = 0;
    while (done < MESSAGE) {
        HK_EXPECT_EQ(wait_readable(), 0);
        ssize_t n = read(ends[0], text + done, hocket_sim_part(MESSAGE - done));
        HK_EXPECT(n > 0);
        done += (size_t)n;
    }
    return done;
}

static int through_a_pipe(size_t (*reads)(char *))
{
    char sent[MESSAGE] = "the whole of it, or else it is nothing", got[MESSAGE] = "";
    hocket_scope scope;
    HK_EXPECT_EQ(pipe(ends), 0);
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, writes, sent));
    size_t n = reads(got);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT(n <= MESSAGE && memcmp(sent, got, n) == 0);
    return n == MESSAGE ? 0 : -EILSEQ;
}

static int body_reads_once(void *arg)
{
    (void)arg;
    return through_a_pipe(reads_once);
}

static int body_reads_all(void *arg)
{
    (void)arg;
    return through_a_pipe(reads_all);
}

static int body_parts(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sim_part(0), 0);
    HK_EXPECT_EQ(hocket_sim_part(1), 1); /* neither can be short */
    size_t part = hocket_sim_part(1000);
    HK_EXPECT(part >= 1 && part <= 1000);
    return part == 1000 ? 0 : -EILSEQ;
}

START_TEST(short_transfers)
{
    HK_EXPECT_EQ(hocket_sim_part(1000), 1000); /* in no world */
    HK_EXPECT_EQ(sweep(body_parts, HOCKET_SIM_SHORT), -EILSEQ);
    HK_EXPECT_EQ(result.event, 1);
    HK_EXPECT_EQ(sweep(body_parts, HOCKET_SIM_CANCEL), 0);
    HK_EXPECT_EQ(sweep(body_reads_once, HOCKET_SIM_SHORT), -EILSEQ);
    HK_EXPECT_EQ(sweep(body_reads_all, HOCKET_SIM_SHORT), 0);
    HK_EXPECT(result.event >= 2);
}
END_TEST

/* ---- the rest ---- */

static int flag, seen;

static int sets_late(void *arg)
{
    (void)arg;
    flag = 1;
    hocket_sim_point();
    return 0;
}

static int body_assumes_order(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, sets_late, NULL, NULL));
    for (int i = 0; i < 20; i++)
        HK_EXPECT_OK(hocket_yield());
    seen = flag;
    HK_EXPECT_OK(hocket_join(t, NULL, HOCKET_FOREVER));
    hocket_task_release(t);
    return seen ? 0 : -EILSEQ;
}

static int body_sleeps(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++)
        HK_EXPECT_OK(hocket_sleep(HOCKET_SEC));
    return 0;
}

START_TEST(delays_and_interruptions)
{
    HK_EXPECT_EQ(sweep(body_assumes_order, HOCKET_SIM_DELAY), 0); /* it has not begun: no place */
    HK_EXPECT_EQ(sweep(body_again, HOCKET_SIM_DELAY), 0);
    HK_EXPECT_EQ(sweep(body_sleeps, HOCKET_SIM_EINTR), 0);
    HK_EXPECT(result.event >= 5);
    HK_EXPECT_EQ(hocket_sim_sweep(body_sleeps, NULL, 0, NULL), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_sweep(body_sleeps, NULL, HOCKET_SIM_SHORT + 1, NULL), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_sweep(body_sleeps, NULL, HOCKET_SIM_DELAY,
                                  HOCKET_SIM_OPTIONS(.strategy = HOCKET_SIM_EXHAUSTIVE)),
                 -EINVAL);
}
END_TEST

SUITE("sim_sweep", 60)
{
    suite_once(spurious_wakeups);
    suite_once(time_outs);
    suite_once(cancels);
    suite_once(allocations);
    suite_once(short_transfers);
    suite_once(delays_and_interruptions);
}
