/* SPDX-License-Identifier: MIT */
/* dump: what it says of tasks in every state, of scopes and locks, and that alike ones are one. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include <hocket.h>

#include "support/death.h"
#include "support/dumped.h"

static hocket_mutex mutex;
static hocket_event opened, taken;

static void names(hocket_task *t, char *text, size_t size)
{
    char name[HOCKET_NAME_MAX];
    snprintf(text, size, "%s [%llu] ", hocket_task_name(t, name, sizeof name),
             (unsigned long long)hocket_task_id(t));
}

/* The line about a task, without what follows it. */
static void line_of(const char *text, hocket_task *t, char *line, size_t size)
{
    char name[64];
    names(t, name, sizeof name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        const char *start = at;
        while (start > text && start[-1] == ' ')
            start--;
        if (start > text && start[-1] != '\n')
            continue; /* as the holder of something */
        snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
        return;
    }
    dumped__has(text, name, true, __FILE__, __LINE__);
    hk__expect_failed(__FILE__, __LINE__, "a line of its own");
}

static HK_NOINLINE int waits_for_opened(void *arg)
{
    (void)arg;
    volatile int err = hocket_event_wait(&opened, HOCKET_FOREVER); /* no tail call: a frame */
    return err;
}

static int holds_the_mutex(void *arg)
{
    hocket_mutex_lock(&mutex);
    hocket_event_set(&taken);
    int err = waits_for_opened(arg);
    hocket_mutex_unlock(&mutex);
    return err;
}

static int wants_the_mutex(void *arg)
{
    (void)arg;
    int err = hocket_mutex_lock_until(&mutex, hocket_after(1000 * HOCKET_SEC));
    if (err == 0)
        hocket_mutex_unlock(&mutex);
    return err;
}

static int who_holds_what(void *arg)
{
    (void)arg;
    char line[300], name[64];
    hocket_event_clear(&opened);
    hocket_event_clear(&taken);
    hocket_task *holder = run_spawn(holds_the_mutex, NULL);
    hocket_task_set_name(holder, "holder");
    HK_EXPECT_OK(hocket_event_wait(&taken, HOCKET_FOREVER));
    hocket_task *wants = run_spawn(wants_the_mutex, NULL);
    hocket_task_set_name(wants, "wants");
    RUN_UNTIL(run_parked(holder) && run_parked(wants));

    char *text = dumped();
    line_of(text, wants, line, sizeof line);
    DUMPED_HAS(line, hocket_task_placement(wants) == HOCKET_ON_FIBER ? "] fiber, waits "
                                                                     : "] thread, waits ");
    DUMPED_HAS(line, " for mutex 0x");
    names(holder, name, sizeof name);
    name[strlen(name) - 1] = '\0';
    DUMPED_HAS(line, " held by holder [");
    DUMPED_HAS(line, name);
    DUMPED_HAS(line, "; deadline in 99");
    line_of(text, holder, line, sizeof line);
    DUMPED_HAS(line, " for event 0x");
    DUMPED_HAS(line, " <opened>");
    bool fiber = hocket_task_placement(holder) == HOCKET_ON_FIBER;
    /* Of threads the kernel reads the stack, which emulators and sandboxes may not know. */
    if (DUMPED_FRAMES && (fiber || !getenv("HOCKET_EMULATOR"))) {
        DUMPED_HAS(text, "at hocket_event_wait+0x");
        DUMPED_HAS(text, "at waits_for_opened+0x");
        DUMPED_HAS(text, "at holds_the_mutex+0x");
        DUMPED_LACKS(text, "hocket__task_run");
    }
    line_of(text, hocket_self(), line, sizeof line);
    DUMPED_HAS(line, ", running");
    free(text);
    hocket_event_set(&opened);
    run_finish(holder, 0);
    run_finish(wants, 0);
    return 0;
}

START_TEST(holders_deadlines_and_calls)
{
    run_in(_i, who_holds_what, NULL);
}
END_TEST

static int puts_for_ever(void *arg)
{
    int value = 0, err = hocket_queue_put(arg, &value, HOCKET_FOREVER);
    return err == -EPIPE ? 0 : err;
}

static int gets_for_ever(void *arg)
{
    int value, err = hocket_queue_get(arg, &value, HOCKET_FOREVER);
    return err == -EPIPE ? 0 : err;
}

static int joins_for_ever(void *arg)
{
    return hocket_queue_join(arg, HOCKET_FOREVER);
}

