/* SPDX-License-Identifier: MIT */
/* Task-local values: one a task, destructors, inheritance; also without a runtime. */
#include "support/suite.h"

#include <hocket/local.h>
#include <pthread.h>

#include "task/local.h"

static _Atomic int destroyed;

static void destroy(void *value)
{
    HK_EXPECT(value != NULL);
    (void)hk_add(&destroyed, *(int *)value);
}

/* What the end of the task would do: the main thread, which some modes run in, never ends. */
static int end_of_test(void)
{
    if (hocket_self()->locals != NULL)
        hocket__locals_end(hocket_self());
    return 0;
}

static hocket_local plain;
static hocket_local owned = HOCKET_LOCAL_INIT(destroy);

/* ---- one value a task ---- */

static int own_value(void *arg)
{
    HK_EXPECT(hocket_local_get(&plain) == NULL);
    HK_EXPECT_EQ(hocket_local_set(&plain, arg), 0);
    for (int i = 0; i < 20; i++) {
        run_turn();
        HK_EXPECT(hocket_local_get(&plain) == arg);
    }
    HK_EXPECT_EQ(hocket_local_set(&plain, NULL), 0);
    HK_EXPECT(hocket_local_get(&plain) == NULL);
    return 0;
}

static int one_each(void *arg)
{
    hocket_task *t[20];
    char marks[20];
    (void)arg;
    HK_EXPECT_EQ(hocket_local_set(&plain, marks), 0);
    for (int i = 0; i < 20; i++)
        t[i] = run_spawn(own_value, &marks[i]);
    for (int i = 0; i < 20; i++)
        run_finish(t[i], 0);
    HK_EXPECT(hocket_local_get(&plain) == marks);
    return end_of_test();
}
START_TEST(one_value_a_task)
{
    run_in(_i, one_each, NULL);
}
END_TEST

/* More keys than the first chunk of the directory holds, used in no order. */
static int many_keys(void *arg)
{
    enum { N = 300 };
    static hocket_local locals[N];
    (void)arg;
    for (int i = 0; i < N; i++) {
        int k = i * 37 % N;
        HK_EXPECT(hocket_local_get(&locals[k]) == NULL);
        HK_EXPECT_EQ(hocket_local_set(&locals[k], NULL), 0);
        HK_EXPECT_EQ(hocket_local_set(&locals[k], &locals[k]), 0);
    }
    for (int i = 0; i < N; i++)
        HK_EXPECT(hocket_local_get(&locals[i]) == &locals[i]);
    return end_of_test();
}
START_TEST(keys)
{
    run_in(_i, many_keys, NULL);
}
END_TEST

/* A task whose first value is one of a late key: there is room for all before it at once. */
static int last_first(void *arg)
{
    static hocket_local many[40];
    static int value;
    (void)arg;
    for (int i = 0; i < 40; i++)
        HK_EXPECT_OK(hocket_local_set(&many[i], NULL));
    HK_EXPECT_OK(hocket_local_set(&many[39], &value));
    for (int i = 0; i < 39; i++)
        HK_EXPECT(hocket_local_get(&many[i]) == NULL);
    HK_EXPECT(hocket_local_get(&many[39]) == &value);
    return 0;
}

START_TEST(a_late_key)
{
    run_in(_i, last_first, NULL);
}
END_TEST

/* The first use of a local by many tasks at once gives it one key. */
static hocket_local shared[50];
static _Atomic int racers;

static int race(void *arg)
{
    (void)hk_add(&racers, 1);
    RUN_UNTIL(hk_load(&racers) == 4);
    for (int i = 0; i < 50; i++)
        HK_EXPECT_EQ(hocket_local_set(&shared[i], (char *)arg + i), 0);
    for (int i = 0; i < 50; i++)
        HK_EXPECT(hocket_local_get(&shared[i]) == (char *)arg + i);
    return 0;
}

static int first_use(void *arg)
{
    hocket_task *t[4];
    static char values[4][50];
    (void)arg;
    hk_store(&racers, 0);
    for (int i = 0; i < 4; i++)
        t[i] = run_spawn(race, values[i]);
    for (int i = 0; i < 4; i++)
        run_finish(t[i], 0);
    return 0;
}
START_TEST(first_use_by_many)
{
    run_in(_i, first_use, NULL);
}
END_TEST

/* ---- destructors ---- */

static int with_owned(void *arg)
{
    return hocket_local_set(&owned, arg);
}

static int with_owned_and_cleared(void *arg)
{
    HK_EXPECT_EQ(hocket_local_set(&owned, arg), 0);
    return hocket_local_set(&owned, NULL); /* nothing is left to destroy */
}

static int destructors(void *arg)
{
    static int one = 1, ten = 10;
    (void)arg;
    hk_store(&destroyed, 0);
    run_finish(run_spawn(with_owned, &one), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 1);
    run_finish(run_spawn(with_owned_and_cleared, &one), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 1);
    run_finish(run_spawn(with_owned, &ten), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 11);
    return 0;
}
START_TEST(destroyed_at_the_end)
{
    run_in(_i, destructors, NULL);
}
END_TEST

static int again_left;
static void destroy_again(void *value);
static hocket_local again = HOCKET_LOCAL_INIT(destroy_again);

/* A destructor may set its value anew, may look at others, and may wait. */
static void destroy_again(void *value)
{
    (void)hk_add(&destroyed, 1);
    HK_EXPECT(hocket_local_get(&again) == NULL);
    run_turn();
    if (again_left-- > 0)
        HK_EXPECT_EQ(hocket_local_set(&again, value), 0);
}

