/* SPDX-License-Identifier: MIT */
/*
 * backtrace - see trace/backtrace.h
 *
 * A suspended context begins with the registers that the switch has saved (sys/switch_*.S); with
 * them the walk starts in the caller of the switch.  A task that is PARKED has its stack pointer
 * in place, and as long as its wait goes on nothing there changes.  One that is ready may just be
 * leaving its stack or coming back to it: what is read then can be wrong, and is taken only if it
 * ends where all stacks begin.
 */
#include "trace/backtrace.h"

#include <string.h>

#include "sys/context.h"
#include "sys/stack.h"
#include "sys/switch.h"
#include "trace/cfi.h"

#define TRIES 3

#if defined(__x86_64__)
/* r15 r14 r13 r12 rbx rbp, return address */
static const uint8_t saved_regs[] = { 15, 14, 13, 12, 3, 6 };
#define SAVED_AT(i) ((i)*8u)
#define SAVED_PC    48u
#define SAVED_SIZE  56u
#else
/* x29 x30 x19 ... x28, then d8 ... d15 */
static const uint8_t saved_regs[] = { 29, 30, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28 };
#define SAVED_AT(i) ((i)*8u)
#define SAVED_PC    8u
#define SAVED_SIZE  160u
#endif

static bool start_at(struct hocket__frame *f, uintptr_t sp)
{
    uintptr_t pc;
#ifdef HOCKET_SWITCH_UCONTEXT
    return false; /* the context is libc's own business */
#endif
    if (sp % 8 != 0 || !hocket__frame_peek(f, sp + SAVED_PC, &pc))
        return false;
    for (size_t i = 0; i < sizeof saved_regs; i++) {
        unsigned reg = saved_regs[i];
        if (!hocket__frame_peek(f, sp + SAVED_AT(i), &f->reg[reg]))
            return false;
        f->known |= 1u << reg;
    }
    f->pc = pc & HOCKET__PC_MASK;
    f->reg[HOCKET__REG_SP] = sp + SAVED_SIZE;
    f->known |= 1u << HOCKET__REG_SP;
    return f->pc != 0;
}

static void walk(struct hocket__frame *f, struct hocket__frames *ret)
{
    ret->count = 0;
    ret->more = ret->running = false;
    do {
        if (ret->count == HOCKET__FRAMES_MAX) {
            ret->more = true;
            return;
        }
        ret->pc[ret->count++] = f->pc - 1;
    } while (hocket__frame_up(f));
}

/* The header lies on the stack itself, so it may be read only as the stack may. */
static bool bounds_of(struct hocket__stack *s, struct hocket__frame *f, uintptr_t *ret_sp)
{
    struct hocket__frame header = { .low = (uintptr_t)s, .high = (uintptr_t)(s + 1) };
    uintptr_t base, sp;
    if (!hocket__frame_peek(&header, (uintptr_t)&s->sp, &sp) ||
        !hocket__frame_peek(&header, (uintptr_t)&s->base, &base))
        return false;
    if (base == 0 || base >= (uintptr_t)s || sp < base || sp >= (uintptr_t)s)
        return false;
    f->low = sp;
    f->high = (uintptr_t)s;
    *ret_sp = sp;
    return true;
}

static bool same_place(hocket_task *t, uint32_t seq, uint32_t state, const struct hocket__stack *s)
{
    hk_fence_sc(); /* what was read before was read before */
    return hk_load_acq(&t->wait_seq) == seq && hk_load_acq(&t->wait_state) == state &&
           hk_load_acq(&t->stack) == s;
}

static bool is_parked(uint32_t state)
{
    return state == HOCKET__PARKED || state == HOCKET__PARKED_C;
}

static const uint8_t context_regs[HOCKET__CONTEXT_REGS] = HOCKET__CONTEXT_NUMBERS;
#define THREAD_STACK HOCKET__SAMPLE_STACK /* frames further up are not looked for */

