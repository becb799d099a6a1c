/* SPDX-License-Identifier: MIT */
/*
 * profile - see hocket/profile.h
 *
 * An onlooker of PARK and UNPARK.  When a task parks, its own note (by its slot; nobody else touches it) takes
 * the time, the place and the holder; when it comes back, on whichever thread, the wait is added to the
 * shard of that thread: a worker has one of its own, other threads share some by their
 * records.  A shard has a guard for its readers, which is never contended otherwise.
 *
 * A shard holds two tables with open addressing, of a fixed size: what does not fit in after PROBES is added
 * to the entry `others`.
 */
#include "trace/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "park/report.h"
#include "park/wait.h"
#include "park/watch.h"
#include "sched/worker.h"
#include "trace/by_slot.h"
#include "trace/site.h"

#define ENTRIES 1024u /* a power of two */
#define PROBES  64u
#define SHARDS  64u

struct note {
    uint64_t task; /* whose; an older one's is void */
    hocket_time since;
    const struct hocket__wait_class *cls;
    uint64_t holder_hash;
    uint32_t site;
    char holder[HOCKET_NAME_MAX];
};

struct shard {
    hocket__guard guard; /* all of it */
    struct hocket__waits tables[2][ENTRIES];
    struct hocket__waits others[2];
};

static struct hocket__by_slot notes;   /* struct note */
static _Atomic(void *) shards[SHARDS]; /* made when needed, never freed */

static const struct hocket__wait_class others_class = { "(others)", NULL };

static struct note *note_of(const hocket_task *task)
{
    return hocket__by_slot(&notes, task, sizeof(struct note));
}

static struct shard *shard_here(const hocket_task *task)
{
    const struct hocket__worker *w = hocket__worker_here();
    uint32_t i = w != NULL ? (uint32_t)w->index % (SHARDS / 2)
                           : SHARDS / 2 + task->slot % (SHARDS / 2);
    return hocket__mapped_once(&shards[i], sizeof(struct shard));
}

/* ---- counting ---- */

static bool same(const struct hocket__waits *a, const struct hocket__waits *b)
{
    return a->cls == b->cls && a->object == b->object && a->site == b->site &&
           a->holder_hash == b->holder_hash;
}

static void add_to(struct hocket__waits *e, const struct hocket__waits *w)
{
    e->count += w->count;
    e->total += w->total;
    e->max = w->max > e->max ? w->max : e->max;
}

/* Under the guard. */
static void add(struct shard *s, int by, const struct hocket__waits *w)
{
    uint64_t hash = hocket__hash_mix(hocket__hash_mix((uintptr_t)w->cls, (uintptr_t)w->object),
                                     w->holder_hash + w->site);
    for (unsigned i = 0; i < PROBES; i++) {
        struct hocket__waits *e = &s->tables[by][(hash + i) % ENTRIES];
        if (e->cls == NULL) {
            *e = *w;
            return;
        }
        if (same(e, w)) {
            add_to(e, w);
            return;
        }
    }
    s->others[by].cls = &others_class;
    add_to(&s->others[by], w);
}

static void note_holder(struct note *n, const void *object)
{
    n->holder_hash = 0;
    n->holder[0] = '\0';
    uint32_t slot = n->cls->holder != NULL ? n->cls->holder(object, 0) : 0;
    const hocket_task *t = slot != 0 && slot != HOCKET__HOLDER_UNKNOWN ? hocket__record_at(slot)
                                                                       : NULL;
    if (t == NULL)
        return;
    if (hk_load(&t->named))
        (void)hocket__task_name(t, n->holder, sizeof n->holder);
    else
        memcpy(n->holder, "task", 5);
    n->holder_hash = 1;
    for (const char *p = n->holder; *p; p++)
        n->holder_hash = hocket__hash_mix(n->holder_hash, (unsigned char)*p);
}

static void parks(const hocket_task *task, const void *object)
{
    struct note *n = note_of(task);
    const struct hocket__wait_class *cls = hk_load(&task->wait_class);
    if (n == NULL || cls == NULL)
        return;
    n->task = hk_load(&task->id);
    n->cls = cls;
    n->site = hocket__site_here();
    note_holder(n, object);
    n->since = hocket__clock();
}

