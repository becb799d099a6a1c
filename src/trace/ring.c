/* SPDX-License-Identifier: MIT */
/* ring - see trace/ring.h */
#include "trace/ring.h"

#include <errno.h>
#include <pthread.h>

#include "park/forked.h"
#include "park/guard.h"
#include "park/tls.h"
#include "sys/sys.h"

/* PTHREAD_DESTRUCTOR_ITERATIONS, so that the destructors of others are seen; park/record.c. */
#define EXIT_ROUNDS 3
#define PATIENCE    1000

static hocket__guard rings_guard;
static _Atomic(struct hocket__trace_ring *) rings[HOCKET__RINGS_MAX];
static _Atomic uint32_t ring_count;
static _Atomic uint32_t denied;
static _Atomic size_t ring_bytes = (size_t)4 << 20;

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

/* Of this thread; a function of its own reads them, so that no fiber keeps their addresses. */
__thread struct hocket__trace_ring *hocket__trace_ring_own HOCKET__TLS_MODEL;
struct here {
    int rounds;
    bool over;   /* it has given its ring back, or can have none */
    bool inside; /* it has the guard, or waits for it */
};
static __thread struct here here HOCKET__TLS_MODEL;

/*
 * False in a signal handler that interrupted this thread inside: the next event tries again.
 * And in the child of a fork, where the holder may not exist: give up after a while.
 */
static bool lock(struct here *h)
{
    bool child = hk_load(&hocket__is_child), locked = !child;
    if (h->inside)
        return false;
    h->inside = true;
    hk_barrier(); /* against this thread's signal handlers alone, as below */
    if (!child)
        hocket__guard_lock(&rings_guard);
    for (int i = 0; !locked && i < PATIENCE; i++) {
        locked = hocket__guard_trylock(&rings_guard);
        if (!locked)
            hocket__thread_yield();
    }
    hk_barrier();
    h->inside = locked;
    return locked;
}

static void unlock(struct here *h)
{
    (void)hocket__guard_unlock(&rings_guard);
    hk_barrier();
    h->inside = false;
}

static void thread_end(void *arg)
{
    struct here *h = arg;
    if (++h->rounds < EXIT_ROUNDS && pthread_setspecific(exit_key, h) == 0)
        return;
    struct hocket__trace_ring *r = hocket__trace_ring_own;
    h->over = true;
    hocket__trace_ring_own = NULL;
    bool locked = lock(h);
    hk_store(&r->ended, true);
    if (locked)
        unlock(h);
}

static void exit_key_make(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_end) == 0;
}

/* Of the rings whose thread has ended the one with the newest events; under the guard. */
static struct hocket__trace_ring *take_ended(void)
{
    for (uint32_t i = hk_load(&ring_count); i-- > 0;) {
        struct hocket__trace_ring *r = hk_load(&rings[i]);
        if (hk_load(&r->ended))
            return r;
    }
    return NULL;
}

/* Under the guard. */
static struct hocket__trace_ring *make(void)
{
    uint32_t n = hk_load(&ring_count);
    size_t bytes = hk_load(&ring_bytes);
    void *memory;
    if (n == HOCKET__RINGS_MAX ||
        hocket__map(sizeof(struct hocket__trace_ring) + bytes, &memory) != 0)
        return NULL;
    struct hocket__trace_ring *r = memory;
    r->slots = (struct hocket__slot *)(void *)((char *)memory + sizeof *r);
    r->mask = bytes / sizeof(struct hocket__slot) - 1;
    r->number = n;
    hk_store_rel(&rings[n], r); /* pairs with hocket__trace_ring_at */
    hk_store_rel(&ring_count, n + 1);
    return r;
}

int hocket__rings_prepare(void)
{
    return pthread_once(&exit_once, exit_key_make) == 0 && exit_key_made ? 0 : -ENOMEM;
}

HK_COLD static struct hocket__trace_ring *attach(struct here *h)
{
    if (h->over || !lock(h))
        return NULL;
    struct hocket__trace_ring *r = take_ended();
    if (r == NULL)
        r = make();
    if (r != NULL) {
        hk_store(&r->ended, false);
        hk_store(&r->tid, (uint32_t)hocket__thread_id());
        hk_store(&r->worker, -1);
    }
    unlock(h);
    h->over = r == NULL || pthread_setspecific(exit_key, h) != 0;
    if (h->over) {
        (void)hk_add(&denied, 1);
        if (r != NULL)
            hk_store(&r->ended, true);
        return NULL;
    }
    h->rounds = 0;
    hocket__trace_ring_own = r;
    return r;
}

HK_NOINLINE struct hocket__trace_ring *hocket__trace_ring_here(void)
{
    struct hocket__trace_ring *r = hocket__trace_ring_own;
    return hk_likely(r != NULL) ? r : attach(&here);
}

void hocket__trace_ring_size(size_t bytes)
{
    hk_store(&ring_bytes, bytes);
}

size_t hocket__trace_ring_size_now(void)
{
    return hk_load(&ring_bytes);
}

HK_NOINLINE void hocket__rings_forget(void)
{
    struct here *h = &here;
    bool locked = lock(h);
    for (uint32_t i = 0, n = hk_load(&ring_count); i < n; i++) {
        struct hocket__trace_ring *r = hk_load(&rings[i]);
        hk_store(&r->begin, hk_load_acq(&r->next));
        hk_store(&r->missed, 0);
    }
    hk_store(&denied, 0);
    if (locked)
        unlock(h);
}

struct hocket__trace_ring *hocket__trace_ring_at(uint32_t i)
{
    return i < hk_load_acq(&ring_count) ? hk_load_acq(&rings[i]) : NULL;
}

uint32_t hocket__rings_denied(void)
{
    return hk_load(&denied);
}

/* The oldest slot that is still whole when `next` slots have been written. */
static uint64_t oldest(const struct hocket__trace_ring *r, uint64_t next)
{
    uint64_t slots = r->mask + 1, begin = hk_load(&r->begin);
    uint64_t first = next + HOCKET__RING_MARGIN > slots ? next + HOCKET__RING_MARGIN - slots : 0;
    return first > begin ? first : begin;
}

uint64_t hocket__trace_ring_copy(const struct hocket__trace_ring *r, struct hkt_event *to,
                                 uint64_t *ret_lost)
{
    uint64_t next = hk_load_acq(&r->next); /* pairs with hocket__trace_ring_end */
    uint64_t from = oldest(r, next);
    for (uint64_t n = from; n < next; n++) {
        const struct hocket__slot *s = &r->slots[n & r->mask];
        to[n - from] = (struct hkt_event){ hk_load_acq(&s->words[0]), hk_load_acq(&s->words[1]),
                                           hk_load_acq(&s->words[2]), hk_load_acq(&s->words[3]) };
    }
    /* The loads above acquire, so this one is not before them. */
    uint64_t good = oldest(r, hk_load_acq(&r->next));
    if (good > next)
        good = next;
    for (uint64_t n = good; n < next && good > from; n++)
        to[n - good] = to[n - from];
    uint64_t begin = hk_load(&r->begin);
    *ret_lost = good > begin ? good - begin : 0;
    return next - good;
}
