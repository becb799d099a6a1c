/* SPDX-License-Identifier: MIT */
/* info: names, ids, state, the list of all tasks. */
#include <errno.h>
#include <pthread.h>

#include "support/suite.h"

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static void end(hocket_task *t)
{
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
}

static void expect_name(hocket_task *t, const char *name)
{
    char buffer[HOCKET_NAME_MAX];
    HK_EXPECT_STR(hocket_task_name(t, buffer, sizeof buffer), name);
}

static void expect_default_name(hocket_task *t)
{
    char expected[HOCKET_NAME_MAX];
    snprintf(expected, sizeof expected, "task-%llu", (unsigned long long)hocket_task_id(t));
    expect_name(t, expected);
}

static int names(void *arg)
{
    hocket_task *t;
    char buffer[HOCKET_NAME_MAX];
    (void)arg;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, for_ever, NULL, &o));
    expect_default_name(t);
    hocket_task_set_name(t, "x");
    expect_name(t, "x");
    hocket_task_set_name(t, "0123456789012345678901234567890"); /* 31: just fits */
    expect_name(t, "0123456789012345678901234567890");
    hocket_task_set_name(t, "0123456789012345678901234567890123456789");
    expect_name(t, "0123456789012345678901234567890");
    hocket_task_set_name(t, "");
    expect_default_name(t);
    hocket_task_set_name(t, "y");
    hocket_task_set_name(t, NULL);
    expect_default_name(t);
    hocket_task_set_name(t, "a longer name");
    memset(buffer, '!', sizeof buffer);
    HK_EXPECT(hocket_task_name(t, buffer, 4) == buffer);
    HK_EXPECT_STR(buffer, "a l");
    HK_EXPECT_EQ(buffer[4], '!');
    HK_EXPECT_STR(hocket_task_name(t, buffer, 1), "");
    buffer[0] = '!';
    HK_EXPECT(hocket_task_name(t, buffer, 0) == buffer && buffer[0] == '!');
    end(t);

    char volatile_name[] = "copied";
    o.name = volatile_name;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, for_ever, NULL, &o));
    memset(volatile_name, 'x', 6);
    expect_name(t, "copied");
    end(t);
    o.name = "";
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, for_ever, NULL, &o));
    expect_default_name(t);
    end(t);
    o.name = "one that is much too long to be kept as it is";
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, for_ever, NULL, &o));
    expect_name(t, "one that is much too long to be");
    end(t);
    return 0;
}

START_TEST(name)
{
    run_in(_i, names, NULL);
}
END_TEST

static int rename_itself(void *arg)
{
    hocket_word *stop = arg;
    while (hk_load_acq(stop) == 0) {
        hocket_task_set_name(hocket_self(), "aaaaaaaaaaaaaaaaaaaaaaa");
        run_turn();
        hocket_task_set_name(hocket_self(), "bbbb");
        run_turn();
    }
    return 0;
}

/* Whoever reads a name while it changes reads some name, terminated. */
static int rename_while_running(void *arg)
{
    hocket_word stop = 0;
    char buffer[HOCKET_NAME_MAX];
    (void)arg;
    hocket_task *t = run_spawn(rename_itself, &stop);
    for (int i = 0; i < 2000; i++) {
        (void)hocket_task_name(t, buffer, sizeof buffer);
        HK_EXPECT(strlen(buffer) > 0 && strlen(buffer) < 24);
        if (i % 100 == 0)
            run_turn();
    }
    hk_store_rel(&stop, 1);
    run_finish(t, 0);
    return 0;
}

START_TEST(rename_a_running_task)
{
    run_in(_i, rename_while_running, NULL);
}
END_TEST

static int own_id(void *arg)
{
    *(uint64_t *)arg = hocket_task_id(hocket_self());
    return 0;
}

