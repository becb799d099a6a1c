/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_SEEDED_H
#define HOCKET_TEST_SEEDED_H
/*
 * seeded - randomness of stress tests
 *
 *     uint64_t seed = seeded_begin("queue_flow");   // prints it; HOCKET_STRESS_SEED=n replays
 *     struct seeded r = seeded_of(seed, index);     // a stream for each task
 *     if (seeded_below(&r, 4) == 0) ...
 *
 * What the system schedules is not seeded, so a replay makes a failure likely, not certain.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct seeded {
    uint64_t state;
};

static inline uint64_t seeded_begin(const char *name)
{
    const char *given = getenv("HOCKET_STRESS_SEED");
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10)
                                  : (uint64_t)t.tv_sec * 1000003u + (uint64_t)t.tv_nsec;
    printf("%s: HOCKET_STRESS_SEED=%llu\n", name, (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* splitmix64 */
static inline uint64_t seeded_next(struct seeded *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline struct seeded seeded_of(uint64_t seed, int stream)
{
    struct seeded r = { seed ^ (uint64_t)(stream + 1) * 0xd1342543de82ef95u };
    (void)seeded_next(&r);
    return r;
}

static inline uint32_t seeded_below(struct seeded *r, uint32_t n)
{
    return (uint32_t)(seeded_next(r) >> 32) % n;
}

#endif
