/* SPDX-License-Identifier: MIT */
/* lockorder: inversions are reported when the order is first seen, and nothing else is. */
#include <hocket.h>

#include "park/report.h"
#include "support/death.h"
#include "support/suite.h"

/* Each lock of the tests is in one of these, so that a test's orders are its own. */
struct locks {
    hocket_mutex a, b, c, gate;
    hocket_rmutex r;
    hocket_rwlock x, y, shared_gate;
};

static _Atomic int reports, lines;
static char last_report[600];

static void on_report(const char *line)
{
    if (strstr(line, "hocket: report: lock order") != NULL) {
        (void)snprintf(last_report, sizeof last_report, "%s", line);
        hk_add(&reports, 1);
    }
    hk_add(&lines, 1);
}

static void check_on(struct locks *l)
{
    hocket__report_hook = on_report;
    hk_store(&reports, 0);
    hocket_lock_order_check(true);
    hocket_mutex_init(&l->a, 0, NULL);
    hocket_mutex_init(&l->b, 0, NULL);
    hocket_mutex_init(&l->c, 0, NULL);
    hocket_mutex_init(&l->gate, 0, NULL);
    hocket_rmutex_init(&l->r, NULL);
    hocket_rwlock_init(&l->x, NULL);
    hocket_rwlock_init(&l->y, NULL);
    hocket_rwlock_init(&l->shared_gate, NULL);
}

static void check_off(int expected)
{
    hocket_lock_order_check(false);
    hocket__report_hook = NULL;
    HK_EXPECT_EQ(hk_load(&reports), expected);
}

struct order {
    hocket_lock_ref refs[4];
    int count;
    bool tries; /* all but the first */
};

/* Takes them in that order, and gives them back. */
static int take_all(void *arg)
{
    const struct order *o = arg;
    for (int i = 0; i < o->count; i++) {
        if (!o->tries || i == 0)
            hocket_lock_ref_lock(o->refs[i]);
        else if (o->refs[i].kind == HOCKET_LOCK_MUTEX)
            HK_EXPECT_EQ(hocket_mutex_trylock(o->refs[i].lock), 0);
        else
            HK_EXPECT_EQ(hocket_rwlock_trywrlock(o->refs[i].lock), 0);
    }
    for (int i = o->count; i-- > 0;)
        hocket_lock_ref_unlock(o->refs[i]);
    return 0;
}

/* In a task of its own, one after the other: nothing is ever contended. */
static void in_order(struct order o)
{
    run_finish(run_spawn(take_all, &o), 0);
}

#define ORDER(...)                                                                   \
    in_order((struct order){                                                         \
        { __VA_ARGS__ },                                                             \
        (int)(sizeof((hocket_lock_ref[]){ __VA_ARGS__ }) / sizeof(hocket_lock_ref)), \
        false })
#define TRIED(...)                                                                   \
    in_order((struct order){                                                         \
        { __VA_ARGS__ },                                                             \
        (int)(sizeof((hocket_lock_ref[]){ __VA_ARGS__ }) / sizeof(hocket_lock_ref)), \
        true })
#define L(lock) HOCKET_LOCK_REF(lock)
#define R(lock) HOCKET_LOCK_REF_READ(lock)

static int an_inversion(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.a), L(&l.b));
    ORDER(L(&l.a), L(&l.b));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    ORDER(L(&l.b), L(&l.a));
    HK_EXPECT_EQ(hk_load(&reports), 1);
    char address[32];
    (void)snprintf(address, sizeof address, "wants %p while it holds %p", (void *)&l.a,
                   (void *)&l.b);
    HK_EXPECT(strstr(last_report, address) != NULL);
    ORDER(L(&l.b), L(&l.a));
    ORDER(L(&l.a), L(&l.b));
    check_off(1);
    return 0;
}

START_TEST(it_is_reported_at_once)
{
    run_in(_i, an_inversion, NULL);
}
END_TEST

static int kinds(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.a), L(&l.r));
    ORDER(L(&l.r), L(&l.a));
    HK_EXPECT_EQ(hk_load(&reports), 1);
    ORDER(L(&l.b), L(&l.x));
    ORDER(L(&l.x), L(&l.b));
    HK_EXPECT_EQ(hk_load(&reports), 2);
    ORDER(L(&l.c), R(&l.x));
    ORDER(L(&l.x), L(&l.c));
    check_off(3);
    return 0;
}

START_TEST(all_kinds_of_locks_are_looked_at)
{
    run_in(_i, kinds, NULL);
}
END_TEST

static int three(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.a), L(&l.b));
    ORDER(L(&l.b), L(&l.c));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    hk_store(&lines, 0);
    ORDER(L(&l.c), L(&l.a));
    HK_EXPECT(hk_load(&lines) >= 1 + 3 * 2); /* three sides, each with a stack */
    check_off(1);
    return 0;
}

START_TEST(a_cycle_of_three)
{
    run_in(_i, three, NULL);
}
END_TEST

