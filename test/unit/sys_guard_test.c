/* SPDX-License-Identifier: MIT */
/* sys: every level of stack guards, forced and as a fallback. */
#include "support/context.h"
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "sys/sys.h"

static struct hocket__sys world; /* the table of tests that inject failure */

static void use_world(void)
{
    world = hocket__sys_linux;
    hocket__sys = &world;
}

static struct hocket__stack *stack_new(size_t usable)
{
    struct hocket__stack *s;
    HK_EXPECT_EQ(hocket__stack_new(usable, &s), 0);
    return s;
}

static struct hocket__stack_stats stats(void)
{
    struct hocket__stack_stats st;
    hocket__stack_get_stats(&st);
    return st;
}

/* Does touching `at` kill a process?  Asked of a child. */
static bool deadly(char *at)
{
    int status;
    pid_t child = fork();

    HK_EXPECT(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)at = 1;
        _exit(0);
    }
    HK_EXPECT_EQ(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void expect_guard(int mode, int kind)
{
    struct hocket__stack *s[40];

    hocket__stack_guard_mode = (enum hocket__stack_guard)mode;
    for (int i = 0; i < 40; i++) {
        s[i] = stack_new(0);
        HK_EXPECT_EQ(s[i]->guard, kind);
        HK_EXPECT((s[i]->canary != NULL) == (kind == HOCKET__STACK_GUARD_CANARY));
        HK_EXPECT(hocket__stack_check(s[i]));
    }
    HK_EXPECT(stats().by_guard[kind] >= 40);
    bool expected = kind != HOCKET__STACK_GUARD_CANARY;
    for (int i = 0; i < 40; i += 13) {
        HK_EXPECT(deadly(s[i]->base - 1) == expected);
        HK_EXPECT(deadly(s[i]->base - HOCKET__STACK_GUARD) == expected);
        HK_EXPECT(!deadly(s[i]->base + 8));
        /* A guard outlives trimming. */
        s[i]->base[16] = 1;
        hocket__stack_trim(s[i]);
        HK_EXPECT_EQ(s[i]->base[16], 0);
        HK_EXPECT(hocket__stack_check(s[i]));
        HK_EXPECT(deadly(s[i]->base - 1) == expected);
    }
}

static bool have_guard_install(void)
{
    struct hocket__stack *s = stack_new(0);
    bool have = s->guard == HOCKET__STACK_GUARD_MADV;

    hocket__stack_free(s);
    hocket__stack_shutdown();
    return have;
}

START_TEST(guard_by_madvise)
{
    int kind = have_guard_install() ? HOCKET__STACK_GUARD_MADV : HOCKET__STACK_GUARD_MPROTECT;

    expect_guard(HOCKET__STACK_GUARD_AUTO, kind);
    hocket__stack_shutdown();
    expect_guard(HOCKET__STACK_GUARD_MADV, kind);
}
END_TEST

START_TEST(guard_by_mprotect)
{
    expect_guard(HOCKET__STACK_GUARD_MPROTECT, HOCKET__STACK_GUARD_MPROTECT);
}
END_TEST

START_TEST(guard_by_canary)
{
    expect_guard(HOCKET__STACK_GUARD_CANARY, HOCKET__STACK_GUARD_CANARY);
}
END_TEST

START_TEST(a_canary_tells)
{
    hocket__stack_guard_mode = HOCKET__STACK_GUARD_CANARY;
    struct hocket__stack *s = stack_new(0), *other = stack_new(0);

    HK_EXPECT(*s->canary != *other->canary);
    s->base[3] ^= 1;
    HK_EXPECT(!hocket__stack_check(s));
    HK_EXPECT(hocket__stack_check(other));
    s->base[3] ^= 1;
    HK_EXPECT(hocket__stack_check(s));
    memset(s->base, 0, 8);
    HK_EXPECT(!hocket__stack_check(s));
}
END_TEST

static int no_guard(void *addr, size_t size, size_t stride, size_t count)
{
    (void)addr, (void)size, (void)stride, (void)count;
    return -EINVAL;
}

static size_t few_mappings(void)
{
    return 80;
}

/* An older kernel: first by protection, and beyond the limit by canary. */
START_TEST(guards_fall_back_level_by_level)
{
    struct hocket__stack *s;

    use_world();
    world.guard = no_guard;
    world.mapping_limit = few_mappings;
    for (int i = 0; i < 100; i++) {
        s = stack_new(0);
        HK_EXPECT_EQ(s->guard, i < 31 ? HOCKET__STACK_GUARD_MPROTECT : HOCKET__STACK_GUARD_CANARY);
    }
    HK_EXPECT_EQ(stats().by_guard[HOCKET__STACK_GUARD_MPROTECT], 31);
    hocket__stack_shutdown();
    s = stack_new(0);
    HK_EXPECT_EQ(s->guard, HOCKET__STACK_GUARD_MPROTECT);
}
END_TEST

static int no_protect(void *addr, size_t size)
{
    (void)addr, (void)size;
    return -ENOMEM;
}

START_TEST(guards_fall_back_when_mprotect_fails)
{
    use_world();
    world.guard = no_guard;
    world.protect = no_protect;
    struct hocket__stack *s = stack_new(0);
    HK_EXPECT_EQ(s->guard, HOCKET__STACK_GUARD_CANARY);
    HK_EXPECT(hocket__stack_check(s));
}
END_TEST

START_TEST(many_guards_without_mappings)
{
    enum { N = 40000 };

    if (!have_guard_install() || HOCKET_ASAN || HOCKET_TSAN)
        return;
    for (int i = 0; i < N; i++)
        HK_EXPECT_EQ(stack_new(0)->guard, HOCKET__STACK_GUARD_MADV);
    struct hocket__stack_stats st = stats();
    HK_EXPECT(st.live >= N && st.by_guard[HOCKET__STACK_GUARD_MADV] == st.live);
    HK_EXPECT(st.slabs < 200);
    hocket__stack_shutdown();
}
END_TEST

START_TEST(cold_canary_stacks_get_their_canary_back)
{
    hocket__stack_guard_mode = HOCKET__STACK_GUARD_CANARY;
    hocket__stack_free(stack_new(0));
    HK_EXPECT_EQ(hocket__stack_trim_idle(1), 1);
    struct hocket__stack *s = stack_new(0);
    HK_EXPECT(s->canary != NULL && hocket__stack_check(s));
}
END_TEST

PLAIN_SUITE("sys_guard", 0)
{
    suite_once(guard_by_madvise);
    suite_once(guard_by_mprotect);
    suite_once(guard_by_canary);
    suite_once(a_canary_tells);
    suite_once(guards_fall_back_level_by_level);
    suite_once(guards_fall_back_when_mprotect_fails);
    suite_once(many_guards_without_mappings);
    suite_once(cold_canary_stacks_get_their_canary_back);
}
