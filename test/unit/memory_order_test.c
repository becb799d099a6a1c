/* SPDX-License-Identifier: MIT */
/*
 * What happens before what, edge by edge as hocket-memory-order(7) lists them.  The data are plain
 * variables: without the order this is a data race, which the ThreadSanitizer build reports; in
 * the other builds it is at least seen that the value arrives.
 *
 * A task is spawned, then the body writes and releases; the task acquires and looks.  So
 * the spawn does not order what is written.
 */
#include "support/suite.h"

#include <errno.h>
#include <limits.h>

#include <hocket.h>

static struct {
    int data; /* plain */
    int answer;
    hocket_mutex mutex;
    hocket_rmutex rmutex;
    hocket_rwlock rwlock;
    hocket_cond cond;
    hocket_event event;
    hocket_sem sem;
    hocket_latch latch;
    hocket_barrier barrier;
    hocket_once once;
    hocket_word word;
    hocket_queue *queue;
    hocket_executor *executor;
    hocket_future *future;
} w;

static hocket_task *begin(hocket_task_fn *fn)
{
    w.data = w.answer = 0;
    return run_spawn(fn, NULL);
}

/* The end of the task orders its answer. */
static void end(hocket_task *t, int expected)
{
    run_finish(t, 0);
    HK_EXPECT_EQ(w.answer, expected);
}

/* ---- locks ---- */

static int locks_mutex(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&w.mutex);
    w.answer = w.data;
    hocket_mutex_unlock(&w.mutex);
    return 0;
}

static int locks_mutex_until(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_mutex_lock_until(&w.mutex, HOCKET_FOREVER), 0);
    w.answer = w.data;
    hocket_mutex_unlock(&w.mutex);
    return 0;
}

static int tries_mutex(void *arg)
{
    (void)arg;
    RUN_UNTIL(hocket_mutex_trylock(&w.mutex) == 0);
    w.answer = w.data;
    hocket_mutex_unlock(&w.mutex);
    return 0;
}

static int locks_rmutex(void *arg)
{
    (void)arg;
    hocket_rmutex_lock(&w.rmutex);
    w.answer = w.data;
    hocket_rmutex_unlock(&w.rmutex);
    return 0;
}

static int reads(void *arg)
{
    (void)arg;
    HOCKET_WITH_READ(&w.rwlock) {
        w.answer = w.data;
    }
    return 0;
}

static int writes(void *arg)
{
    (void)arg;
    HOCKET_WITH(&w.rwlock) {
        w.answer = w.data;
    }
    return 0;
}

static int waits_cond(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&w.mutex);
    while (hocket_event_is_set(&w.event) == false)
        HK_EXPECT_EQ(hocket_cond_wait(&w.cond, &w.mutex, HOCKET_FOREVER), 0);
    hocket_mutex_unlock(&w.mutex);
    w.answer = w.data;
    return 0;
}

static int locks(void *arg)
{
    hocket_task_fn *const by_mutex[] = { locks_mutex, locks_mutex_until, tries_mutex };
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&w.mutex);
        hocket_task *t = begin(by_mutex[i]);
        w.data = i + 1;
        hocket_mutex_unlock(&w.mutex);
        end(t, i + 1);
    }
    hocket_rmutex_lock(&w.rmutex);
    hocket_task *t = begin(locks_rmutex);
    w.data = 4;
    hocket_rmutex_unlock(&w.rmutex);
    end(t, 4);
    hocket_rwlock_wrlock(&w.rwlock);
    t = begin(reads);
    w.data = 5;
    hocket_rwlock_unlock(&w.rwlock);
    end(t, 5);
    hocket_rwlock_rdlock(&w.rwlock); /* a reader's own data: the next writer sees them */
    t = begin(writes);
    w.data = 6;
    hocket_rwlock_unlock(&w.rwlock);
    end(t, 6);
    hocket_event_clear(&w.event);
    t = begin(waits_cond);
    HOCKET_WITH(&w.mutex) {
        w.data = 7;
        hocket_event_set(&w.event);
        hocket_cond_signal(&w.cond);
    }
    end(t, 7);
    return 0;
}

START_TEST(edges_of_locks)
{
    run_in(_i, locks, NULL);
}
END_TEST

/* ---- the other primitives ---- */

static int waits_event(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_event_wait(&w.event, HOCKET_FOREVER), 0);
    w.answer = w.data;
    return 0;
}

static int looks_at_event(void *arg)
{
    (void)arg;
    RUN_UNTIL(hocket_event_is_set(&w.event));
    w.answer = w.data;
    return 0;
}

