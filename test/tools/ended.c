/* SPDX-License-Identifier: MIT */
/* For gdb_test.sh: two tasks that have ended in the two ways there are, with handles, and one that has not begun. */
#include <hocket/runtime.h>
#include <hocket/task.h>

__attribute__((noinline)) static void here(void)
{
    __asm__ volatile("");
}

static int ends(void *name)
{
    hocket_task_set_name(hocket_self(), name);
    return 0;
}

static int program(void *arg)
{
    hocket_task *loud, *quiet, *held;
    (void)arg;
    /* With options it ends by a locked instruction; the next is the usual spawn: doc/adr/0014. */
    if (hocket_spawn_task(&loud, NULL, ends, "ended-loud", HOCKET_SPAWN_OPTIONS(.priority = 1)) !=
            0 ||
        hocket_join(loud, NULL, HOCKET_FOREVER) != 0 ||
        hocket_spawn_task(&quiet, NULL, ends, "ended-quiet", NULL) != 0 ||
        hocket_join(quiet, NULL, HOCKET_FOREVER) != 0 ||
        hocket_spawn_task(&held, NULL, ends, "ended",
                          HOCKET_SPAWN_OPTIONS(.name = "not-begun", .held = true)) != 0)
        return 1;
    here();
    int err = hocket_task_start(held) || hocket_join(held, NULL, HOCKET_FOREVER);
    hocket_task_release(loud);
    hocket_task_release(quiet);
    hocket_task_release(held);
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
