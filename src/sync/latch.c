/* SPDX-License-Identifier: MIT */
/*
 * latch - a gate that is open while its count is zero
 *
 *   COUNT    30 bits
 *   PULSE, WAITERS   see sync/gate.h.  The count-down that reaches zero makes a pulse if somebody
 *            waits, so that adding right after it does not keep those who waited.
 */
#include <hocket/latch.h>

#include <errno.h>

#include "sync/gate.h"

#define COUNT HOCKET_LATCH_MAX

static const struct hocket__wait_class latch_class = { "latch", NULL };

static bool is_zero(uint32_t word)
{
    return (word & COUNT) == 0;
}

void hocket_latch_destroy(hocket_latch *latch)
{
    hocket__gate_passed(hk_word32(&latch->hocket__busy));
    hocket__destroy_check("hocket_latch_destroy", "latch", latch, HOCKET__GUARD_OF(latch),
                          HOCKET__HEAD(latch));
}

int hocket_latch_add(hocket_latch *latch, uint32_t count)
{
    hocket__touch("add", latch);
    _Atomic uint32_t *at = hk_word32(&latch->hocket__word);
    uint32_t word = hk_load(at);
    do {
        if (count > COUNT - (word & COUNT))
            return -EOVERFLOW;
    } while (!hk_cas(at, &word, word + count));
    return 0;
}

void hocket_latch_count_down(hocket_latch *latch, uint32_t count)
{
    hocket__touch("count down", latch);
    const struct hocket__gate gate = HOCKET__GATE(latch, hocket__gate_serve_pulse, &latch_class);
    uint32_t word = hk_load(gate.word);
    for (;;) {
        if (count > (word & COUNT))
            hocket__panic("hocket_latch_count_down: latch %p is at %u, less than %u", (void *)latch,
                          word & COUNT, count);
        if (count < (word & COUNT) || count == 0 || !(word & HOCKET__GATE_WAITERS)) {
            if (hk_cas(gate.word, &word, word - count))
                return;
            continue;
        }
        (void)hk_add(gate.busy, 1);
        if (hk_cas(gate.word, &word, (word - count) | HOCKET__GATE_PULSE))
            break;
        (void)hk_sub(gate.busy, 1);
    }
    hocket__gate_open(&gate);
}

void hocket_latch_done(hocket_latch *latch)
{
    hocket_latch_count_down(latch, 1);
}

uint32_t hocket_latch_count(const hocket_latch *latch)
{
    return hk_load_acq(hk_word32((uintptr_t)&latch->hocket__word)) & COUNT;
}

int hocket_latch_wait(hocket_latch *latch, hocket_time deadline)
{
    hocket__touch("latch wait", latch);
    const struct hocket__gate gate = HOCKET__GATE(latch, hocket__gate_serve_pulse, &latch_class);
    hocket_task *self = hocket__self_must("hocket_latch_wait");
    return hocket__gate_wait_open(&gate, is_zero, self, deadline);
}
