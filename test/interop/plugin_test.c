/* SPDX-License-Identifier: MIT */
/* Plug-ins that use the shared library: loaded and unloaded in a loop, several at once, by threads. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <check.h>

#include "support/process.h"
#include "sys/sanitizer.h"

struct plugin {
    void *handle;
    int (*work)(int workers, int tasks);
    int (*lock_only)(void);
};

static void load(struct plugin *p)
{
    p->handle = dlopen(HOCKET_PLUGIN_DIR "/runtime_plugin.so", RTLD_NOW | RTLD_LOCAL);
    if (p->handle == NULL)
        fprintf(stderr, "%s\n", dlerror());
    HK_EXPECT(p->handle != NULL);
    *(void **)&p->work = dlsym(p->handle, "plugin_work");
    *(void **)&p->lock_only = dlsym(p->handle, "plugin_lock_only");
    HK_EXPECT(p->work != NULL && p->lock_only != NULL);
}

static void unload(struct plugin *p)
{
    HK_EXPECT_EQ(dlclose(p->handle), 0);
}

START_TEST(load_and_unload)
{
    int workers[] = { 1, 3, -1 };
    long virtual[2] = { 0 }, resident[2] = { 0 };
    int files = 0, before = process_threads();
#ifdef M_ARENA_MAX /* otherwise threads that meet in malloc reserve 128 MiB each, now or then */
    (void)mallopt(M_ARENA_MAX, 1);
#endif
    for (int i = 0; i < 100; i++) {
        struct plugin p;
        load(&p);
        HK_EXPECT_EQ(p.work(workers[i % 3], 20), 20);
        HK_EXPECT_EQ(p.lock_only(), 0);
        unload(&p);
        process_threads_become(before);
        if (i == 10) {
            files = process_descriptors();
            process_memory(&virtual[0], &resident[0]);
        }
    }
    HK_EXPECT_EQ(process_descriptors(), files);
    process_memory(&virtual[1], &resident[1]);
    if (!HOCKET_ASAN && !HOCKET_TSAN && getenv("HOCKET_EMULATOR") == NULL)
        HK_EXPECT(virtual[1] - virtual[0] < 4096 && resident[1] - resident[0] < 4096);
}
END_TEST

static void *load_in_a_thread(void *arg)
{
    struct plugin p;
    load(&p);
    HK_EXPECT_EQ(p.lock_only(), 0);
    HK_EXPECT_EQ(p.work(1, 10), 10);
    unload(&p);
    return arg;
}

/* Whose thread-exit destructors run after the plug-in was unloaded. */
START_TEST(by_threads_that_end)
{
    for (int i = 0; i < 10; i++) {
        pthread_t t[3];
        for (int k = 0; k < 3; k++)
            HK_EXPECT_EQ(pthread_create(&t[k], NULL, load_in_a_thread, NULL), 0);
        for (int k = 0; k < 3; k++)
            pthread_join(t[k], NULL);
    }
}
END_TEST

static void handler(int signal)
{
    (void)signal;
}

/* A plug-in's runtime leaves signals and their masks alone. */
START_TEST(signals_are_the_program_s)
{
    struct sigaction mine = { .sa_handler = handler }, now;
    sigset_t before, after;
    struct plugin p;
    HK_EXPECT_EQ(sigaction(SIGINT, &mine, NULL), 0);
    HK_EXPECT_EQ(sigaction(SIGSEGV, &mine, NULL), 0);
    HK_EXPECT_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    load(&p);
    HK_EXPECT_EQ(p.work(2, 5), 5);
    HK_EXPECT_EQ(sigaction(SIGINT, NULL, &now), 0);
    HK_EXPECT(now.sa_handler == handler);
    HK_EXPECT_EQ(sigaction(SIGSEGV, NULL, &now), 0);
    HK_EXPECT(now.sa_handler == handler); /* the overflow handler was there meanwhile */
    HK_EXPECT_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int i = 1; i < 32; i++)
        HK_EXPECT(sigismember(&before, i) == sigismember(&after, i));
    unload(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plugin");
    TCase *tc = tcase_create("plugin");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, load_and_unload);
    tcase_add_test(tc, by_threads_that_end);
    tcase_add_test(tc, signals_are_the_program_s);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
