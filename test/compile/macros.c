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

int use_defaults(void)
{
    hocket_spawn_options spawn = HOCKET_SPAWN_OPTIONS_DEFAULT;
    hocket_scope_options scope = HOCKET_SCOPE_OPTIONS_DEFAULT;
    hocket_runtime_options runtime = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    spawn.name = "a field can be set";
    scope.shield = true;
    runtime.workers = HOCKET_NO_WORKERS;
    return spawn.daemon + scope.keep_going + runtime.workers;
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
    return err + closed + hocket_run_with(fn, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 2));
#endif
}
