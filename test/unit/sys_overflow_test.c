/* SPDX-License-Identifier: MIT */
/* sys: the message of a stack overflow, and other faults going on to others. */
#include "support/context.h"
#include "support/expect.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sys/overflow.h"
#include "sys/sys.h"

static const char *name_of(struct hocket__stack *s)
{
    return s->owner == NULL ? NULL : "parse\033[1m";
}

/* --- a child and what it leaves on standard error --- */

struct outcome {
    int status;
    char text[2000];
};

static struct outcome run(void (*body)(void))
{
    struct outcome o = { .status = 0 };
    struct rlimit no_core = { 0, 0 };
    int ends[2];
    size_t length = 0;
    ssize_t n;

    HK_EXPECT_OK(pipe(ends));
    pid_t child = fork();
    HK_EXPECT(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &no_core);
        body();
        _exit(0);
    }
    close(ends[1]);
    while (length < sizeof o.text - 1 &&
           (n = read(ends[0], o.text + length, sizeof o.text - 1 - length)) > 0)
        length += (size_t)n;
    o.text[length] = '\0';
    /* What qemu-user adds when a signal kills its guest. */
    char *qemu = strstr(o.text, "qemu: uncaught target signal");
    if (qemu != NULL)
        *qemu = '\0';
    close(ends[0]);
    HK_EXPECT_EQ(waitpid(child, &o.status, 0), child);
    return o;
}

static void expect_killed(struct outcome o, int sig, const char *text)
{
    HK_EXPECT_STR(o.text, text);
    HK_EXPECT(WIFSIGNALED(o.status));
    HK_EXPECT_EQ(WTERMSIG(o.status), sig);
}

static void expect_exit(struct outcome o, int status, const char *text)
{
    HK_EXPECT_STR(o.text, text);
    HK_EXPECT(WIFEXITED(o.status));
    HK_EXPECT_EQ(WEXITSTATUS(o.status), status);
}

static void say(const char *text)
{
    HK_EXPECT(write(2, text, strlen(text)) >= 0);
}

/* --- overflows --- */

static volatile unsigned depth = -1u; /* without an end that compilers can see */

static unsigned recurse(unsigned n)
{
    volatile char frame[256];
    frame[n % sizeof frame] = (char)n;
    return n == depth ? 0 : recurse(n + 1) + (unsigned)frame[0] + 1;
}

static void overflow(struct context *c, void *arg)
{
    (void)c;
    recurse((unsigned)(uintptr_t)arg);
}

static size_t stack_size;
static void *owner;

static void overflow_a_context(void)
{
    static struct hocket__altstack a;
    struct context c;

    HK_EXPECT_EQ(hocket__altstack_on(&a), 0);
    hocket__overflow_install(name_of);
    context_open(&c, stack_size, overflow);
    c.stack->owner = owner;
    context_resume(&c, NULL);
}

#define LINE(who, kib) \
    "hocket: stack overflow in " who " (stack of " kib " KiB; ask for more with .stack_size)\n"

START_TEST(overflow_names_the_task)
{
    owner = &owner;
    expect_killed(run(overflow_a_context), SIGSEGV, LINE("task 'parse?[1m'", "64"));
    hocket__stack_guard_mode = HOCKET__STACK_GUARD_MPROTECT;
    stack_size = 1 << 20;
    expect_killed(run(overflow_a_context), SIGSEGV, LINE("task 'parse?[1m'", "1024"));
    owner = NULL;
    expect_killed(run(overflow_a_context), SIGSEGV, LINE("a task", "1024"));
}
END_TEST

static void *overflow_on_thread(void *arg)
{
    (void)arg;
    overflow_a_context();
    return NULL;
}

static void overflow_elsewhere(void)
{
    pthread_t t;
    HK_EXPECT_EQ(pthread_create(&t, NULL, overflow_on_thread, NULL), 0);
    pthread_join(t, NULL);
}

START_TEST(overflow_on_another_thread)
{
    expect_killed(run(overflow_elsewhere), SIGSEGV, LINE("a task", "64"));
}
END_TEST

static void large_frame(struct context *c, void *arg)
{
    char frame[100000]; /* jumps over any single guard page */
    (void)c, (void)arg;
    frame[0] = 1;
    __asm__ __volatile__("" : : "r"(frame) : "memory");
}

static void overflow_by_a_large_frame(void)
{
    static struct hocket__altstack a;
    struct context c;

    HK_EXPECT_EQ(hocket__altstack_on(&a), 0);
    hocket__overflow_install(name_of);
    context_open(&c, 0, large_frame);
    context_resume(&c, NULL);
}

START_TEST(overflow_by_one_large_frame)
{
    expect_killed(run(overflow_by_a_large_frame), SIGSEGV, LINE("task 'parse?[1m'", "64"));
}
END_TEST

/* --- what is not an overflow --- */

static char *volatile nowhere;

