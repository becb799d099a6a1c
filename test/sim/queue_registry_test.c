/* SPDX-License-Identifier: MIT */
/*
 * Who looks at queues under every schedule: each one there is is seen once, none that is gone, and of a task's
 * queue only while it waits.  Freed memory is overwritten, so that reading it shows.
 */
#include "support/explored.h"

#include <malloc.h>
#include <string.h>

#include "queue/registry.h"

static void *take(size_t size, void *context)
{
    (void)context;
    return malloc(size);
}

static void *take_again(void *memory, size_t size, void *context)
{
    (void)context;
    return realloc(memory, size);
}

static void spoil(void *memory, void *context)
{
    (void)context;
    if (memory != NULL)
        memset(memory, 0xdd, malloc_usable_size(memory));
    free(memory);
}

__attribute__((constructor)) static void spoil_what_is_freed(void)
{
    static const hocket_allocator spoiling = { take, take_again, spoil, NULL };
    HK_EXPECT_OK(hocket_set_allocator(&spoiling));
}

static hocket_queue *make(size_t capacity)
{
    hocket_queue *q = NULL;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = capacity)));
    return q;
}

static void sensible(const struct hocket__queue_look *look)
{
    HK_EXPECT_STR(look->kind, "fifo");
    HK_EXPECT(look->capacity >= 1 && look->capacity <= 200 && look->length <= look->capacity);
    HK_EXPECT(look->getters <= 1 && look->putters == 0);
}

/* ---- the queue that a task waits for ---- */

static hocket_task *_Atomic task;
static _Atomic bool over;

/* Waits in vain for a queue, then perhaps for what is none, and frees the queue at once. */
static void *waits(void *arg)
{
    static hocket_event never;
    int value;
    (void)arg;
    atomic_store(&task, hocket_self());
    for (size_t i = 1; i <= 3; i++) {
        hocket_queue *q = make(i);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, hocket_after(HOCKET_US)), -ETIMEDOUT);
        if (explore_choice(2))
            HK_EXPECT_EQ(hocket_event_wait(&never, hocket_after(HOCKET_US)), -ETIMEDOUT);
        hocket_queue_free(q);
    }
    atomic_store(&over, true);
    return NULL;
}

static void *looks_at_the_task(void *arg)
{
    struct hocket__queue_look look;
    hocket_task *t;
    while ((t = atomic_load(&task)) == NULL)
        explore_pause();
    for (int i = 0; i < 12 && !atomic_load(&over); i++) {
        if (hocket__registry_awaited(t, explore_choice(2), &look)) {
            sensible(&look);
            HK_EXPECT(look.capacity <= 3 && look.length == 0);
        } else {
            explore_pause();
        }
    }
    return arg;
}

EXPLORED(while_it_waits, NULL)
{
    atomic_store(&task, NULL);
    atomic_store(&over, false);
    int a = explore_start(waits, NULL), b = explore_start(looks_at_the_task, NULL);
    explore_join(a);
    explore_join(b);
}

/* ---- all queues ---- */

#define STAY 100 /* more than are looked at without a pause */

static hocket_queue *stay[STAY];

struct seen {
    unsigned times[STAY], others;
};

static void see(const struct hocket__queue_look *look, void *arg)
{
    struct seen *s = arg;
    sensible(look);
    if (look->capacity <= STAY) {
        HK_EXPECT_EQ(look->queue, (const void *)stay[look->capacity - 1]);
        s->times[look->capacity - 1]++;
    } else {
        s->others++;
    }
}

static void *looks_at_all(void *arg)
{
    for (int k = 0; k < 3; k++) {
        struct seen s;
        memset(&s, 0, sizeof s);
        size_t n = hocket__registry_each(see, &s);
        HK_EXPECT_EQ(n, STAY + s.others);
        for (int i = 0; i < STAY; i++)
            HK_EXPECT_EQ(s.times[i], 1);
    }
    return arg;
}

/* They come and go at the front, where the walk has been. */
static void *come_and_go(void *arg)
{
    hocket_queue *q[3];
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 3; i++)
            q[i] = make(STAY + 1);
        for (int i = 0; i < 3; i++)
            hocket_queue_free(q[(i + k) % 3]);
    }
    return arg;
}

/* One goes from the middle, and another comes for it: not among those that stay. */
static void *goes(void *arg)
{
    hocket_queue_free(arg);
    return NULL;
}

EXPLORED(every_one_once, NULL)
{
    hocket_queue *gone = NULL;
    for (size_t i = 0; i < STAY; i++) {
        stay[i] = make(i + 1);
        if (i == STAY - 65 + explore_choice(3))
            gone = gone == NULL ? make(STAY + 1) : gone;
    }
    int a = explore_start(looks_at_all, NULL), b = explore_start(looks_at_all, NULL);
    int c = explore_start(come_and_go, NULL), d = explore_start(goes, gone);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    explore_join(d);
    for (size_t i = 0; i < STAY; i++)
        hocket_queue_free(stay[i]);
}

/* ---- readers of broadcasts ---- */

static void see_reader(const struct hocket__queue_look *look, void *count)
{
    HK_EXPECT_STR(look->kind, "reader");
    HK_EXPECT_EQ(look->capacity, 4);
    HK_EXPECT(look->length <= 4 && look->getters <= 1 && look->putters == 0);
    ++*(size_t *)count;
}

static void *looks_at_readers(void *arg)
{
    for (int k = 0; k < 8; k++) {
        size_t count = 0, n = hocket__registry_each(see_reader, &count);
        HK_EXPECT(n == count && n <= 2);
        explore_pause();
    }
    return arg;
}

static void *broadcasts(void *arg)
{
    for (int i = 0; i < 7; i++)
        HK_EXPECT_OK(hocket_broadcast_put(arg, &i, HOCKET_NOW));
    return NULL;
}

static void *reads_and_goes(void *arg)
{
    hocket_reader *r;
    int value, last = -1;
    HK_EXPECT_OK(hocket_broadcast_subscribe(arg, &r));
    for (int i = 0; i < 3; i++) {
        if (hocket_reader_get(r, &value, NULL, hocket_after(HOCKET_US)) != 0)
            continue;
        HK_EXPECT(value > last);
        last = value;
    }
    hocket_reader_free(r);
    return NULL;
}

/* How far a reader is, is read without the lock: it is never beyond the broadcast, nor read when gone. */
EXPLORED(readers_come_and_go, NULL)
{
    hocket_broadcast *b = NULL;
    HK_EXPECT_OK(hocket_broadcast_new(
        &b, sizeof(int), HOCKET_BROADCAST_OPTIONS(.capacity = 4, .lag = HOCKET_LAG_DROP_OLDEST)));
    int t[4] = { explore_start(looks_at_readers, NULL), explore_start(broadcasts, b),
                 explore_start(reads_and_goes, b), explore_start(reads_and_goes, b) };
    for (int i = 0; i < 4; i++)
        explore_join(t[i]);
    hocket_broadcast_free(b);
}

SUITE("queue_registry", explored_limit())
{
    suite_once(while_it_waits);
    suite_once(every_one_once);
    suite_once(readers_come_and_go);
}
