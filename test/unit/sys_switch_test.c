/* SPDX-License-Identifier: MIT */
/* sys: switching stacks keeps what a call must keep. */
#include "support/context.h"
#include "support/expect.h"
#include "support/plain_suite.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unwind.h>

/* The unwinder comes with a compiler for glibc; the fallback has no CFI of ours. */
#if defined(__GLIBC__) && !defined(HOCKET_SWITCH_UCONTEXT)
#define UNWIND 1
#else
#define UNWIND 0
#endif

static void echo(struct context *c, void *arg)
{
    for (;;)
        arg = context_yield(c, (void *)((uintptr_t)arg + 1));
}

START_TEST(values_go_both_ways)
{
    struct context c;

    context_open(&c, 0, echo);
    for (uintptr_t i = 0; i < 1000; i++)
        HK_EXPECT(context_resume(&c, (void *)i) == (void *)(i + 1));
    context_close(&c);
}
END_TEST

START_TEST(many_contexts_in_turn)
{
    enum { N = 100 };
    static struct context c[N];

    for (int i = 0; i < N; i++)
        context_open(&c[i], 0, echo);
    for (uintptr_t round = 0; round < 20; round++)
        for (uintptr_t i = 0; i < N; i++)
            HK_EXPECT(context_resume(&c[i], (void *)(round * i)) == (void *)(round * i + 1));
    for (int i = 0; i < N; i++)
        context_close(&c[i]);
}
END_TEST

static void report_alignment(struct context *c, void *arg)
{
    /* An aligned local is where compilers trust the entry's alignment. */
    _Alignas(16) volatile char probe[32];
    probe[0] = (char)(uintptr_t)arg;
    double x = 0;
    for (;;) {
        x += 1.5;
        char text[64];
        /* Varargs of doubles use aligned vector stores on x86-64. */
        snprintf(text, sizeof text, "%.1f %a", x, x);
        context_yield(c, (void *)(((uintptr_t)probe & 15) + (atof(text) != x)));
    }
}

START_TEST(stack_is_aligned_at_entry)
{
    /* Tops of any alignment: slots differ by colour. */
    for (int i = 0; i < 40; i++) {
        struct context c;
        context_open(&c, 0, report_alignment);
        HK_EXPECT(context_resume(&c, NULL) == NULL);
        HK_EXPECT(context_resume(&c, NULL) == NULL);
        context_close(&c);
    }
}
END_TEST

static void *first_argument;

static void take_argument(void *arg)
{
    static void *back;
    void **resumer = arg;

    first_argument = arg;
    hocket__switch(&back, *resumer, (void *)77);
    abort();
}

START_TEST(entry_gets_the_argument_on_any_top)
{
#if HOCKET_ASAN || HOCKET_TSAN
    return; /* a bare switch that they are not told of */
#endif
    static char memory[65536 * 2];
    for (int skew = 0; skew < 16; skew++) {
        void *here;
        void *sp = hocket__switch_make(memory + sizeof memory - skew, take_argument);
        HK_EXPECT((char *)sp >= memory + sizeof memory - skew - HOCKET__SWITCH_FRAME - 80);
        HK_EXPECT(hocket__switch(&here, sp, &here) == (void *)77);
        HK_EXPECT(first_argument == &here);
    }
}
END_TEST

/*
 * switch_probe(save_sp, to_sp, values) sets every callee-saved register from
 * values, switches, stores the registers to values + PROBES and returns what
 * the switch returned.
 */
#if defined(__x86_64__)
enum { PROBES = 6 };
__asm__(".text\n"
        ".globl switch_probe\n"
        ".type switch_probe, @function\n"
        "switch_probe:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  pushq %rdx\n"
        "  movq 0(%rdx), %rbx\n  movq 8(%rdx), %rbp\n  movq 16(%rdx), %r12\n"
        "  movq 24(%rdx), %r13\n  movq 32(%rdx), %r14\n  movq 40(%rdx), %r15\n"
        "  call hocket__switch\n"
        "  popq %rdx\n"
        "  movq %rbx, 48(%rdx)\n  movq %rbp, 56(%rdx)\n  movq %r12, 64(%rdx)\n"
        "  movq %r13, 72(%rdx)\n  movq %r14, 80(%rdx)\n  movq %r15, 88(%rdx)\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size switch_probe, . - switch_probe\n");
#elif defined(__aarch64__)
enum { PROBES = 18 };
__asm__(".text\n"
        ".globl switch_probe\n"
        ".type switch_probe, %function\n"
        "switch_probe:\n"
        "  stp x29, x30, [sp, #-176]!\n"
        "  stp x19, x20, [sp, #16]\n  stp x21, x22, [sp, #32]\n  stp x23, x24, [sp, #48]\n"
        "  stp x25, x26, [sp, #64]\n  stp x27, x28, [sp, #80]\n  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
        "  str x2, [sp, #160]\n"
        "  ldp x19, x20, [x2, #0]\n  ldp x21, x22, [x2, #16]\n  ldp x23, x24, [x2, #32]\n"
        "  ldp x25, x26, [x2, #48]\n  ldp x27, x28, [x2, #64]\n  ldp d8, d9, [x2, #80]\n"
        "  ldp d10, d11, [x2, #96]\n  ldp d12, d13, [x2, #112]\n  ldp d14, d15, [x2, #128]\n"
        "  bl hocket__switch\n"
        "  ldr x2, [sp, #160]\n"
        "  add x2, x2, #144\n"
        "  stp x19, x20, [x2, #0]\n  stp x21, x22, [x2, #16]\n  stp x23, x24, [x2, #32]\n"
        "  stp x25, x26, [x2, #48]\n  stp x27, x28, [x2, #64]\n  stp d8, d9, [x2, #80]\n"
        "  stp d10, d11, [x2, #96]\n  stp d12, d13, [x2, #112]\n  stp d14, d15, [x2, #128]\n"
        "  ldp x19, x20, [sp, #16]\n  ldp x21, x22, [sp, #32]\n  ldp x23, x24, [sp, #48]\n"
        "  ldp x25, x26, [sp, #64]\n  ldp x27, x28, [sp, #80]\n  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
        "  ldp x29, x30, [sp], #176\n"
        "  ret\n"
        ".size switch_probe, . - switch_probe\n");
