/* SPDX-License-Identifier: MIT */
/* Programs that know nothing of the world: this one, started again with WORLD_PROGRAM set. */
#include <errno.h>
#include <hocket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

static hocket_mutex first, second;

static int up(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&first);
    hocket_mutex_lock(&second);
    hocket_mutex_unlock(&second);
    hocket_mutex_unlock(&first);
    return 0;
}

static int down(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&second);
    hocket_mutex_lock(&first);
    hocket_mutex_unlock(&first);
    hocket_mutex_unlock(&second);
    return 0;
}

static int program(void *arg)
{
    const char *name = arg;
    printf("in the world: %d\n", hocket_sim_active());
    HK_EXPECT_OK(hocket_spawn(NULL, up, NULL));
    HK_EXPECT_OK(hocket_spawn(NULL, strcmp(name, "abba") == 0 ? down : up, NULL));
    if (strcmp(name, "signal") == 0) /* one that no sanitizer catches */
        (void)raise(SIGKILL);
    HK_EXPECT_OK(hocket_sleep(3600 * HOCKET_SEC));
    return strcmp(name, "status") == 0 ? 3 : 0;
}

/* A program with a main loop of its own, which takes part. */
static int started(const char *name)
{
    hocket_task *t;
    HK_EXPECT_OK(hocket_runtime_start(NULL));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, up, NULL, NULL));
    (void)(strcmp(name, "started-abba") == 0 ? down(NULL) : up(NULL));
    HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(hocket_join(t, NULL, HOCKET_FOREVER));
    hocket_task_release(t);
    HK_EXPECT_OK(hocket_sleep(3600 * HOCKET_SEC));
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    return 0;
}

__attribute__((constructor)) static void be_the_program(void)
{
    char *name = getenv("WORLD_PROGRAM");
    if (name == NULL)
        return;
    if (strcmp(name, "none") == 0)
        exit(0);
    exit(strncmp(name, "started", 7) == 0 ? started(name) : hocket_run(program, name));
}

static hocket_sim_result result;

static int exec(const char *name, int strategy, uint32_t seeds)
{
    char *argv[] = { "/proc/self/exe", NULL };
    memset(&result, 0, sizeof result);
    HK_EXPECT_EQ(setenv("WORLD_PROGRAM", name, 1), 0);
    int err = hocket_sim_exec(argv, HOCKET_SIM_OPTIONS(.strategy = strategy, .seeds = seeds,
                                                       .quiet = true, .result = &result));
    HK_EXPECT_EQ(unsetenv("WORLD_PROGRAM"), 0);
    return err;
}

START_TEST(a_program_as_it_is)
{
    HK_EXPECT_EQ(exec("good", HOCKET_SIM_RANDOM, 20), 0);
    HK_EXPECT_EQ(result.runs, 20);
    HK_EXPECT(result.choices > 100);
    HK_EXPECT_EQ(exec("started", HOCKET_SIM_PCT, 20), 0);
}
END_TEST

START_TEST(its_deadlock_is_found)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_EXHAUSTIVE; strategy++) {
        HK_EXPECT_EQ(exec("abba", strategy, 500), -EDEADLK);
        HK_EXPECT_EQ(result.failure, HOCKET_SIM_DEADLOCK);
        HK_EXPECT(result.shrunk <= 4);
        HK_EXPECT_EQ(exec("started-abba", strategy, 500), -EDEADLK);
    }
}
END_TEST

START_TEST(how_it_ends_is_told)
{
    HK_EXPECT_EQ(exec("status", HOCKET_SIM_RANDOM, 2), -EPROTO);
    HK_EXPECT_EQ(result.value, 3);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_RESULT);
    HK_EXPECT_EQ(exec("signal", HOCKET_SIM_RANDOM, 2), -EFAULT);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_CRASH);
    HK_EXPECT_EQ(exec("none", HOCKET_SIM_RANDOM, 2), -ENOEXEC);
    char *nothing[] = { "/no/such/program", NULL }, *empty[] = { NULL };
    HK_EXPECT_EQ(hocket_sim_exec(nothing, NULL), -ENOENT);
    HK_EXPECT_EQ(hocket_sim_exec(empty, NULL), -EINVAL);
}
END_TEST

static void reap(int signal)
{
    int saved = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = saved;
}

/* How a run ended is known where children are ignored, and where a handler waits for all of them. */
START_TEST(nobody_else_takes_its_end)
{
    void (*const handlers[])(int) = { SIG_IGN, reap };
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        (void)signal(SIGCHLD, handlers[i]);
        HK_EXPECT_EQ(exec("good", HOCKET_SIM_RANDOM, 2), 0);
        HK_EXPECT_EQ(exec("status", HOCKET_SIM_RANDOM, 2), -EPROTO);
        HK_EXPECT_EQ(result.value, 3);
        HK_EXPECT(signal(SIGCHLD, SIG_DFL) == handlers[i]);
    }
}
END_TEST

/* Not even root may execute what nobody may. */
START_TEST(no_program_at_all)
{
    char name[] = "/tmp/hocket-sim-XXXXXX", *argv[] = { name, NULL };
    int fd = mkstemp(name);
    HK_EXPECT(fd >= 0);
    HK_EXPECT_EQ(close(fd), 0);
    HK_EXPECT_EQ(hocket_sim_exec(argv, HOCKET_SIM_OPTIONS(.quiet = true)), -EACCES);
    HK_EXPECT_EQ(unlink(name), 0);
}
END_TEST

/* By the environment alone; its exit status. */
static int by_environment(const char *name, const char *variables)
{
    char command[400], self[200];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    HK_EXPECT(n > 0);
    self[n] = '\0';
    snprintf(command, sizeof command, "WORLD_PROGRAM=%s %s %s >/dev/null 2>&1", name, variables,
             self);
    int status = system(command);
    return status == -1 ? -1 : (status >> 8) & 0xff;
}

START_TEST(by_the_environment_alone)
{
    HK_EXPECT_EQ(by_environment("good", "HOCKET_SIM=7"), 0);
    HK_EXPECT_EQ(by_environment("status", "HOCKET_SIM=7"), 3);
    HK_EXPECT_EQ(by_environment("started", "HOCKET_SIM=7 HOCKET_SIM_STRATEGY=pct"), 0);
    HK_EXPECT(by_environment("good", "HOCKET_SIM=seven") != 0);
    HK_EXPECT(by_environment("good", "HOCKET_SIM=7 HOCKET_SIM_STRATEGY=luck") != 0);
    HK_EXPECT(by_environment("good", "HOCKET_SIM_REPLAY=/no/such/file") != 0);
    HK_EXPECT(by_environment("good", "HOCKET_SIM_SHARED=0") != 0);
    HK_EXPECT(by_environment("good", "HOCKET_SIM_SHARED=x") != 0);
}
END_TEST

SUITE("sim_exec", 60)
{
    suite_once(a_program_as_it_is);
    suite_once(its_deadlock_is_found);
    suite_once(how_it_ends_is_told);
    suite_once(nobody_else_takes_its_end);
    suite_once(no_program_at_all);
    suite_once(by_the_environment_alone);
}
