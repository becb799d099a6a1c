/* SPDX-License-Identifier: MIT */
/* Jobs at their time, and one that is taken back; in Python's words in doc/from-python.md. */
#include <hocket.h>

static int say(void *arg)
{
    return hocket_print(stdout, "%s\n", (const char *)arg);
}

static int program(void *arg)
{
    (void)arg;
    hocket_executor *ex;
    hocket_future *f[3] = { NULL };
    int err = hocket_executor_new(&ex, "fibers", HOCKET_EXECUTOR_OPTIONS(.serial = true));
    if (err)
        return err;
    err = hocket_submit_at(ex, &f[0], hocket_after(20 * HOCKET_MS), say, "after 20 ms");
    if (err == 0)
        err = hocket_submit_at(ex, &f[1], hocket_after(10 * HOCKET_MS), say, "after 10 ms");
    if (err == 0)
        err = hocket_submit_at(ex, &f[2], hocket_after(HOCKET_SEC), say, "never");
    if (err == 0) {
        hocket_future_cancel(f[2]);
        err = hocket_future_wait_many(f, 3, HOCKET_WAIT_ALL, NULL, HOCKET_FOREVER);
    }
    if (err == 0)
        hocket_print(stdout, "all done\n");
    for (int i = 0; i < 3 && f[i] != NULL; i++) {
        hocket_future_cancel(f[i]); /* after an error: what is still to come never does */
        hocket_future_free(f[i]);
    }
    hocket_executor_free(ex);
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
