/* SPDX-License-Identifier: MIT */
/*
 * explore_strategy - who runs next
 *
 * Random: a coin at each point; the next thread is drawn evenly.  A thread that spins has
 * to wait until the others have stopped, too, or, seldom, is let on all the same.
 *
 * PCT (Burckhardt and others, ASPLOS 2010): the runnable thread of highest priority runs.
 * Priorities are random; at d - 1 random steps the running thread gets one below all.
 * A bug that takes d ordered steps falls with probability 1/(n k^(d-1)) or better.
 * Who spins sinks as well, or it would spin for ever.
 *
 * A thread that is preempted may be away for long, whatever the others do: then those who spin for
 * it give up spinning and sleep.
 *
 * Time is one more thread: when it "runs", the clock jumps to the next deadline.
 */
#include "support/explore_world.h"

#define W explore__world
#define S explore__world.strategy

#define PRIORITY_BASE (UINT64_C(1) << 40)

/* splitmix64: every seed is good, neighbours too. */
uint64_t explore__random(void)
{
    uint64_t z = (S.random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t drawn_priority(void)
{
    return PRIORITY_BASE + explore__random() % PRIORITY_BASE;
}

void explore__strategy_start(uint64_t seed)
{
    static const unsigned one_of[] = { 2, 4, 8, 16, 40, 100 };
    S.random = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    S.pct = seed % 2 == 1;
    S.preempt = UINT32_MAX / one_of[explore__random() % 6];
    S.lowest = PRIORITY_BASE - 1;
    S.clock = drawn_priority();
    /* How long the run will be is not known: try all magnitudes. */
    uint64_t length = UINT64_C(1) << (4 + explore__random() % 10);
    unsigned depth = (unsigned)(explore__random() % EXPLORE_PCT_MAX);
    for (unsigned i = 0; i < EXPLORE_PCT_MAX; i++)
        S.change[i] = i < depth ? 1 + explore__random() % length : 0;
}

void explore__strategy_thread(struct explore_thread *t)
{
    t->priority = drawn_priority();
}

static bool away(const struct explore_thread *t)
{
    return t->away_until > W.steps;
}

/* Off the CPU for 16 to 2,048 points, if there is anybody else. */
static void send_away(struct explore_thread *t)
{
    t->away_until = W.steps + (UINT64_C(16) << explore__random() % 8);
}

static bool pct_preempts(struct explore_thread *t, bool spins)
{
    bool changes = false;
    for (unsigned i = 0; i < EXPLORE_PCT_MAX; i++)
        changes = changes || W.steps == S.change[i];
    if (changes && explore__random() % 2)
        send_away(t);
    if (changes || spins)
        t->priority = S.lowest--;
    return changes || spins || W.pick_anew;
}

bool explore__strategy_preempts(struct explore_thread *t, bool spins)
{
    if (S.pct)
        return pct_preempts(t, spins);
    t->yielded = spins;
    if (spins)
        return true;
    if ((uint32_t)explore__random() >= S.preempt)
        return false;
    if (explore__random() % 8 == 0)
        send_away(t);
    return true;
}

/* True if `t` goes before `best`: who is not away, then the higher priority. */
static bool pct_before(const struct explore_thread *t, const struct explore_thread *best)
{
    return away(t) != away(best) ? !away(t) : t->priority > best->priority;
}

static int pick_pct(bool time_may_pass)
{
    int best = EXPLORE_NOBODY;
    for (int i = 0; i < W.count; i++) {
        struct explore_thread *t = &W.threads[i];
        if (explore__can_run(t) && (best < 0 || pct_before(t, &W.threads[best])))
            best = i;
    }
    if (time_may_pass && (best < 0 || S.clock > W.threads[best].priority)) {
        S.clock = S.lowest--;
        return EXPLORE_CLOCK;
    }
    return best;
}

static int pick_random(bool time_may_pass)
{
    int all[EXPLORE_THREADS], busy[EXPLORE_THREADS];
    uint32_t all_count = 0, busy_count = 0;
    for (int with_away = 0; with_away < 2 && all_count == 0; with_away++) {
        for (int i = 0; i < W.count; i++) {
            const struct explore_thread *t = &W.threads[i];
            if (!explore__can_run(t) || (away(t) && !with_away))
                continue;
            all[all_count++] = i;
            if (!t->yielded)
                busy[busy_count++] = i;
        }
    }
    if (time_may_pass && (all_count == 0 || explore__random() % 32 == 0))
        return EXPLORE_CLOCK;
    if (all_count == 0)
        return EXPLORE_NOBODY;
    if (busy_count > 0 && explore__random() % 8 != 0)
        return busy[explore__random() % busy_count];
    return all[explore__random() % all_count];
}

int explore__strategy_pick(void)
{
    bool time_may_pass = explore__next_deadline() != INT64_MAX;
    W.pick_anew = false;
    return S.pct ? pick_pct(time_may_pass) : pick_random(time_may_pass);
}