/* One after the other: those who wait alike for several queues are one, without any. */
static void how_full(hocket_task_fn *waits, size_t capacity, int values, bool closed,
                     const char *says)
{
    char line[300], object[64];
    hocket_queue *q;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = capacity)));
    for (int i = 0; i < values; i++)
        HK_EXPECT_OK(hocket_queue_put(q, &i, HOCKET_NOW));
    if (closed)
        HK_EXPECT_OK(hocket_queue_close(q, HOCKET_CLOSE_DRAIN));
    hocket_task *t = run_spawn(waits, q);
    RUN_UNTIL(run_parked(t));
    char *text = dumped();
    snprintf(object, sizeof object, " for queue %p%s", (void *)q, says);
    line_of(text, t, line, sizeof line);
    DUMPED_HAS(line, object);
    free(text);
    (void)hocket_queue_close(q, HOCKET_CLOSE_NOW);
    run_finish(t, 0);
    hocket_queue_free(q);
}

static int how_full_queues_are(void *arg)
{
    (void)arg;
    how_full(puts_for_ever, 2, 2, false, " (2 of 2)");
    how_full(puts_for_ever, HOCKET_RENDEZVOUS, 0, false, " (rendezvous)");
    how_full(gets_for_ever, HOCKET_UNBOUNDED, 0, false, " (0, no bound)");
    how_full(joins_for_ever, 0, 1, true, " (1 of 64, closed)");
    return 0;
}

START_TEST(queues_and_how_full)
{
    run_in(_i, how_full_queues_are, NULL);
}
END_TEST

static int a_scope_in_a_scope(void *arg)
{
    hocket_scope inner;
    hocket_scope_open(&inner, HOCKET_SCOPE_OPTIONS(.name = "inner", .shield = true));
    HK_EXPECT_OK(hocket_spawn_task(&(hocket_task *){ NULL }, &inner, waits_for_opened, arg,
                                   HOCKET_SPAWN_OPTIONS(.name = "innermost")));
    hocket_event_set(&taken);
    return hocket_scope_close(&inner);
}

static int tree_body(void *arg)
{
    (void)arg;
    hocket_scope outer;
    hocket_task *owner = NULL;
    hocket_event_clear(&opened);
    hocket_event_clear(&taken);
    hocket_scope_open(
        &outer, HOCKET_SCOPE_OPTIONS(.name = "outer", .deadline = hocket_after(1000 * HOCKET_SEC)));
    HK_EXPECT_OK(hocket_spawn_task(&owner, &outer, a_scope_in_a_scope, NULL,
                                   HOCKET_SPAWN_OPTIONS(.name = "owner")));
    HK_EXPECT_OK(hocket_event_wait(&taken, HOCKET_FOREVER));
    RUN_UNTIL(run_parked(owner) && hocket__parked_count() >= 2);
    char *text = dumped();
    const char *at_outer = strstr(text, "scope 'outer' 0x");
    DUMPED_HAS(text, "scope 'outer' 0x");
    /* Not in the whole text: above, a worker may still say whom it ran last. */
    const char *at_owner = strstr(at_outer, "owner ["),
               *at_inner = strstr(at_outer, "scope 'inner' 0x"),
               *at_innermost = strstr(at_outer, "innermost [");
    HK_EXPECT(at_owner && at_inner && at_innermost);
    HK_EXPECT(at_owner < at_inner && at_inner < at_innermost);
    HK_EXPECT(strstr(at_outer, ", deadline in 99") < at_owner);
    HK_EXPECT(strstr(at_inner, ", shield") < at_innermost);
    /* Each a step further to the right than what it belongs to. */
    int columns[4] = { 0 };
    const char *places[4] = { at_outer, at_owner, at_inner, at_innermost };
    for (int i = 0; i < 4; i++)
        while (places[i][-1 - columns[i]] == ' ')
            columns[i]++;
    for (int i = 1; i < 4; i++)
        HK_EXPECT_EQ(columns[i], columns[i - 1] + 2);
    free(text);
    hocket_task_release(owner);
    hocket_event_set(&opened);
    return hocket_scope_close(&outer);
}

START_TEST(scopes_are_a_tree)
{
    run_in(_i, tree_body, NULL);
}
END_TEST

/* ---- many ---- */

