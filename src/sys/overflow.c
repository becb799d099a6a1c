/* SPDX-License-Identifier: MIT */
/*
 * overflow - the handler of SIGSEGV and SIGBUS (see overflow.h)
 *
 * A fault is an overflow if its address lies in the guard of a live stack and
 * the stack pointer lies in the same slot.  (A wild pointer into some fiber's
 * guard is not that fiber's fault.)  All else goes to the action before ours.
 *
 * The kernel's way of delivering to that action is imitated: its mask is
 * blocked meanwhile, SA_NODEFER and SA_RESETHAND are honoured, one argument or
 * three by SA_SIGINFO, SIG_IGN ignores what was sent but not what faulted.
 * One difference stays: it runs on the alternate stack if we came by one.
 *
 * `before` is written under install_lock and read by handlers without it: a
 * handler that runs during an install or uninstall sees one of the two.
 */
#include "sys/overflow.h"
#include "sys/kernel.h"
#include "sys/sanitizer.h"
#include "sys/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>

enum { SIGNALS = 2 };

static const int signals[SIGNALS] = { SIGSEGV, SIGBUS };
static struct sigaction before[SIGNALS];
static bool installed[SIGNALS];             /* under install_lock */
static unsigned installs;                   /* under install_lock */
static _Atomic uint32_t was_reset[SIGNALS]; /* the SA_RESETHAND of `before` was used up */
static _Atomic(hocket__stack_namer *) namer;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;

static const void *stack_pointer_of(const ucontext_t *at)
{
#if defined(__x86_64__)
    return (const void *)at->uc_mcontext.gregs[REG_RSP];
#else
    return (const void *)at->uc_mcontext.sp; /* aarch64 */
#endif
}

static bool overflowed(const siginfo_t *info, const ucontext_t *at, struct hocket__stack **ret)
{
    const void *sp = stack_pointer_of(at);
    struct hocket__stack *on;

    if (info->si_code <= 0 || hocket__stack_find(info->si_addr, ret) != HOCKET__STACK_IN_GUARD)
        return false;
    return hocket__stack_find(sp, &on) != HOCKET__STACK_NOWHERE && on == *ret;
}

/* A line put together without stdio. */
struct line {
    size_t size;
    char text[256];
};

static void line_add(struct line *l, const char *s)
{
    /* Names come from programs: what could steer a terminal becomes '?'. */
    for (; *s != '\0' && l->size < sizeof l->text - 1; s++)
        l->text[l->size++] = (unsigned char)*s < ' ' || *s == 127 ? '?' : *s;
}

static void line_add_number(struct line *l, size_t n)
{
    char digits[24];
    size_t at = sizeof digits;

    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    line_add(l, digits + at);
}

static void report(struct hocket__stack *s)
{
    hocket__stack_namer *name_of = hk_load_acq(&namer); /* pairs with install */
    const char *name = name_of(s);
    struct line l = { .size = 0 };

    line_add(&l, "hocket: stack overflow in ");
    if (name != NULL) {
        char shown[128];
        size_t n = strnlen(name, sizeof shown - 1);
        memcpy(shown, name, n);
        shown[n] = '\0';
        line_add(&l, "task '");
        line_add(&l, shown);
        line_add(&l, "'");
    } else {
        line_add(&l, "a task");
    }
    line_add(&l, " (stack of ");
    line_add_number(&l, s->size >> 10);
    line_add(&l, " KiB; ask for more with .stack_size)");
    l.text[l.size++] = '\n';
    hocket__syscall4(SYS_write, STDERR_FILENO, (long)l.text, (long)l.size, 0);
}

static void to_default(int sig)
{
    struct sigaction act;

    memset(&act, 0, sizeof act);
    act.sa_handler = SIG_DFL;
    sigaction(sig, &act, NULL);
}

/* Faults come again when the instruction is repeated; what was sent does not. */
static bool comes_again(const siginfo_t *info)
{
#ifdef BUS_MCEERR_AO
    if (info->si_signo == SIGBUS && info->si_code == BUS_MCEERR_AO)
        return false;
#endif
    return info->si_code > 0;
}

/* On return the instruction faults again, or the pending signal arrives. */
static void die_by_default(int sig, const siginfo_t *info)
{
    to_default(sig);
    if (!comes_again(info))
        hocket__syscall4(SYS_tgkill, getpid(), hocket__thread_id(), sig, 0);
}

