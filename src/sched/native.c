/* SPDX-License-Identifier: MIT */
/*
 * native - the thread under the fibers: its signal stack, its bounds, its end
 *
 * A thread may become a worker for its whole life, for one wait (sched/runtime.c, the
 * seat), or run one task of its own.  In all cases it must not end in between: pthread_exit in
 * a task would take a worker away that everybody counts on.  glibc unwinds first and is
 * caught by sched/unwind.c where it can be; for the rest a key's destructor looks.
 *
 * A thread that takes the seat again and again keeps its signal stack until it ends, which is
 * cheaper than a system call a wait.
 *
 * The thread-local is touched on native stacks only, so it cannot go stale.
 */
#include <pthread.h>

#include "base/panic.h"
#include "sched/worker.h"
#include "sys/overflow.h"
#include "sys/sanitizer.h"

struct native {
    struct hocket__altstack altstack;
    bool watched; /* the key is set on this thread */
    bool altstack_on;
    unsigned depth; /* tasks or loops that must return before the thread ends */
};

static __thread struct native native;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool key_made;

static void altstack_drop(struct native *n)
{
    if (n->altstack_on)
        hocket__altstack_off(&n->altstack);
    n->altstack_on = false;
}

static void thread_ends(void *arg)
{
    struct native *n = arg;
    if (n->depth > 0)
        hocket__panic("a thread ended inside of a task (pthread_exit or pthread_cancel?): "
                      "a task ends by returning");
    n->watched = false;
    altstack_drop(n);
}

static void key_make(void)
{
    key_made = pthread_key_create(&key, thread_ends) == 0;
}

void hocket__native_enter(bool fibers)
{
    struct native *n = &native;
    /* Without the key nothing is detected and all the rest works. */
    if (!n->watched && pthread_once(&once, key_make) == 0 && key_made)
        n->watched = pthread_setspecific(key, n) == 0;
    /* Without the stack an overflow is a bare SIGSEGV. */
    if (fibers && !n->altstack_on)
        n->altstack_on = hocket__altstack_on(&n->altstack) == 0;
    n->depth++;
}

void hocket__native_leave(void)
{
    native.depth--;
}

void hocket__native_forget(void)
{
    struct native *n = &native;
    if (n->depth > 0)
        return;
    if (n->watched)
        (void)pthread_setspecific(key, NULL);
    n->watched = false;
    altstack_drop(n);
}

/* Address sanitizer wants the bounds of the stack that loops return to. */
void hocket__native_bounds(struct hocket__worker *w)
{
    w->native.base = NULL;
    w->native.size = 0;
#if HOCKET_ASAN
    pthread_attr_t attr;
    void *base;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        if (pthread_attr_getstack(&attr, &base, &w->native.size) == 0)
            w->native.base = base;
        (void)pthread_attr_destroy(&attr);
    }
#endif
}
