/* SPDX-License-Identifier: MIT */
/* trace: starts, stops and files; by the program, by the environment, at the end of a process. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <hocket.h>

#include "support/expect.h"
#include "support/plain_suite.h"
#include "support/refuse.h"
#include "trace/model.h"

static char folder[64], file[128];

static void setup(void)
{
    strcpy(folder, "/tmp/hocket-trace-XXXXXX");
    HK_EXPECT(mkdtemp(folder) != NULL);
    (void)snprintf(file, sizeof file, "%s/one.trace", folder);
    (void)unsetenv("HOCKET_TRACE");
    (void)unsetenv("HOCKET_TRACE_BUFFER");
    (void)unsetenv("HOCKET_TRACE_EVENTS");
    (void)unsetenv("HOCKET_TRACE_SHARE");
}

static void teardown(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    HK_EXPECT_EQ(system(command), 0);
}

/* How many events a good file has. */
static size_t events_in(const char *path)
{
    struct trace t;
    char why[TRACE_WHY] = "";
    const struct model_sink none = { .context = NULL };
    bool good = trace_open(&t, path, why);
    HK_EXPECT_STR(why, "");
    HK_EXPECT(good);
    HK_EXPECT(trace_model(&t, &none));
    size_t count = t.event_count;
    trace_close(&t);
    return count;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int spawn_some(void *arg)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_EQ(hocket_spawn(&scope, nothing, arg), 0);
    return hocket_scope_close(&scope);
}

static int run(hocket_task_fn *fn, void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    o.quiet_watchdog = true;
    return hocket_run_with(fn, arg, &o);
}

START_TEST(errors)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_stop(), -EINVAL);
    HK_EXPECT_EQ(hocket_trace_write(), -EINVAL);
    HK_EXPECT_EQ(hocket_trace_start("", NULL), -EINVAL);
    HK_EXPECT_EQ(hocket_trace_start("/nowhere/to/be/found", NULL), -ENOENT);
    HK_EXPECT_EQ(hocket_trace_start("/tmp", NULL), -EISDIR);
    HK_EXPECT_EQ(hocket_trace_start(longer, NULL), -ENAMETOOLONG);
    o.size = 3;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), -EINVAL);
    o.size = 0;
    o.buffer = ((size_t)1 << 30) + 1;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), -EINVAL);
    o.buffer = 0;
    o.events = 64;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), -EINVAL);
    o.events = 0;
    o.share = 101;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), -EINVAL);
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), -EBUSY);
    HK_EXPECT(hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(file), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), -EINVAL);
}
END_TEST

START_TEST(write_and_go_on)
{
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    hocket_trace_mark("one");
    HK_EXPECT_EQ(hocket_trace_write(), 0);
    size_t first = events_in(file);
    HK_EXPECT_EQ(first, 2);
    HK_EXPECT(hocket_trace_active());
    hocket_trace_mark("two");
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(file), 4);
    /* The next one knows nothing of it. */
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    hocket_trace_mark("three");
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(file), 2);
}
END_TEST

/* The program goes elsewhere; the file does not. */
START_TEST(a_relative_path)
{
    HK_EXPECT_EQ(chdir(folder), 0);
    HK_EXPECT_EQ(hocket_trace_start("one.trace", NULL), 0);
    HK_EXPECT_EQ(chdir("/"), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(file), 0);
}
END_TEST

/* ---- under load ---- */

static bool over;

static void *busy(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        hocket_trace_begin("busy");
        hocket_trace_counter("counter", 1);
        hocket_trace_end();
        sched_yield();
    }
    return NULL;
}

static int start_and_stop(void *arg)
{
    (void)arg;
    for (int i = 0; i < 30; i++) {
        hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
        o.buffer = 65536;
        HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
        HK_EXPECT_EQ(spawn_some(NULL), 0);
        HK_EXPECT_EQ(hocket_trace_write(), 0);
        HK_EXPECT(events_in(file) > 0);
        HK_EXPECT_EQ(spawn_some(NULL), 0);
        HK_EXPECT_EQ(hocket_trace_stop(), 0);
        HK_EXPECT(events_in(file) > 0);
    }
    return 0;
}

START_TEST(start_and_stop_under_load)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(pthread_create(&threads[i], NULL, busy, NULL), 0);
    HK_EXPECT_EQ(run(start_and_stop, NULL), 0);
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(pthread_join(threads[i], NULL), 0);
}
END_TEST

static void *mark(void *arg)
{
    hocket_trace_mark(arg);
    return NULL;
}