static void pass_on(size_t which, int sig, siginfo_t *info, ucontext_t *at)
{
    const struct sigaction *act = &before[which];
    bool by_default = act->sa_handler == SIG_DFL;

    if ((unsigned)act->sa_flags & SA_RESETHAND)
        by_default = by_default || hk_xchg(&was_reset[which], 1u) != 0;
    if (!by_default && act->sa_handler == SIG_IGN) {
        if (!comes_again(info))
            return;
        by_default = true;
    }
    if (by_default) {
        die_by_default(sig, info);
        return;
    }
    /* The kernel has blocked `sig` for us, and restores the mask after us. */
    pthread_sigmask(SIG_BLOCK, &act->sa_mask, NULL);
    if ((act->sa_flags & SA_NODEFER) && !sigismember(&act->sa_mask, sig) &&
        !sigismember(&at->uc_sigmask, sig)) {
        sigset_t self;
        sigemptyset(&self);
        sigaddset(&self, sig);
        pthread_sigmask(SIG_UNBLOCK, &self, NULL);
    }
    if (act->sa_flags & SA_SIGINFO)
        act->sa_sigaction(sig, info, at);
    else
        act->sa_handler(sig);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    struct hocket__stack *s;

    if (overflowed(info, context, &s)) {
        report(s);
        to_default(sig);
    } else {
        pass_on(sig == SIGSEGV ? 0 : 1, sig, info, context);
    }
    errno = saved;
}

/* If ours is still somewhere below another one's, a second install on top
 * would make a circle: it would pass on to them, and they to us. */
static void install_one(size_t which)
{
    struct sigaction act;

    if (installed[which])
        return;
    sigaction(signals[which], NULL, &before[which]);
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK | (before[which].sa_flags & SA_RESTART);
    sigemptyset(&act.sa_mask);
    hk_store(&was_reset[which], 0u);
    sigaction(signals[which], &act, NULL);
    installed[which] = true;
}

static void uninstall_one(size_t which)
{
    struct sigaction now;

    sigaction(signals[which], NULL, &now);
    if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_fault)
        return;
    if (hk_load(&was_reset[which]) != 0)
        before[which].sa_handler = SIG_DFL;
    sigaction(signals[which], &before[which], NULL);
    installed[which] = false;
}

void hocket__overflow_install(hocket__stack_namer *name_of)
{
    if (HOCKET_ASAN || HOCKET_TSAN)
        return;
    pthread_mutex_lock(&install_lock);
    hk_store_rel(&namer, name_of); /* pairs with report */
    for (size_t i = 0; i < SIGNALS; i++)
        install_one(i);
    installs++;
    pthread_mutex_unlock(&install_lock);
}

void hocket__overflow_uninstall(void)
{
    if (HOCKET_ASAN || HOCKET_TSAN)
        return;
    pthread_mutex_lock(&install_lock);
    if (--installs == 0)
        for (size_t i = 0; i < SIGNALS; i++)
            uninstall_one(i);
    pthread_mutex_unlock(&install_lock);
}

/* --- the alternate stack of a thread --- */

enum { ALTSTACK_ROOM = 64 << 10, ALTSTACK_GUARD = 64 << 10 };

/* What the kernel itself puts there grows with the registers of the processor. */
static size_t altstack_size(void)
{
    size_t frame = 0;

#ifdef AT_MINSIGSTKSZ
    frame = getauxval(AT_MINSIGSTKSZ);
#endif
    return ALTSTACK_ROOM + ((frame + 4095) & ~(size_t)4095);
}

int hocket__altstack_on(struct hocket__altstack *ret)
{
    size_t size = altstack_size();
    stack_t old, ours;
    void *memory;
    int rc;

    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE)) {
        *ret = (struct hocket__altstack){ NULL, 0 };
        return 0;
    }
    rc = hocket__map(ALTSTACK_GUARD + size, &memory);
    if (rc != 0)
        return rc;
    if (hocket__guard_pages(memory, ALTSTACK_GUARD, 0, 1) != 0)
        (void)hocket__protect(memory, ALTSTACK_GUARD); /* a stack without a guard works too */
    memset(&ours, 0, sizeof ours);
    ours.ss_sp = (char *)memory + ALTSTACK_GUARD;
    ours.ss_size = size;
    if (sigaltstack(&ours, NULL) != 0) {
        rc = -errno;
        hocket__unmap(memory, ALTSTACK_GUARD + size);
        return rc;
    }
    *ret = (struct hocket__altstack){ memory, ALTSTACK_GUARD + size };
    return 0;
}

void hocket__altstack_off(struct hocket__altstack *a)
{
    stack_t now;

    if (a->memory == NULL)
        return;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == (char *)a->memory + ALTSTACK_GUARD) {
        memset(&now, 0, sizeof now);
        now.ss_flags = SS_DISABLE;
        sigaltstack(&now, NULL);
    }
    hocket__unmap(a->memory, a->size);
    *a = (struct hocket__altstack){ NULL, 0 };
}
