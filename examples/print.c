/* SPDX-License-Identifier: MIT */
/*
 * print - whole lines from many tasks
 *
 * What one call of hocket_print writes is never mixed with that of another.  The lines of one task come
 * in its order; those of different tasks as they happen to be written.
 */
#include <hocket.h>
#include <stdio.h>

static int reporter(void *arg)
{
    (void)arg;
    char name[HOCKET_NAME_MAX];
    hocket_task_name(hocket_self(), name, sizeof name);
    for (int i = 1; i <= 3; i++) {
        int n = hocket_print(stdout, "%s: line %d of %d\n", name, i, 3);
        if (n < 0)
            return hocket_fail(n, "standard output");
        int err = hocket_yield();
        if (err)
            return err;
    }
    return 0;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_task *tasks[2];
    static const char *const names[] = { "hoquetus", "tenor" };
    int n = 0, err = 0;
    hocket_scope_open(&s, NULL);
    for (; n < 2 && err == 0; n += err == 0)
        err = hocket_spawn_task(&tasks[n], &s, reporter, NULL,
                                HOCKET_SPAWN_OPTIONS(.name = names[n]));
    int failed = hocket_scope_close(&s);
    while (n-- > 0)
        hocket_task_release(tasks[n]);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
