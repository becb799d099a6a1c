/* SPDX-License-Identifier: MIT */
/*
 * delay - what failed is tried again later, and later still if it fails again
 *
 * Each request goes back into a delay queue with the time of its next attempt.  The tasks that
 * serve it wait there: for a request, or until the first one is due.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

struct request {
    char name[8];
    int attempts, works_at;
};

static hocket_delay_queue *queue;
static hocket_latch done = HOCKET_LATCH_INIT(3);
static struct request finished[3];

static int attempt(const struct request *r)
{
    return r->attempts >= r->works_at ? 0 : -EAGAIN;
}

static int serve(void *arg)
{
    struct request r;
    int err;
    (void)arg;
    while ((err = hocket_delay_queue_get(queue, &r, HOCKET_FOREVER)) == 0) {
        r.attempts++;
        if (attempt(&r) == 0) {
            finished[r.works_at - 1] = r;
            (void)hocket_latch_count_down(&done, 1);
            continue;
        }
        hocket_time pause = HOCKET_MS << r.attempts; /* 2 ms, 4 ms, 8 ms */
        err = hocket_delay_queue_put(queue, &r, hocket_after(pause), HOCKET_FOREVER);
        if (err)
            break;
    }
    return err == -EPIPE ? 0 : err;
}

static int program(void *arg)
{
    static const struct request requests[] = { { "first", 0, 3 },
                                               { "second", 0, 1 },
                                               { "third", 0, 2 } };
    hocket_scope scope;
    (void)arg;
    int err = hocket_delay_queue_new(&queue, sizeof(struct request), NULL);
    if (err)
        return err;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 2 && err == 0; i++)
        err = hocket_spawn(&scope, serve, NULL);
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_delay_queue_put(queue, &requests[i], HOCKET_NOW, HOCKET_FOREVER);
    if (err == 0)
        err = hocket_latch_wait(&done, HOCKET_FOREVER);
    (void)hocket_delay_queue_close(queue, HOCKET_CLOSE_DRAIN);
    int ended = hocket_scope_close(&scope);
    for (int i = 0; i < 3 && err == 0; i++)
        printf("%s: %d attempts\n", finished[i].name, finished[i].attempts);
    hocket_delay_queue_free(queue);
    return err ? err : ended;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
