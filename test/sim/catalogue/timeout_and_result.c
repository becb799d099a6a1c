/* SPDX-License-Identifier: MIT */
/*
 * timeout_and_result - the time-out and the answer come together, and the answer is thrown
 * away although it was taken
 *
 * Right: what the call returned decides, not the clock.
 */
#include "catalogue.h"

static hocket_queue *answers;
static int taken, used;

static int answer(void *arg)
{
    (void)arg;
    int value = 1;
    OK(hocket_sleep(10 * HOCKET_MS));
    return hocket_queue_put(answers, &value, HOCKET_FOREVER);
}

static int ask(bool by_clock)
{
    int value;
    hocket_time deadline = hocket_after(10 * HOCKET_MS);
    int err = hocket_queue_get(answers, &value, deadline);
    if (err == 0)
        taken++;
    if (by_clock ? hocket_now() < deadline : err == 0)
        used++;
    return 0;
}

static int ask_wrong(void *arg)
{
    (void)arg;
    return ask(true);
}

static int ask_right(void *arg)
{
    (void)arg;
    return ask(false);
}

static int run(hocket_task_fn *asker)
{
    OK(hocket_queue_new(&answers, sizeof(int), NULL));
    OK(TOGETHER(asker, answer));
    hocket_queue_free(answers);
    return taken == used ? 0 : 1;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(ask_wrong);
}

static int right(void *arg)
{
    (void)arg;
    return run(ask_right);
}

const struct bug bug_timeout_and_result = { "timeout_and_result", wrong, right };
