/* SPDX-License-Identifier: MIT */
/* sys: the table's contract, on the real system. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/kernel.h"
#include "sys/sys.h"

enum { MS = 1000000 };

static _Atomic uint32_t word, ready, handled;

/* --- time --- */

START_TEST(clock_is_monotonic_and_real)
{
    struct timespec t;
    int64_t last = hocket__clock();

    HK_EXPECT(last > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now = hocket__clock();
        HK_EXPECT(now >= last);
        last = now;
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    HK_EXPECT((int64_t)t.tv_sec * 1000000000 + t.tv_nsec >= last);
}
END_TEST

START_TEST(coarse_clock_is_never_ahead)
{
    for (int i = 0; i < 1000; i++) {
        int64_t coarse = hocket__clock_coarse();
        int64_t exact = hocket__clock();
        HK_EXPECT(coarse <= exact);
        HK_EXPECT(exact - coarse < 1000 * (int64_t)MS);
    }
}
END_TEST

/* --- futex --- */

START_TEST(futex_says_why)
{
    hk_store(&word, 1u);
    errno = 4711;
    HK_EXPECT_EQ(hocket__futex_wait(&word, 2, INT64_MAX), -EAGAIN);
    HK_EXPECT_EQ(hocket__futex_wait(&word, 1, 0), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket__futex_wait(&word, 1, -5), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket__futex_wait(&word, 1, hocket__clock() - 1), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket__futex_wake(&word, 1), 0);
    HK_EXPECT_EQ(hocket__futex_wake(NULL, 1), 0);
    HK_EXPECT_EQ(errno, 4711);
}
END_TEST

START_TEST(futex_never_wakes_before_its_deadline)
{
    hk_store(&word, 1u);
    for (int i = 1; i <= 5; i++) {
        int64_t deadline = hocket__clock() + i * (int64_t)MS / 2;
        int rc;
        while ((rc = hocket__futex_wait(&word, 1, deadline)) == 0)
            continue;
        HK_EXPECT_EQ(rc, -ETIMEDOUT);
        HK_EXPECT(hocket__clock() >= deadline);
    }
}
END_TEST

static void *sleeper(void *arg)
{
    (void)arg;
    hk_add(&ready, 1u);
    while (hk_load_acq(&word) == 1) {
        int rc = hocket__futex_wait(&word, 1, INT64_MAX);
        HK_EXPECT(rc == 0 || rc == -EAGAIN || rc == -EINTR);
    }
    return NULL;
}

START_TEST(futex_wakes_all)
{
    enum { N = 4 };
    struct hocket__thread t[N];

    hk_store(&word, 1u);
    for (int i = 0; i < N; i++)
        HK_EXPECT_EQ(hocket__thread_start(&t[i], sleeper, NULL, 0, "sleeper", 0), 0);
    /* Requeue counts the sleepers without waking any. */
    HK_WAIT_UNTIL(hocket__syscall6(SYS_futex, (long)&word, 4 | 128, 0, INT_MAX, (long)&word, 1) ==
                  N);
    HK_EXPECT_EQ(hocket__futex_wake(&word, 1), 1);
    HK_WAIT_UNTIL(hocket__syscall6(SYS_futex, (long)&word, 4 | 128, 0, INT_MAX, (long)&word, 1) ==
                  N);
    hk_store_rel(&word, 2u);
    hocket__futex_wake(&word, INT_MAX);
    for (int i = 0; i < N; i++)
        hocket__thread_join(t[i]);
}
END_TEST

static void on_signal(int sig)
{
    (void)sig;
    hk_add(&handled, 1u);
    hocket__futex_wake(&word, 1); /* allowed here; keeps errno */
}

static void *interrupted(void *arg)
{
    int64_t deadline = *(int64_t *)arg;
    int rc, interrupts = 0;

    hk_store_rel(&ready, (uint32_t)hocket__thread_id());
    errno = 4711;
    while ((rc = hocket__futex_wait(&word, 1, deadline)) == -EINTR || rc == 0)
        interrupts++;
    HK_EXPECT_EQ(rc, -ETIMEDOUT);
    HK_EXPECT_EQ(errno, 4711);
    return (void *)(intptr_t)interrupts;
}

/* How often the wait was interrupted: on a busy machine perhaps never. */
static intptr_t interrupt_until(int64_t deadline)
{
    pthread_t t;
    void *interrupts;

    hk_store(&word, 1u);
    hk_store(&ready, 0u);
    HK_EXPECT_EQ(pthread_create(&t, NULL, interrupted, &deadline), 0);
    HK_WAIT_UNTIL(hk_load_acq(&ready) != 0);
    while (hocket__clock() < deadline - 10 * MS) {
        uint32_t before = hk_load(&handled);
        pthread_kill(t, SIGUSR1);
        HK_WAIT_UNTIL(hk_load(&handled) != before || hocket__clock() >= deadline);
    }
    pthread_join(t, &interrupts);
    HK_EXPECT(hocket__clock() >= deadline);
    HK_EXPECT(hocket__clock() < deadline + 20000 * (int64_t)MS);
    return (intptr_t)interrupts;
}

/* The deadline is absolute: interrupts do not push it away. */
START_TEST(futex_deadline_survives_interrupts)
{
    struct sigaction act = { .sa_handler = on_signal };
    int64_t least = 60 * MS;

    sigaction(SIGUSR1, &act, NULL);
    while (interrupt_until(hocket__clock() + least) == 0)
        least *= 2;
}
END_TEST

/* --- threads --- */

struct report {
    int tid;
    char name[16];
    bool term_blocked, segv_blocked, usr1_blocked;
    size_t stack_size;
};

static void *describe(void *arg)
{
    struct report *r = arg;
    sigset_t mask;
    pthread_attr_t attr;

    r->tid = hocket__thread_id();
    prctl(PR_GET_NAME, r->name);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    r->term_blocked = sigismember(&mask, SIGTERM);
    r->segv_blocked = sigismember(&mask, SIGSEGV);
    r->usr1_blocked = sigismember(&mask, SIGUSR1);
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, &r->stack_size);
    pthread_attr_destroy(&attr);
    return NULL;
}