static void install(void)
{
    static struct hocket__altstack a;
    HK_EXPECT_EQ(hocket__altstack_on(&a), 0);
    hocket__overflow_install(name_of);
}

static void fault(void)
{
    *nowhere = 1;
}

static void install_and_fault(void)
{
    install();
    fault();
}

/* A wild pointer into the guard of a stack that is not the one in use. */
static void install_and_hit_a_guard(void)
{
    struct hocket__stack *s;
    install();
    HK_EXPECT_EQ(hocket__stack_new(0, &s), 0);
    s->base[-1] = 1;
}

static void install_and_bus_error(void)
{
    char name[] = "/tmp/hocket-bus-XXXXXX";
    int fd = mkstemp(name);

    install();
    unlink(name);
    char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *(volatile char *)m = 1; /* beyond the end of an empty file */
}

static void install_and_be_killed(void)
{
    install();
    raise(SIGSEGV);
    say("survived");
}

START_TEST(other_faults_die_as_ever)
{
    expect_killed(run(install_and_fault), SIGSEGV, "");
    expect_killed(run(install_and_hit_a_guard), SIGSEGV, "");
    expect_killed(run(install_and_bus_error), SIGBUS, "");
    expect_killed(run(install_and_be_killed), SIGSEGV, "");
}
END_TEST

/* --- handlers that were there before --- */

static void set_handler(int sig, void (*handler)(int), int flags)
{
    struct sigaction act = { .sa_handler = handler, .sa_flags = flags };
    sigemptyset(&act.sa_mask);
    sigaddset(&act.sa_mask, SIGUSR2);
    HK_EXPECT_EQ(sigaction(sig, &act, NULL), 0);
}

static sigjmp_buf back;

static bool blocked(int sig)
{
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, sig);
}

static void theirs(int sig)
{
    char text[64];
    snprintf(text, sizeof text, "[%d%s%s]", sig == SIGSEGV, blocked(sig) ? " self" : "",
             blocked(SIGUSR2) ? " usr2" : "");
    say(text);
    siglongjmp(back, 1);
}

static void theirs_with_info(int sig, siginfo_t *info, void *context)
{
    HK_EXPECT(sig == SIGSEGV && context != NULL);
    say(info->si_addr == nowhere ? "[info]" : "[wrong]");
    siglongjmp(back, 1);
}

static void fault_twice_under(void (*handler)(int), int flags)
{
    set_handler(SIGSEGV, handler, flags);
    install();
    for (volatile int i = 0; i < 2; i++)
        if (sigsetjmp(back, 1) == 0)
            fault();
    HK_EXPECT(!blocked(SIGSEGV) && !blocked(SIGUSR2));
    _exit(3);
}

static void with_plain_handler(void)
{
    fault_twice_under(theirs, 0);
}

static void with_nodefer_handler(void)
{
    fault_twice_under(theirs, SA_NODEFER);
}

static void with_one_shot_handler(void)
{
    fault_twice_under(theirs, (int)SA_RESETHAND);
}

/* SA_NODEFER, but the handler's own mask has the signal. */
static void with_masked_handler(void)
{
    struct sigaction act = { .sa_handler = theirs, .sa_flags = SA_NODEFER };
    sigemptyset(&act.sa_mask);
    sigaddset(&act.sa_mask, SIGSEGV);
    HK_EXPECT_EQ(sigaction(SIGSEGV, &act, NULL), 0);
    install();
    if (sigsetjmp(back, 1) == 0)
        fault();
    _exit(3);
}

/* Once used up, it does not come back with the uninstall. */
static void with_used_up_handler(void)
{
    set_handler(SIGSEGV, theirs, (int)SA_RESETHAND);
    install();
    if (sigsetjmp(back, 1) == 0)
        fault();
    hocket__overflow_uninstall();
    fault();
}

static void with_info_handler(void)
{
    fault_twice_under((void (*)(int))(void (*)(void))theirs_with_info, SA_SIGINFO | SA_ONSTACK);
}

static void with_ignored_fault(void)
{
    fault_twice_under(SIG_IGN, 0);
}

static void with_ignored_kill(void)
{
    set_handler(SIGSEGV, SIG_IGN, 0);
    install();
    raise(SIGSEGV);
    say("survived");
}

START_TEST(faults_go_on_to_the_handler_before)
{
    expect_exit(run(with_plain_handler), 3, "[1 self usr2][1 self usr2]");
    expect_exit(run(with_nodefer_handler), 3, "[1 usr2][1 usr2]");
    expect_exit(run(with_masked_handler), 3, "[1 self]");
    expect_exit(run(with_info_handler), 3, "[info][info]");
    expect_killed(run(with_used_up_handler), SIGSEGV, "[1 self usr2]");
    expect_killed(run(with_one_shot_handler), SIGSEGV, "[1 self usr2]");
    expect_killed(run(with_ignored_fault), SIGSEGV, "");
    expect_exit(run(with_ignored_kill), 0, "survived");
}
END_TEST

/* --- installing and removing --- */

