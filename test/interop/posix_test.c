/* SPDX-License-Identifier: MIT */
/*
 * Hocket and POSIX: errno, thread-locals, pthread mutexes, longjmp, pthread_cancel, other
 * people's coroutines, libc on a small stack, processes.  Each case has a paragraph in
 * doc/interop.md that says whether it is allowed, detected or forbidden.
 */
#include <errno.h>
#include <hocket/local.h>
#include <hocket/print.h>
#include <locale.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "support/death.h"
#include "support/migrate.h"
#include "support/suite.h"

static void on_two_workers(hocket_task_fn *fn, void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    o.quiet_watchdog = true;
    o.no_signals = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

/* ---- errno and thread-locals ---- */

static __thread int of_thread;

/* Never inlined: a compiler keeps addresses of thread-locals, errno's too, over calls. */
__attribute__((noinline)) static int errno_now(void)
{
    return errno;
}

__attribute__((noinline)) static void errno_becomes(int value)
{
    errno = value;
}

__attribute__((noinline)) static int of_thread_now(void)
{
    return of_thread;
}

__attribute__((noinline)) static void of_thread_becomes(int value)
{
    of_thread = value;
}

static hocket_local of_task;

/* Values belong to the thread, and the task goes on on another one. */
static int locals_and_errno(void *arg)
{
    (void)arg;
    int value = 5;
    HK_EXPECT_OK(hocket_local_set(&of_task, &value));
    of_thread_becomes(5);
    for (int i = 0; i < 5; i++) {
        errno_becomes(ENOENT);
        HK_EXPECT_EQ(errno_now(), ENOENT); /* read it before any call of Hocket's */
        migrate();
        HK_EXPECT(hocket_local_get(&of_task) == &value); /* the task's own */
        int seen = of_thread_now();
        HK_EXPECT(seen == 0 || seen == 5); /* that of whichever thread this is */
        of_thread_becomes(5);
        HK_EXPECT_EQ(close(-1), -1);
        HK_EXPECT_EQ(errno_now(), EBADF); /* errno itself works as ever */
    }
    return 0;
}

START_TEST(errno_and_thread_locals)
{
    on_two_workers(locals_and_errno, NULL);
}
END_TEST

/* ---- a pthread mutex across a wait ---- */

static int mutex_on_another_thread(void *arg)
{
    pthread_mutex_t *m = arg;
    HK_EXPECT_EQ(pthread_mutex_lock(m), 0);
    HK_EXPECT_EQ(pthread_mutex_unlock(m), 0); /* no wait in between: fine */
    HK_EXPECT_EQ(pthread_mutex_lock(m), 0);
    migrate();
    HK_EXPECT_EQ(pthread_mutex_unlock(m), EPERM); /* another thread's now */
    return 0;
}

START_TEST(pthread_mutex_over_a_wait)
{
    pthread_mutexattr_t attributes;
    static pthread_mutex_t m;
    if (HOCKET_TSAN)
        return; /* it reports what this shows */
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attributes);
    on_two_workers(mutex_on_another_thread, &m);
}
END_TEST

struct shared {
    pthread_mutex_t mutex;
    _Atomic int held;
};

static int hold_and_sleep(void *arg)
{
    struct shared *s = arg;
    HK_EXPECT_EQ(pthread_mutex_lock(&s->mutex), 0);
    hk_store_rel(&s->held, 1);
    HK_EXPECT_EQ(hocket_sleep(2 * HOCKET_MS), 0);
    pthread_mutex_unlock(&s->mutex);
    return 0;
}

static int block_the_worker(void *arg)
{
    struct shared *s = arg;
    RUN_UNTIL(hk_load_acq(&s->held));
    HK_EXPECT_EQ(pthread_mutex_lock(&s->mutex), 0);
    pthread_mutex_unlock(&s->mutex);
    return 0;
}

static int both(void *arg)
{
    (void)arg;
    struct shared s = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    hocket_task *a = run_spawn(hold_and_sleep, &s), *b = run_spawn(block_the_worker, &s);
    run_finish(a, 0);
    run_finish(b, 0);
    return 0;
}

