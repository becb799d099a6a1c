/* SPDX-License-Identifier: MIT */
/*
 * sample - see sys/sample.h
 *
 * `call` is a number of a question and how far it is: FREE -> ASKED by who asks, ASKED -> AT_WORK by
 * the handler, which then owns `answer` and `copy`, AT_WORK -> DONE by it.  When the time is over
 * ASKED goes back to FREE, and a handler that comes later finds nothing to do.  One that is AT_WORK
 * is waited for a second, as it does nothing but copy; if that was not enough, nobody is asked
 * until it is done.
 *
 * A signal that was not delivered stays pending, and would end the program once its action is the
 * default one again.  The kernel forgets what is pending when a signal becomes ignored, so that
 * comes in between.  (It holds the lock under which threads take signals, and takes the handler's
 * address with the signal.)
 */
#include "sys/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "sys/context.h"
#include "sys/kernel.h"
#include "sys/module.h"
#include "sys/sanitizer.h"
#include "sys/stack.h"
#include "sys/sys.h"

#define SIGNAL     HOCKET__SAMPLE_SIGNAL
#define MS         INT64_C(1000000)
#define WAIT       (50 * MS)   /* for one thread that does not run */
#define BUDGET     (500 * MS)  /* for all, until hocket__sample_end */
#define IN_HANDLER 10          /* ms */
#define FINISH     (1000 * MS) /* for a copy that is under way */
#define PAGE       4096u       /* or a part of one */

enum { FREE, ASKED, AT_WORK, DONE, STATES };

static _Atomic uint32_t call; /* STATES * number + state */
static _Atomic int wanted;    /* the thread */
static const void *(*_Atomic subject_of)(void);
static struct hocket__sample answer; /* with `copy`: the handler's while AT_WORK */
static uint8_t copy[HOCKET__SAMPLE_STACK];

/* Of the user. */
static bool installed;
static bool pending; /* somebody did not answer */
static int64_t spent;
static struct sigaction before;

/* ---- on the thread that is asked ---- */

void hocket__sample_of_context(const void *context, struct hocket__sample *ret)
{
    const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
    static const uint8_t order[HOCKET__SAMPLE_REGS] = { REG_RAX, REG_RDX, REG_RCX, REG_RBX,
                                                        REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                                        REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                        REG_R12, REG_R13, REG_R14, REG_R15 };
    for (size_t i = 0; i < HOCKET__SAMPLE_REGS; i++)
        ret->reg[i] = (uintptr_t)m->gregs[order[i]];
    ret->pc = (uintptr_t)m->gregs[REG_RIP];
#else
    for (size_t i = 0; i < HOCKET__SAMPLE_SP; i++)
        ret->reg[i] = m->regs[i];
    ret->reg[HOCKET__SAMPLE_SP] = m->sp;
    ret->pc = m->pc;
#endif
    ret->known = (uint32_t)((UINT64_C(1) << HOCKET__SAMPLE_REGS) - 1);
}

/* TSan calls handlers later than the kernel does: what the kernel saw is past by then. */
HOCKET__INLINE void sample_here(struct hocket__sample *ret)
{
    static const uint8_t order[HOCKET__CONTEXT_REGS] = HOCKET__CONTEXT_NUMBERS;
    struct hocket__context here;
    hocket__context_save(&here);
    ret->known = 1u << HOCKET__SAMPLE_SP;
    for (size_t i = 0; i < HOCKET__CONTEXT_REGS; i++) {
        ret->reg[order[i]] = here.reg[i];
        ret->known |= 1u << order[i];
    }
    ret->reg[HOCKET__SAMPLE_SP] = here.sp;
    ret->pc = here.pc;
}

/* By pages, as the stack's end is not known: the kernel stops at the first that is not there. */
static size_t copy_by_kernel(uintptr_t sp)
{
    struct iovec to = { copy, sizeof copy }, from[HOCKET__SAMPLE_STACK / PAGE + 1];
    unsigned n = 0;
    for (uintptr_t at = sp, end = sp + sizeof copy; at < end; n++) {
        uintptr_t next = (at | (PAGE - 1)) + 1;
        next = next < end ? next : end;
        from[n] = (struct iovec){ (void *)at, next - at };
        at = next;
    }
    long got = hocket__syscall6(SYS_process_vm_readv, getpid(), (long)&to, 1, (long)from, n, 0);
    return got > 0 ? (size_t)got : 0;
}

