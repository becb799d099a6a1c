/* SPDX-License-Identifier: MIT */
/*
 * strategy - who goes on
 *
 * Obvious: who runs goes on; who yields, waits or ends is followed by the one that has not run for
 * longest.  So a schedule without any choice is fair, and what a schedule did otherwise is its list of
 * choices (sim/shared.h).
 *
 * Random: at each place a coin, whose side is drawn from the seed, too: some bugs want many switches
 * and some want few.  The next task is drawn evenly.
 *
 * PCT (Burckhardt and others, ASPLOS 2010): the ready task of the highest priority goes on.  Priorities are
 * random; at depth - 1 random places the running task gets one below all others.  A bug that
 * takes d ordered steps falls with probability 1/(n k^(d-1)) or better.  How long the run will be (k) is not
 * known, so all magnitudes are tried.  Who yields sinks as well, or it would spin for ever.
 *
 * In both, time is one more that may go on, if the first deadline is near: a machine may be slow.
 */
#include "sim/world.h"

#define W hocket__sim_world

#define BASE           (UINT64_C(1) << 40)
#define TIME_ODDS      32 /* random: time passes at one of so many places */
#define TIME_ODDS_ATOM (16 * TIME_ODDS)

static uint32_t preempt;               /* random: probability of a switch, of 2^32 */
static uint64_t change[SIM_DEPTH_MAX]; /* PCT: turns */
static uint32_t changes;
static uint64_t lowest = BASE - 1; /* PCT: all that were lowered are above */
static uint64_t time_priority;

/* splitmix64: every seed is good, neighbours too. */
uint64_t hocket__sim_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t drawn(void)
{
    return hocket__sim_random(&W.random);
}

void hocket__sim_strategy_start(void)
{
    static const uint32_t one_of[] = { 2, 3, 5, 10, 25, 80 };
    if (W.plan->replay)
        hocket__sim_replay_start();
    preempt = UINT32_MAX / one_of[drawn() % 6];
    time_priority = BASE + drawn() % BASE;
    uint64_t a = drawn() % 12, b = drawn() % 12; /* small ones more often: most tests are */
    uint64_t length = UINT64_C(1) << (2 + (a < b ? a : b));
    changes = W.plan->depth - 1;
    for (uint32_t i = 0; i < changes; i++)
        change[i] = 1 + drawn() % length;
}

void hocket__sim_strategy_task(struct sim_task *t)
{
    if (W.plan->strategy == HOCKET_SIM_PCT && !W.plan->replay)
        t->priority = BASE + drawn() % BASE;
}

int hocket__sim_obvious(const struct sim_question *q)
{
    if (q->self >= 0 && !q->yields)
        return q->self;
    int best = -1;
    for (uint32_t i = 0; i < W.ready_count; i++) {
        const struct sim_task *t = W.ready[i], *b = best >= 0 ? W.ready[best] : NULL;
        if ((int)i != q->self &&
            (!b || t->ran < b->ran || (t->ran == b->ran && t->number < b->number)))
            best = (int)i;
    }
    return best >= 0 ? best : q->self;
}

static int pick_random(const struct sim_question *q)
{
    if (q->time && drawn() % (q->atom ? TIME_ODDS_ATOM : TIME_ODDS) == 0)
        return SIM_CLOCK;
    uint32_t others = W.ready_count - (q->self >= 0); /* self is the last */
    if (q->self >= 0) {
        bool stays = q->yields ? drawn() % 8 == 0 : (uint32_t)drawn() >= preempt;
        if (stays || others == 0)
            return q->self;
    }
    return (int)(drawn() % others);
}

static int pick_pct(const struct sim_question *q)
{
    int best = 0;
    for (uint32_t i = 0; q->self >= 0 && i < changes; i++)
        if (change[i] == W.turn)
            W.ready[q->self]->priority = lowest--;
    if (q->yields)
        W.ready[q->self]->priority = lowest--;
    for (uint32_t i = 1; i < W.ready_count; i++)
        if (W.ready[i]->priority > W.ready[best]->priority)
            best = (int)i;
    if (q->time && time_priority > W.ready[best]->priority) {
        time_priority = lowest--;
        return SIM_CLOCK;
    }
    return best;
}

static int pick_replayed(const struct sim_question *q)
{
    const struct sim_choice *c = hocket__sim_replay_find(SIM_TIME);
    if (c && q->time)
        return SIM_CLOCK;
    c = hocket__sim_replay_find(SIM_GO);
    for (uint32_t i = 0; c && i < W.ready_count; i++)
        if (W.ready[i]->number == c->value)
            return (int)i;
    return hocket__sim_obvious(q);
}

int hocket__sim_pick(const struct sim_question *q)
{
    if (W.plan->replay)
        return pick_replayed(q);
    switch (W.plan->strategy) {
    case HOCKET_SIM_PCT: return pick_pct(q);
    case HOCKET_SIM_EXHAUSTIVE: return hocket__sim_explore_pick(q);
    default: return pick_random(q);
    }
}

void hocket__sim_log(enum sim_choice_kind kind, uint32_t value)
{
    struct sim_shared *s = W.shared;
    if (s->out_count == SIM_CHOICES) {
        s->out_full = true;
        return;
    }
    const struct sim_task *who = W.current;
    s->out[s->out_count++] = (struct sim_choice){ who->number, who->step, kind, value };
}

uint32_t hocket__sim_draw(uint32_t n)
{
    uint32_t value = 0;
    struct sim_task *self = hocket__sim_running();
    if (self)
        W.current = self;
    if (!W.current)
        W.current = &W.nobody;
    W.current->step++;
    if (W.plan->replay) {
        const struct sim_choice *c = hocket__sim_replay_find(SIM_DRAW);
        value = c ? c->value % n : 0;
    } else if (W.plan->strategy == HOCKET_SIM_EXHAUSTIVE) {
        value = hocket__sim_explore_draw(n);
    } else {
        value = (uint32_t)(drawn() % n);
    }
    if (value != 0)
        hocket__sim_log(SIM_DRAW, value);
    return value;
}
