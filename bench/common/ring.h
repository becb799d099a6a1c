/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_RING_H
#define QUEUE_RING_H

/* ring - a bounded queue of numbers as one writes it by hand: a mutex and two conditions */

#include <pthread.h>
#include <stdint.h>

#define RING_CAPACITY 128

struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t not_full, not_empty;
    unsigned head, count;
    uint64_t values[RING_CAPACITY];
};

#define RING_INIT                                                                            \
    {                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, \
        {                                                                                    \
            0                                                                                \
        }                                                                                    \
    }

static inline void ring_put(struct ring *r, uint64_t value)
{
    pthread_mutex_lock(&r->mutex);
    while (r->count == RING_CAPACITY)
        pthread_cond_wait(&r->not_full, &r->mutex);
    r->values[(r->head + r->count++) % RING_CAPACITY] = value;
    pthread_mutex_unlock(&r->mutex);
    pthread_cond_signal(&r->not_empty);
}

static inline uint64_t ring_get(struct ring *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->count == 0)
        pthread_cond_wait(&r->not_empty, &r->mutex);
    uint64_t value = r->values[r->head];
    r->head = (r->head + 1) % RING_CAPACITY;
    r->count--;
    pthread_mutex_unlock(&r->mutex);
    pthread_cond_signal(&r->not_full);
    return value;
}

#endif