static int acquires(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sem_acquire(&w.sem, HOCKET_FOREVER), 0);
    w.answer = w.data;
    return 0;
}

static int tries_sem(void *arg)
{
    (void)arg;
    RUN_UNTIL(hocket_sem_try(&w.sem) == 0);
    w.answer = w.data;
    return 0;
}

static int waits_latch(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_latch_wait(&w.latch, HOCKET_FOREVER), 0);
    w.answer = w.data;
    return 0;
}

static int action(void *arg)
{
    (void)arg;
    w.data++;
    return 0;
}

static int waits_barrier(void *arg)
{
    (void)arg;
    HK_EXPECT(hocket_barrier_wait(&w.barrier, HOCKET_FOREVER) >= 0);
    w.answer = w.data;
    return 0;
}

static int make(void *arg)
{
    w.data = *(int *)arg;
    return 0;
}

static int looks_at_once(void *arg)
{
    (void)arg;
    RUN_UNTIL(hocket_once_done(&w.once));
    w.answer = w.data;
    return 0;
}

static int does_once(void *arg)
{
    int mine = 7; /* who comes second does nothing */
    (void)arg;
    HK_EXPECT_EQ(hocket_once_do(&w.once, make, &mine, HOCKET_FOREVER), 0);
    w.answer = w.data;
    return 0;
}

static int waits_on_word(void *arg)
{
    (void)arg;
    while (hk_load_acq(&w.word) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&w.word, 0, HOCKET_FOREVER), 0);
    w.answer = w.data;
    return 0;
}

