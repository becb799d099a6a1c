/* SPDX-License-Identifier: MIT */
/* dump: the calls of tasks that run, of those who sleep in system calls, and who cannot be asked. */
#include "support/suite.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <hocket.h>

#include "support/death.h"
#include "support/dumped.h"
#include "sys/sys.h"

#define SIGNAL_WORDS "signal 27" /* SIGPROF */

static _Atomic bool over, under_way;
static hocket_mutex mutex;

/* TSan calls handlers when a thread calls a function that it knows. */
static HK_NOINLINE int computes(int n)
{
    volatile unsigned steps = (unsigned)n;
    hk_store(&under_way, true);
    while (!hk_load(&over)) {
        steps = steps * 5 + 1;
        if (HOCKET_TSAN)
            (void)hk__expect_seconds();
    }
    return (int)steps;
}

static HK_NOINLINE int calls_what_computes(void *arg)
{
    (void)arg;
    volatile int steps = computes(3); /* no tail call: a frame */
    return steps - steps;
}

static bool says(const char *words)
{
    char *text = dumped();
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

/* A busy machine may not let it answer in time: then the next dump shows it. */
static int computing_body(void *arg)
{
    hocket_task *t = NULL;
    char *text = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = *(int *)arg;
    o.name = "busy";
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, calls_what_computes, NULL, &o));
    RUN_UNTIL(hk_load(&under_way));
    RUN_UNTIL((free(text), text = dumped(), strstr(text, "at computes+0x")));
    DUMPED_HAS(text, "busy [");
    if (DUMPED_FRAMES && (o.placement == HOCKET_ON_FIBER || getenv("HOCKET_EMULATOR") == NULL))
        DUMPED_HAS(text, "at calls_what_computes+0x");
    DUMPED_LACKS(text, "hocket__task_run");
    free(text);
    hk_store(&over, true);
    run_finish(t, 0);
    return 0;
}

static void run_workers(hocket_task_fn *fn, void *arg, int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

static void expect_disposition(void (*handler)(int))
{
    struct sigaction now;
    HK_EXPECT_EQ(sigaction(SIGPROF, NULL, &now), 0);
    HK_EXPECT(now.sa_handler == handler);
}

START_TEST(calls_of_who_computes)
{
    int places[] = { HOCKET_ON_FIBER, HOCKET_ON_THREAD, HOCKET_ON_THREAD };
    run_workers(computing_body, &places[_i], _i == 2 ? HOCKET_NO_WORKERS : 2);
    expect_disposition(SIG_DFL);
}
END_TEST

static HK_NOINLINE int dumps_itself(void *arg)
{
    (void)arg;
    char *text = dumped();
    if (DUMPED_FRAMES)
        DUMPED_HAS(text, "at dumps_itself+0x");
    DUMPED_LACKS(text, "at hocket__dump");
    free(text);
    return 0;
}

START_TEST(calls_of_who_dumps)
{
    run_in(_i, dumps_itself, NULL);
}
END_TEST

/* ---- threads in system calls ---- */

static int ends[2];
static _Atomic int sleeper;

static HK_NOINLINE int polls(void *arg)
{
    struct pollfd p = { .fd = ends[0], .events = POLLIN };
    (void)arg;
    hk_store(&sleeper, hocket__thread_id());
    volatile int n = poll(&p, 1, -1);
    return n == 1 ? 0 : -errno;
}

/* What the kernel says of a thread; "" where it does not. */
static void kernel_says(int tid, const char *what, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, what);
    FILE *file = fopen(path, "re");
    size_t n = file != NULL ? fread(text, 1, size - 1, file) : 0;
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool is_asleep(void)
{
    char text[300];
    int tid = hk_load(&sleeper);
    if (tid == 0)
        return false;
    kernel_says(tid, "syscall", text, sizeof text);
    return text[0] == '\0' || (text[0] >= '0' && text[0] <= '9');
}

/* poll(2) is never restarted: it would say EINTR if the dump had sent a signal. */
static int sleeping_body(void *arg)
{
    hocket_task *t = NULL;
    char text[300];
    (void)arg;
    HK_EXPECT_EQ(pipe(ends), 0);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, polls, NULL,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    RUN_UNTIL(is_asleep());
    kernel_says(hk_load(&sleeper), "syscall", text, sizeof text);
    if (text[0] != '\0') {
        for (int i = 0; i < 20; i++)
            free(dumped());
#if defined(__GLIBC__) && !HOCKET_TSAN /* whose poll is its own; musl has no tables */
        HK_EXPECT(!DUMPED_FRAMES || says("at polls+0x"));
#endif
    }
    HK_EXPECT_EQ(write(ends[1], "x", 1), 1);
    run_finish(t, 0);
    return 0;
}

START_TEST(who_sleeps_is_not_disturbed)
{
    run_workers(sleeping_body, NULL, 2);
    expect_disposition(SIG_DFL);
}
END_TEST

/* ---- who cannot be asked ---- */

static void *blocks_all(void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    HK_EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
    hocket_mutex_lock(&mutex); /* the library knows it from now on */
    hocket_mutex_unlock(&mutex);
    (void)computes(1);
    HK_EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0); /* what is pending comes now */
    return arg;
}

static void start_blocked(pthread_t *thread)
{
    HK_EXPECT_EQ(pthread_create(thread, NULL, blocks_all, NULL), 0);
    HK_WAIT_UNTIL(hk_load(&under_way));
}

static void end_blocked(pthread_t thread)
{
    hk_store(&over, true);
    HK_EXPECT_EQ(pthread_join(thread, NULL), 0);
}