static struct report describe_thread(size_t stack_size, const char *name, unsigned flags)
{
    struct report r;
    struct hocket__thread t;

    HK_EXPECT_EQ(hocket__thread_start(&t, describe, &r, stack_size, name, flags), 0);
    hocket__thread_join(t);
    return r;
}

START_TEST(threads_have_names_stacks_and_masks)
{
    sigset_t usr1, after;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &usr1, NULL);

    struct report r = describe_thread(0, "a-name-longer-than-15", 0);
    HK_EXPECT_STR(r.name, "a-name-longer-t");
    HK_EXPECT(r.tid > 0 && r.tid != hocket__thread_id());
    HK_EXPECT(r.term_blocked && r.usr1_blocked && !r.segv_blocked);

    r = describe_thread((size_t)3 << 20, NULL, HOCKET__THREAD_INHERIT_SIGNALS);
    HK_EXPECT(!r.term_blocked && r.usr1_blocked && !r.segv_blocked);
    HK_EXPECT(r.stack_size >= (size_t)3 << 20);

    r = describe_thread(1, "", 0); /* far too small: rounded up */
    HK_EXPECT(r.stack_size >= (size_t)PTHREAD_STACK_MIN / 2);

    pthread_sigmask(SIG_SETMASK, NULL, &after);
    HK_EXPECT(sigismember(&after, SIGUSR1) && !sigismember(&after, SIGTERM));
}
END_TEST

static void *count_up(void *arg)
{
    (void)arg;
    hk_add(&word, 1u);
    return NULL;
}

START_TEST(threads_can_be_detached)
{
    hk_store(&word, 0u);
    for (int i = 0; i < 10; i++) {
        struct hocket__thread t;
        HK_EXPECT_EQ(hocket__thread_start(&t, count_up, NULL, 65536, "detached", 0), 0);
        hocket__thread_detach(t);
    }
    HK_WAIT_UNTIL(hk_load_acq(&word) == 10);
    hocket__thread_yield();
}
END_TEST