static int many_body(void *arg)
{
    int n = *(int *)arg;
    char words[64];
    hocket_scope s;
    hocket_event_clear(&opened);
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < n; i++)
        HK_EXPECT_OK(hocket_spawn(&s, waits_for_opened, NULL));
    RUN_UNTIL(hocket__parked_count() > (size_t)n);
    double start = hk__expect_seconds();
    char *text = dumped();
    printf("a dump of %d tasks: %.0f ms\n", n, (hk__expect_seconds() - start) * 1e3);
    snprintf(words, sizeof words, n >= 1000 ? "%d,%03d tasks: task-" : "%d tasks: task-",
             n >= 1000 ? n / 1000 : n, n % 1000);
    DUMPED_HAS(text, words);
    snprintf(words, sizeof words,
             n >= 1000 ? " and %d,%03d more fiber, waits " : " and %d more fiber, waits ",
             (n - 4) >= 1000 ? (n - 4) / 1000 : n - 4, (n - 4) % 1000);
    DUMPED_HAS(text, words);
    HK_EXPECT(strlen(text) < 8000);
    free(text);
    hocket_event_set(&opened);
    return hocket_scope_close(&s);
}

static void run_fibers(hocket_task_fn *fn, void *arg, int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

START_TEST(alike_ones_are_one)
{
    int few = 50, many = run_scaled(100000, 2000);
    run_fibers(many_body, &few, 1);
    run_fibers(many_body, &few, HOCKET_NO_WORKERS);
    run_fibers(many_body, &many, 4);
}
END_TEST

/* ---- other states ---- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int dumps_below(void *arg)
{
    char line[300];
    hocket_task *parent = arg;
    char *text = dumped();
    line_of(text, parent, line, sizeof line);
    DUMPED_HAS(line, "waits ");
    DUMPED_HAS(line, " for join 0x");
    DUMPED_HAS(line, " of below [");
    DUMPED_HAS(line, ", which runs on top of it");
    line_of(text, hocket_self(), line, sizeof line);
    DUMPED_HAS(line, ", running");
    free(text);
    return 0;
}

static int states_body(void *arg)
{
    char line[300];
    hocket_task *held = NULL, *ready = NULL, *below = NULL;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&held, NULL, nothing, NULL,
                                   HOCKET_SPAWN_OPTIONS(.name = "held", .held = true)));
    HK_EXPECT_OK(
        hocket_spawn_task(&ready, NULL, nothing, NULL, HOCKET_SPAWN_OPTIONS(.name = "ready")));
    char *text = dumped();
    line_of(text, held, line, sizeof line);
    DUMPED_HAS(line, "fiber, held");
    line_of(text, ready, line, sizeof line);
    DUMPED_HAS(line, "fiber, ready");
    DUMPED_HAS(text, " 1 held)\n");
    free(text);
    HK_EXPECT_OK(hocket_task_start(held));
    HK_EXPECT_OK(hocket_spawn_task(&below, NULL, dumps_below, hocket_self(),
                                   HOCKET_SPAWN_OPTIONS(.name = "below")));
    run_finish(below, 0);
    run_finish(held, 0);
    run_finish(ready, 0);
    return 0;
}

/* Nobody but us takes what is in the queue. */
START_TEST(held_ready_and_joined_in_place)
{
    run_fibers(states_body, NULL, HOCKET_NO_WORKERS);
}
END_TEST

static void *foreign(void *arg)
{
    hocket_mutex_lock(&mutex);
    hocket_mutex_unlock(&mutex);
    return arg;
}

START_TEST(without_a_runtime)
{
    pthread_t thread;
    hocket_mutex_lock(&mutex);
    HK_EXPECT_EQ(pthread_create(&thread, NULL, foreign, NULL), 0);
    HK_WAIT_UNTIL(hocket__parked_count() == 1);
    char *text = dumped();
    DUMPED_HAS(text, ": 2 tasks (1 waiting, 1 running, 0 ready, 0 held)\n");
    DUMPED_HAS(text, "threads that Hocket did not start\n");
    DUMPED_HAS(text, " foreign thread, waits ");
    DUMPED_HAS(text, " held by task-");
    DUMPED_LACKS(text, "worker ");
    free(text);
    hocket_mutex_unlock(&mutex);
    HK_EXPECT_EQ(pthread_join(thread, NULL), 0);
}
END_TEST

/* ---- frames that are not all of one size ---- */

static HK_NOINLINE int of_changing_size(int n)
{
    volatile char *room = __builtin_alloca((size_t)n * 100);
    room[0] = 1;
    volatile int err = waits_for_opened(NULL);
    return err + room[0] - 1;
}

static HK_NOINLINE int with_aligned_variables(int n)
{
    volatile char wide[64] __attribute__((aligned(64)));
    wide[5] = 2;
    volatile int err = of_changing_size(n);
    return err + wide[5] - 2 + (int)((uintptr_t)wide % 64);
}

static HK_NOINLINE int again_and_again(int n)
{
    volatile int err = n > 0 ? again_and_again(n - 1) : with_aligned_variables(7);
    return err;
}

static HK_NOINLINE double with_many_arguments(int a, double b, int c, int d, int e, int f, int g,
                                              int h)
{
    volatile double err = again_and_again(a + c + d + e + f + g + h);
    return err + b;
}

static int shapes(void *arg)
{
    (void)arg;
    return (int)with_many_arguments(1, 0, 0, 1, 0, 1, 0, 0);
}

static int shapes_body(void *arg)
{
    (void)arg;
    hocket_event_clear(&opened);
    hocket_task *t = run_spawn(shapes, NULL);
    RUN_UNTIL(run_parked(t));
    char *text = dumped();
    static const char *const order[] = {
        "at waits_for_opened+0x", "at of_changing_size+0x",   "at with_aligned_variables+0x",
        "at again_and_again+0x",  "at again_and_again+0x",    "at again_and_again+0x",
        "at again_and_again+0x",  "at with_many_arguments+0x"
    };
    const char *at = text;
    for (size_t i = 0; DUMPED_FRAMES && i < sizeof order / sizeof order[0]; i++) {
        const char *next = strstr(at, order[i]);
        dumped__has(next != NULL ? next : text, order[i], true, __FILE__, __LINE__);
        at = next + 1;
    }
    free(text);
    hocket_event_set(&opened);
    run_finish(t, 0);
    return 0;
}

START_TEST(frames_of_all_shapes)
{
    int one = 0;
    run_fibers(shapes_body, &one, 1);
    run_fibers(shapes_body, &one, HOCKET_NO_WORKERS);
}
END_TEST

/* ---- deadlocks ---- */

static hocket_mutex left, right;
static hocket_latch both = HOCKET_LATCH_INIT(2);

static HK_NOINLINE int takes_left_then_right(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&left);
    hocket_latch_done(&both);
    HK_EXPECT_OK(hocket_latch_wait(&both, HOCKET_FOREVER));
    hocket_mutex_lock(&right);
    hocket_mutex_unlock(&right);
    hocket_mutex_unlock(&left);
    return 0;
}

