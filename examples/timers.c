/* SPDX-License-Identifier: MIT */
/*
 * timers - a timeout that is put off, a heartbeat, a job at a time, and a tick for all
 */
#include <hocket.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- a session that ends when nothing has come for a while ---- */

struct session {
    hocket_timer *idle;
    hocket_event ended;
};

static int idle_for_long(hocket_timer *timer, void *arg)
{
    struct session *s = arg;
    printf("session: idle, goodbye\n");
    hocket_timer_free(timer); /* from its own callback */
    hocket_event_set(&s->ended);
    return 0;
}

static int session(void)
{
    struct session s = { .ended = HOCKET_EVENT_INIT };
    int err = hocket_timer_new(&s.idle, idle_for_long, &s);
    if (err)
        return err;
    for (int request = 1; request <= 3 && err == 0; request++) {
        printf("session: request %d\n", request);
        hocket_time patience = request < 3 ? 10 * HOCKET_SEC : 20 * HOCKET_MS;
        err = hocket_timer_start(s.idle, hocket_after(patience)); /* it moves */
    }
    if (err) {
        hocket_timer_free(s.idle);
        return err;
    }
    return hocket_event_wait(&s.ended, HOCKET_FOREVER);
}

/* ---- again and again ---- */

static int beat(hocket_timer *timer, void *arg)
{
    if (hocket_timer_calls(timer) == 3) {
        (void)hocket_timer_stop(timer, HOCKET_FOREVER); /* in here it does not wait */
        hocket_event_set(arg);
    }
    printf("heartbeat %" PRIu64 "\n", hocket_timer_calls(timer));
    return 0;
}

static int heart(void)
{
    hocket_event still = HOCKET_EVENT_INIT;
    hocket_timer *t;
    int err = hocket_timer_new(&t, beat, &still);
    if (err)
        return err;
    err = hocket_timer_start_every(t, HOCKET_NOW, 2 * HOCKET_MS, HOCKET_FIXED_RATE);
    if (err == 0)
        err = hocket_event_wait(&still, HOCKET_FOREVER);
    hocket_timer_free(t); /* waits for the callback */
    return err;
}

/* ---- a job for later ---- */

static int answer(void *arg)
{
    (void)arg;
    return 42;
}

static int later(void)
{
    hocket_executor *ex;
    hocket_future *soon, *never;
    int result, err = hocket_executor_new(&ex, "fibers", NULL);
    if (err)
        return err;
    err = hocket_submit_at(ex, &soon, hocket_after(5 * HOCKET_MS), answer, NULL);
    if (err == 0) {
        if ((err = hocket_future_get(soon, &result, HOCKET_FOREVER)) == 0)
            printf("later: %d\n", result);
        hocket_future_free(soon);
    }
    if (err == 0 &&
        (err = hocket_submit_at(ex, &never, hocket_after(3600 * HOCKET_SEC), answer, NULL)) == 0) {
        printf("withdrawn: %s\n", hocket_future_cancel(never) ? "yes" : "no");
        hocket_future_free(never);
    }
    hocket_executor_free(ex);
    return err;
}

/* ---- one tick for many ---- */

struct dancer {
    hocket_ticker *ticker;
    uint64_t steps;
};

static int dance(void *arg)
{
    struct dancer *d = arg;
    uint64_t last = 0, missed;
    int err = 0;
    while (d->steps < 3 &&
           (err = hocket_ticker_wait(d->ticker, &last, &missed, HOCKET_FOREVER)) == 0)
        d->steps += 1 + missed; /* who comes late does not fall behind */
    return err;
}

static int dancers(void)
{
    struct dancer d[3] = { { NULL, 0 } };
    hocket_ticker *ticker;
    hocket_scope s;
    int err = hocket_ticker_new(&ticker, 2 * HOCKET_MS);
    if (err)
        return err;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 3 && err == 0; i++) {
        d[i].ticker = ticker;
        err = hocket_spawn(&s, dance, &d[i]);
    }
    int failed = hocket_scope_close(&s);
    hocket_ticker_free(ticker);
    if (err == 0 && failed == 0)
        printf("three dancers have made their steps\n");
    return err ? err : failed;
}

static int program(void *arg)
{
    (void)arg;
    int err = session();
    if (err == 0)
        err = heart();
    if (err == 0)
        err = later();
    return err ? err : dancers();
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