static void *handler_of(int sig)
{
    struct sigaction now;
    HK_EXPECT_EQ(sigaction(sig, NULL, &now), 0);
    return (void *)(uintptr_t)now.sa_handler;
}

START_TEST(uninstalling_restores)
{
    set_handler(SIGSEGV, theirs, 0);
    void *before = handler_of(SIGSEGV), *bus = handler_of(SIGBUS);

    for (int i = 0; i < 100; i++) {
        hocket__overflow_install(name_of);
        HK_EXPECT(handler_of(SIGSEGV) != before);
        hocket__overflow_install(name_of);
        hocket__overflow_uninstall();
        HK_EXPECT(handler_of(SIGSEGV) != before);
        hocket__overflow_uninstall();
        HK_EXPECT(handler_of(SIGSEGV) == before && handler_of(SIGBUS) == bus);
    }
}
END_TEST

static void install_below_another(void)
{
    set_handler(SIGSEGV, theirs, 0);
    hocket__overflow_install(name_of);
    /* Someone installs over ours, keeps it to pass faults on, and we leave. */
    struct sigaction ours;
    HK_EXPECT_EQ(sigaction(SIGSEGV, NULL, &ours), 0);
    set_handler(SIGSEGV, theirs, SA_NODEFER);
    hocket__overflow_uninstall();
    HK_EXPECT(handler_of(SIGSEGV) == (void *)(uintptr_t)theirs);
    hocket__overflow_install(name_of);
    HK_EXPECT(handler_of(SIGSEGV) == (void *)(uintptr_t)theirs);
    HK_EXPECT_EQ(sigaction(SIGSEGV, &ours, NULL), 0);
    if (sigsetjmp(back, 1) == 0)
        fault();
    hocket__overflow_uninstall();
    HK_EXPECT(handler_of(SIGSEGV) == (void *)(uintptr_t)theirs);
    _exit(3);
}

START_TEST(installs_make_no_circle)
{
    expect_exit(run(install_below_another), 3, "[1 self usr2]");
}
END_TEST

START_TEST(alternate_stacks_come_and_go)
{
    struct hocket__altstack a, second;
    stack_t now;

    for (int i = 0; i < 100; i++) {
        HK_EXPECT_EQ(hocket__altstack_on(&a), 0);
        HK_EXPECT(a.memory != NULL);
        HK_EXPECT_EQ(sigaltstack(NULL, &now), 0);
        HK_EXPECT(!(now.ss_flags & SS_DISABLE) && now.ss_size >= 65536);
        HK_EXPECT_EQ(hocket__altstack_on(&second), 0);
        HK_EXPECT(second.memory == NULL);
        hocket__altstack_off(&second);
        HK_EXPECT_EQ(sigaltstack(NULL, &now), 0);
        HK_EXPECT(!(now.ss_flags & SS_DISABLE));
        hocket__altstack_off(&a);
        HK_EXPECT_EQ(sigaltstack(NULL, &now), 0);
        HK_EXPECT(now.ss_flags & SS_DISABLE);
    }
}
END_TEST

static int no_map(size_t size, void **ret)
{
    (void)size, (void)ret;
    return -ENOMEM;
}

START_TEST(no_memory_for_an_alternate_stack)
{
    struct hocket__sys world = hocket__sys_linux;
    struct hocket__altstack a;

    world.map = no_map;
    hocket__sys = &world;
    HK_EXPECT_EQ(hocket__altstack_on(&a), -ENOMEM);
}
END_TEST

START_TEST(foreign_alternate_stack_stays)
{
    static char memory[65536];
    struct hocket__altstack a;
    stack_t theirs_now = { .ss_sp = memory, .ss_size = sizeof memory }, now;

    HK_EXPECT_EQ(hocket__altstack_on(&a), 0);
    HK_EXPECT_EQ(sigaltstack(&theirs_now, NULL), 0);
    hocket__altstack_off(&a);
    HK_EXPECT_EQ(sigaltstack(NULL, &now), 0);
    HK_EXPECT(now.ss_sp == memory && !(now.ss_flags & SS_DISABLE));
}
END_TEST

int main(void)
{
    if (HOCKET_ASAN || HOCKET_TSAN)
        HK_SKIP("sanitizers keep these signals for themselves");

    Suite *s = suite_create("sys_overflow");
    TCase *t = tcase_create("overflow");

    tcase_add_test(t, overflow_names_the_task);
    tcase_add_test(t, overflow_on_another_thread);
    tcase_add_test(t, overflow_by_one_large_frame);
    tcase_add_test(t, other_faults_die_as_ever);
    tcase_add_test(t, faults_go_on_to_the_handler_before);
    tcase_add_test(t, uninstalling_restores);
    tcase_add_test(t, installs_make_no_circle);
    tcase_add_test(t, alternate_stacks_come_and_go);
    tcase_add_test(t, no_memory_for_an_alternate_stack);
    tcase_add_test(t, foreign_alternate_stack_stays);
    suite_add_tcase(s, t);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