static int set_again(void *arg)
{
    return hocket_local_set(&again, arg);
}

static int rounds(void *arg)
{
    (void)arg;
    hk_store(&destroyed, 0);
    again_left = 2;
    run_finish(run_spawn(set_again, &again_left), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 3);
    hk_store(&destroyed, 0);
    again_left = 1000; /* there are four rounds */
    run_finish(run_spawn(set_again, &again_left), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 4);
    return 0;
}
START_TEST(destructors_in_rounds)
{
    run_in(_i, rounds, NULL);
}
END_TEST

/* A destructor that uses more locals than the task had. */
static hocket_local more[100];

static void destroy_and_grow(void *value)
{
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(hocket_local_set(&more[i], value), 0);
    (void)hk_add(&destroyed, 1);
}
static hocket_local growing = HOCKET_LOCAL_INIT(destroy_and_grow);

static int set_growing(void *arg)
{
    return hocket_local_set(&growing, arg);
}

static int destructor_grows(void *arg)
{
    (void)arg;
    hk_store(&destroyed, 0);
    run_finish(run_spawn(set_growing, &destroyed), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 1);
    return 0;
}
START_TEST(destructor_uses_more)
{
    run_in(_i, destructor_grows, NULL);
}
END_TEST

/* ---- inheritance ---- */

static _Atomic int copies;

static void *copy(const void *value)
{
    int *n = malloc(sizeof *n);
    *n = *(const int *)value + 1;
    (void)hk_add(&copies, 1);
    return n;
}

static void *copy_none(const void *value)
{
    (void)value;
    return NULL;
}

static void destroy_copy(void *value)
{
    (void)hk_sub(&copies, 1);
    free(value);
}

static hocket_local by_reference = HOCKET_LOCAL_INIT_INHERIT(destroy, NULL);
static hocket_local by_copy = HOCKET_LOCAL_INIT_INHERIT(destroy_copy, copy);
static hocket_local by_no_copy = HOCKET_LOCAL_INIT_INHERIT(destroy, copy_none);

static int look_deeper(void *arg)
{
    HK_EXPECT(hocket_local_get(&by_reference) == arg);
    HK_EXPECT_EQ(*(int *)hocket_local_get(&by_copy), 102);
    HK_EXPECT(hocket_local_get(&plain) == NULL);
    return 0;
}

static int look(void *arg)
{
    static int mine = 1000;
    HK_EXPECT(hocket_local_get(&by_reference) == arg);
    HK_EXPECT_EQ(*(int *)hocket_local_get(&by_copy), 101);
    HK_EXPECT(hocket_local_get(&by_no_copy) == NULL);
    HK_EXPECT(hocket_local_get(&plain) == NULL); /* not inheritable */
    run_finish(run_spawn(look_deeper, arg), 0);
    HK_EXPECT_EQ(hocket_local_set(&by_reference, &mine), 0); /* its own from here on */
    return 0;
}

static int inherits(void *arg)
{
    static int value = 5;
    int *original = malloc(sizeof *original);
    (void)arg;
    *original = 100;
    hk_store(&destroyed, 0);
    hk_store(&copies, 1); /* the original counts */
    HK_EXPECT_EQ(hocket_local_set(&plain, &value), 0);
    run_finish(run_spawn(own_value, &value), 0); /* nothing to inherit yet */
    HK_EXPECT_EQ(hocket_local_set(&by_reference, &value), 0);
    HK_EXPECT_EQ(hocket_local_set(&by_copy, original), 0);
    HK_EXPECT_EQ(hocket_local_set(&by_no_copy, &value), 0);
    run_finish(run_spawn(look, &value), 0);
    HK_EXPECT_EQ(hk_load(&copies), 1);
    HK_EXPECT_EQ(hk_load(&destroyed), 1000); /* the child's own, not the shared one */
    HK_EXPECT(hocket_local_get(&by_reference) == &value);
    HK_EXPECT_EQ(hocket_local_set(&by_copy, NULL), 0);
    HK_EXPECT_EQ(hocket_local_set(&by_reference, NULL), 0);
    HK_EXPECT_EQ(hocket_local_set(&by_no_copy, NULL), 0);
    free(original);
    return end_of_test();
}
START_TEST(inherited)
{
    run_in(_i, inherits, NULL);
}
END_TEST

/* ---- threads that Hocket did not start, no runtime ---- */

static void *foreign(void *arg)
{
    HK_EXPECT(hocket_local_get(&owned) == NULL);
    HK_EXPECT_EQ(hocket_local_set(&owned, arg), 0);
    HK_EXPECT(hocket_local_get(&owned) == arg);
    return NULL;
}

START_TEST(foreign_threads)
{
    static int one = 1;
    pthread_t t[4];
    HK_EXPECT(hocket_local_get(&owned) == NULL);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_create(&t[i], NULL, foreign, &one), 0);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_join(t[i], NULL), 0);
    HK_EXPECT_EQ(hk_load(&destroyed), 4);
}
END_TEST

SUITE("local", 10)
{
    suite_each(one_value_a_task);
    suite_each(keys);
    suite_each(a_late_key);
    suite_each(first_use_by_many);
    suite_each(destroyed_at_the_end);
    suite_each(destructors_in_rounds);
    suite_each(destructor_uses_more);
    suite_each(inherited);
    suite_once(foreign_threads);
}
