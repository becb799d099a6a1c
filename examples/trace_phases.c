/* SPDX-License-Identifier: MIT */
/*
 * trace_phases - a timeline of a part of a program, with phases and a curve of its own
 *
 *     trace_phases FILE && hocket trace view FILE -o phases.html
 *
 * Without a FILE it keeps what it has recorded to itself.
 */
#include <hocket.h>
#include <stdio.h>

enum { ITEMS = 20 };

static hocket_queue *orders;

/* Takes orders and works on them; its spans and waits are a row of the timeline. */
static int cook(void *arg)
{
    int order, done = 0;
    (void)arg;
    while (hocket_queue_get(orders, &order, HOCKET_FOREVER) == 0) {
        hocket_trace_begin("cook");
        (void)hocket_sleep(100 * HOCKET_US); /* stands for work that waits */
        hocket_trace_end();
        hocket_trace_counter("orders left", (double)hocket_queue_length(orders));
        done++;
    }
    return done;
}

static int kitchen(void *arg)
{
    const char *file = arg;
    hocket_task *cooks[2];
    int total = 0;

    int err = hocket_trace_start(file, NULL);
    if (err < 0)
        return hocket_fail(err, "trace to %s", file);
    if ((err = hocket_queue_new(&orders, sizeof(int), NULL)) < 0)
        return err;
    for (int i = 0; i < 2; i++) {
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.name = i == 0 ? "Anna" : "Ben";
        if ((err = hocket_spawn_task(&cooks[i], NULL, cook, NULL, &o)) < 0)
            return err;
    }

    hocket_trace_mark("the kitchen opens");
    hocket_trace_begin("take orders");
    for (int order = 0; order < ITEMS; order++)
        if ((err = hocket_queue_put(orders, &order, HOCKET_FOREVER)) < 0)
            return err;
    if ((err = hocket_queue_close(orders, HOCKET_CLOSE_DRAIN)) < 0)
        return err;
    hocket_trace_end();

    for (int i = 0; i < 2; i++) {
        int done;
        if ((err = hocket_join(cooks[i], &done, HOCKET_FOREVER)) < 0)
            return err;
        hocket_task_release(cooks[i]);
        total += done;
    }
    hocket_queue_free(orders);
    printf("%d orders cooked\n", total);
    if ((err = hocket_trace_stop()) < 0)
        return hocket_fail(err, "write %s", file);
    printf("and all of it is in the timeline\n");
    return 0;
}

int main(int argc, char **argv)
{
    return hocket_run(kitchen, argc > 1 ? argv[1] : "/dev/null") != 0;
}