static void comes_back(const hocket_task *task, const void *object)
{
    struct note *n = note_of(task);
    if (n == NULL || n->since == 0 || n->task != hk_load(&task->id))
        return;
    hocket_time took = hocket__clock() - n->since;
    n->since = 0;
    struct hocket__waits place = { .cls = n->cls,
                                   .site = n->site,
                                   .holder_hash = n->holder_hash,
                                   .count = 1,
                                   .total = took,
                                   .max = took };
    struct hocket__waits thing = {
        .cls = n->cls, .object = object, .count = 1, .total = took, .max = took
    };
    memcpy(place.holder, n->holder, sizeof place.holder);
    struct shard *s = shard_here(task);
    if (s == NULL)
        return;
    hocket__guard_lock(&s->guard);
    add(s, HOCKET_PROFILE_PLACES, &place);
    if (object != NULL)
        add(s, HOCKET_PROFILE_OBJECTS, &thing);
    hocket__guard_unlock(&s->guard);
}

/* Not inlined into anything that switches: it reads which worker this is. */
static HK_NOINLINE void look_on(enum hocket__event event, hocket_task *task, const void *object,
                                int64_t value)
{
    (void)value;
    if (event == HOCKET__EVENT_PARK)
        parks(task, object);
    else
        comes_back(task, object);
}

void hocket_profile_start(void)
{
    if (!hocket__by_slot_open(&notes)) {
        hocket__report("wait profile: there is no memory to count in");
        return;
    }
    hocket__onlook(HOCKET__WATCH_PROFILE,
                   HOCKET__EVENT_BIT(HOCKET__EVENT_PARK) | HOCKET__EVENT_BIT(HOCKET__EVENT_UNPARK),
                   look_on);
}

void hocket_profile_stop(void)
{
    hocket__onlook(HOCKET__WATCH_PROFILE, 0, look_on);
}

void hocket_profile_reset(void)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *s = hk_load_acq(&shards[i]);
        if (s == NULL)
            continue;
        hocket__guard_lock(&s->guard);
        memset(s->tables, 0, sizeof s->tables);
        memset(s->others, 0, sizeof s->others);
        hocket__guard_unlock(&s->guard);
    }
}

/* ---- collecting ---- */

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_key(const void *x, const void *y)
{
    const struct hocket__waits *a = x, *b = y;
    int c = order((uintptr_t)a->cls, (uintptr_t)b->cls);
    c = c ? c : order((uintptr_t)a->object, (uintptr_t)b->object);
    c = c ? c : order(a->site, b->site);
    return c ? c : order(a->holder_hash, b->holder_hash);
}

static int by_total(const void *x, const void *y)
{
    const struct hocket__waits *a = x, *b = y;
    int c = order((uint64_t)b->total, (uint64_t)a->total);
    return c ? c : by_key(x, y);
}

static size_t copy(struct shard *s, int by, struct hocket__waits *to)
{
    size_t n = 0;
    hocket__guard_lock(&s->guard);
    for (unsigned i = 0; i < ENTRIES; i++)
        if (s->tables[by][i].cls != NULL)
            to[n++] = s->tables[by][i];
    if (s->others[by].cls != NULL)
        to[n++] = s->others[by];
    hocket__guard_unlock(&s->guard);
    return n;
}

ptrdiff_t hocket__profile_collect(int by, struct hocket__waits **ret_waits)
{
    size_t used = 0, n = 0, count = 0;
    struct shard *all[SHARDS];
    for (unsigned i = 0; i < SHARDS; i++)
        if ((all[count] = hk_load_acq(&shards[i])) != NULL)
            count++;
    struct hocket__waits *w = hocket__alloc((count * (ENTRIES + 1) + 1) * sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        used += copy(all[i], by, w + used);
    qsort(w, used, sizeof *w, by_key);
    for (size_t i = 0; i < used; i++) {
        if (n > 0 && same(&w[n - 1], &w[i]))
            add_to(&w[n - 1], &w[i]);
        else
            w[n++] = w[i];
    }
    qsort(w, n, sizeof *w, by_total);
    *ret_waits = w;
    return (ptrdiff_t)n;
}
