/* SPDX-License-Identifier: MIT */
/*
 * pipeline - three stages with a queue between each two, and a join in the middle of the work
 *
 * Each stage takes from one queue and puts into the next; a slow stage holds the others up, since the
 * queues have a bound.  hocket_queue_join waits until a batch has gone through, not just until
 * it was fetched; closing the first queue ends the stages one after the other.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

struct stage {
    hocket_queue *in, *out;
    long (*work)(long number);
};

static long square(long number)
{
    return number * number;
}

static long plus_one(long number)
{
    return number + 1;
}

static long total;

static long add(long number)
{
    return total += number; /* the last stage is one task, so this needs no lock */
}

/*
 * What a stage has got is done when it is in the next queue, where it counts as unfinished again.  So
 * joining the queues from the first to the last waits for all that was put.
 */
static int run(void *arg)
{
    const struct stage *s = arg;
    long number;
    int err;
    while ((err = hocket_queue_get(s->in, &number, HOCKET_FOREVER)) == 0) {
        number = s->work(number);
        if (s->out && (err = hocket_queue_put(s->out, &number, HOCKET_FOREVER)) != 0)
            break;
        (void)hocket_queue_task_done(s->in);
    }
    if (s->out)
        (void)hocket_queue_close(s->out, HOCKET_CLOSE_DRAIN);
    return err == -EPIPE ? 0 : err;
}

static int program(void *arg)
{
    static hocket_queue *queues[3];
    static struct stage stages[3];
    static long (*const works[])(long) = { square, plus_one, add };
    hocket_scope scope;
    int err = 0;
    (void)arg;
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_queue_new(&queues[i], sizeof(long), HOCKET_QUEUE_OPTIONS(.capacity = 4));
    if (err)
        return err;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 3 && err == 0; i++) {
        stages[i] = (struct stage){ queues[i], i < 2 ? queues[i + 1] : NULL, works[i] };
        err = hocket_spawn(&scope, run, &stages[i]);
    }
    for (int batch = 1; batch <= 3 && err == 0; batch++) {
        for (long n = 1; n <= 100 && err == 0; n++)
            err = hocket_queue_put(queues[0], &n, HOCKET_FOREVER);
        for (int i = 0; i < 3 && err == 0; i++)
            err = hocket_queue_join(queues[i], HOCKET_FOREVER);
        printf("after batch %d: %ld\n", batch, total);
    }
    (void)hocket_queue_close(queues[0], HOCKET_CLOSE_DRAIN);
    int ended = hocket_scope_close(&scope);
    for (int i = 0; i < 3; i++)
        hocket_queue_free(queues[i]);
    return err ? err : ended;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
