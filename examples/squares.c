/* SPDX-License-Identifier: MIT */
/* The program of README.md: nine tasks in one scope, with one deadline for all of them. */
#include <hocket.h>

static int square(void *arg)
{
    int n = *(const int *)arg, err = hocket_sleep(n * HOCKET_MS);
    return err ? err : hocket_print(stdout, "%d squared is %d\n", n, n * n);
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_SEC)));
    for (int n = 1; n <= 9 && err == 0; n++)
        err = hocket_spawn_copy(&s, square, &n, sizeof n);
    int failed = hocket_scope_close(&s); /* waits for all nine */
    return err ? err : failed ? failed : hocket_check();
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