static int primitives(void *arg)
{
    int seven = 7;
    (void)arg;
    memset(&w, 0, sizeof w);
    hocket_task *t = begin(waits_event);
    w.data = 1;
    hocket_event_set(&w.event);
    end(t, 1);
    hocket_event_clear(&w.event);
    t = begin(looks_at_event);
    w.data = 2;
    hocket_event_set(&w.event);
    end(t, 2);
    t = begin(acquires);
    w.data = 3;
    HK_EXPECT_EQ(hocket_sem_release(&w.sem), 0);
    end(t, 3);
    t = begin(tries_sem);
    w.data = 4;
    HK_EXPECT_EQ(hocket_sem_release_many(&w.sem, 1), 0);
    end(t, 4);
    HK_EXPECT_EQ(hocket_latch_add(&w.latch, 2), 0);
    t = begin(waits_latch);
    w.data = 5;
    hocket_latch_count_down(&w.latch, 2);
    end(t, 5);
    HK_EXPECT_EQ(hocket_barrier_init(&w.barrier, 2, action, NULL), 0);
    t = begin(waits_barrier);
    w.data = 5;
    HK_EXPECT(hocket_barrier_wait(&w.barrier, HOCKET_FOREVER) >= 0);
    HK_EXPECT_EQ(w.data, 6);
    end(t, 6);
    t = begin(looks_at_once);
    HK_EXPECT_EQ(hocket_once_do(&w.once, make, &seven, HOCKET_FOREVER), 0);
    end(t, 7);
    w.once = (hocket_once)HOCKET_ONCE_INIT;
    t = begin(does_once);
    HK_EXPECT_EQ(hocket_once_do(&w.once, make, &seven, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(w.data, 7);
    end(t, 7);
    t = begin(waits_on_word);
    w.data = 8;
    hk_store_rel(&w.word, 1);
    (void)hocket_wake(&w.word, INT_MAX);
    end(t, 8);
    return 0;
}

START_TEST(edges_of_primitives)
{
    run_in(_i, primitives, NULL);
}
END_TEST

/* ---- queues, jobs, tasks, scopes ---- */

static int gets(void *arg)
{
    int n, err;
    (void)arg;
    while ((err = hocket_queue_get(w.queue, &n, HOCKET_FOREVER)) == 0)
        HK_EXPECT_EQ(w.data, n);
    HK_EXPECT_EQ(err, -EPIPE);
    w.answer = w.data;
    return 0;
}

static int answers(void *arg)
{
    (void)arg;
    w.answer = w.data;
    return 0;
}

static int answers_job(const void *input, size_t size, hocket_buffer *output)
{
    (void)input;
    (void)size;
    (void)output;
    return answers(NULL);
}

static int one_input(void *context, const void **ret_input, size_t *ret_size)
{
    int *given = context;
    if ((*given)++ > 0)
        return 0;
    w.data = 5;
    *ret_input = NULL;
    *ret_size = 0;
    return 1;
}

static int one_result(void *context, const hocket_map_result *r)
{
    (void)context;
    HK_EXPECT_EQ(w.answer, 5);
    return r->result;
}

static int jobs(const char *scheme)
{
    int given = 0;
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.workers = 2;
    HK_EXPECT_OK(hocket_executor_new(&w.executor, scheme, &o));
    w.data = 3;
    HK_EXPECT_EQ(hocket_submit_fn(w.executor, &w.future, answers, NULL), 0);
    HK_EXPECT_EQ(hocket_future_get(w.future, NULL, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(w.answer, 3);
    hocket_future_free(w.future);
    w.data = 4;
    HK_EXPECT_EQ(hocket_submit_fn(w.executor, &w.future, answers, NULL), 0);
    RUN_UNTIL(hocket_future_done(w.future));
    HK_EXPECT_EQ(w.answer, 4);
    hocket_future_free(w.future);
    HK_EXPECT_EQ(
        hocket_map(w.executor, answers_job, one_input, one_result, &given, NULL, HOCKET_FOREVER),
        0);
    hocket_executor_free(w.executor);
    return 0;
}

static int chunks[100];

static int chunk(size_t begin, size_t end, void *arg)
{
    for (size_t i = begin; i < end; i++)
        ((int *)arg)[i]++;
    return hocket_yield();
}

static int larger(void *arg)
{
    hocket_scope scope;
    (void)arg;
    memset(&w, 0, sizeof w);
    HK_EXPECT_OK(hocket_queue_new(&w.queue, sizeof(int), NULL));
    hocket_task *t = begin(gets);
    int n = w.data = 1;
    HK_EXPECT_EQ(hocket_queue_put(w.queue, &n, HOCKET_FOREVER), 0);
    RUN_UNTIL(run_parked(t)); /* it has looked: a get itself gives no order back */
    w.data = 2;
    HK_EXPECT_EQ(hocket_queue_close(w.queue, HOCKET_CLOSE_DRAIN), 0);
    end(t, 2);
    hocket_queue_free(w.queue);
    if (hocket_workers() > 0)
        (void)jobs("threads");
    (void)jobs("fibers");

    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.held = true;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, answers, NULL, &o));
    w.data = 6;
    HK_EXPECT_EQ(hocket_task_start(t), 0);
    end(t, 6);
    hocket_scope_open(&scope, NULL);
    w.data = 7;
    HK_EXPECT_OK(hocket_spawn(&scope, answers, NULL));
    HK_EXPECT_EQ(hocket_scope_wait(&scope), 0);
    HK_EXPECT_EQ(w.answer, 7);
    w.data = 8;
    t = run_spawn_in(&scope, answers, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    HK_EXPECT_EQ(w.answer, 8);
    hocket_task_release(t);

    hocket_branch branch;
    w.data = 9;
    hocket_fork(&branch, answers, NULL);
    HK_EXPECT_EQ(hocket_sleep(HOCKET_US), 0); /* on a fiber somebody else runs it */
    HK_EXPECT_EQ(hocket_sync(&branch), 0);
    HK_EXPECT_EQ(w.answer, 9);
    for (int i = 0; i < 100; i++)
        chunks[i] = 1;
    HK_EXPECT_EQ(hocket_parallel_for(0, 100, 1, chunk, chunks), 0);
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(chunks[i], 2);
    return 0;
}

START_TEST(edges_of_tasks_and_jobs)
{
    run_in(_i, larger, NULL);
}
END_TEST

/* ---- the runtime ---- */

static int late_task(void *arg)
{
    (void)arg;
    w.data++;
    return 0;
}

static void at_exit(void *arg)
{
    HK_EXPECT_EQ(*(int *)arg, 2);
    w.answer = 3;
}

static int root(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(w.data, 1);
    HK_EXPECT_OK(hocket_at_exit(at_exit, &w.data));
    HK_EXPECT_OK(hocket_spawn(NULL, late_task, NULL));
    return 0;
}

static void seen(hocket_task *task, void *context)
{
    (void)task;
    HK_EXPECT_EQ(*(int *)context, 1);
}

START_TEST(edges_of_the_runtime)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    int one = 1;
    hooks.context = &one;
    hooks.start = seen;
    o.workers = 3;
    w.data = 1;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
    HK_EXPECT_EQ(hocket_run_with(root, NULL, &o), 0);
    HK_EXPECT_EQ(w.answer, 3);
    HK_EXPECT_OK(hocket_hooks_set(NULL, NULL));
}
END_TEST

SUITE("memory order", 10)
{
    suite_each(edges_of_locks);
    suite_each(edges_of_primitives);
    suite_each(edges_of_tasks_and_jobs);
    suite_once(edges_of_the_runtime);
}