#define IDS 2000

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Never 0, never twice, though records are used again. */
static int unique_ids(void *arg)
{
    static uint64_t ids[IDS];
    (void)arg;
    for (int i = 0; i < IDS; i++) {
        if (i % 3 == 0) {
            hocket_scope s;
            hocket_scope_open(&s, NULL);
            HK_EXPECT_OK(hocket_spawn(&s, own_id, &ids[i]));
            HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        } else {
            hocket_task *t;
            HK_EXPECT_OK(hocket_spawn_task(&t, NULL, own_id, &ids[i], NULL));
            uint64_t id = hocket_task_id(t);
            run_finish(t, 0);
            HK_EXPECT_EQ(id, ids[i]);
        }
    }
    qsort(ids, IDS, sizeof ids[0], compare);
    HK_EXPECT(ids[0] != 0);
    for (int i = 1; i < IDS; i++)
        HK_EXPECT(ids[i] != ids[i - 1]);
    return 0;
}

START_TEST(ids)
{
    run_in(_i, unique_ids, NULL);
}
END_TEST

static int self_is(void *arg)
{
    hocket_task *self = hocket_self();
    HK_EXPECT(hocket_task_alive(self));
    HK_EXPECT(hocket_self() == self);
    for (int i = 0; i < 10; i++) {
        run_turn();
        HK_EXPECT(hocket_self() == self);
    }
    *(hocket_task **)arg = self;
    return 0;
}

static int selves(void *arg)
{
    hocket_task *seen = NULL;
    (void)arg;
    hocket_task *t = run_spawn(self_is, &seen);
    HK_EXPECT(hocket_join(t, NULL, HOCKET_FOREVER) == 0);
    HK_EXPECT(seen == t);
    HK_EXPECT(!hocket_task_alive(t));
    hocket_task_release(t);
    return 0;
}

START_TEST(own_task)
{
    run_in(_i, selves, NULL);
}
END_TEST

static void *foreign_self(void *arg)
{
    hocket_task *self = hocket_self();
    char buffer[HOCKET_NAME_MAX];
    (void)arg;
    HK_EXPECT(self != NULL && hocket_self() == self);
    HK_EXPECT(hocket_task_id(self) != 0);
    HK_EXPECT(hocket_task_alive(self));
    HK_EXPECT(!hocket_task_daemon(self));
    HK_EXPECT_EQ(hocket_task_placement(self), HOCKET_ON_THREAD);
    expect_default_name(self);
    hocket_task_set_name(self, "foreign");
    HK_EXPECT_STR(hocket_task_name(self, buffer, sizeof buffer), "foreign");
    return (void *)(uintptr_t)hocket_task_id(self);
}

/* A thread that Hocket did not start becomes a task, and is none when it has ended. */
START_TEST(self_of_foreign_threads)
{
    HK_EXPECT_EQ(hocket_task_count(), 0);
    void *last = NULL;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *id;
        HK_EXPECT_EQ(pthread_create(&thread, NULL, foreign_self, NULL), 0);
        HK_EXPECT_EQ(pthread_join(thread, &id), 0);
        HK_EXPECT(id != last);
        last = id;
        HK_EXPECT_EQ(hocket_task_count(), 0);
    }
    (void)foreign_self(NULL);
    HK_EXPECT_EQ(hocket_task_count(), 1);
}
END_TEST

static const hocket_task_info *find(const hocket_task_info *infos, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (infos[i].id == id)
            return &infos[i];
    return NULL;
}

static int wait_word(void *arg)
{
    return hocket_wait_on(arg, 0, HOCKET_FOREVER);
}

static int join_it(void *arg)
{
    return hocket_join(arg, NULL, HOCKET_FOREVER);
}