/* Threads come and go; their lanes are used again, and nothing of them is lost. */
START_TEST(threads_that_end)
{
    struct trace t;
    char why[TRACE_WHY], text[HKT_TEXT_MAX + 1];
    size_t marks = 0;
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        HK_EXPECT_EQ(pthread_create(&thread, NULL, mark, "hello"), 0);
        HK_EXPECT_EQ(pthread_join(thread, NULL), 0);
    }
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT(trace_open(&t, file, why));
    HK_EXPECT_EQ(t.lane_count, 1);
    for (size_t i = 0; i < t.lanes[0].count; i++)
        if (HKT_KIND(&t.lanes[0].events[i]) == HKT_MARK) {
            HK_EXPECT_EQ(trace_text(&t.lanes[0], i, text), 5);
            HK_EXPECT_STR(text, "hello");
            marks++;
        }
    HK_EXPECT_EQ(marks, 200);
    trace_close(&t);
}
END_TEST

/* ---- by the environment ---- */

START_TEST(by_the_environment)
{
    char name[200];
    (void)snprintf(name, sizeof name, "%s/%%p.trace", folder);
    (void)setenv("HOCKET_TRACE", name, 1);
    (void)setenv("HOCKET_TRACE_BUFFER", "64K", 1);
    (void)setenv("HOCKET_TRACE_EVENTS", "tasks,user", 1);
    HK_EXPECT_EQ(run(spawn_some, NULL), 0);
    (void)snprintf(name, sizeof name, "%s/%d.trace", folder, (int)getpid());
    size_t first = events_in(name);
    HK_EXPECT(first >= 33);
    HK_EXPECT(hocket_trace_active());
    HK_EXPECT_EQ(run(spawn_some, NULL), 0); /* a second runtime goes on in it */
    HK_EXPECT(events_in(name) >= first + 33);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

static void expect_no_trace(const char *variable, const char *value)
{
    (void)setenv(variable, value, 1);
    HK_EXPECT_EQ(run(nothing, NULL), 0);
    HK_EXPECT(!hocket_trace_active());
    (void)unsetenv(variable);
    (void)setenv("HOCKET_TRACE", file, 1);
}

START_TEST(a_wrong_environment)
{
    expect_no_trace("HOCKET_TRACE", "/nowhere/to/be/found");
    expect_no_trace("HOCKET_TRACE", "/tmp/%q");
    expect_no_trace("HOCKET_TRACE_BUFFER", "much");
    expect_no_trace("HOCKET_TRACE_BUFFER", "-4K");
    expect_no_trace("HOCKET_TRACE_BUFFER", "2G");
    expect_no_trace("HOCKET_TRACE_BUFFER", "4K4");
    expect_no_trace("HOCKET_TRACE_EVENTS", "tasks,wait");
    expect_no_trace("HOCKET_TRACE_EVENTS", ",");
    expect_no_trace("HOCKET_TRACE_SHARE", "0");
    expect_no_trace("HOCKET_TRACE_SHARE", "101");
    expect_no_trace("HOCKET_TRACE_SHARE", "+5");
    expect_no_trace("HOCKET_TRACE_SHARE", "10%");
    HK_EXPECT_EQ(access(file, F_OK), -1);
}
END_TEST

/* ---- ends of a process ---- */

static int in_child(void (*fn)(void))
{
    int status;
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0) {
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        fn();
        exit(0);
    }
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static void child_exits(void)
{
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    hocket_trace_mark("before exit");
}

static void child_panics(void)
{
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    hocket_trace_mark("before the panic");
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_mutex_unlock(&m);
}

static int interrupted(void *arg)
{
    (void)arg;
    hocket_trace_mark("before Ctrl-C");
    for (;;) /* the second ends it; sanitizers deliver it a little later */
        HK_EXPECT_EQ(raise(SIGINT) + sched_yield(), 0);
    return 1;
}

static void child_is_interrupted(void)
{
    (void)setenv("HOCKET_TRACE", file, 1);
    /* This thread alone: workers block the signals that are not their own, also one that is lent. */
    (void)hocket_run_with(interrupted, NULL, HOCKET_RUNTIME_OPTIONS(.workers = HOCKET_NO_WORKERS));
}

START_TEST(ends)
{
    HK_EXPECT_EQ(in_child(child_exits), 0);
    HK_EXPECT_EQ(events_in(file), 2);
    (void)unlink(file);
    int status = in_child(child_panics);
    HK_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    HK_EXPECT(events_in(file) >= 2);
    (void)unlink(file);
    status = in_child(child_is_interrupted);
    HK_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 130);
    HK_EXPECT(events_in(file) >= 3);
}
END_TEST

static void child_of_a_trace(void)
{
    char other[160];
    HK_EXPECT_EQ(unlink(file), 0);
    HK_EXPECT(!hocket_trace_active());
    hocket_trace_mark("of the child");
    HK_EXPECT_EQ(hocket_trace_write(), -EINVAL);
    HK_EXPECT_EQ(hocket_trace_stop(), -EINVAL);
    /* One of its own it may have. */
    (void)snprintf(other, sizeof other, "%s/child.trace", folder);
    HK_EXPECT_EQ(hocket_trace_start(other, NULL), 0);
    hocket_trace_mark("of its own");
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(other), 2);
}

