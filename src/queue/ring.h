/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_RING_H
#define HOCKET_QUEUE_RING_H

/*
 * ring - the values of a bounded first-in first-out queue, without a lock
 *
 * A ring of cells, each with a value and a stamp that says whose turn it is (after Vyukov's
 * bounded queue).  Two words say where the next put and the next get take place:
 *
 *     63 ... k+2 | k+1 ... 2 | 1    | 0
 *       lap      |   index   | SOLO | SLOW         2^k >= capacity
 *
 * A put at position p needs the stamp p.  It moves `tail` on by CAS, which makes the cell its own,
 * copies the value and sets the stamp to p+1.  A get at position p needs p+1, moves `head` on,
 * copies the value and sets the stamp to p + one lap, where the next put waits for it.  One
 * locked instruction each.
 *
 * SLOW in a word makes every such CAS on it fail.  Whoever holds the queue's guard may set it in both,
 * tail first; then the guard alone protects the ring, but for calls whose CAS came before: their
 * cells get their stamp within a few instructions, and are waited for.  As long as SLOW is
 * set, what the words say is exact.  The bit is set while somebody waits, after a close,
 * and always in queues of another kind.
 *
 * SOLO: the words belong to one thread, which moves them on without a locked instruction
 * (queue/solo.h).  Others take the guard and then that right away, and the bit with it.  The owner holds the
 * queue without the guard, and SLOW need not be set then: SOLO keeps the others off.
 *
 * Since the decision to wait is made with SLOW set in the very word that the other side must
 * change by CAS, no wake-up is lost, and no fence or flag is needed beside the CAS.  A put
 * that wins its CAS after a close cannot exist for the same reason.
 *
 * Memory order: a stamp is stored with release and read with acquire, which orders the copies of
 * a cell.  The words are read with acquire; a snapshot of both (tail, head, tail again) is read
 * seq_cst, as it claims that both held at one moment.  The CAS is acq_rel.
 *
 * Rejected: a flag "somebody waits" that is read after the put: it takes a second locked instruction
 * or a seq_cst pair with the waiter, and a close would be inexact.  One counter modulo the
 * capacity: a division a call, or powers of two only.
 */
#include <string.h>

#include "queue/solo.h"

#define HOCKET__RING_SLOW ((uint64_t)1)
#define HOCKET__RING_SOLO ((uint64_t)2)
#define HOCKET__RING_BITS (HOCKET__RING_SLOW | HOCKET__RING_SOLO)
#define HOCKET__RING_STEP 2 /* an index is shifted by so many bits */

#define HOCKET__RING_INLINE static inline __attribute__((always_inline))

struct hocket__ring {
    /* constant */
    unsigned char *cells;
    size_t stride, stamp_at; /* bytes a cell; where its stamp is, behind the value */
    size_t value_size, capacity;
    uint64_t lap; /* one lap in a position: a power of two */
    unsigned lap_shift;

    /* Each on a line of its own, and the neighbour that is fetched with it. */
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) _Atomic uint64_t head;
    struct hocket__solo solo;
};

enum hocket__ring_result {
    HOCKET__RING_DONE,
    HOCKET__RING_NOT, /* full or empty, for certain, at some moment of the call */
    HOCKET__RING_SEE  /* hold the queue, and see */
};

/* A copy of a size known to the compiler is a few instructions, of another one a call. */
static inline void hocket__value_copy(size_t size, void *to, const void *from)
{
    HOCKET_POINT(HOCKET_POINT_STORE, to); /* what orders the copies is to be seen at work */
    if (hk_likely(size == 8))
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else if (size == 16)
        memcpy(to, from, 16);
    else
        memcpy(to, from, size);
}

static inline unsigned char *hocket__ring_cell(const struct hocket__ring *r, uint64_t at)
{
    return r->cells + (size_t)((at & (r->lap - 1)) >> HOCKET__RING_STEP) * r->stride;
}

