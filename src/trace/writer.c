/* SPDX-License-Identifier: MIT */
/*
 * writer - the rings become a file; the layout is trace/format.h
 *
 * Only system calls and memory that was there before: it works without memory, in a
 * panic and in a signal handler.  A ring is copied to `scratch` as a whole, so that what is
 * overwritten meanwhile can be left out, and only then counted and written.
 *
 * A full disk, a limit of a file's size or a reader that went away is an error of write(2) here,
 * never a signal to the program: both signals are blocked in this thread, and one that
 * came is taken away.
 */
#include "trace/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"
#include "sys/ticks.h"
#include "trace/dump.h"
#include "trace/names.h"
#include "trace/ring.h"
#include "trace/share.h"
#include "trace/site.h"

#define BUFFER ((size_t)64 << 10)

#define ADDRESSES 2048u /* functions and call sites that get a name */

/* One writer at a time (trace.c), so there is one of everything. */
static struct {
    int fd;
    int error; /* the first; nothing is written after it */
    uint64_t written;
    size_t used;
    char buffer[BUFFER];
} out;

static struct hkt_event *scratch;
static size_t scratch_size;

int hocket__writer_prepare(void)
{
    void *memory;
    size_t size = hocket__trace_ring_size_now();
    if (scratch_size >= size)
        return 0;
    if (hocket__map(size, &memory) != 0)
        return -ENOMEM;
    if (scratch != NULL)
        hocket__unmap(scratch, scratch_size);
    scratch = memory;
    scratch_size = size;
    return 0;
}

/* ---- bytes ---- */

static void flush(void)
{
    size_t done = 0;
    while (done < out.used && out.error == 0) {
        ssize_t n = write(out.fd, out.buffer + done, out.used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            out.error = -EIO;
        else if (errno != EINTR)
            out.error = -errno;
    }
    out.used = 0;
}

static void put(const void *bytes, size_t size)
{
    const char *from = bytes;
    out.written += size;
    while (size > 0 && out.error == 0) {
        size_t part = BUFFER - out.used < size ? BUFFER - out.used : size;
        memcpy(out.buffer + out.used, from, part);
        out.used += part;
        from += part;
        size -= part;
        if (out.used == BUFFER)
            flush();
    }
}

static void section(uint32_t type, uint32_t count, uint64_t size)
{
    const struct hkt_section s = { .type = type, .count = count, .size = size };
    put(&s, sizeof s);
}

/* ---- sections ---- */

static uint32_t lanes(void)
{
    uint32_t n = 0;
    while (hocket__trace_ring_at(n) != NULL)
        n++;
    return n;
}

static int64_t wall(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0
               ? (int64_t)now.tv_sec * HOCKET_SEC + (int64_t)now.tv_nsec
               : 0;
}

/* The moment that it says. */
static uint64_t header(const struct hocket__trace_began *began, uint32_t lane_count,
                       uint32_t classes, uint32_t flags)
{
    struct hkt_header h = { .version = HKT_VERSION,
                            .order = HKT_ORDER,
                            .header_size = sizeof h,
                            .event_size = sizeof(struct hkt_event),
                            .word_size = sizeof(void *),
                            .pid = (uint32_t)getpid(),
                            .ticks = { began->ticks, (uint64_t)hocket__ticks() },
                            .ns = { began->ns, hocket__clock() },
                            .wall_ns = wall(),
                            .lanes = lane_count,
                            .events = classes,
                            .flags = flags,
                            .lanes_denied = hocket__rings_denied() };
    memcpy(h.magic, HKT_MAGIC, sizeof h.magic);
    (void)strncpy(h.program, program_invocation_short_name, sizeof h.program - 1);
    put(&h, sizeof h);
    return h.ticks[1];
}

/* A thread's name, if it still has one. */
static void thread_name(uint32_t tid, char name[16])
{
    char path[64];
    memset(name, 0, 16);
    (void)snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, name, 15);
    (void)close(fd);
    memset(name + (n > 0 ? n : 0), 0, 16 - (size_t)(n > 0 ? n : 0));
    name[strcspn(name, "\n")] = '\0';
}

static void pause_list(uint64_t base, uint64_t end)
{
    static struct hkt_pause list[HOCKET__SHARE_PAUSES];
    bool lost;
    uint32_t count = hocket__share_pauses(list, &lost);
    while (count > 0 && list[count - 1].from > end) /* since the header */
        count--;
    for (uint32_t i = 0; i < count; i++) {
        list[i].from -= base;
        list[i].to -= list[i].to != UINT64_MAX ? base : 0;
    }
    if (lost && count > 0)
        list[0].from = 0;
    section(HKT_PAUSES, count, count * sizeof list[0]);
    put(list, count * sizeof list[0]);
}

