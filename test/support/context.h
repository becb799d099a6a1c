/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_CONTEXT_H
#define HOCKET_TEST_CONTEXT_H
/*
 * context - bare coroutines on src/sys alone, for tests of stacks and switches
 *
 *     struct context c;
 *     context_open(&c, 0, body);       // a stack of the smallest class
 *     x = context_resume(&c, arg);     // runs body(arg) up to context_yield(&c, x)
 *     context_close(&c);
 *
 * One thread at a time may resume a context.  A body that returns yields NULL
 * for ever.
 */
#include "support/expect.h"
#include "sys/sanitizer.h"
#include "sys/stack.h"
#include "sys/switch.h"

struct context {
    struct hocket__stack *stack;
    void (*body)(struct context *, void *arg);
    void *resumer_sp;
    void *resumer_fake;
    void *resumer_fiber;
    const void *resumer_base;
    size_t resumer_size;
    void *fiber; /* TSan's */
    bool started;
};

/* The switches themselves: not instrumented, since TSan would see the function
 * entered on one stack and left on another. */
__attribute__((noinline)) HOCKET_NO_TSAN static void *context__switch(void **save_sp, void *to_sp,
                                                                      void *fiber, void *arg)
{
    hocket__tsan_switch(fiber, 1);
    return hocket__switch(save_sp, to_sp, arg);
}

static inline void *context_yield(struct context *c, void *value)
{
    hocket__asan_leave(&c->stack->asan_fake_stack, c->resumer_base, c->resumer_size);
    void *arg = context__switch(&c->stack->sp, c->resumer_sp, c->resumer_fiber, value);
    hocket__asan_enter_from(c->stack->asan_fake_stack, &c->resumer_base, &c->resumer_size);
    return arg;
}

/* The first resume hands over the context, the second argument lies in it. */
HOCKET_NO_TSAN static void context__entry(void *arg)
{
    struct context *c = arg;
    hocket__asan_enter_from(NULL, &c->resumer_base, &c->resumer_size);
    c->body(c, context_yield(c, c));
    for (;;)
        context_yield(c, NULL);
}

static inline void *context__resume(struct context *c, void *arg)
{
    c->resumer_fiber = hocket__tsan_current();
    hocket__asan_leave(&c->resumer_fake, c->stack->base, hocket__stack_usable(c->stack));
    void *value = context__switch(&c->resumer_sp, c->stack->sp, c->fiber, arg);
    hocket__asan_enter(c->resumer_fake);
    return value;
}

static inline void *context_resume(struct context *c, void *arg)
{
    if (!c->started) {
        c->started = true;
        HK_EXPECT(context__resume(c, c) == c);
    }
    return context__resume(c, arg);
}

/* On a stack of the caller's. */
static inline void context_open_on(struct context *c, struct hocket__stack *s,
                                   void (*body)(struct context *, void *))
{
    *c = (struct context){ .stack = s, .body = body, .fiber = hocket__tsan_create("context") };
    s->sp = hocket__switch_make(hocket__stack_top(s), context__entry);
    s->owner = c;
}

static inline void context_open(struct context *c, size_t stack_size,
                                void (*body)(struct context *, void *))
{
    struct hocket__stack *s;
    HK_EXPECT_EQ(hocket__stack_new(stack_size, &s), 0);
    context_open_on(c, s, body);
}

static inline void context_close(struct context *c)
{
    hocket__tsan_destroy(c->fiber);
    hocket__stack_free(c->stack);
}

#endif