/* One worker: the task that waits for the mutex blocks it, and the watchdog lends another. */
START_TEST(pthread_mutex_blocks_a_worker)
{
    if (HOCKET_TSAN)
        return;
    run_in(0, both, NULL);
}
END_TEST

/* ---- longjmp ---- */

static void wait_and_jump(jmp_buf to, int value)
{
    if (value % 2)
        HK_EXPECT_EQ(hocket_sleep(50 * HOCKET_US), 0);
    longjmp(to, value);
}

static int jumps(void *arg)
{
    jmp_buf here;
    (void)arg;
    for (volatile int i = 1; i < 20; i++) {
        int value = setjmp(here);
        if (value == 0)
            wait_and_jump(here, i);
        HK_EXPECT_EQ(value, i);
        HK_EXPECT_EQ(hocket_yield(), 0);
    }
    return 0;
}

static int jumps_of_many(void *arg)
{
    hocket_task *t[8];
    (void)arg;
    for (int i = 0; i < 8; i++)
        t[i] = run_spawn(jumps, NULL);
    for (int i = 0; i < 8; i++)
        run_finish(t[i], 0);
    return 0;
}

/* Within one task, over waits and threads; past its entry is a misuse (test/misuse). */
START_TEST(longjmp_within_a_task)
{
    run_in(_i, jumps_of_many, NULL);
}
END_TEST

/* ---- pthread_cancel ---- */

static int cancel_oneself(void *arg)
{
    (void)arg;
    pthread_cancel(pthread_self());
    char c;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    HK_EXPECT_EQ(write(ends[1], "x", 1), 1);
    HK_EXPECT_EQ(read(ends[0], &c, 1), 1); /* a cancellation point of pthreads */
    return 0;
}

static int spawn_cancelled(void *arg)
{
    (void)arg;
    return hocket_join(run_spawn(cancel_oneself, NULL), NULL, HOCKET_FOREVER);
}

static void cancelled_child(void *arg)
{
    run_in(*(int *)arg, spawn_cancelled, NULL);
}

START_TEST(pthread_cancel_of_a_worker)
{
    death_by_signal(cancelled_child, &(int){ _i }, SIGABRT, "a task ends by returning");
}
END_TEST

/* ---- other people's coroutines ---- */

#ifdef __GLIBC__ /* musl has none */

struct coroutine {
    ucontext_t main, inner;
    _Atomic int steps;
};

static struct coroutine *coroutines[4];

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

static void coroutine_body(int index)
{
    struct coroutine *c = coroutines[index];
    for (int i = 0; i < 10; i++) {
        HK_EXPECT_EQ(hocket_sleep(20 * HOCKET_US), 0); /* waits on the inner stack */
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, give, (void *)7, NULL));
        run_finish(t, 7);
        (void)hk_add(&c->steps, 1);
        swapcontext(&c->inner, &c->main);
    }
}

static int run_coroutine(void *arg)
{
    struct coroutine c;
    int index = (int)(intptr_t)arg;
    size_t size = 64 << 10;
    char *stack = malloc(size);
    memset((void *)&c, 0, sizeof c);
    coroutines[index] = &c;
    HK_EXPECT_EQ(getcontext(&c.inner), 0);
    c.inner.uc_stack.ss_sp = stack;
    c.inner.uc_stack.ss_size = size;
    c.inner.uc_link = &c.main;
    makecontext(&c.inner, (void (*)(void))coroutine_body, 1, index);
    for (int i = 0; i < 10; i++) {
        swapcontext(&c.main, &c.inner);
        HK_EXPECT_EQ(c.steps, i + 1);
        HK_EXPECT_EQ(hocket_yield(), 0);
    }
    free(stack);
    return 0;
}

static int run_coroutines(void *arg)
{
    hocket_task *t[4];
    (void)arg;
    for (intptr_t i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, run_coroutine, (void *)i, NULL));
    for (int i = 0; i < 4; i++)
        run_finish(t[i], 0);
    return 0;
}

START_TEST(coroutines_of_another_library)
{
    if (HOCKET_ASAN || HOCKET_TSAN)
        return; /* they must be told of each stack, and the other library does not */
    run_in(0, run_coroutines, NULL);
    run_in(1, run_coroutines, NULL);
}
END_TEST