START_TEST(thread_failure_changes_nothing)
{
    struct hocket__thread t = { 4711 };
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    int rc = hocket__thread_start(&t, count_up, NULL, SIZE_MAX / 4, "huge", 0);
    HK_EXPECT(rc == -EAGAIN || rc == -ENOMEM || rc == -EINVAL);
    HK_EXPECT_EQ(t.handle, 4711);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    HK_EXPECT(sigismember(&after, SIGTERM) == sigismember(&before, SIGTERM));
}
END_TEST

START_TEST(membarrier_works_or_says_so)
{
    int rc = hocket__membarrier();

    HK_EXPECT(rc == 0 || rc == -ENOSYS);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_EQ(hocket__membarrier(), rc);
}
END_TEST

/* --- memory, chance --- */

START_TEST(memory_is_zero_and_can_be_discarded)
{
    enum { SIZE = 1 << 20 };
    char *m;
    void *memory;

    HK_EXPECT_EQ(hocket__map(SIZE, &memory), 0);
    m = memory;
    for (size_t i = 0; i < SIZE; i += 4096) {
        HK_EXPECT_EQ(m[i], 0);
        m[i] = 1;
    }
    hocket__discard(m + 4096, SIZE - 4096);
    HK_EXPECT_EQ(m[0], 1);
    for (size_t i = 4096; i < SIZE; i += 4096)
        HK_EXPECT_EQ(m[i], 0);
    hocket__small_pages(m, SIZE);
    hocket__populate(m, 4096, 65536, 16);
    HK_EXPECT_EQ(m[65536], 0);
    HK_EXPECT_EQ(hocket__protect(m, 65536), 0);
    int rc = hocket__guard_pages(m + 65536, 4096, 65536, 15);
    HK_EXPECT(rc == 0 || rc == -EINVAL);
    hocket__unmap(m, SIZE);
}
END_TEST

START_TEST(memory_may_run_out)
{
    void *memory = &word;

    HK_EXPECT_EQ(hocket__map((size_t)1 << 55, &memory), -ENOMEM);
    HK_EXPECT(memory == &word);
}
END_TEST

START_TEST(chance_is_not_constant)
{
    unsigned char a[300] = { 0 }, b[300] = { 0 };
    int zeros = 0;

    hocket__random(a, sizeof a);
    hocket__random(b, sizeof b);
    HK_EXPECT(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0;
    HK_EXPECT(zeros < 30);
    hocket__random(NULL, 0);
}
END_TEST

START_TEST(mapping_limit_is_plausible)
{
    HK_EXPECT(hocket__mapping_limit() >= 1024);
}
END_TEST

/* --- the seam --- */

static int64_t frozen_clock(void)
{
    return 42;
}

START_TEST(the_table_can_be_replaced)
{
    struct hocket__sys world = hocket__sys_linux;

    world.clock = frozen_clock;
    hocket__sys = &world;
    HK_EXPECT_EQ(hocket__clock(), 42);
    hocket__sys = &hocket__sys_linux;
    HK_EXPECT(hocket__clock() != 42);
}
END_TEST

PLAIN_SUITE("sys_linux", 0)
{
    suite_once(clock_is_monotonic_and_real);
    suite_once(coarse_clock_is_never_ahead);
    suite_once(futex_says_why);
    suite_once(futex_never_wakes_before_its_deadline);
    suite_once(futex_wakes_all);
    suite_once(futex_deadline_survives_interrupts);
    suite_once(threads_have_names_stacks_and_masks);
    suite_once(threads_can_be_detached);
    suite_once(thread_failure_changes_nothing);
    suite_once(membarrier_works_or_says_so);
    suite_once(memory_is_zero_and_can_be_discarded);
    suite_once(memory_may_run_out);
    suite_once(chance_is_not_constant);
    suite_once(mapping_limit_is_plausible);
    suite_once(the_table_can_be_replaced);
}
