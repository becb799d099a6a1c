/* SPDX-License-Identifier: MIT */
/*
 * time - the clock, sleeping and yielding
 */
#include <errno.h>

#include "park/forked.h"
#include "park/wait.h"
#include "sys/sys.h"

const struct hocket__wait_class hocket__sleep_class = { "sleep", NULL };

hocket_time hocket_now(void)
{
    return hocket__clock();
}

hocket_time hocket_after(hocket_time duration)
{
    if (duration <= 0)
        return HOCKET_NOW;
    hocket_time now = hocket__clock();
    return duration > HOCKET_FOREVER - now ? HOCKET_FOREVER : now + duration;
}

int hocket_sleep_until(hocket_time deadline)
{
    hocket_task *self = hocket__self_must("hocket_sleep_until");
    struct hocket__waiter node;
    int err = hocket__cancel_point(self);
    if (err || deadline <= HOCKET_NOW)
        return err;
    /* Nobody can wake a sleeper but the clock and a cancel. */
    hocket__wait_begin(&node, self, &hocket__sleep_class, NULL, HOCKET__WAIT_CANCEL);
    hk_fence_sc(); /* no guard does it: we are visible before we ask whether we are cancelled */
    err = hocket__wait_park(self, deadline);
    hocket__wait_end(self);
    return err == -ETIMEDOUT ? 0 : err;
}

int hocket_sleep(hocket_time duration)
{
    return hocket_sleep_until(hocket_after(duration));
}

HK_COLD static int yield_watched(hocket_task *self)
{
    hocket__watch(HOCKET__EVENT_YIELD, self, NULL, 0);
    int err = self->ops->yield(self);
    hocket__watch(HOCKET__EVENT_BACK, self, NULL, 0);
    return err;
}

int hocket_yield(void)
{
    hocket_task *self = hocket__self_must("hocket_yield");
    hocket__fork_check("hocket_yield");
    int err = hocket__cancel_point(self);
    if (err)
        return err;
    if (hocket__watched(HOCKET__EVENT_BIT(HOCKET__EVENT_YIELD) |
                        HOCKET__EVENT_BIT(HOCKET__EVENT_BACK)))
        return yield_watched(self);
    return self->ops->yield(self);
}