/* Where the kernel does not (seccomp, emulators): what is certainly there. */
HOCKET_NO_ASAN HOCKET_NO_TSAN static size_t copy_own(uintptr_t sp)
{
    struct hocket__stack *s = NULL;
    uintptr_t end = (sp | (PAGE - 1)) + 1;
    if (hocket__stack_find((const void *)sp, &s) == HOCKET__STACK_IN_USABLE)
        end = (uintptr_t)hocket__stack_top(s);
    size_t size = end - sp < sizeof copy ? end - sp : sizeof copy;
    for (size_t i = 0; i < size; i++)
        copy[i] = ((const volatile uint8_t *)sp)[i];
    return size;
}

/* System calls are made so that errno stays what it is. */
void hocket__sample_handler(int signal, siginfo_t *info, void *context)
{
    uint32_t asked = hk_load_acq(&call); /* pairs with ask: the two others are older */
    (void)signal, (void)info;
    if (asked % STATES != ASKED || hk_load(&wanted) != hocket__thread_id())
        return;
    const void *(*who)(void) = hk_load(&subject_of);
    if (!hk_cas_sc(&call, &asked, asked - ASKED + AT_WORK))
        return;
    if (HOCKET_TSAN)
        sample_here(&answer);
    else
        hocket__sample_of_context(context, &answer);
    answer.subject = who();
    answer.stack = copy;
    answer.size = copy_by_kernel(answer.reg[HOCKET__SAMPLE_SP]);
    if (answer.size == 0)
        answer.size = copy_own(answer.reg[HOCKET__SAMPLE_SP]);
    hk_store_rel(&call, asked - ASKED + DONE); /* pairs with await */
    (void)hocket__futex_wake(&call, 1);
}

/* ---- what the kernel says of a thread ---- */

/* The beginning of /proc/self/task/TID/`name` as a string; false if it cannot be had. */
static bool read_about(int tid, const char *name, char *text, size_t size)
{
    char path[64] = "/proc/self/task/", digits[12];
    size_t at = strlen(path), n = 0, used = 0;
    long got;
    do
        digits[n++] = (char)('0' + tid % 10);
    while ((tid /= 10) > 0);
    while (n > 0)
        path[at++] = digits[--n];
    path[at++] = '/';
    memcpy(path + at, name, strlen(name) + 1);
    long fd = hocket__syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    while (used < size - 1 && (got = hocket__syscall4(SYS_read, fd, (long)(text + used),
                                                      (long)(size - 1 - used), 0)) > 0)
        used += (size_t)got;
    (void)hocket__syscall4(SYS_close, fd, 0, 0, 0);
    text[used] = '\0';
    return used > 0;
}

/* A number of hexadecimal digits; *end is behind it. */
static uint64_t hexadecimal(const char *text, const char **end)
{
    uint64_t value = 0;
    for (;; text++) {
        char c = *text;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            break;
    }
    *end = text;
    return value;
}

/* "0 0x3 0x7f... SP PC": the last two words.  A thread that is not asleep is "running". */
static bool parse_place(const char *text, uintptr_t *ret_sp, uintptr_t *ret_pc)
{
    const char *pc = strrchr(text, ' '), *sp = pc, *end;
    while (sp != NULL && sp > text && sp[-1] != ' ')
        sp--;
    if (sp == NULL || sp == text || memcmp(sp, "0x", 2) != 0 || memcmp(pc, " 0x", 3) != 0)
        return false;
    *ret_sp = hexadecimal(sp + 2, &end);
    *ret_pc = hexadecimal(pc + 3, &end);
    return *ret_sp != 0 && *ret_pc != 0;
}

/* Emulators give their own threads' places: an address in no module is not believed. */
static bool from_outside(int tid, bool in_handler, struct hocket__sample *ret)
{
    char text[256], again[256];
    struct hocket__module module;
    uintptr_t sp, pc;
    if (!read_about(tid, "syscall", text, sizeof text) || !parse_place(text, &sp, &pc) ||
        !hocket__module_find(pc, in_handler, &module))
        return false;
    size_t size = copy_by_kernel(sp);
    if (size == 0 || !read_about(tid, "syscall", again, sizeof again) || strcmp(text, again) != 0)
        return false; /* it goes on: then it can be asked */
    *ret = (struct hocket__sample){
        .pc = pc, .known = 1u << HOCKET__SAMPLE_SP, .stack = copy, .size = size, .asleep = true
    };
    ret->reg[HOCKET__SAMPLE_SP] = sp;
    return true;
}

