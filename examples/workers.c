/* SPDX-License-Identifier: MIT */
/* Workers at a queue, and waiting until all is done; in Python's words in doc/from-python.md. */
#include <errno.h>
#include <hocket.h>

static int worker(void *arg)
{
    hocket_queue *q = arg;
    int item, err;
    while ((err = hocket_queue_get(q, &item, HOCKET_FOREVER)) == 0) {
        hocket_print(stdout, "finished %d\n", item);
        hocket_queue_task_done(q);
    }
    return err == -EPIPE ? 0 : err; /* -EPIPE: closed, and everything was got */
}

static int program(void *arg)
{
    (void)arg;
    hocket_queue *q;
    hocket_scope s;
    int err = hocket_queue_new(&q, sizeof(int), NULL);
    if (err)
        return err;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 2 && err == 0; i++)
        err = hocket_spawn(&s, worker, q);
    for (int item = 0; item < 5 && err == 0; item++)
        err = hocket_queue_put(q, &item, HOCKET_FOREVER);
    if (err == 0 && (err = hocket_queue_join(q, HOCKET_FOREVER)) == 0)
        hocket_print(stdout, "all work completed\n");
    hocket_queue_close(q, HOCKET_CLOSE_DRAIN); /* so the workers end */
    int failed = hocket_scope_close(&s);
    hocket_queue_free(q);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
