/* SPDX-License-Identifier: MIT */
/*
 * event - a gate that is open while it is set
 *
 *   SET      is it set?  Changed by anybody at any time.
 *   PULSE, WAITERS   see sync/gate.h.  set makes a pulse whenever somebody waits, so that
 *            a clear right after it does not take the wakeup away.
 */
#include <hocket/event.h>

#include "sync/gate.h"

#define SET 1u

static const struct hocket__wait_class event_class = { "event", NULL };

static bool is_set(uint32_t word)
{
    return word & SET;
}

void hocket_event_destroy(hocket_event *event)
{
    hocket__gate_passed(hk_word32(&event->hocket__busy));
    hocket__destroy_check("hocket_event_destroy", "event", event, HOCKET__GUARD_OF(event),
                          HOCKET__HEAD(event));
}

void hocket_event_set(hocket_event *event)
{
    hocket__touch("set", event);
    const struct hocket__gate gate = HOCKET__GATE(event, hocket__gate_serve_pulse, &event_class);
    uint32_t word = hk_load(gate.word);
    for (;;) {
        if (!(word & HOCKET__GATE_WAITERS)) {
            if (hk_cas(gate.word, &word, word | SET))
                return;
            continue;
        }
        (void)hk_add(gate.busy, 1);
        if (hk_cas(gate.word, &word, word | SET | HOCKET__GATE_PULSE))
            break;
        (void)hk_sub(gate.busy, 1);
    }
    hocket__gate_open(&gate);
}

void hocket_event_clear(hocket_event *event)
{
    hocket__touch("clear", event);
    (void)hk_and(hk_word32(&event->hocket__word), ~SET);
}

bool hocket_event_is_set(const hocket_event *event)
{
    return is_set(hk_load_acq(hk_word32((uintptr_t)&event->hocket__word)));
}

int hocket_event_wait(hocket_event *event, hocket_time deadline)
{
    hocket__touch("event wait", event);
    const struct hocket__gate gate = HOCKET__GATE(event, hocket__gate_serve_pulse, &event_class);
    hocket_task *self = hocket__self_must("hocket_event_wait");
    return hocket__gate_wait_open(&gate, is_set, self, deadline);
}

/* ---- for select ---- */

bool hocket__event_enroll(void *object, struct hocket__waiter *node)
{
    hocket_event *event = object;
    const struct hocket__gate gate = HOCKET__GATE(event, hocket__gate_serve_pulse, &event_class);
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__gate_enter(&gate);
    gate.serve(&gate, &wakes); /* a pulse that is still to be served is not for us */
    uint32_t word = hk_load_acq(gate.word);
    while (!is_set(word) && !hk_cas(gate.word, &word, word | HOCKET__GATE_WAITERS))
        continue;
    if (!is_set(word))
        hocket__queue_push(gate.head, &node->link);
    hocket__gate_leave(&gate, &wakes);
    hocket__wakes_run(&wakes);
    if (is_set(word))
        hocket__gate_passed(gate.busy);
    return is_set(word);
}

void hocket__event_leave(void *object, struct hocket__waiter *node, bool served)
{
    hocket_event *event = object;
    const struct hocket__gate gate = HOCKET__GATE(event, hocket__gate_serve_pulse, &event_class);
    struct hocket__wakes wakes = { NULL, NULL };
    if (!served) {
        hocket__gate_enter(&gate);
        hocket__queue_forget(gate.head, node);
        hocket__gate_leave(&gate, &wakes);
        hocket__wakes_run(&wakes);
    }
    hocket__gate_passed(gate.busy);
}
