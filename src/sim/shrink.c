/* SPDX-License-Identifier: MIT */
/*
 * shrink - a shorter schedule that fails, too
 *
 * Delta debugging over the list of choices (Zeller 1999): leave out large parts, then smaller ones, as
 * long as the run still fails in the same way.  What is left out is replaced by the obvious choice,
 * and since a task's places are counted for itself the rest mostly keeps its meaning.  A shortened
 * run writes its own list, in which choices without effect are not.
 *
 * A race that was met by chance after many switches does not always fall apart step by step.  Where
 * more than a few choices stay, a strategy of few switches looks for another schedule that
 * fails in the same way, and that one is shortened.
 */
#include <string.h>

#include <hocket/time.h>

#include "sim/session.h"
#include "sys/sys.h"

#define RUNS  1000
#define LIMIT (10 * HOCKET_SEC) /* of real time */
#define FEW   3u                /* choices that are short enough, and the depth of PCT for them */
#define TRIES 400u              /* to find a shorter schedule */

struct shrinking {
    struct sim_session *x;
    int failure, value;
    int64_t until;
    unsigned runs;
};

static bool enough(const struct shrinking *z)
{
    return z->runs >= RUNS || hocket__sys_linux.clock() >= z->until;
}

static bool same_failure(const struct shrinking *z)
{
    const struct sim_shared *s = z->x->shared;
    return s->failure == z->failure && s->value == z->value && !s->out_full;
}

/* Run what lies in in[]; does it fail in the same way? */
static bool fails(struct shrinking *z, uint32_t count)
{
    struct sim_shared *s = z->x->shared;
    s->plan.replay = true;
    s->plan.in_count = count;
    z->runs++;
    return hocket__sim_once(z->x) == 0 && same_failure(z);
}

/* What the run has written is the new list, if it is shorter. */
static void accept(struct sim_session *x)
{
    const struct sim_shared *s = x->shared;
    if (s->out_count >= x->choice_count)
        return;
    memcpy(x->choices, s->out, s->out_count * sizeof *s->out);
    x->choice_count = s->out_count;
}

/* in[] = the list without `count` choices from `from` on. */
static uint32_t leave_out(struct sim_session *x, uint32_t from, uint32_t count)
{
    struct sim_choice *in = x->shared->in;
    uint32_t behind = x->choice_count - from - count;
    memcpy(in, x->choices, from * sizeof *in);
    memcpy(in + from, x->choices + from + count, behind * sizeof *in);
    return from + behind;
}

/* One pass with parts of one size; true: something could be left out. */
static bool pass(struct shrinking *z, uint32_t part)
{
    struct sim_session *x = z->x;
    bool any = false;
    for (uint32_t from = 0; from < x->choice_count && !enough(z);) {
        uint32_t count = part < x->choice_count - from ? part : x->choice_count - from;
        uint32_t before = x->choice_count;
        if (fails(z, leave_out(x, from, count))) {
            accept(x);
            any = any || x->choice_count < before;
            if (x->choice_count < before)
                continue;
        }
        from += part;
    }
    return any;
}

static void shorten(struct shrinking *z)
{
    for (uint32_t part = z->x->choice_count; part > 0 && !enough(z); part /= 2)
        while (pass(z, part) && part == 1)
            ;
}

/* Another schedule, with fewer choices; true: it is the list now. */
static bool find_shorter(struct shrinking *z)
{
    struct sim_shared *s = z->x->shared;
    struct sim_plan kept = s->plan;
    uint32_t before = z->x->choice_count;
    s->plan.replay = false;
    s->plan.strategy = HOCKET_SIM_PCT;
    s->plan.depth = FEW;
    for (uint32_t i = 0; i < TRIES && z->x->choice_count == before && !enough(z); i++) {
        s->plan.seed = i;
        z->runs++;
        if (hocket__sim_once(z->x) == 0 && same_failure(z))
            accept(z->x);
    }
    s->plan = kept;
    return z->x->choice_count < before;
}

bool hocket__sim_shrink(struct sim_session *x)
{
    struct sim_shared *s = x->shared;
    struct shrinking z = { x, s->failure, s->value, hocket__sys_linux.clock() + LIMIT, 0 };
    bool same = fails(&z, leave_out(x, 0, 0)), others = x->sweep == 0;
    if (same)
        shorten(&z);
    while (same && others && x->choice_count > FEW && find_shorter(&z))
        shorten(&z);
    /* Once more, for the report: what is in shared memory is that of the last try. */
    return fails(&z, leave_out(x, 0, 0)) && same;
}
