/* SPDX-License-Identifier: MIT */
/*
 * Every public macro that takes arguments, used once as a reader of its header would, and every
 * options type by its default.  Compiled as C11 and as C++17 by scripts/check-headers, never run.
 */
#include <hocket.h>

int use_defaults(void);
int use_locals(void);
int use_errors(int code);
int use_options(hocket_task_fn *fn);
int use_blocks(hocket_mutex *mutex, hocket_rmutex *rmutex, hocket_rwlock *rwlock);
int use_several(hocket_mutex *mutex, hocket_rmutex *rmutex, hocket_rwlock *rwlock);
int use_initialisers(void);

int use_defaults(void)
{
    hocket_spawn_options spawn = HOCKET_SPAWN_OPTIONS_DEFAULT;
    hocket_scope_options scope = HOCKET_SCOPE_OPTIONS_DEFAULT;
    hocket_runtime_options runtime = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_executor_options executor = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    hocket_map_options map = HOCKET_MAP_OPTIONS_DEFAULT;
    hocket_queue_options queue = HOCKET_QUEUE_OPTIONS_DEFAULT;
    hocket_delay_queue_options delayed = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    hocket_broadcast_options broadcast = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    hocket_guarded_options guarded = HOCKET_GUARDED_OPTIONS_DEFAULT;
    hocket_trace_options trace = HOCKET_TRACE_OPTIONS_DEFAULT;
    hocket_sim_options sim = HOCKET_SIM_OPTIONS_DEFAULT;
    spawn.name = "a field can be set";
    scope.shield = true;
    runtime.workers = HOCKET_NO_WORKERS;
    return spawn.daemon + scope.keep_going + runtime.workers + (executor.size == map.size) +
           guarded.lock.kind + (queue.size == 0) + (delayed.size == broadcast.capacity) +
           (trace.buffer == 0) + (sim.seeds == 0);
}

static void destroy(void *value)
{
    (void)value;
}

static void *copy(const void *value)
{
    return (void *)(uintptr_t)value;
}

int use_locals(void)
{
    static hocket_local alone = HOCKET_LOCAL_INIT(destroy);
    static hocket_local inherited = HOCKET_LOCAL_INIT_INHERIT(destroy, copy);
    return hocket_local_get(&alone) == hocket_local_get(&inherited);
}

static int print(const char *format, ...) HOCKET_PRINTF(1, 2);

static int print(const char *format, ...)
{
    return *format;
}

int use_errors(int code)
{
    return hocket_fail(code, "open %s", "a file") + print("%d", code);
}

int use_blocks(hocket_mutex *mutex, hocket_rmutex *rmutex, hocket_rwlock *rwlock)
{
    static int number;
    static hocket_guarded guarded = HOCKET_GUARDED_INIT(&number);
    HOCKET_WITH(mutex) {
        HOCKET_WITH(rmutex) {
            HOCKET_WITH(rwlock) {
                return 1;
            }
        }
    }
    HOCKET_WITH_READ(rwlock) {
        return 2;
    }
    HOCKET_WITH_VALUE(int, n, &guarded) {
        *n += 1;
    }
    return 0;
}

int use_several(hocket_mutex *mutex, hocket_rmutex *rmutex, hocket_rwlock *rwlock)
{
    hocket_lock_ref one = HOCKET_LOCK_REF(mutex);
    hocket_lock_ref two = HOCKET_LOCK_REF_READ(rwlock);
    int err = hocket_lock_all(mutex, rmutex, rwlock);
    if (err == 0)
        hocket_unlock_all(mutex, rmutex, rwlock);
    err = hocket_lock_all_until(hocket_after(HOCKET_MS), mutex, rmutex);
#ifndef __cplusplus
    if (err == 0)
        hocket_unlock_all_refs(HOCKET_LOCK_REFS(mutex, rmutex));
#endif
    return err + one.kind + two.kind;
}

static int action(void *arg)
{
    return arg != NULL;
}

int use_initialisers(void)
{
    static hocket_lock_class class_ = HOCKET_LOCK_CLASS_INIT("a class");
    static hocket_mutex mutex = HOCKET_MUTEX_INIT_CLASS(&class_);
    static hocket_rmutex rmutex = HOCKET_RMUTEX_INIT_CLASS(&class_);
    static hocket_rwlock rwlock = HOCKET_RWLOCK_INIT_CLASS(&class_);
    static hocket_sem sem = HOCKET_SEM_INIT(3);
    static hocket_sem bounded = HOCKET_SEM_INIT_BOUNDED(3);
    static hocket_latch latch = HOCKET_LATCH_INIT(2);
    static hocket_barrier barrier = HOCKET_BARRIER_INIT(2);
    static hocket_barrier acting = HOCKET_BARRIER_INIT_ACTION(2, action, NULL);
    const void *all[] = { &mutex, &rmutex, &rwlock, &sem, &bounded, &latch, &barrier, &acting };
    return sizeof(all) != 0;
}

int use_options(hocket_task_fn *fn)
{
#ifdef __cplusplus
    hocket_spawn_options options = HOCKET_SPAWN_OPTIONS_DEFAULT;
    return hocket_run(fn, &options);
#else
    hocket_task *task;
    hocket_scope scope;
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.name = "outer", .shield = true));
    int err = hocket_spawn_task(&task, &scope, fn, NULL, HOCKET_SPAWN_OPTIONS(.name = "one"));
    int closed = hocket_scope_close(&scope);
    hocket_executor *executor = NULL;
    hocket_queue *queue = NULL;
    err += hocket_queue_new(&queue, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = 4));
    hocket_delay_queue *delayed = NULL;
    hocket_broadcast *broadcast = NULL;
    err += hocket_delay_queue_new(&delayed, 1, HOCKET_DELAY_QUEUE_OPTIONS(.drop = destroy));
    err += hocket_broadcast_new(&broadcast, 1,
                                HOCKET_BROADCAST_OPTIONS(.lag = HOCKET_LAG_DROP_OLDEST));
    err += hocket_executor_new(&executor, "inline", HOCKET_EXECUTOR_OPTIONS(.name = "x"));
    const hocket_map_options *map = HOCKET_MAP_OPTIONS(.window = 4);
    err += hocket_sim_run(fn, NULL, HOCKET_SIM_OPTIONS(.strategy = HOCKET_SIM_PCT));
    return err + closed + (map->window == 4) +
           hocket_run_with(fn, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 2));
#endif
}