static inline _Atomic uint64_t *hocket__ring_stamp(const struct hocket__ring *r,
                                                   unsigned char *cell)
{
    return (_Atomic uint64_t *)(void *)(cell + r->stamp_at);
}

/* The position `n` <= capacity further. */
static inline uint64_t hocket__ring_after(const struct hocket__ring *r, uint64_t at, size_t n)
{
    uint64_t index = ((at & (r->lap - 1)) >> HOCKET__RING_STEP) + n, lap = at & ~(r->lap - 1);
    return index < r->capacity ? lap + (index << HOCKET__RING_STEP)
                               : lap + r->lap + ((index - r->capacity) << HOCKET__RING_STEP);
}

/* The next one. */
static inline uint64_t hocket__ring_next(const struct hocket__ring *r, uint64_t at)
{
    uint64_t next = at + (1u << HOCKET__RING_STEP), within = r->lap - 1;
    return hk_likely((next & within) >> HOCKET__RING_STEP != r->capacity) ? next
                                                                          : (at & ~within) + r->lap;
}

/* How many values lie between; nonsense if the two were not read at one moment. */
static inline int64_t hocket__ring_between(const struct hocket__ring *r, uint64_t head,
                                           uint64_t tail)
{
    int64_t laps = (int64_t)(tail >> r->lap_shift) - (int64_t)(head >> r->lap_shift);
    int64_t indices = (int64_t)((tail & (r->lap - 1)) >> HOCKET__RING_STEP) -
                      (int64_t)((head & (r->lap - 1)) >> HOCKET__RING_STEP);
    return laps * (int64_t)r->capacity + indices;
}

/* How many values were put in all. */
static inline uint64_t hocket__ring_total(const struct hocket__ring *r)
{
    uint64_t tail = hk_load_acq(&r->tail);
    return (tail >> r->lap_shift) * r->capacity + ((tail & (r->lap - 1)) >> HOCKET__RING_STEP);
}

/* Wait for another call that has moved on and not yet set its stamp. */
static inline void hocket__ring_await(_Atomic uint64_t *stamp, uint64_t value)
{
    for (unsigned turn = 0; hk_load_acq(stamp) != value; turn++)
        hocket__spin_brief(turn);
}

/* Turns of waiting for such a call before the guard is taken. */
#define HOCKET__RING_TURNS 64

/*
 * `size` is that of the ring: a constant where it is known.
 *
 * The owner's put and get: as those below, with stores instead of the CAS.
 */
HOCKET__RING_INLINE int hocket__ring_solo_put(struct hocket__ring *r, size_t size,
                                              const void *value)
{
    int result = HOCKET__RING_SEE;
    struct hocket__solo_grant *g = hocket__solo_enter(&r->solo);
    if (hk_unlikely(g == NULL))
        return result;
    uint64_t tail = hk_load_acq(&r->tail), at = tail & ~HOCKET__RING_BITS; /* see ring_mark */
    if (hk_likely((tail & HOCKET__RING_BITS) == HOCKET__RING_SOLO)) {
        unsigned char *cell = hocket__ring_cell(r, at);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        if (hk_likely(hk_load_acq(stamp) == at)) {
            hocket__value_copy(size, cell, value);
            hk_store_rel(stamp, at + 1);
            hk_store_rel(&r->tail, hocket__ring_next(r, at) | HOCKET__RING_SOLO);
            result = HOCKET__RING_DONE;
        } else if ((hk_load(&r->head) & ~HOCKET__RING_BITS) + r->lap == at) {
            result = HOCKET__RING_NOT;
        }
    }
    hocket__solo_leave(g);
    return result;
}