static int gates(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.gate), L(&l.a), L(&l.b));
    ORDER(L(&l.gate), L(&l.b), L(&l.a));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    /* Who holds a gate for reading keeps only writers out. */
    ORDER(R(&l.shared_gate), L(&l.b), L(&l.c));
    ORDER(L(&l.shared_gate), L(&l.c), L(&l.b));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    ORDER(R(&l.shared_gate), L(&l.c), L(&l.b));
    HK_EXPECT_EQ(hk_load(&reports), 1);
    /* Once without the gate is enough. */
    ORDER(L(&l.a), L(&l.b));
    check_off(2);
    return 0;
}

START_TEST(a_common_gate_is_no_false_alarm)
{
    run_in(_i, gates, NULL);
}
END_TEST

static int different_gates(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.gate), L(&l.a), L(&l.b));
    ORDER(L(&l.c), L(&l.a), L(&l.b));
    ORDER(L(&l.gate), L(&l.c), L(&l.b), L(&l.a)); /* one of the two excludes each of the others */
    HK_EXPECT_EQ(hk_load(&reports), 0);
    ORDER(L(&l.gate), L(&l.b), L(&l.a)); /* c is not there */
    check_off(1);
    return 0;
}

START_TEST(gates_are_never_mixed_up)
{
    run_in(_i, different_gates, NULL);
}
END_TEST

static int readers(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(R(&l.x), R(&l.y));
    ORDER(R(&l.y), R(&l.x));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    struct locks m;
    check_on(&m);
    ORDER(L(&m.x));
    ORDER(L(&m.y));
    ORDER(R(&m.x), R(&m.y));
    ORDER(R(&m.y), R(&m.x)); /* with writers between them they hang */
    check_off(1);
    return 0;
}

START_TEST(readers_alone_are_harmless)
{
    run_in(_i, readers, NULL);
}
END_TEST

static int harmless(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    /* What is tried is never waited for. */
    ORDER(L(&l.a), L(&l.b));
    TRIED(L(&l.b), L(&l.a));
    TRIED(L(&l.x), L(&l.a));
    ORDER(L(&l.a), L(&l.x));
    /* All at once, in any order. */
    HK_EXPECT_OK(hocket_lock_all(&l.b, &l.c));
    hocket_unlock_all(&l.b, &l.c);
    HK_EXPECT_OK(hocket_lock_all(&l.c, &l.b));
    hocket_unlock_all(&l.c, &l.b);
    /* Once more by its holder. */
    ORDER(L(&l.r), L(&l.gate), L(&l.r));
    /* Unowned ones, which another may unlock. */
    hocket_mutex_init(&l.a, HOCKET_MUTEX_UNOWNED, NULL);
    ORDER(L(&l.a), L(&l.c));
    ORDER(L(&l.c), L(&l.a));
    check_off(0);
    return 0;
}

START_TEST(what_cannot_hang_is_not_reported)
{
    run_in(_i, harmless, NULL);
}
END_TEST

static int forgotten(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    ORDER(L(&l.a), L(&l.b));
    hocket_mutex_destroy(&l.a);
    hocket_mutex_init(&l.a, 0, NULL);
    ORDER(L(&l.b), L(&l.a)); /* another lock at the same place */
    check_off(0);
    return 0;
}

START_TEST(a_destroyed_lock_is_forgotten)
{
    run_in(_i, forgotten, NULL);
}
END_TEST

static hocket_lock_class accounts = HOCKET_LOCK_CLASS_INIT("account");
static hocket_lock_class banks = HOCKET_LOCK_CLASS_INIT("bank");

static int classes(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    hocket_mutex_init(&l.a, 0, &accounts);
    hocket_mutex_init(&l.b, 0, &accounts);
    hocket_mutex_init(&l.c, 0, &banks);
    hocket_rwlock_init(&l.x, &banks);
    ORDER(L(&l.a), L(&l.b)); /* within a class nothing is judged */
    ORDER(L(&l.b), L(&l.a));
    HK_EXPECT_EQ(hk_load(&reports), 0);
    ORDER(L(&l.c), L(&l.a));
    ORDER(L(&l.b), L(&l.x)); /* other locks, the same classes */
    HK_EXPECT_EQ(hk_load(&reports), 1);
    HK_EXPECT(strstr(last_report, "\"account\"") != NULL &&
              strstr(last_report, "\"bank\"") != NULL);
    check_off(1);
    return 0;
}

START_TEST(locks_of_a_class_are_one)
{
    run_in(_i, classes, NULL);
}
END_TEST

