/* SPDX-License-Identifier: MIT */
/*
 * Event set, semaphore release and latch count-down from signal handlers, in a storm of signals
 * that interrupts waiters, setters and the scheduler anywhere, also while they hold the
 * object's guard.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include <hocket/event.h>
#include <hocket/latch.h>
#include <hocket/mutex.h>
#include <hocket/sem.h>

#include "support/modes.h"
#include "sys/sanitizer.h"

#define TASKS     4
#define PERMITS   3000
#define PERIOD_US 200

static struct {
    hocket_sem s;
    hocket_event e;
    hocket_latch l;
    hocket_mutex m;
    int begun, released, acquired, count, rounds;
    int stop;
} x;

static int get(int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* It writes errno, which is the thread's, whatever fiber it interrupts. */
HOCKET_UNSEEN static void handler(int signal)
{
    (void)signal;
    int saved = errno;
    for (int i = 0; i < 3; i++) { /* another thread may be in here as well */
        if (__atomic_add_fetch(&x.begun, 1, __ATOMIC_ACQ_REL) <= PERMITS &&
            hocket_sem_release(&x.s) == 0)
            __atomic_add_fetch(&x.released, 1, __ATOMIC_ACQ_REL);
        else
            __atomic_sub_fetch(&x.begun, 1, __ATOMIC_ACQ_REL);
    }
    hocket_event_set(&x.e);
    if (hocket_latch_count(&x.l) > 100)
        hocket_latch_done(&x.l);
    (void)hocket_sem_value(&x.s);
    (void)hocket_event_is_set(&x.e);
    errno = saved;
}

/* Signals go to whichever thread of the process runs. */
static void *storm(void *arg)
{
    (void)arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!get(&x.stop)) {
        kill(getpid(), SIGUSR1);
        hocket_time until = hocket_after(PERIOD_US * HOCKET_US);
        while (hocket_now() < until)
            sched_yield();
    }
    return NULL;
}

static int body(int index, void *arg)
{
    (void)arg;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    hocket_time until = hocket_after(60 * HOCKET_SEC);
    while (get(&x.acquired) < PERMITS && hocket_now() < until) {
        int err = hocket_sem_acquire(&x.s, hocket_after(HOCKET_MS));
        if (err == 0)
            __atomic_add_fetch(&x.acquired, 1, __ATOMIC_ACQ_REL);
        else
            HK_EXPECT_EQ(err, -ETIMEDOUT);
        err = hocket_event_wait(&x.e, hocket_after(HOCKET_MS));
        HK_EXPECT(err == 0 || err == -ETIMEDOUT);
        hocket_event_clear(&x.e);
        err = hocket_latch_wait(&x.l, index % 2 ? HOCKET_NOW : hocket_after(20 * HOCKET_US));
        HK_EXPECT_EQ(err, -ETIMEDOUT);
        HOCKET_WITH(&x.m) {
            x.count++;
        }
        __atomic_add_fetch(&x.rounds, 1, __ATOMIC_ACQ_REL);
    }
    return 0;
}

START_TEST(from_handlers)
{
    memset(&x, 0, sizeof x);
    x.l = (hocket_latch)HOCKET_LATCH_INIT(HOCKET_LATCH_MAX);
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK };
    sigaction(SIGUSR1, &action, NULL);
    pthread_t thread;
    HK_EXPECT(pthread_create(&thread, NULL, storm, NULL) == 0);
    mode_run(_i, TASKS, body, NULL);
    __atomic_store_n(&x.stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    ck_assert_int_eq(x.released, PERMITS);
    ck_assert_int_eq(x.acquired, PERMITS);
    ck_assert_int_eq(hocket_sem_value(&x.s), 0);
    ck_assert_int_eq(x.count, x.rounds);
    hocket_sem_destroy(&x.s);
    hocket_event_destroy(&x.e);
    hocket_latch_destroy(&x.l);
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 100);
    MODE_TESTS(tc, from_handlers);
}

int main(void)
{
    return mode_main("signal handlers", add);
}
