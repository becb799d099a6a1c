/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_HANGING_H
#define HOCKET_TEST_HANGING_H
/*
 * hanging - small programs that hang, or look as if they did
 *
 * Each runs in a process of its own, once on two workers and once without any.  What ends a wait
 * from outside does so after OUTSIDE, which is several looks of the detector: were the test faster or slower, it
 * would prove less, not fail.
 */
#include <errno.h>
#include <hocket.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "support/death.h"
#include "support/suite.h"

#define OUTSIDE (400 * HOCKET_MS)

/* The thread does nothing, where the library does not see it. */
static inline void outside_for_a_while(void)
{
    (void)poll(NULL, 0, (int)(OUTSIDE / HOCKET_MS));
}

static inline void go(hocket_task_fn *fn, void *arg)
{
    HK_EXPECT_OK(hocket_spawn(NULL, fn, arg));
}

static inline hocket_task *on_thread(hocket_task_fn *fn, void *arg)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = HOCKET_ON_THREAD;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, arg, &o));
    return t;
}

static inline hocket_queue *queue_of(size_t capacity)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), &o));
    return q;
}

static inline int get(void *queue)
{
    int value;
    return hocket_queue_get(queue, &value, HOCKET_FOREVER);
}

static inline int put(void *queue)
{
    int value = 1;
    return hocket_queue_put(queue, &value, HOCKET_FOREVER);
}

static inline int wait_event(void *e)
{
    return hocket_event_wait(e, HOCKET_FOREVER);
}

static inline pthread_t foreign(void *(*fn)(void *), void *arg)
{
    pthread_t t;
    HK_EXPECT_EQ(pthread_create(&t, NULL, fn, arg), 0);
    return t;
}

/* ---- running them ---- */

struct program {
    const char *name;
    hocket_task_fn *fn;
};
#define PROGRAM(fn) \
    {               \
#fn, fn     \
    }
#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static int workers_of_child = 2;
static int action_of_child;

/* The handlers of the test's runner could do anything; that of time-outs is the library's. */
static inline void plain_signals(void)
{
    for (int s = 1; s < NSIG; s++)
        if (s != SIGRTMAX - 1)
            (void)signal(s, SIG_DFL);
}

static inline void child(void *arg)
{
    const struct program *p = arg;
    plain_signals();
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers_of_child;
    o.on_deadlock = action_of_child;
    o.quiet_watchdog = true;
    int err = hocket_run_with(p->fn, NULL, &o);
    _exit(err == 0 ? 0 : 3);
}

static inline void in_both(const struct program *p, bool hangs)
{
    static const int workers[] = { 2, HOCKET_NO_WORKERS };
    for (int i = 0; i < 2; i++) {
        struct death d;
        workers_of_child = workers[i];
        double start = hk__expect_seconds();
        death_of(&d, child, (void *)p, NULL);
        double took = hk__expect_seconds() - start;
        bool told = strstr(d.text, "all tasks are asleep: deadlock") != NULL;
        bool aborted = WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT;
        bool ended = WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0;
        printf("%-28s %s: %s after %.0f ms\n", p->name, i == 0 ? "2 workers" : "no workers",
               told ? "deadlock" : "none", took * 1e3);
        if (hangs ? told && aborted : ended && d.length == 0)
            continue;
        fprintf(stderr, "%s, %s: status 0x%x, and on stderr:\n%s\n", p->name,
                i == 0 ? "2 workers" : "no workers", (unsigned)d.status, d.text);
        abort();
    }
}

#endif
