/* SPDX-License-Identifier: MIT */
/* gate - see sync/gate.h */
#include "sync/gate.h"

#include <errno.h>

int hocket__gate_wait(const struct hocket__gate *g, hocket_task *self, hocket_time deadline,
                      struct hocket__wakes *wakes)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, g->cls, g->object, true);
    hocket__queue_push(g->head, &node.link);
    hocket__gate_leave(g, wakes); /* may serve ourselves, if a mark was left meanwhile */
    hocket__wakes_run(wakes);

    int err = hocket__wait_park(self, deadline);
    if (err) {
        hocket__gate_enter(g);
        hocket__queue_forget(g->head, &node);
        hocket__gate_leave(g, wakes);
        hocket__wakes_run(wakes);
    } else {
        hocket__gate_passed(g->busy);
    }
    hocket__wait_end(self);
    return err;
}

void hocket__gate_serve_pulse(const struct hocket__gate *g, struct hocket__wakes *wakes)
{
    if (hk_load(g->word) & HOCKET__GATE_PULSE) {
        struct hocket__waiter *node;
        (void)hk_and(g->word, ~HOCKET__GATE_PULSE);
        while ((node = hocket__queue_claim(g->head)) != NULL) {
            node->done = 1; /* for select, which has several */
            hocket__wakes_add(wakes, node->task);
        }
    }
    if (!*g->head)
        hocket__gate_no_waiters(g);
}

int hocket__gate_wait_open(const struct hocket__gate *g, bool (*is_open)(uint32_t word),
                           hocket_task *self, hocket_time deadline)
{
    struct hocket__wakes wakes = { NULL, NULL };
    int err = hocket__cancel_point(self);
    if (err)
        return err;
    uint32_t word = hk_load_acq(g->word); /* pairs with the CAS of who opens */
    if (is_open(word)) {
        hocket__gate_passed(g->busy);
        return 0;
    }
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    hocket__gate_enter(g);
    /* A pulse that is still to be served is not for us. */
    g->serve(g, &wakes);
    word = hk_load_acq(g->word);
    while (!is_open(word))
        if (hk_cas(g->word, &word, word | HOCKET__GATE_WAITERS))
            return hocket__gate_wait(g, self, deadline, &wakes);
    hocket__gate_leave(g, &wakes);
    hocket__wakes_run(&wakes);
    hocket__gate_passed(g->busy);
    return 0;
}