START_TEST(who_blocks_the_signal)
{
    pthread_t thread;
    start_blocked(&thread);
    char *text = dumped();
    DUMPED_HAS(text, "foreign thread, running");
    DUMPED_HAS(text, "calls not known: it blocks " SIGNAL_WORDS "\n");
    free(text);
    end_blocked(thread);
}
END_TEST

/* Without a descriptor nobody can know that it is blocked; and it must not end the program later. */
START_TEST(who_does_not_answer)
{
    pthread_t thread;
    struct rlimit old, none;
    FILE *file = tmpfile();
    HK_EXPECT(file != NULL);
    start_blocked(&thread);
    HK_EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){ 0, old.rlim_max };
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    HK_EXPECT_OK(hocket_dump(fileno(file)));
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    char *text = dumped__read(file);
    fclose(file);
    DUMPED_HAS(text, "calls not known: no answer to " SIGNAL_WORDS ", its state is ?\n");
    DUMPED_HAS(text, "hocket: end of dump\n");
    free(text);
    end_blocked(thread);
    expect_disposition(SIG_DFL);
}
END_TEST

static _Atomic int profiled;

static void profiles(int signal)
{
    (void)signal;
    (void)hk_add(&profiled, 1);
}

static int program_profiles(void *arg)
{
    hocket_task *t = NULL;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, calls_what_computes, NULL,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    RUN_UNTIL(hk_load(&under_way));
    RUN_UNTIL(says("calls not known: not asked, the program uses " SIGNAL_WORDS "\n"));
    hk_store(&over, true);
    run_finish(t, 0);
    return 0;
}

START_TEST(a_signal_that_the_program_uses)
{
    void (*handler)(int) = _i == 0 ? profiles : SIG_IGN;
    HK_EXPECT(signal(SIGPROF, handler) != SIG_ERR);
    run_workers(program_profiles, NULL, 2);
    expect_disposition(handler);
    HK_EXPECT_EQ(hk_load(&profiled), 0);
}
END_TEST

/* ---- in a handler ---- */

#if defined(__GLIBC__) && DUMPED_FRAMES
#define HANDLER_NAMES true
#else
#define HANDLER_NAMES false /* musl's loader must not be asked there */
#endif

/* As if the time were over here. */
static HK_NOINLINE int has_no_time_left(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_test_timeout(1000 * HOCKET_SEC));
    volatile int err = raise(SIGRTMAX - 1);
    return err;
}

static void times_out(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = *(int *)arg;
    o.quiet_watchdog = true;
    _exit(hocket_run_with(has_no_time_left, NULL, &o));
}

START_TEST(a_time_out_shows_what_it_has_interrupted)
{
    int workers = HOCKET_NO_WORKERS;
    struct death d;
    death_of(&d, times_out, &workers, NULL);
    HK_EXPECT_EQ(WTERMSIG(d.status), SIGABRT);
    death__says(&d, "main [2] fiber, running");
    if (HANDLER_NAMES && !HOCKET_TSAN)
        death__says(&d, "at has_no_time_left+0x");
}
END_TEST

static FILE *errors;

static bool handler_says(const char *words)
{
    HK_EXPECT_EQ(ftruncate(fileno(errors), 0), 0);
    HK_EXPECT_EQ(lseek(fileno(errors), 0, SEEK_SET), 0);
    HK_EXPECT_OK(hocket_dump_on_signal(SIGUSR1)); /* two within two seconds would end it */
    HK_EXPECT_EQ(raise(SIGUSR1), 0);
    if (HOCKET_TSAN)
        HK_WAIT_UNTIL(lseek(fileno(errors), 0, SEEK_END) > 0);
    char *text = dumped__read(errors);
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

static int handler_body(void *arg)
{
    hocket_task *t = NULL;
    (void)arg;
    HK_EXPECT_OK(
        hocket_spawn_task(&t, NULL, calls_what_computes, NULL,
                          HOCKET_SPAWN_OPTIONS(.name = "busy", .placement = HOCKET_ON_THREAD)));
    RUN_UNTIL(hk_load(&under_way));
    RUN_UNTIL(handler_says(HANDLER_NAMES ? "at computes+0x" : "busy ["));
    hk_store(&over, true);
    run_finish(t, 0);
    return 0;
}

/* Without workers the handler of the signal makes the dump. */
START_TEST(a_handler_asks_too)
{
    int saved = dup(2);
    errors = tmpfile();
    HK_EXPECT(errors != NULL && saved >= 0);
    HK_EXPECT_EQ(dup2(fileno(errors), 2), 2);
    run_workers(handler_body, NULL, HOCKET_NO_WORKERS);
    HK_EXPECT_OK(hocket_dump_on_signal(0));
    HK_EXPECT_EQ(dup2(saved, 2), 2);
    close(saved);
    fclose(errors);
    expect_disposition(SIG_DFL);
}
END_TEST

SUITE("trace_running", 40)
{
    bool emulator = getenv("HOCKET_EMULATOR") != NULL;
    tcase_add_loop_test(suite__case, calls_of_who_computes, 0, 3);
    suite_each(calls_of_who_dumps);
    tcase_add_loop_test(suite__case, a_signal_that_the_program_uses, 0, 2);
    if (!emulator) { /* what its /proc tells of threads is not about them */
        suite_once(who_sleeps_is_not_disturbed);
        suite_once(who_blocks_the_signal);
        suite_once(who_does_not_answer);
        suite_once(a_time_out_shows_what_it_has_interrupted);
        suite_once(a_handler_asks_too);
    }
}
