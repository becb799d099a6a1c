/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_SPIN_H
#define HOCKET_PARK_SPIN_H

/*
 * spin - waiting a moment without leaving the CPU
 *
 * A hand-off to a task that spins costs 0.1 us, waking one that sleeps 12-25 us.
 * So who finds something taken looks again a few times: with pauses at first, which
 * is what a holder on another CPU needs, then letting other threads run, which is
 * what a holder without a CPU needs.  A fiber does not do the latter: by parking it lets
 * the other fibers of its worker run, which is cheaper than a system call.
 */
#include "park/record.h"
#include "sys/ticks.h"

struct hocket__spin {
    hocket_task *self;
    unsigned round;
};

#define HOCKET__SPIN_PAUSES 3  /* rounds of 2, 4, 8 pauses */
#define HOCKET__SPIN_YIELDS 10 /* rounds in all, the further ones by thread_yield */

/*
 * A look takes the line away from the holder, who could lock and unlock ten times meanwhile: so the
 * looks of the further rounds are 1.5 us apart.  Where others ran, the yield took longer than that.
 */
#define HOCKET__SPIN_APART     (HOCKET__TICKS_PER_US * 3 / 2)
#define HOCKET__SPIN_APART_MAX 64 /* pauses: the clock may stand still */

static inline void hocket__spin_yield(void)
{
    int64_t next_look = hocket__ticks() + HOCKET__SPIN_APART;
    hocket__thread_yield();
    for (int i = 0; i < HOCKET__SPIN_APART_MAX && hocket__ticks() < next_look; i++)
        hocket__cpu_relax();
}

static inline struct hocket__spin hocket__spin_start(hocket_task *self)
{
    return (struct hocket__spin){ self, self->ops->spin(self) ? 0 : HOCKET__SPIN_YIELDS };
}

/* One turn; false when it is time to park. */
static inline bool hocket__spin_turn(struct hocket__spin *spin)
{
    if (spin->round >= HOCKET__SPIN_YIELDS)
        return false;
    spin->round++;
    if (spin->round <= HOCKET__SPIN_PAUSES) {
        for (unsigned i = 0; i < 1u << spin->round; i++)
            hk_spin_pause();
        return true;
    }
    if (spin->self->kind == HOCKET__FIBER)
        return false;
    hocket__spin_yield();
    return true;
}

/* Wait for another thread that is about to finish something of a few instructions. */
static inline void hocket__spin_brief(unsigned turn)
{
    if (turn < 100)
        hk_spin_pause();
    else
        hocket__thread_yield(); /* it was preempted */
}

/* The cheap clock, see sys/ticks.h. */
static inline int64_t hocket__spin_ticks(void)
{
    return hocket__ticks();
}

#define HOCKET__SPIN_TICKS_PER_US HOCKET__TICKS_PER_US

#endif