static HK_NOINLINE int takes_right_then_left(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&right);
    hocket_latch_done(&both);
    HK_EXPECT_OK(hocket_latch_wait(&both, HOCKET_FOREVER));
    hocket_mutex_lock(&left);
    hocket_mutex_unlock(&left);
    hocket_mutex_unlock(&right);
    return 0;
}

static int embrace(void *arg)
{
    (void)arg;
    (void)run_spawn(takes_left_then_right, NULL);
    return takes_right_then_left(NULL);
}

static void embrace_child(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    static const int workers[] = { 1, 4, HOCKET_NO_WORKERS };
    o.workers = workers[*(int *)arg];
    _exit(hocket_run_with(embrace, NULL, &o));
}

START_TEST(a_deadlock_shows_the_calls_of_all_sides)
{
    struct death d;
    int mode = _i;
    death_of(&d, embrace_child, &mode, NULL);
    HK_EXPECT(WIFSIGNALED(d.status));
    death__says(&d, "hocket: tasks that wait for each other:\n");
    death__says(&d, "hocket: panic: deadlock: ");
    if (DUMPED_FRAMES) {
        death__says(&d, "at takes_left_then_right+0x");
        death__says(&d, "at takes_right_then_left+0x");
    }
}
END_TEST

START_TEST(descriptors_that_fail)
{
    int ends[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    HK_EXPECT_EQ(hocket_dump(-1), -EBADF);
    if (full >= 0)
        HK_EXPECT_EQ(hocket_dump(full), -ENOSPC);
    HK_EXPECT_EQ(pipe(ends), 0);
    close(ends[0]);
    HK_EXPECT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    HK_EXPECT_EQ(hocket_dump(ends[1]), -EPIPE);
    char *text = dumped(); /* and the next one works */
    free(text);
}
END_TEST

SUITE("trace_dump", 40)
{
    suite_each(holders_deadlines_and_calls);
    suite_each(queues_and_how_full);
    suite_each(scopes_are_a_tree);
    suite_once(alike_ones_are_one);
    suite_once(held_ready_and_joined_in_place);
    suite_once(without_a_runtime);
    tcase_add_loop_test(suite__case, a_deadlock_shows_the_calls_of_all_sides, 0, 3);
    suite_once(frames_of_all_shapes);
    suite_once(descriptors_that_fail);
}