static int list(void *arg)
{
    hocket_task_info infos[64];
    hocket_word word = 0;
    hocket_task *t[4], *daemon;
    (void)arg;
    size_t before = hocket_task_count();
    t[0] = run_spawn(for_ever, NULL);
    t[1] = run_spawn(wait_word, &word);
    t[2] = run_spawn(join_it, t[0]);
    HK_EXPECT_OK(hocket_spawn_task(&t[3], NULL, for_ever, NULL,
                                   HOCKET_SPAWN_OPTIONS(.held = true, .name = "held")));
    HK_EXPECT_OK(hocket_spawn_task(&daemon, NULL, for_ever, NULL,
                                   HOCKET_SPAWN_OPTIONS(.daemon = true, .name = "daemon")));
    for (int i = 0; i < 3; i++)
        RUN_UNTIL(run_parked(t[i]));
    RUN_UNTIL(run_parked(daemon));
    size_t n = hocket_task_list(infos, 64);
    HK_EXPECT_EQ(n, before + 5);
    HK_EXPECT_EQ(hocket_task_count(), n);
    const hocket_task_info *i0 = find(infos, n, hocket_task_id(t[0]));
    HK_EXPECT(i0 && i0->waiting && !i0->daemon);
    HK_EXPECT_STR(i0->wait_kind, "sleep");
    HK_EXPECT_EQ(i0->deadline, HOCKET_FOREVER);
    HK_EXPECT_EQ(i0->placement, hocket_task_placement(t[0]));
    const hocket_task_info *i1 = find(infos, n, hocket_task_id(t[1]));
    HK_EXPECT(i1 && i1->waiting && i1->object == &word);
    HK_EXPECT_STR(i1->wait_kind, "word");
    const hocket_task_info *i2 = find(infos, n, hocket_task_id(t[2]));
    HK_EXPECT(i2 && i2->waiting && i2->object == t[0]);
    HK_EXPECT_STR(i2->wait_kind, "join");
    const hocket_task_info *i3 = find(infos, n, hocket_task_id(t[3]));
    HK_EXPECT(i3 && !i3->waiting && i3->wait_kind == NULL);
    HK_EXPECT_STR(i3->name, "held");
    const hocket_task_info *i4 = find(infos, n, hocket_task_id(daemon));
    HK_EXPECT(i4 && i4->daemon);
    HK_EXPECT_STR(i4->name, "daemon");
    const hocket_task_info *me = find(infos, n, hocket_task_id(hocket_self()));
    HK_EXPECT(me && !me->waiting);

    /* Too little room, or none: still how many there are. */
    HK_EXPECT_EQ(hocket_task_list(infos, 2), n);
    HK_EXPECT_EQ(hocket_task_list(NULL, 0), n);

    HK_EXPECT_EQ(hocket_task_start(t[3]), 0);
    hocket_cancel(t[2]);
    for (int i = 4; i-- > 0;)
        end(t[i]);
    hocket_cancel(daemon);
    run_finish(daemon, -ECANCELED);
    RUN_UNTIL(hocket_task_count() == before);
    return 0;
}

START_TEST(list_of_all)
{
    run_in(_i, list, NULL);
}
END_TEST

static int come_and_go(void *arg)
{
    hocket_word *stop = arg;
    while (hk_load_acq(stop) == 0) {
        hocket_task *t = run_spawn(own_id, &(uint64_t){ 0 });
        (void)hocket_sleep(10 * HOCKET_US);
        HK_EXPECT(hocket_join(t, NULL, HOCKET_FOREVER) == 0);
        hocket_task_release(t);
    }
    return 0;
}

/* Other tasks go on meanwhile; each info is of one task. */
static int list_while_running(void *arg)
{
    hocket_task_info infos[32];
    hocket_word stop = 0;
    hocket_task *t[3];
    (void)arg;
    for (int i = 0; i < 3; i++)
        t[i] = run_spawn(come_and_go, &stop);
    for (int round = 0; round < 300; round++) {
        size_t n = hocket_task_list(infos, 32);
        HK_EXPECT(n >= 4 && n <= 32);
        for (size_t i = 0; i < n; i++) {
            HK_EXPECT(infos[i].id != 0);
            HK_EXPECT(infos[i].name[0] != '\0');
            HK_EXPECT(infos[i].waiting == (infos[i].wait_kind != NULL));
            for (size_t k = 0; k < i; k++)
                HK_EXPECT(infos[k].id != infos[i].id);
        }
        run_turn();
    }
    hk_store_rel(&stop, 1);
    for (int i = 0; i < 3; i++)
        run_finish(t[i], 0);
    return 0;
}

START_TEST(list_of_moving_tasks)
{
    run_in(_i, list_while_running, NULL);
}
END_TEST

SUITE("info_list", 20)
{
    suite_each(name);
    suite_each(rename_a_running_task);
    suite_each(ids);
    suite_each(own_task);
    suite_once(self_of_foreign_threads);
    suite_each(list_of_all);
    suite_each(list_of_moving_tasks);
}
