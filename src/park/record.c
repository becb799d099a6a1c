/* SPDX-License-Identifier: MIT */
/*
 * record - the slabs of task records, and which record the calling thread has
 *
 * Slabs are mapped once and never unmapped: that is what makes records
 * type-stable.  Free records are on two lists under one guard.  Workers take and return
 * chunks, chains of HOCKET__RECORD_CHUNK records that nobody walks along: each record on the way
 * would be a miss that the next one waits for.  Everybody else takes one of the loose ones.
 *
 * A slab pointer is published with release after the slab is mapped (zeroed by
 * the kernel); hocket__record_at pairs with acquire.  Its pages are touched as its records are
 * needed, so a program that only locks pays for one.
 */
#include "park/record.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "park/cancel.h"
#include "park/forks.h"
#include "park/thread.h"
#include "sys/sanitizer.h"
#include "sys/sys.h"

#define SLAB_RECORDS 1024u
#define SLAB_MAX     16384u
#define CARVE        16u /* divides SLAB_RECORDS */

_Atomic hocket_time hocket__tick;
void (*_Atomic hocket__producer_ended)(hocket_task *task);
void (*hocket__foreign_exit)(hocket_task *task);
const struct hocket__fork_ops *_Atomic hocket__fork_ops;

static _Atomic(hocket_task *) slabs[SLAB_MAX];
static _Atomic uint32_t slab_count;
static hocket__guard free_guard; /* protects the lists and making a slab */
static hocket_task *chunks;      /* chained by run_prev of the first of each */
static hocket_task *loose;       /* by run_next, as in a chunk */
static _Atomic uint32_t carved;  /* records that have been on a list: a page of them at a time */
static _Atomic uint64_t last_id;

/* Under free_guard. */
static bool slab_make(void)
{
    uint32_t n = hk_load(&slab_count);
    if (n == SLAB_MAX)
        return false;
    void *memory;
    if (hocket__map(SLAB_RECORDS * sizeof(hocket_task), &memory) != 0)
        return false;
    hocket__lsan_root(memory, SLAB_RECORDS * sizeof(hocket_task));
    hk_store_rel(&slabs[n], (hocket_task *)memory); /* pairs with record_at */
    hk_store(&slab_count, n + 1);
    return true;
}

/* A few records that nobody has had yet go to the list.  Under free_guard. */
HOCKET_UNSEEN static bool carve(void)
{
    uint32_t first = hk_load(&carved);
    if (first == hk_load(&slab_count) * SLAB_RECORDS && !slab_make())
        return false;
    for (uint32_t slot = first + CARVE; slot > first; slot--) {
        hocket_task *t = hocket__record_at(slot);
        t->slot = slot;
        t->run_next = loose;
        loose = t;
    }
    hk_store_rel(&carved, first + CARVE);
    return true;
}

/* Under free_guard. */
HOCKET_UNSEEN static hocket_task *chunk_take(void)
{
    hocket_task *chunk = chunks;
    if (chunk) {
        chunks = chunk->run_prev;
        if (chunks)
            __builtin_prefetch(chunks); /* somebody will want it soon */
    }
    return chunk;
}

HOCKET_UNSEEN unsigned hocket__record_get_chunk(hocket_task **ret_chain)
{
    unsigned got = HOCKET__RECORD_CHUNK;
    hocket__guard_lock(&free_guard);
    hocket_task *chain = chunk_take();
    if (!chain)
        for (got = 0; got < HOCKET__RECORD_CHUNK && (loose || carve()); got++) {
            hocket_task *t = loose;
            loose = t->run_next;
            t->run_next = chain;
            chain = t;
        }
    hocket__guard_unlock(&free_guard);
    *ret_chain = chain;
    return got;
}

HOCKET_UNSEEN void hocket__record_put_chunk(hocket_task *chunk)
{
    hocket__guard_lock(&free_guard);
    chunk->run_prev = chunks;
    chunks = chunk;
    hocket__guard_unlock(&free_guard);
}

HOCKET_UNSEEN void hocket__record_put_chain(hocket_task *chain)
{
    if (!chain)
        return;
    hocket_task *last = chain;
    while (last->run_next)
        last = last->run_next;
    hocket__guard_lock(&free_guard);
    last->run_next = loose;
    loose = chain;
    hocket__guard_unlock(&free_guard);
}

HOCKET_UNSEEN static hocket_task *loose_take(void)
{
    hocket__guard_lock(&free_guard);
    if (!loose && !(loose = chunk_take()))
        (void)carve();
    hocket_task *t = loose;
    if (t)
        loose = t->run_next;
    hocket__guard_unlock(&free_guard);
    return t;
}

hocket_task *hocket__record_get(void)
{
    hocket_task *t = loose_take();
    if (t)
        hocket__nosync_acquire(t);
    return t;
}

void hocket__record_put(hocket_task *task)
{
    hocket__nosync_release(task);
    task->run_next = NULL;
    hocket__record_put_chain(task);
}

uint32_t hocket__record_limit(void)
{
    return hk_load_acq(&carved) + 1;
}

hocket_task *hocket__record_at(uint32_t slot)
{
    if (slot == 0 || slot > SLAB_MAX * SLAB_RECORDS)
        return NULL;
    hocket_task *slab = hk_load_acq(&slabs[(slot - 1) / SLAB_RECORDS]);
    return slab ? &slab[(slot - 1) % SLAB_RECORDS] : NULL;
}