/* Addresses that events speak of; 0: free.  All of it belongs to the one writer. */
static uint64_t addresses[ADDRESSES];
static uint32_t address_count;
static bool naming; /* we may use trace/names.h */
static bool dying;

static void address_add(uint64_t address)
{
    size_t at = (size_t)(address * 0x9e3779b97f4a7c15u >> 40) % ADDRESSES;
    if (address == 0 || address_count >= ADDRESSES / 2)
        return;
    while (addresses[at] != 0 && addresses[at] != address)
        at = (at + 1) % ADDRESSES;
    address_count += addresses[at] == 0;
    addresses[at] = address;
}

/* Sites become addresses. */
static void translate(struct hkt_event *e)
{
    switch (HKT_KIND(e)) {
    case HKT_PARK: {
        uint32_t site = (uint32_t)HKT_PARK_SITE(e->value);
        uint64_t address = naming ? hocket__site_address(site, dying) : 0;
        e->value = HKT_PARK_VALUE(HKT_PARK_KIND(e->value), address);
        address_add(address);
        break;
    }
    case HKT_SPAWN: address_add(e->object); break;
    case HKT_START: address_add(e->value); break;
    default: break;
    }
}

/*
 * Make the counter of the events that of the trace; what a late thread recorded for an earlier
 * trace is left out.  How many are left.
 */
static uint64_t rebase(struct hkt_event *events, uint64_t count, uint64_t base)
{
    uint64_t kept = 0;
    bool keep = true;
    for (uint64_t i = 0; i < count; i++) {
        struct hkt_event e = events[i];
        if (HKT_KIND(&e) != HKT_TEXT) {
            /* Both are cut to 56 bits. */
            uint64_t ticks = (HKT_TICKS(&e) - base) & (UINT64_MAX >> 8);
            keep = ticks < (UINT64_C(1) << 55);
            e.when = ticks << 8 | (e.when & 0xff);
            translate(&e);
        }
        if (keep)
            events[kept++] = e;
    }
    return kept;
}

static void lane(const struct hocket__trace_ring *r, uint64_t base)
{
    struct hkt_lane head = { .number = r->number,
                             .worker = hk_load(&r->worker),
                             .tid = hk_load(&r->tid),
                             .ended = hk_load(&r->ended),
                             .missed = hk_load(&r->missed) };
    uint64_t count = 0;
    if ((r->mask + 1) * sizeof(struct hkt_event) <= scratch_size)
        count = rebase(scratch, hocket__trace_ring_copy(r, scratch, &head.lost), base);
    if (!head.ended)
        thread_name(head.tid, head.name);
    section(HKT_LANE, (uint32_t)count, sizeof head + count * sizeof(struct hkt_event));
    put(&head, sizeof head);
    put(scratch, (size_t)count * sizeof(struct hkt_event));
}

static void kinds(void)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= hocket__event_kinds(); i++)
        count += hocket__event_kind_name(i) != NULL;
    section(HKT_KINDS, count, count * sizeof(struct hkt_kind));
    for (uint32_t i = 1; i <= hocket__event_kinds() && count > 0; i++) {
        struct hkt_kind k = { .number = i };
        const char *name = hocket__event_kind_name(i);
        if (name == NULL)
            continue;
        (void)strncpy(k.name, name, sizeof k.name - 1);
        put(&k, sizeof k);
        count--; /* one more may have come */
    }
}

static bool task_of(uint32_t slot, struct hkt_task *ret)
{
    const hocket_task *t = hocket__record_at(slot);
    memset(ret, 0, sizeof *ret);
    if (t == NULL || (ret->id = hk_load_acq(&t->id)) == 0)
        return false;
    ret->placement = hk_load(&t->kind);
    ret->state = hk_load(&t->wait_class) != NULL ? HKT_STATE_WAITING : HKT_STATE_OTHER;
    if (hk_load(&t->named))
        (void)hocket__task_name(t, ret->name, sizeof ret->name);
    return true;
}