HOCKET__RING_INLINE int hocket__ring_solo_get(struct hocket__ring *r, size_t size, void *ret_value)
{
    int result = HOCKET__RING_SEE;
    struct hocket__solo_grant *g = hocket__solo_enter(&r->solo);
    if (hk_unlikely(g == NULL))
        return result;
    uint64_t head = hk_load_acq(&r->head), at = head & ~HOCKET__RING_BITS; /* see ring_mark */
    if (hk_likely((head & HOCKET__RING_BITS) == HOCKET__RING_SOLO)) {
        unsigned char *cell = hocket__ring_cell(r, at);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        if (hk_likely(hk_load_acq(stamp) == at + 1)) {
            hocket__value_copy(size, ret_value, cell);
            hk_store_rel(stamp, at + r->lap);
            hk_store_rel(&r->head, hocket__ring_next(r, at) | HOCKET__RING_SOLO);
            result = HOCKET__RING_DONE;
        } else if ((hk_load(&r->tail) & ~HOCKET__RING_BITS) == at) {
            result = HOCKET__RING_NOT;
        }
    }
    hocket__solo_leave(g);
    return result;
}

HOCKET__RING_INLINE int hocket__ring_put(struct hocket__ring *r, size_t size, const void *value)
{
    unsigned turn = 0;
    uint64_t tail = hk_load_acq(&r->tail);
    while (hk_likely(!(tail & HOCKET__RING_BITS))) {
        unsigned char *cell = hocket__ring_cell(r, tail);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        if (hk_likely(hk_load_acq(stamp) == tail)) {
            if (hk_likely(hk_cas(&r->tail, &tail, hocket__ring_next(r, tail)))) {
                hocket__value_copy(size, cell, value);
                hk_store_rel(stamp, tail + 1); /* pairs with the load of a get */
                return HOCKET__RING_DONE;
            }
            continue;
        }
        uint64_t head = hk_load_sc(&r->head), again = hk_load_sc(&r->tail);
        if (again == tail) {
            if ((head & ~HOCKET__RING_BITS) + r->lap == tail)
                return HOCKET__RING_NOT;
            if (turn++ == HOCKET__RING_TURNS)
                break;
            hk_spin_pause();
        }
        tail = again;
    }
    return (tail & HOCKET__RING_BITS) == HOCKET__RING_SOLO ? hocket__ring_solo_put(r, size, value)
                                                           : HOCKET__RING_SEE;
}

HOCKET__RING_INLINE int hocket__ring_get(struct hocket__ring *r, size_t size, void *ret_value)
{
    unsigned turn = 0;
    uint64_t head = hk_load_acq(&r->head);
    while (hk_likely(!(head & HOCKET__RING_BITS))) {
        unsigned char *cell = hocket__ring_cell(r, head);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        if (hk_likely(hk_load_acq(stamp) == head + 1)) {
            if (hk_likely(hk_cas(&r->head, &head, hocket__ring_next(r, head)))) {
                hocket__value_copy(size, ret_value, cell);
                hk_store_rel(stamp, head + r->lap); /* pairs with the load of a put */
                return HOCKET__RING_DONE;
            }
            continue;
        }
        uint64_t tail = hk_load_sc(&r->tail), again = hk_load_sc(&r->head);
        if (again == head) {
            if (tail == head) /* with SLOW it may be closed, which is another answer */
                return HOCKET__RING_NOT;
            if ((tail & HOCKET__RING_BITS) || turn++ == HOCKET__RING_TURNS)
                break;
            hk_spin_pause();
        }
        head = again;
    }
    return (head & HOCKET__RING_BITS) == HOCKET__RING_SOLO
               ? hocket__ring_solo_get(r, size, ret_value)
               : HOCKET__RING_SEE;
}

/* As many of `count` values as there is room for at once; 0: full, or hold the queue. */
static inline size_t hocket__ring_put_some(struct hocket__ring *r, const unsigned char *values,
                                           size_t count)
{
    uint64_t tail = hk_load_acq(&r->tail);
    size_t n;
    do {
        int64_t there = hocket__ring_between(r, hk_load_acq(&r->head), tail);
        if ((tail & HOCKET__RING_BITS) || there < 0 || there >= (int64_t)r->capacity)
            return 0;
        n = r->capacity - (size_t)there;
        n = n < count ? n : count;
    } while (!hk_cas(&r->tail, &tail, hocket__ring_after(r, tail, n)));
    for (size_t i = 0; i < n; i++) {
        unsigned char *cell = hocket__ring_cell(r, tail);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        hocket__ring_await(stamp, tail);
        hocket__value_copy(r->value_size, cell, values + i * r->value_size);
        hk_store_rel(stamp, tail + 1);
        tail = hocket__ring_next(r, tail);
    }
    return n;
}

