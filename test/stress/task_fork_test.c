/* SPDX-License-Identifier: MIT */
/* fork ten thousand times while the runtime is busy: no child hangs, it works or panics. */
#include <errno.h>
#include <hocket/event.h>
#include <hocket/mutex.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "support/seeded.h"
#include "support/suite.h"

static _Atomic int stop;
static hocket_mutex mutexes[4];

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int churn(void *arg)
{
    struct seeded r = seeded_of(1, (int)(intptr_t)arg);
    while (!hk_load_acq(&stop)) {
        hocket_mutex *m = &mutexes[seeded_below(&r, 4)];
        hocket_mutex_lock(m);
        if (seeded_below(&r, 8) == 0)
            HK_EXPECT_EQ(hocket_yield(), 0);
        hocket_mutex_unlock(m);
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, nothing, NULL, NULL));
        HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
        hocket_task_release(t);
        if (seeded_below(&r, 16) == 0)
            HK_EXPECT_EQ(hocket_sleep(1), 0);
    }
    return 0;
}

/* Never comes back: the status is 0, or it is killed by the panic's SIGABRT. */
static void in_the_child(uint32_t what)
{
    struct rlimit none = { 0, 0 };
    hocket_event e = HOCKET_EVENT_INIT;
    hocket_mutex own = HOCKET_MUTEX_INIT;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)!freopen("/dev/null", "w", stderr);
    alarm(50);
    switch (what) {
    case 0: _exit(0);
    case 1:
        hocket_mutex_lock(&own);
        hocket_mutex_unlock(&own);
        hocket_event_set(&e);
        _exit(hocket_event_wait(&e, HOCKET_FOREVER));
    case 2: (void)!hocket_spawn(NULL, nothing, NULL); break;
    case 3: (void)hocket_sleep(HOCKET_MS); break;
    case 4: (void)hocket_yield(); break;
    case 5: hocket_mutex_lock(&mutexes[0]); break; /* its owner may not be here */
    case 6: (void)!hocket_runtime_stop(HOCKET_FOREVER); break;
    case 7: hocket_cancel(hocket_self()); break;
    default: execl("/bin/true", "true", (char *)NULL);
    }
    _exit(0);
}

static void fork_once(struct seeded *r)
{
    uint32_t what = seeded_below(r, 9);
    int status;
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0)
        in_the_child(what);
    while (waitpid(pid, &status, 0) < 0)
        HK_EXPECT_EQ(errno, EINTR);
    bool panic = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!panic && !good)
        fprintf(stderr, "child %u: status 0x%x\n", what, (unsigned)status);
    HK_EXPECT(panic || good);
    if (what <= 1 || what == 8)
        HK_EXPECT(good);
}

static int forker(void *arg)
{
    struct seeded r = seeded_of(*(uint64_t *)arg, 0);
    hocket_task *t[6];
    hk_store(&stop, 0);
    for (intptr_t i = 0; i < 6; i++)
        t[i] = run_spawn(churn, (void *)i);
    const char *given = getenv("HOCKET_STRESS_FORKS");
    int times = given ? atoi(given) : run_scaled(400, 40);
    for (int i = 0; i < times; i++) {
        fork_once(&r);
        if (i % 4 == 0)
            HK_EXPECT_EQ(hocket_yield(), 0);
    }
    hk_store_rel(&stop, 1);
    for (int i = 0; i < 6; i++)
        run_finish(t[i], 0);
    return 0;
}

/* From fibers, thread tasks and foreign threads.  HOCKET_STRESS_FORKS=10000 for the long run. */
START_TEST(fork_of_a_busy_program)
{
    uint64_t seed = seeded_begin("task_fork");
    run_in(_i, forker, &seed);
}
END_TEST

SUITE("task_fork", 120)
{
    tcase_add_loop_test(suite__case, fork_of_a_busy_program, 1, 4);
    tcase_add_loop_test(suite__case, fork_of_a_busy_program, 5, 6);
}