#endif

#if (defined(__x86_64__) || defined(__aarch64__)) && !HOCKET_ASAN && !HOCKET_TSAN
void *switch_probe(void **save_sp, void *to_sp, uint64_t *values);

static void *main_sp, *probe_sp;

static void fill(uint64_t *values, uint64_t seed)
{
    for (int i = 0; i < PROBES; i++)
        values[i] = (seed << 32) | (uint64_t)i;
}

static void expect_kept(const uint64_t *values)
{
    for (int i = 0; i < PROBES; i++)
        HK_EXPECT_EQ(values[PROBES + i], values[i]);
}

/* The other side sets every one of the registers to values of its own. */
static void probe_entry(void *arg)
{
    uint64_t values[2 * PROBES];

    (void)arg;
    for (uint64_t round = 0;; round++) {
        fill(values, 0xb0000000u + round);
        switch_probe(&probe_sp, main_sp, values);
        expect_kept(values);
    }
}

START_TEST(callee_saved_registers_are_kept)
{
    static _Alignas(64) char memory[65536];
    uint64_t values[2 * PROBES];

    probe_sp = hocket__switch_make(memory + sizeof memory, probe_entry);
    for (uint64_t round = 0; round < 100; round++) {
        fill(values, 0xa0000000u + round);
        switch_probe(&main_sp, probe_sp, values);
        expect_kept(values);
    }
}
END_TEST
#else
START_TEST(callee_saved_registers_are_kept)
{
}
END_TEST
#endif

static void accumulate(struct context *c, void *arg)
{
    double sum = 0, product = 1;
    long double wide = 0;

    for (;;) {
        double x = *(double *)arg;
        sum += x;
        product *= 1 + x / 1000;
        wide += (long double)x;
        double answer[3] = { sum, product, (double)wide };
        arg = context_yield(c, answer);
    }
}

START_TEST(floating_point_lives_across_switches)
{
    struct context a, b;
    double sum = 0, product = 1;

    context_open(&a, 0, accumulate);
    context_open(&b, 0, accumulate);
    for (int i = 0; i < 1000; i++) {
        double x = i * 0.37, y = -x;
        double *got = context_resume(&a, &x);
        sum += x;
        product *= 1 + x / 1000;
        HK_EXPECT(got[0] == sum && got[1] == product && fabs(got[2] - sum) < 1e-6);
        context_resume(&b, &y);
    }
    context_close(&a);
    context_close(&b);
}
END_TEST

/* Contexts may go on on another thread. */
static void *resume_on_thread(void *arg)
{
    struct context *c = arg;
    HK_EXPECT(context_resume(c, (void *)10) == (void *)11);
    return NULL;
}

START_TEST(a_context_changes_threads)
{
    struct context c;
    pthread_t t;

    context_open(&c, 0, echo);
    for (int i = 0; i < 10; i++) {
        HK_EXPECT(context_resume(&c, (void *)1) == (void *)2);
        HK_EXPECT_EQ(pthread_create(&t, NULL, resume_on_thread, &c), 0);
        pthread_join(t, NULL);
    }
    context_close(&c);
}
END_TEST

/* The mask is the thread's: no switch brings another one along. */
static void read_mask(struct context *c, void *arg)
{
    for (;;) {
        sigset_t now;
        (void)arg;
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        arg = context_yield(c, (void *)(uintptr_t)sigismember(&now, SIGUSR1));
    }
}

START_TEST(signal_mask_stays_with_the_thread)
{
    struct context c;
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    context_open(&c, 0, read_mask);
    HK_EXPECT(context_resume(&c, NULL) == (void *)0);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    HK_EXPECT(context_resume(&c, NULL) == (void *)1);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    HK_EXPECT(context_resume(&c, NULL) == (void *)0);
    context_close(&c);
}
END_TEST

#if UNWIND
static _Unwind_Reason_Code count_frame(struct _Unwind_Context *at, void *count)
{
    (void)at;
    return ++*(int *)count < 100 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void unwind(struct context *c, void *arg)
{
    for (;;) {
        int frames = 0;
        (void)arg;
        _Unwind_Backtrace(count_frame, &frames);
        arg = context_yield(c, (void *)(uintptr_t)frames);
    }
}

START_TEST(unwinding_ends_at_the_entry)
{
    struct context c;

    context_open(&c, 0, unwind);
    uintptr_t frames = (uintptr_t)context_resume(&c, NULL);
    HK_EXPECT(frames >= 2 && frames <= 5);
    context_close(&c);
}
END_TEST
#endif

PLAIN_SUITE("sys_switch", 0)
{
    suite_once(values_go_both_ways);
    suite_once(many_contexts_in_turn);
    suite_once(stack_is_aligned_at_entry);
    suite_once(entry_gets_the_argument_on_any_top);
    suite_once(callee_saved_registers_are_kept);
    suite_once(floating_point_lives_across_switches);
    suite_once(a_context_changes_threads);
    suite_once(signal_mask_stays_with_the_thread);
#if UNWIND
    suite_once(unwinding_ends_at_the_entry);
#endif
}
