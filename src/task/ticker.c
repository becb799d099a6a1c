/* SPDX-License-Identifier: MIT */
/*
 * ticker - arithmetic on the clock, and an event that is set when it is closed
 *
 * A wait for a tick is a wait for that event with the tick as its deadline; so there is
 * nothing to keep going between the ticks, and nobody to wake all who wait.
 */
#include <errno.h>
#include <hocket/event.h>
#include <hocket/ticker.h>

#include "base/alloc.h"
#include "sys/sys.h"

struct hocket_ticker {
    hocket_time origin, period; /* constant */
    hocket_event closed;
};

int hocket_ticker_new(hocket_ticker **ret_ticker, hocket_time period)
{
    if (period < 1)
        return -EINVAL;
    hocket_ticker *t = hocket__calloc(1, sizeof *t);
    if (t == NULL)
        return -ENOMEM;
    t->origin = hocket__clock();
    t->period = period;
    *ret_ticker = t;
    return 0;
}

uint64_t hocket_ticker_count(const hocket_ticker *t)
{
    return (uint64_t)((hocket__clock() - t->origin) / t->period);
}

static hocket_time time_of(const hocket_ticker *t, uint64_t tick)
{
    hocket_time when;
    if (__builtin_mul_overflow((hocket_time)tick, t->period, &when) ||
        __builtin_add_overflow(when, t->origin, &when))
        return HOCKET_FOREVER;
    return when;
}

hocket_time hocket_ticker_next(const hocket_ticker *t)
{
    return time_of(t, hocket_ticker_count(t) + 1);
}

int hocket_ticker_wait(hocket_ticker *t, uint64_t *last, uint64_t *ret_missed, hocket_time deadline)
{
    hocket_time next = hocket_ticker_next(t);
    bool ticks = next <= deadline && next != HOCKET_FOREVER;
    int err = hocket_event_wait(&t->closed, ticks ? next : deadline);
    if (err == 0)
        return -EPIPE;
    if (err != -ETIMEDOUT || !ticks)
        return err;
    uint64_t tick = hocket_ticker_count(t);
    uint64_t seen = last != NULL && *last != 0 && *last < tick ? *last : tick - 1;
    if (last != NULL)
        *last = tick;
    if (ret_missed != NULL)
        *ret_missed = tick - seen - 1;
    return 0;
}

void hocket_ticker_close(hocket_ticker *t)
{
    hocket_event_set(&t->closed);
}

void hocket_ticker_free(hocket_ticker *t)
{
    if (t == NULL)
        return;
    hocket_event_destroy(&t->closed);
    hocket__free(t);
}