START_TEST(a_fork_writes_nothing)
{
    /* Without a pacer: clang's ASan has no malloc in the child of a process with several threads. */
    hocket_trace_options alone = HOCKET_TRACE_OPTIONS_DEFAULT;
    alone.share = 100;
    HK_EXPECT_EQ(hocket_trace_start(file, &alone), 0);
    HK_EXPECT_EQ(hocket_trace_write(), 0);
    hocket_trace_mark("there is something to write");
    HK_EXPECT_EQ(in_child(child_of_a_trace), 0);
    HK_EXPECT_EQ(access(file, F_OK), -1);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(events_in(file), 3);
}
END_TEST

/* ---- a full disk ---- */

START_TEST(a_full_disk)
{
    HK_EXPECT_EQ(hocket_trace_start("/dev/full", NULL), 0);
    hocket_trace_mark("nothing");
    HK_EXPECT_EQ(hocket_trace_write(), -ENOSPC);
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_stop(), -EINVAL);
    HK_EXPECT_EQ(hocket_trace_start("/dev/full", NULL), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), -ENOSPC);
    HK_EXPECT_EQ(run(spawn_some, NULL), 0);
}
END_TEST

static void nobody_gets_the_error(void)
{
    HK_EXPECT_EQ(dup2(fileno(fopen(file, "w")), STDERR_FILENO), STDERR_FILENO);
    (void)setenv("HOCKET_TRACE", "/dev/full", 1);
    HK_EXPECT_EQ(run(spawn_some, NULL), 0);
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(run(spawn_some, NULL), 0); /* the variable is still there: one more try */
}

START_TEST(a_full_disk_is_one_line)
{
    char text[256] = "";
    const char *line = "hocket: the trace is over: /dev/full: No space left on device\n";
    HK_EXPECT_EQ(in_child(nobody_gets_the_error), 0);
    FILE *f = fopen(file, "r");
    HK_EXPECT(f != NULL && fread(text, 1, sizeof text - 1, f) > 0);
    (void)fclose(f);
    HK_EXPECT_EQ(strlen(text), 2 * strlen(line));
    HK_EXPECT(strncmp(text, line, strlen(line)) == 0);
}
END_TEST

/* SIGXFSZ would end the process. */
START_TEST(a_limited_file)
{
    struct rlimit limit = { 4096, 4096 };
    HK_EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    for (int i = 0; i < 10000; i++)
        hocket_trace_mark("more than fits");
    HK_EXPECT_EQ(hocket_trace_stop(), -EFBIG);
    char why[TRACE_WHY];
    struct trace t;
    HK_EXPECT(!trace_open(&t, file, why));
    HK_EXPECT(strncmp(why, "truncated", 9) == 0);
}
END_TEST

static void exceeds_the_quota(void)
{
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    hocket_trace_mark("nothing");
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC); /* the next one is the file's */
    HK_EXPECT(fd >= 0);
    HK_EXPECT_EQ(close(fd), 0);
    if (!refuse_with(SYS_write, 0, (uint32_t)fd, EDQUOT)) {
        fprintf(stderr, "no seccomp here: not tested\n");
        return;
    }
    HK_EXPECT_EQ(hocket_trace_stop(), -EDQUOT);
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_stop(), -EINVAL);
}

START_TEST(a_quota)
{
    HK_EXPECT_EQ(in_child(exceeds_the_quota), 0);
}
END_TEST

/* Root may write everywhere, so it is somebody else for a moment. */
START_TEST(a_forbidden_folder)
{
    HK_EXPECT_EQ(chmod(folder, 0), 0);
    uid_t user = geteuid();
    if (user != 0 || seteuid(65534) == 0)
        HK_EXPECT_EQ(hocket_trace_start(file, NULL), -EACCES);
    else
        fprintf(stderr, "root that cannot be anybody else: not tested\n");
    HK_EXPECT_EQ(seteuid(user), 0);
    HK_EXPECT_EQ(chmod(folder, 0700), 0);
    HK_EXPECT(!hocket_trace_active());
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

PLAIN_SUITE("trace control", 60)
{
    tcase_add_checked_fixture(suite__case, setup, teardown);
    suite_once(errors);
    suite_once(write_and_go_on);
    suite_once(a_relative_path);
    suite_once(start_and_stop_under_load);
    suite_once(threads_that_end);
    suite_once(by_the_environment);
    suite_once(a_wrong_environment);
    suite_once(ends);
    suite_once(a_fork_writes_nothing);
    suite_once(a_full_disk);
    suite_once(a_full_disk_is_one_line);
    suite_once(a_limited_file);
    suite_once(a_quota);
    suite_once(a_forbidden_folder);
}