uint64_t hocket__id_block(unsigned n)
{
    return hk_add(&last_id, n) + 1;
}

uint64_t hocket__id_next(void)
{
    return hocket__id_block(1);
}

/* snprintf is not async-signal-safe. */
static char *name_by_id(uint64_t id, char *buffer, size_t size)
{
    char digits[24];
    size_t n = 0, used = 0;
    do {
        digits[n++] = (char)('0' + id % 10);
        id /= 10;
    } while (id);
    for (const char *p = "task-"; *p && used + 1 < size; p++)
        buffer[used++] = *p;
    while (n > 0 && used + 1 < size)
        buffer[used++] = digits[--n];
    buffer[used] = '\0';
    return buffer;
}

char *hocket__task_name(const hocket_task *task, char *buffer, size_t size)
{
    if (size == 0)
        return buffer;
    size_t used = 0;
    if (task && hk_load(&task->named)) {
        char c; /* may change meanwhile: always terminated */
        while (used + 1 < size && used < HOCKET_NAME_MAX - 1 && (c = hk_load(&task->name[used])))
            buffer[used++] = c;
    }
    buffer[used] = '\0';
    if (used > 0)
        return buffer;
    return name_by_id(task ? hk_load(&task->id) : 0, buffer, size);
}

/* ---- the record of this thread ---- */

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

/* PTHREAD_DESTRUCTOR_ITERATIONS, to let users' destructors run before us; gcc's TSan takes its own
 * state of the thread away in the last one. */
#define EXIT_ROUNDS (HOCKET_TSAN ? 2 : 4)

struct foreign {
    hocket_task *task;
    int rounds;
};
static __thread struct foreign foreign;

static void foreign_end(void *arg)
{
    struct foreign *f = arg;
    /* Other destructors may use locks in their rounds: come back in the last one. */
    if (++f->rounds < EXIT_ROUNDS) {
        (void)pthread_setspecific(exit_key, f);
        return;
    }
    hocket_task *t = f->task;
    f->task = NULL;
    if (hocket__foreign_exit)
        hocket__foreign_exit(t);
    if (hocket__self_held() > 0)
        hocket__panic("thread exit: the thread still holds %u lock(s)", hocket__self_held());
    if (t->scopes)
        hocket__panic("thread exit: the thread has an open scope");
    if (hocket__forked_any(t))
        hocket__fork_ops_get()->end(t);
    if (t->joiners)
        hocket__panic("thread exit: a task joins this thread, which nobody spawned");
    hocket__self_set(NULL, 0);
    hocket__foreign_count(-1);
    hocket__cancel_forget(t);
    hk_store(&t->id, 0);
    hocket__record_put(t);
    void (*slept)(void) = hk_load_acq(&hocket__thread_slept);
    if (slept)
        slept();
}

static void exit_key_make(void)
{
    exit_key_made = pthread_key_create(&exit_key, foreign_end) == 0;
}

static _Atomic int foreign_now;

void hocket__foreign_count(int change)
{
    (void)hk_add(&foreign_now, change);
}

int hocket__foreign_threads(void)
{
    return hk_load(&foreign_now);
}

/* A free record is clean but for these: whoever frees one leaves it so. */
void hocket__record_init(hocket_task *t, enum hocket__task_kind kind,
                         const struct hocket__task_ops *ops)
{
    t->ops = ops;
    hk_store(&t->kind, (uint8_t)kind);
    hk_store(&t->home, NULL);
    t->cancel_epoch = 0;
    hk_store(&t->cancel_requested, false);
    t->arg = NULL;
    t->fn = NULL;
    hk_store(&t->flags, 0);
    t->priority = 0;
    t->stack_class = 0;
    t->spin_luck = 0;
    hk_store(&t->named, false);
    t->run_next = t->run_prev = NULL;
    hk_store(&t->in_place_of, 0u);
    hk_store(&t->born, (uint32_t)(hk_load(&hocket__tick) >> HOCKET__BORN_SHIFT));
}

HK_COLD static hocket_task *attach(void)
{
    if (pthread_once(&exit_once, exit_key_make) != 0 || !exit_key_made)
        return NULL;
    hocket_task *t = hocket__record_get();
    if (!t)
        return NULL;
    hk_store(&hocket__tick, hocket__clock_coarse());
    hocket__record_init(t, HOCKET__FOREIGN, &hocket__thread_ops);
    hk_store(&t->life, 0);
    hk_store(&t->tid, hocket__thread_id());
    foreign.task = t;
    foreign.rounds = 0;
    if (pthread_setspecific(exit_key, &foreign) != 0) {
        hocket__record_put(t);
        return NULL;
    }
    hk_store_rel(&t->id, hocket__id_next());
    hocket__foreign_count(1);
    hocket__self_set(t, 0);
    return t;
}

hocket_task *hocket__self_attach(void)
{
    hocket_task *t = hocket__self_or_null();
    return hk_likely(t != NULL) ? t : attach();
}

HK_COLD hocket_task *hocket__self_make(const char *function)
{
    hocket_task *t = hocket__self_attach();
    if (!t)
        hocket__panic("%s: no memory for the record of this thread", function);
    return t;
}