/* As many as there were at the first look; if some have ended since, nobody takes their place. */
static void tasks(void)
{
    struct hkt_task task;
    uint32_t count = 0, limit = hocket__record_limit();
    for (uint32_t slot = 1; slot < limit; slot++)
        count += task_of(slot, &task);
    section(HKT_TASKS, count, count * sizeof task);
    for (uint32_t slot = 1; slot < limit && count > 0; slot++)
        if (task_of(slot, &task)) {
            put(&task, sizeof task);
            count--;
        }
    memset(&task, 0, sizeof task);
    for (; count > 0; count--)
        put(&task, sizeof task);
}

static void append(char *to, size_t size, const char *from, size_t length)
{
    size_t used = strnlen(to, size);
    length = length < size - 1 - used ? length : size - 1 - used;
    memcpy(to + used, from, length);
}

/* "crawl_one+0x1f", "libfoo.so+0x123"; false: nothing is known. */
static bool symbol_of(uint64_t address, struct hkt_symbol *ret)
{
    struct hocket__name n;
    char offset[24];
    *ret = (struct hkt_symbol){ .address = address };
    hocket__name_of((uintptr_t)address, dying, &n);
    if (n.function != NULL)
        append(ret->name, sizeof ret->name - sizeof offset, n.function, n.function_size);
    else if (n.module != NULL)
        append(ret->name, sizeof ret->name - sizeof offset, n.module, strlen(n.module));
    if (ret->name[0] == '\0')
        return false;
    uint64_t at = n.function != NULL ? n.offset : n.address;
    if (at != 0) {
        (void)snprintf(offset, sizeof offset, "+0x%llx", (unsigned long long)at);
        append(ret->name, sizeof ret->name, offset, strlen(offset));
    }
    return true;
}

static void symbols(void)
{
    struct hkt_symbol s;
    uint32_t count = 0;
    for (uint32_t i = 0; i < ADDRESSES && naming; i++)
        if (addresses[i] != 0 && symbol_of(addresses[i], &s))
            count++;
        else
            addresses[i] = 0;
    section(HKT_SYMBOLS, count, count * sizeof s);
    for (uint32_t i = 0; i < ADDRESSES && count > 0; i++)
        if (addresses[i] != 0 && symbol_of(addresses[i], &s))
            put(&s, sizeof s);
}

/* ---- the file ---- */

/* SIGPIPE and SIGXFSZ, which write(2) raises: blocked from begin to end. */
struct quiet {
    sigset_t old, pending;
};

static void quiet_set(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGPIPE);
    (void)sigaddset(set, SIGXFSZ);
}

static void quiet_begin(struct quiet *q)
{
    sigset_t set;
    quiet_set(&set);
    (void)sigemptyset(&q->pending);
    (void)sigpending(&q->pending);
    (void)pthread_sigmask(SIG_BLOCK, &set, &q->old);
}

static void quiet_end(struct quiet *q)
{
    static const int signals[] = { SIGPIPE, SIGXFSZ };
    for (size_t i = 0; i < 2; i++) {
        sigset_t one;
        const struct timespec now = { 0, 0 };
        (void)sigemptyset(&one);
        (void)sigaddset(&one, signals[i]);
        if (out.error != 0 && sigismember(&q->pending, signals[i]) == 0)
            (void)sigtimedwait(&one, NULL, &now);
    }
    (void)pthread_sigmask(SIG_SETMASK, &q->old, NULL);
}

static void all(const struct hocket__trace_began *began, uint32_t classes, uint32_t flags)
{
    uint32_t lane_count = lanes();
    memset(addresses, 0, sizeof addresses);
    address_count = 0;
    dying = (flags & HKT_FLAG_EMERGENCY) != 0;
    naming = hocket__dump_take(true); /* while a dump is made there are no names */
    uint64_t end = header(began, lane_count, classes, flags);
    for (uint32_t i = 0; i < lane_count; i++)
        lane(hocket__trace_ring_at(i), began->ticks);
    pause_list(began->ticks, end);
    kinds();
    tasks();
    symbols();
    if (naming) {
        hocket__names_end();
        hocket__dump_give_back();
    }
    section(HKT_END, 1, sizeof(uint64_t));
    uint64_t size = out.written + sizeof size;
    put(&size, sizeof size);
    flush();
}

int hocket__trace_write(const char *path, const struct hocket__trace_began *began, uint32_t classes,
                        uint32_t flags)
{
    struct quiet quiet;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        return -errno;
    out.fd = fd;
    out.error = 0;
    out.written = 0;
    out.used = 0;
    quiet_begin(&quiet);
    all(began, classes, flags);
    quiet_end(&quiet);
    if (close(fd) != 0 && out.error == 0)
        out.error = -errno;
    return out.error;
}
