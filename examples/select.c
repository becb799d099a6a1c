/* SPDX-License-Identifier: MIT */
/* A worker that waits for jobs, for room to deliver, and for the word to stop, all at once. */
#include <hocket.h>
#include <stdio.h>

static hocket_queue *jobs, *results;
static hocket_event stop;

static int worker(void *arg)
{
    int job = 0, result = 0, done = 0;
    bool have_result = false;
    (void)arg;
    for (;;) {
        hocket_case cases[] = {
            hocket_case_get(have_result ? NULL : jobs, &job),
            hocket_case_put(have_result ? results : NULL, &result),
            hocket_case_event(&stop),
        };
        switch (hocket_select(cases, 3, hocket_after(10 * HOCKET_SEC))) {
        case 0:
            if (cases[0].error == 0) { /* not closed */
                result = job * job;
                have_result = true;
            }
            break;
        case 1:
            have_result = false;
            done++;
            break;
        case 2: return done;
        default: return -1;
        }
    }
}

static int run(void *arg)
{
    hocket_task *t;
    int done = 0, result, err;
    (void)arg;
    if ((err = hocket_queue_new(&jobs, sizeof(int), NULL)) != 0 ||
        (err = hocket_queue_new(&results, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = 2))) != 0 ||
        (err = hocket_spawn_task(&t, NULL, worker, NULL, NULL)) != 0)
        return err;
    for (int i = 1; i <= 5 && err == 0; i++)
        err = hocket_queue_put(jobs, &i, HOCKET_FOREVER);
    for (int i = 1; i <= 5 && err == 0; i++) {
        err = hocket_queue_get(results, &result, HOCKET_FOREVER);
        printf("%d\n", result);
    }
    hocket_event_set(&stop);
    if (err == 0)
        err = hocket_join(t, &done, HOCKET_FOREVER);
    printf("the worker has done %d\n", done);
    hocket_task_release(t);
    hocket_queue_free(jobs);
    hocket_queue_free(results);
    return err;
}

int main(void)
{
    return hocket_run(run, NULL);
}