/* Up to `most` values that are there; 0: empty, or hold the queue. */
static inline size_t hocket__ring_get_some(struct hocket__ring *r, unsigned char *ret_values,
                                           size_t most)
{
    uint64_t head = hk_load_acq(&r->head);
    size_t n;
    do {
        int64_t there = hocket__ring_between(r, head, hk_load_acq(&r->tail));
        if ((head & HOCKET__RING_BITS) || there <= 0 || there > (int64_t)r->capacity)
            return 0;
        n = (size_t)there < most ? (size_t)there : most;
    } while (!hk_cas(&r->head, &head, hocket__ring_after(r, head, n)));
    for (size_t i = 0; i < n; i++) {
        unsigned char *cell = hocket__ring_cell(r, head);
        _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
        hocket__ring_await(stamp, head + 1);
        hocket__value_copy(r->value_size, ret_values + i * r->value_size, cell);
        hk_store_rel(stamp, head + r->lap);
        head = hocket__ring_next(r, head);
    }
    return n;
}

/* ---- holding the queue ---- */

/*
 * Stores will do where nobody else changes a word: with SLOW in it, or SOLO and the owner calls.
 * They release what was done to the ring meanwhile; the loads of the words acquire it.
 */
static inline void hocket__ring_mark(struct hocket__ring *r, uint64_t bits)
{
    uint64_t tail = hk_load(&r->tail);
    if ((tail & HOCKET__RING_BITS) == bits)
        return;
    hk_store_rel(&r->tail, (tail & ~HOCKET__RING_BITS) | bits);
    hk_store_rel(&r->head, (hk_load(&r->head) & ~HOCKET__RING_BITS) | bits);
}

/* With the guard, by who is not the owner: from now on nobody is. */
static inline void hocket__ring_slow(struct hocket__ring *r)
{
    uint64_t tail = hk_load(&r->tail);
    if (hk_unlikely((tail & HOCKET__RING_SOLO) != 0)) {
        hocket__solo_revoke(&r->solo);
        hocket__ring_mark(r, HOCKET__RING_SLOW);
    } else if (!(tail & HOCKET__RING_SLOW)) {
        (void)hk_or(&r->tail, HOCKET__RING_SLOW);
        (void)hk_or(&r->head, HOCKET__RING_SLOW);
    }
}

/* Values in it. */
static inline size_t hocket__ring_count(const struct hocket__ring *r)
{
    return (size_t)hocket__ring_between(r, hk_load(&r->head), hk_load(&r->tail));
}

static inline void hocket__ring_push(struct hocket__ring *r, const void *value)
{
    uint64_t word = hk_load(&r->tail), tail = word & ~HOCKET__RING_BITS;
    unsigned char *cell = hocket__ring_cell(r, tail);
    _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
    hocket__ring_await(stamp, tail);
    hocket__value_copy(r->value_size, cell, value);
    hk_store_rel(stamp, tail + 1);
    hk_store_rel(&r->tail, hocket__ring_next(r, tail) | (word & HOCKET__RING_BITS));
}

/* The oldest value, which stays where it is until the ring is put into again. */
static inline unsigned char *hocket__ring_take(struct hocket__ring *r)
{
    uint64_t word = hk_load(&r->head), head = word & ~HOCKET__RING_BITS;
    unsigned char *cell = hocket__ring_cell(r, head);
    _Atomic uint64_t *stamp = hocket__ring_stamp(r, cell);
    hocket__ring_await(stamp, head + 1);
    hk_store_rel(stamp, head + r->lap);
    hk_store_rel(&r->head, hocket__ring_next(r, head) | (word & HOCKET__RING_BITS));
    return cell;
}

#endif