static char state_of(int tid, bool *ret_blocked)
{
    char text[2048];
    const char *end;
    *ret_blocked = false;
    if (!read_about(tid, "status", text, sizeof text))
        return '?';
    const char *state = strstr(text, "\nState:\t"), *mask = strstr(text, "\nSigBlk:\t");
    *ret_blocked = mask != NULL && hexadecimal(mask + 9, &end) >> (SIGNAL - 1) & 1;
    return state != NULL ? state[8] : '?';
}

/* ---- who asks ---- */

static bool is_ours(const struct sigaction *a)
{
    return (a->sa_flags & SA_SIGINFO) && a->sa_sigaction == hocket__sample_handler;
}

/* True if the signal comes to us.  Who takes it meanwhile has it. */
static bool handler_on(void)
{
    struct sigaction now, action = { .sa_sigaction = hocket__sample_handler,
                                     .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(SIGNAL, NULL, &now) != 0)
        return false;
    if (is_ours(&now))
        return true;
    if ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL ||
        sigaction(SIGNAL, &action, &before) != 0)
        return false;
    installed = before.sa_handler == SIG_DFL;
    if (!installed)
        (void)sigaction(SIGNAL, &before, NULL);
    return installed;
}

void hocket__sample_end(void)
{
    struct sigaction now, ignore = { .sa_handler = SIG_IGN };
    int saved = errno;
    (void)sigemptyset(&ignore.sa_mask);
    if (installed && sigaction(SIGNAL, NULL, &now) == 0 && is_ours(&now)) {
        if (pending)
            (void)sigaction(SIGNAL, &ignore, NULL);
        (void)sigaction(SIGNAL, &before, NULL);
    }
    installed = pending = false;
    spent = 0;
    errno = saved;
}

/* Until the answer to the question is there. */
static bool await(uint32_t asked, int64_t until)
{
    for (uint32_t now; (now = hk_load_acq(&call)) != asked - ASKED + DONE;) {
        bool begun = now != asked;
        int err = hocket__futex_wait(&call, now, begun ? until + FINISH : until);
        if (err == -ETIMEDOUT && (begun || hk_cas_sc(&call, &now, asked - ASKED + FREE)))
            return false;
    }
    return true;
}

/* Who runs answers as soon as it has a processor; under TSan perhaps never. */
static int64_t patience(char state)
{
    int64_t left = BUDGET - spent;
    return left < WAIT || (state == 'R' && !HOCKET_TSAN) ? left : WAIT;
}

static enum hocket__sample_answer ask(int tid, const void *(*who)(void), struct hocket__sample *ret)
{
    uint32_t asked = (hk_load(&call) / STATES + 1) * STATES + ASKED;
    int64_t start = hocket__clock();
    hk_store(&wanted, tid);
    hk_store(&subject_of, who);
    hk_store_rel(&call, asked); /* pairs with the handler */
    long err = hocket__syscall4(SYS_tgkill, getpid(), tid, SIGNAL, 0);
    if (err != 0) {
        hk_store(&call, asked - ASKED + FREE);
        return err == -ESRCH ? HOCKET__SAMPLE_GONE : HOCKET__SAMPLE_SILENT;
    }
    bool answered = await(asked, start + patience(ret->state));
    spent += hocket__clock() - start;
    pending = pending || !answered;
    if (answered)
        *ret = answer;
    return answered ? HOCKET__SAMPLE_GOOD : HOCKET__SAMPLE_SILENT;
}

/* Handlers block signals for a moment; ours does if the same thread was asked before. */
static char look_at(int tid, bool *ret_blocked)
{
    bool again = hk_load(&wanted) == tid;
    char state = state_of(tid, ret_blocked);
    for (int i = 0; *ret_blocked && spent < BUDGET && (again || i < IN_HANDLER); i++) {
        (void)hocket__futex_wait(&call, hk_load(&call), hocket__clock() + MS);
        spent += MS;
        state = state_of(tid, ret_blocked);
    }
    return state;
}

enum hocket__sample_answer hocket__sample_take(int tid, const void *(*who)(void), bool in_handler,
                                               struct hocket__sample *ret)
{
    bool blocked;
    int saved = errno;
    if (hk_load_acq(&call) % STATES == AT_WORK)
        return HOCKET__SAMPLE_LATE;
    if (from_outside(tid, in_handler, ret))
        return HOCKET__SAMPLE_GOOD;
    ret->state = look_at(tid, &blocked);
    if (blocked)
        return HOCKET__SAMPLE_BLOCKED;
    if (!handler_on()) {
        errno = saved;
        return HOCKET__SAMPLE_IN_USE;
    }
    return spent < BUDGET ? ask(tid, who, ret) : HOCKET__SAMPLE_LATE;
}