#endif

/* ---- libc on 64 KiB ---- */

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int use_libc(void *arg)
{
    char text[256], *end;
    regex_t regex;
    time_t now = time(NULL);
    struct tm tm;
    (void)arg;
    HK_EXPECT(snprintf(text, sizeof text, "%.30f %Lg %s", 1.0 / 3, 2.0L / 3, "x") > 30);
    HK_EXPECT(strtod("1.5e300", &end) > 1e300);
    HK_EXPECT(localtime_r(&now, &tm) != NULL && strftime(text, sizeof text, "%c", &tm) > 0);
    HK_EXPECT_EQ(regcomp(&regex, "^(a|b)*c{2,5}[[:alpha:]]+$", REG_EXTENDED), 0);
    HK_EXPECT_EQ(regexec(&regex, "ababccccxyz", 0, NULL, 0), 0);
    regfree(&regex);
    int *numbers = malloc(10000 * sizeof *numbers);
    for (int i = 0; i < 10000; i++)
        numbers[i] = (i * 7919) % 10007;
    qsort(numbers, 10000, sizeof *numbers, compare_ints);
    HK_EXPECT(numbers[0] <= numbers[9999]);
    free(numbers);
    FILE *f = fopen("/proc/self/status", "r");
    HK_EXPECT(f != NULL && fgets(text, sizeof text, f) != NULL);
    fclose(f);
    HK_EXPECT_EQ(hocket_yield(), 0);
    return 0;
}

static int many_use_libc(void *arg)
{
    hocket_task *t[8];
    (void)arg;
    for (int i = 0; i < 8; i++)
        t[i] = run_spawn(use_libc, NULL);
    for (int i = 0; i < 8; i++)
        run_finish(t[i], 0);
    return 0;
}

START_TEST(libc_on_a_small_stack)
{
    run_in(_i, many_use_libc, NULL);
}
END_TEST

/* ---- processes and signal masks ---- */

static bool is_blocked(int signal)
{
    sigset_t mask;
    HK_EXPECT_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return sigismember(&mask, signal) == 1;
}

static int fork_from_a_task(void *arg)
{
    int status;
    (void)arg;
    pid_t pid = fork();
    if (pid == 0)
        _exit(is_blocked(SIGTERM) || is_blocked(SIGINT) || is_blocked(SIGUSR1));
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    HK_EXPECT(WIFEXITED(status));
    HK_EXPECT_EQ(WEXITSTATUS(status), 0);
    return 0;
}

static int fork_everywhere(void *arg)
{
    (void)arg;
    for (int i = 0; i < 6; i++)
        run_finish(run_spawn(fork_from_a_task, NULL), 0);
    return 0;
}

/* Workers block signals; a forked child must not. */
START_TEST(a_forked_child_takes_signals)
{
    run_in(_i, fork_everywhere, NULL);
}
END_TEST

static int run_shell(void *arg)
{
    (void)arg;
    HK_EXPECT(is_blocked(SIGTERM));
    int status = system("kill -TERM $$; exit 3"); /* inherits the worker's mask */
    HK_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    return 0;
}

/* system, popen and posix_spawn run no fork handlers: say what mask you want (POSIX_SPAWN_SETSIGMASK). */
START_TEST(system_inherits_the_mask)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_task *t;
    HK_EXPECT_OK(hocket_runtime_start(&o));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, run_shell, NULL,
                                   HOCKET_SPAWN_OPTIONS(.stack_size = 256 << 10)));
    run_finish(t, 0);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
}
END_TEST

SUITE("posix", 30)
{
    suite_once(errno_and_thread_locals);
    suite_once(pthread_mutex_over_a_wait);
    suite_once(pthread_mutex_blocks_a_worker);
    suite_each(longjmp_within_a_task);
    tcase_add_loop_test(suite__case, pthread_cancel_of_a_worker, 0, 6);
#ifdef __GLIBC__
    suite_once(coroutines_of_another_library);
#endif
    suite_each(libc_on_a_small_stack);
    suite_each(a_forked_child_takes_signals);
    suite_once(system_inherits_the_mask);
}
