/* SPDX-License-Identifier: MIT */
/* Start and stop a thousand times: no thread, descriptor, mapping or memory stays. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>

#include "support/process.h"
#include "support/suite.h"

static int add_one(void *arg)
{
    (void)hocket_sleep(1);
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static int fail_it(void *arg)
{
    return hocket_fail(-EIO, "on purpose: %p", arg);
}

static int block(void *arg)
{
    return hocket_blocking(add_one, arg);
}

static void no_op(void *arg)
{
    (void)arg;
}

/* A little of everything that takes memory. */
static int use(void *arg)
{
    hocket_scope s;
    hocket_task *t;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    for (int i = 0; i < 8; i++)
        HK_EXPECT_OK(hocket_spawn(&s, add_one, arg));
    HK_EXPECT_OK(hocket_spawn_copy(&s, fail_it, "copy", 5));
    HK_EXPECT_OK(hocket_spawn(&s, block, arg));
    HK_EXPECT_EQ(hocket_scope_close(&s), -EIO);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, arg,
                                   HOCKET_SPAWN_OPTIONS(.stack_size = 1 << 20, .name = "large")));
    run_finish(t, 0);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, arg,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    run_finish(t, 0);
    return hocket_at_exit(no_op, NULL);
}

struct holdings {
    int threads, descriptors, mappings;
    long virtual, resident;
    size_t heap;
};

static int count_mappings(void)
{
    int n = 0, c;
    FILE *f = fopen("/proc/self/maps", "r");
    HK_EXPECT(f != NULL);
    while ((c = getc(f)) != EOF)
        n += c == '\n';
    fclose(f);
    return n;
}

static size_t heap_in_use(void)
{
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
    if (!HOCKET_ASAN && !HOCKET_TSAN)
        return mallinfo2().uordblks;
#endif
#endif
    return 0;
}

static struct holdings look(int threads)
{
    struct holdings h = { .threads = threads };
    process_threads_become(threads);
    h.descriptors = process_descriptors();
    h.mappings = count_mappings();
    process_memory(&h.virtual, &h.resident);
    h.heap = heap_in_use();
    return h;
}

static void restart(int mode, int times)
{
    _Atomic int n = 0;
    for (int i = 0; i < times; i++)
        run_in(mode, use, &n);
    HK_EXPECT_EQ(n, 11 * times);
}

START_TEST(a_thousand_starts)
{
    static const int modes[] = { 0, 1, 4, 5, 6 };
    int mode = modes[_i], times = run_scaled(200, 30), threads = process_threads();
    restart(mode, times); /* what is kept for ever is there by now */
    struct holdings before = look(threads);
    restart(mode, times);
    struct holdings after = look(threads);
    /* What libc keeps for a thread comes when for once one more runs at a time: a leak goes on. */
    for (int more = 0; more < 5 && after.heap > before.heap + 1024; more++) {
        before = after;
        restart(mode, times);
        after = look(threads);
    }
    HK_EXPECT_EQ(after.descriptors, before.descriptors);
    HK_EXPECT(after.heap <= before.heap + 1024);
    if (HOCKET_ASAN || HOCKET_TSAN || getenv("HOCKET_EMULATOR") != NULL)
        return; /* they keep memory of their own; LSan looks at the end */
    HK_EXPECT(after.mappings <= before.mappings + 2);
    HK_EXPECT(after.virtual <= before.virtual + 1024);
    HK_EXPECT(after.resident <= before.resident + 1024);
}
END_TEST

/* Handles that outlive the runtime they came from. */
START_TEST(handles_from_before)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_task *t[50];
    _Atomic int n = 0;
    int result;
    o.workers = 2;
    for (int i = 0; i < 50; i++) {
        HK_EXPECT_OK(hocket_runtime_start(&o));
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, add_one, &n, NULL));
        HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    }
    for (int i = 0; i < 50; i++) {
        HK_EXPECT_EQ(hocket_join(t[i], &result, HOCKET_NOW), 0);
        HK_EXPECT_EQ(result, 0);
        hocket_cancel(t[i]);
        hocket_task_release(t[i]);
    }
    HK_EXPECT_EQ(n, 50);
}
END_TEST

static void *come_and_go(void *arg)
{
    _Atomic int *stop = arg;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    _Atomic int n = 0;
    int rounds = 0;
    o.workers = 1;
    while (!hk_load_acq(stop) || rounds < 10) {
        hocket_scope s;
        HK_EXPECT_OK(hocket_runtime_start(&o));
        hocket_scope_open(&s, NULL);
        HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        HK_EXPECT_OK(hocket_runtime_stop(rounds % 2 ? HOCKET_FOREVER : hocket_after(HOCKET_SEC)));
        rounds++;
    }
    HK_EXPECT_EQ(n, rounds);
    return NULL;
}

static void *wake_from_outside(void *arg)
{
    static _Atomic int ran;
    _Atomic int *stop = arg;
    hocket_word word = 0;
    while (!hk_load_acq(stop)) {
        (void)hocket_wake(&word, 1);
        (void)hocket_running();
        (void)hocket_workers();
        hocket_runtime_stats stats;
        hocket_runtime_stats_get(&stats);
        hocket_task_info info;
        (void)hocket_task_list(&info, 1);
        int err = hocket_spawn(NULL, add_one, &ran); /* into whatever runtime there is */
        HK_EXPECT(err == 0 || err == -ENOSYS || err == -ECANCELED);
    }
    return NULL;
}

/* Other threads look, spawn and start while one stops. */
START_TEST(stops_under_fire)
{
    pthread_t t[3];
    _Atomic int stop = 0;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(pthread_create(&t[i], NULL, i ? come_and_go : wake_from_outside, &stop), 0);
    hocket_time until = hocket_after(HOCKET_SEC / 2);
    while (hocket_now() < until)
        sched_yield();
    hk_store_rel(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    HK_EXPECT(!hocket_running());
}
END_TEST

SUITE("task_restart", 90)
{
    tcase_add_loop_test(suite__case, a_thousand_starts, 0, 5);
    suite_once(handles_from_before);
    suite_once(stops_under_fire);
}