/* A thread that sleeps in a wait has left word where; see park/thread.c. */
static bool backtrace_thread(hocket_task *task, bool in_handler, struct hocket__frames *ret)
{
    uint32_t seq = hk_load_acq(&task->wait_seq), state = hk_load_acq(&task->wait_state);
    const struct hocket__context *at = hk_load_acq(&task->context);
    struct hocket__context c;
    struct hocket__frame f = { .in_handler = in_handler, .of_thread = true, .strict = true };
    if (at == NULL || !is_parked(state) || !hocket__read_safely((uintptr_t)at, &c, sizeof c))
        return false;
    for (size_t i = 0; i < HOCKET__CONTEXT_REGS; i++) {
        f.reg[context_regs[i]] = c.reg[i];
        f.known |= 1u << context_regs[i];
    }
    f.reg[HOCKET__REG_SP] = c.sp;
    f.known |= 1u << HOCKET__REG_SP;
    f.pc = c.pc + 1;
    f.low = c.sp;
    f.high = c.sp + THREAD_STACK;
    walk(&f, ret);
    return same_place(task, seq, state, NULL) && hk_load_acq(&task->context) == at;
}

void hocket__backtrace_sample(const struct hocket__sample *s, bool in_handler,
                              struct hocket__frames *ret)
{
    _Static_assert(HOCKET__SAMPLE_SP == HOCKET__REG_SP && HOCKET__SAMPLE_REGS <= HOCKET__REGS,
                   "numbered alike");
    uintptr_t sp = s->reg[HOCKET__SAMPLE_SP];
    struct hocket__frame f = { .pc = s->pc + 1, /* an address in the function, none to return to */
                               .known = s->known,
                               .low = sp,
                               .high = sp + (s->stack != NULL ? s->size : THREAD_STACK),
                               .copy = s->stack,
                               .in_handler = in_handler,
                               .of_thread = true,
                               .strict = true };
    memcpy(f.reg, s->reg, sizeof s->reg);
    walk(&f, ret);
    ret->running = true;
}

bool hocket__backtrace_task(hocket_task *task, bool in_handler, struct hocket__frames *ret)
{
    if (hk_load(&task->kind) != HOCKET__FIBER)
        return backtrace_thread(task, in_handler, ret);
    for (int i = 0; i < TRIES; i++) {
        uint32_t seq = hk_load_acq(&task->wait_seq);
        uint32_t state = hk_load_acq(&task->wait_state); /* pairs with publish_parked */
        struct hocket__stack *s = hk_load_acq(&task->stack);
        struct hocket__frame f = { .in_handler = in_handler };
        uintptr_t sp, now;
        if (s == NULL)
            return false;
        if (!bounds_of(s, &f, &sp) || !start_at(&f, sp))
            continue;
        walk(&f, ret);
        bool still = bounds_of(s, &f, &now) && now == sp && same_place(task, seq, state, s);
        if (still && (is_parked(state) || ret->count > 1))
            return true;
    }
    return false;
}

HK_NOINLINE void hocket__backtrace_here(uintptr_t high, bool in_handler, struct hocket__frames *ret)
{
    struct hocket__frame f = { .in_handler = in_handler };
#if defined(__x86_64__)
    __asm__ volatile("leaq 0f(%%rip), %%rax\n0:\tmovq %%rax, %0\n\tmovq %%rsp, %1\n\t"
                     "movq %%rbp, %2\n\tmovq %%rbx, %3\n\tmovq %%r12, %4\n\tmovq %%r13, %5\n\t"
                     "movq %%r14, %6\n\tmovq %%r15, %7"
                     : "=m"(f.pc), "=m"(f.reg[7]), "=m"(f.reg[6]), "=m"(f.reg[3]), "=m"(f.reg[12]),
                       "=m"(f.reg[13]), "=m"(f.reg[14]), "=m"(f.reg[15])
                     :
                     : "rax", "memory");
    f.known = 1u << 7 | 1u << 6 | 1u << 3 | 0xfu << 12;
#else
    __asm__ volatile("adr x9, 0f\n0:\tstr x9, %0\n\tmov x9, sp\n\tstr x9, %1"
                     : "=m"(f.pc), "=m"(f.reg[31])
                     :
                     : "x9", "memory");
    uintptr_t fp;
    __asm__ volatile("mov %0, x29" : "=r"(fp));
    f.reg[29] = fp;
    f.known = 1u << 31 | 1u << 29;
#endif
    f.pc++; /* an address in this function, not one to return to */
    f.low = f.reg[HOCKET__REG_SP];
    f.strict = high == 0;
    f.high = high != 0 ? high : f.low + ((uintptr_t)64 << 10);
    walk(&f, ret);
}
