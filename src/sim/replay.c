/* SPDX-License-Identifier: MIT */
/*
 * replay - the choices of a recorded schedule, found by task, step and kind
 *
 * A table over the list, made before the run.  Each is used as often as its value says (SIM_TIME)
 * or once.
 */
#include "base/hash.h"
#include "sim/world.h"

#define W hocket__sim_world

static uint32_t *table; /* 1 + index of the choice */
static uint32_t mask;
static uint32_t *used;

static uint32_t hash(uint32_t task, uint32_t step, uint32_t kind)
{
    uint64_t key = (uint64_t)task << 40 ^ (uint64_t)step << 8 ^ kind;
    return hocket__hash_of(key);
}

void hocket__sim_replay_start(void)
{
    uint32_t n = W.plan->in_count, size = 64;
    while (size < 2 * n)
        size *= 2;
    table = hocket__sim_map(2 * (size_t)size * sizeof *table);
    used = table + size;
    mask = size - 1;
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_choice *c = &W.shared->in[i];
        uint32_t at = hash(c->task, c->step, c->kind);
        while (table[at & mask])
            at++;
        table[at & mask] = i + 1;
    }
}

const struct sim_choice *hocket__sim_replay_find(enum sim_choice_kind kind)
{
    uint32_t task = W.current->number, step = W.current->step;
    for (uint32_t at = hash(task, step, kind); table[at & mask]; at++) {
        uint32_t i = table[at & mask] - 1;
        const struct sim_choice *c = &W.shared->in[i];
        if (c->task == task && c->step == step && c->kind == (uint32_t)kind &&
            used[i] < (kind == SIM_TIME ? c->value : 1)) {
            used[i]++;
            return c;
        }
    }
    return NULL;
}
