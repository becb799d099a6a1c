/* SPDX-License-Identifier: MIT */
/* Hooks: every task is seen, in the stated order, in the stated task. */
#include "support/suite.h"

#include <errno.h>
#include <hocket/event.h>
#include <hocket/hooks.h>

/* What was seen of the one task that is watched. */
static struct {
    hocket_task *_Atomic task; /* whose events count; NULL: any new task is taken */
    char events[64];
    _Atomic unsigned count;
    int result, unpark_result;
    char kind[16];
    const void *object;
} seen;

static void note(hocket_task *task, char event, hocket_task *in)
{
    hocket_task *watched = hk_load(&seen.task);
    if (watched != task)
        return;
    HK_EXPECT(in == NULL || in == hocket_self());
    unsigned n = hk_add(&seen.count, 1);
    if (n < sizeof seen.events - 1)
        seen.events[n] = event;
}

static hocket_task *spawner;

static void on_spawn(hocket_task *task, void *context)
{
    HK_EXPECT(context == &seen);
    if (hk_load(&seen.task) == NULL && hocket_self() == spawner) {
        hk_store(&seen.task, task);
        note(task, 's', spawner);
    }
}

static void on_start(hocket_task *task, void *context)
{
    HK_EXPECT(context == &seen);
    note(task, 'b', task);
}

static void on_park(hocket_task *task, const char *kind, const void *object, void *context)
{
    HK_EXPECT(context == &seen);
    if (hk_load(&seen.task) == task) {
        snprintf(seen.kind, sizeof seen.kind, "%s", kind);
        seen.object = object;
    }
    note(task, 'p', task);
}

static void on_unpark(hocket_task *task, int result, void *context)
{
    HK_EXPECT(context == &seen);
    if (hk_load(&seen.task) == task)
        seen.unpark_result = result;
    note(task, 'u', task);
}

static void on_exit_of(hocket_task *task, int result, void *context)
{
    HK_EXPECT(context == &seen);
    if (hk_load(&seen.task) == task)
        seen.result = result;
    note(task, 'x', task);
}

static hocket_hooks table(void)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.context = &seen;
    h.spawn = on_spawn;
    h.start = on_start;
    h.park = on_park;
    h.unpark = on_unpark;
    h.exit = on_exit_of;
    return h;
}

static void watch(void)
{
    memset(seen.events, 0, sizeof seen.events);
    hk_store(&seen.count, 0);
    hk_store(&seen.task, NULL);
    spawner = hocket_self();
}

static hocket_event event;

static int waits_once(void *arg)
{
    (void)arg;
    int err = hocket_event_wait(&event, HOCKET_FOREVER);
    return err != 0 ? err : 9;
}

static int life_of_a_task(void *arg)
{
    hocket_hooks h = table(), old;
    (void)arg;
    HK_EXPECT_EQ(hocket_hooks_set(&h, &old), 0);
    HK_EXPECT(old.spawn == NULL && old.size == sizeof old);

    watch();
    hocket_event_clear(&event);
    hocket_task *t = run_spawn(waits_once, NULL);
    RUN_UNTIL(run_parked(t));
    hocket_event_set(&event);
    run_finish(t, 9);
    HK_EXPECT_STR(seen.events, "sbpux");
    HK_EXPECT_STR(seen.kind, "event");
    HK_EXPECT(seen.object == &event);
    HK_EXPECT_EQ(seen.unpark_result, 0);
    HK_EXPECT_EQ(seen.result, 9);

    watch();
    hocket_event_clear(&event);
    t = run_spawn(waits_once, NULL);
    RUN_UNTIL(run_parked(t));
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    HK_EXPECT_STR(seen.events, "sbpux");
    HK_EXPECT_EQ(seen.unpark_result, -ECANCELED);
    HK_EXPECT_EQ(seen.result, -ECANCELED);

    watch(); /* a wait that is over at once is no park */
    hocket_event_set(&event);
    t = run_spawn(waits_once, NULL);
    RUN_UNTIL(run_ended(t));
    run_finish(t, 9);
    HK_EXPECT_STR(seen.events, "sbx");

    HK_EXPECT_EQ(hocket_hooks_set(NULL, &old), 0);
    HK_EXPECT(old.spawn == on_spawn && old.exit == on_exit_of && old.context == &seen);
    watch();
    run_finish(run_spawn(waits_once, NULL), 9);
    HK_EXPECT_EQ(hk_load(&seen.count), 0);
    return 0;
}
START_TEST(life)
{
    run_in(_i, life_of_a_task, NULL);
}
END_TEST

/* Tasks that live while tables change see the one or the other, never half of one. */
static void marks(hocket_task *task, int result, void *context)
{
    (void)task;
    (void)result;
    (void)hk_add((_Atomic int *)context, 1);
}

static int short_task(void *arg)
{
    (void)arg;
    return hocket_yield();
}

static int swaps(void *arg)
{
    _Atomic int counts[2] = { 0, 0 };
    (void)arg;
    for (int i = 0; i < 200; i++) {
        hocket_hooks h = HOCKET_HOOKS_DEFAULT;
        h.exit = marks;
        h.context = (void *)(uintptr_t)&counts[i % 2];
        HK_EXPECT_EQ(hocket_hooks_set(i % 3 == 0 ? NULL : &h, NULL), 0);
        run_finish(run_spawn(short_task, NULL), 0);
    }
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
    HK_EXPECT(hk_load(&counts[0]) > 0 && hk_load(&counts[1]) > 0);
    return 0;
}
START_TEST(swapped_while_tasks_live)
{
    run_in(_i, swaps, NULL);
}
END_TEST

START_TEST(errors)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT, old;
    h.exit = marks;
    h.size = 8;
    HK_EXPECT_EQ(hocket_hooks_set(&h, &old), -EINVAL);
    h.size = 0; /* the fields of version 0.1 */
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    HK_EXPECT_EQ(hocket_hooks_set(NULL, &old), 0);
    HK_EXPECT(old.exit == marks && old.size == sizeof old);
}
END_TEST

static void unused(hocket_task *task, void *context)
{
    (void)task;
    (void)context;
}

static void unused_with_result(hocket_task *task, int result, void *context)
{
    (void)result;
    unused(task, context);
}

static void unused_error(const hocket_error *error, void *context)
{
    (void)error;
    unused(NULL, context);
}

/* Tables that differ in one field are different; set again, each is what it was. */
START_TEST(one_field_each)
{
    hocket_hooks tables[8], now;
    int context;
    for (int i = 0; i < 8; i++)
        tables[i] = (hocket_hooks)HOCKET_HOOKS_DEFAULT;
    tables[1].context = &context;
    tables[2].spawn = unused;
    tables[3].start = unused;
    tables[4].park = on_park;
    tables[5].unpark = unused_with_result;
    tables[6].exit = unused_with_result;
    tables[7].error = unused_error;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 8; i++) {
            HK_EXPECT_OK(hocket_hooks_set(&tables[i], NULL));
            HK_EXPECT_OK(hocket_hooks_set(&tables[i], &now));
            HK_EXPECT(memcmp(&now, &tables[i], sizeof now) == 0);
        }
    HK_EXPECT_OK(hocket_hooks_set(NULL, NULL));
}
END_TEST

SUITE("hooks", 10)
{
    suite_once(one_field_each);
    suite_each(life);
    suite_each(swapped_while_tasks_live);
    suite_once(errors);
}