static int waits_on_cond(void *arg)
{
    struct locks *l = arg;
    static hocket_cond cond;
    hocket_mutex_lock(&l->b);
    hocket_mutex_lock(&l->a);
    HK_EXPECT_EQ(hocket_cond_wait(&cond, &l->b, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_mutex_unlock(&l->a);
    hocket_mutex_unlock(&l->b);
    return 0;
}

static int cond_relocks(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    run_finish(run_spawn(waits_on_cond, &l), 0); /* b, a; then b again, with a held */
    check_off(1);
    return 0;
}

START_TEST(a_condition_takes_its_mutex_again)
{
    run_in(_i, cond_relocks, NULL);
}
END_TEST

static int many(void *arg)
{
    (void)arg;
    enum { MANY = 9000 };
    struct locks l;
    hocket_mutex *all = calloc(MANY, sizeof *all);
    HK_EXPECT(all != NULL);
    check_on(&l);
    for (int i = 0; i < MANY; i++) {
        hocket_mutex_lock(&all[i]);
        hocket_mutex_lock(&l.a);
        hocket_mutex_unlock(&l.a);
        hocket_mutex_unlock(&all[i]);
    }
    HK_EXPECT_EQ(hk_load(&reports), 1);
    HK_EXPECT(strstr(last_report, "too many locks") != NULL);
    check_off(1);
    free(all);
    return 0;
}

START_TEST(too_many_locks_are_said_once)
{
    run_in(1, many, NULL);
}
END_TEST

/* Eight locks that all take in the order of their numbers, and one task that does not. */
struct crowd {
    hocket_mutex locks[8];
    struct crowd_member {
        struct crowd *crowd;
        unsigned seed;
    } members[4];
};

static int keeps_order(void *arg)
{
    struct crowd_member *m = arg;
    for (int i = 0; i < 300; i++) {
        m->seed = m->seed * 1103515245 + 12345;
        unsigned a = m->seed >> 16 & 7, b = m->seed >> 20 & 7;
        hocket_mutex *first = &m->crowd->locks[a < b ? a : b];
        hocket_mutex *second = &m->crowd->locks[a < b ? b : a];
        hocket_mutex_lock(first);
        if (second != first) {
            hocket_mutex_lock(second);
            if (i % 16 == 0)
                (void)hocket_yield();
            hocket_mutex_unlock(second);
        }
        hocket_mutex_unlock(first);
    }
    return 0;
}

static int crowded(void *arg)
{
    (void)arg;
    static struct crowd c;
    struct locks l;
    hocket_task *t[4];
    check_on(&l);
    for (unsigned i = 0; i < 4; i++) {
        c.members[i] = (struct crowd_member){ &c, i };
        t[i] = run_spawn(keeps_order, &c.members[i]);
    }
    for (int i = 0; i < 4; i++)
        run_finish(t[i], 0);
    HK_EXPECT_EQ(hk_load(&reports), 0);
    ORDER(L(&c.locks[7]), L(&c.locks[0])); /* 0 before 7, if only by way of others */
    check_off(1);
    return 0;
}

START_TEST(many_tasks_at_once)
{
    run_in(_i, crowded, NULL);
}
END_TEST

static int held_over_the_switch(void *arg)
{
    (void)arg;
    struct locks l;
    check_on(&l);
    hocket_mutex_lock(&l.a);
    hocket_lock_order_check(false);
    hocket_mutex_unlock(&l.a);
    hocket_mutex_lock(&l.b);
    hocket_lock_order_check(true); /* neither what it held then nor what it holds now is known */
    hocket_mutex_lock(&l.c);
    hocket_mutex_unlock(&l.c);
    hocket_mutex_unlock(&l.b);
    ORDER(L(&l.c), L(&l.b));
    ORDER(L(&l.c), L(&l.a));
    check_off(0);
    return 0;
}

START_TEST(it_can_be_switched_at_any_time)
{
    run_in(_i, held_over_the_switch, NULL);
}
END_TEST

static int inverts(void *arg)
{
    (void)arg;
    static hocket_mutex a, b;
    hocket_mutex_lock(&a);
    hocket_mutex_lock(&b);
    hocket_mutex_unlock(&b);
    hocket_mutex_unlock(&a);
    hocket_mutex_lock(&b);
    hocket_mutex_lock(&a);
    hocket_mutex_unlock(&a);
    hocket_mutex_unlock(&b);
    return 0;
}

static void by_variable(void *value)
{
    (void)setenv("HOCKET_LOCKORDER", value, 1);
    _exit(hocket_run(inverts, NULL));
}

START_TEST(the_environment_switches_it_on)
{
    struct death d;
    death_by_exit(by_variable, "1", 0, "lock order: task main wants");
    death_of(&d, by_variable, "0", NULL);
    HK_EXPECT_EQ(d.length, 0);
}
END_TEST

SUITE("trace_lockorder", 30)
{
    suite_each(it_is_reported_at_once);
    suite_each(all_kinds_of_locks_are_looked_at);
    suite_each(a_cycle_of_three);
    suite_each(a_common_gate_is_no_false_alarm);
    suite_each(gates_are_never_mixed_up);
    suite_each(readers_alone_are_harmless);
    suite_each(what_cannot_hang_is_not_reported);
    suite_each(a_destroyed_lock_is_forgotten);
    suite_each(locks_of_a_class_are_one);
    suite_each(a_condition_takes_its_mutex_again);
    suite_each(it_can_be_switched_at_any_time);
    suite_each(many_tasks_at_once);
    suite_once(too_many_locks_are_said_once);
    suite_once(the_environment_switches_it_on);
}
