/* SPDX-License-Identifier: MIT */
/* share - see trace/share.h */
#include "trace/share.h"

#include "park/forked.h"
#include "park/world.h"
#include "sys/sys.h"
#include "sys/ticks.h"
#include "trace/timeline.h"

/* SAVED: events that an account is worth at most, and in the beginning.  REST: ns of an event besides
 * what event_cost sees: the way there, its words, and that the caches are colder then. */
#define SAVED  100000
#define REST   24
#define TRIES  3
#define TRIED  64
#define NO_END UINT64_MAX

static _Atomic uint32_t share = 100; /* percent; 100: no limit */
static _Atomic uint32_t trace;       /* which: a ring's account is of one */
_Atomic int64_t hocket__share_cost;

/* The pacer. */
static struct hocket__thread thread;
static bool running; /* trace.c's right */
static _Atomic bool stopping;
static _Atomic uint32_t calls;        /* it sleeps on this one */
static _Atomic hocket_time pause_end; /* by whoever asks; in the past: go on */

/* By the pacer. */
static _Atomic bool paused;
_Atomic uint32_t hocket__share_edges;
static _Atomic uint64_t begun; /* pauses; release */
static uint64_t last_edge;     /* ticks */
static struct {
    _Atomic uint64_t from, to;
} pauses[HOCKET__SHARE_PAUSES];

/* ---- whoever records ---- */

static void call(void)
{
    (void)hk_add(&calls, 1); /* pairs with pacer_main */
    (void)hocket__futex_wake(&calls, 1);
}

static void ask(hocket_time until)
{
    hocket_time old = hk_load(&pause_end);
    while (old < until && !hk_cas(&pause_end, &old, until)) {}
    call();
}

void hocket__share_turn(struct hocket__trace_ring *r, uint64_t next)
{
    int64_t percent = hk_load(&share), each = hk_load(&hocket__share_cost);
    int64_t events = hk_load(&paused) ? 0 : (int64_t)(next - r->counted); /* see share.h */
    r->counted = next;
    r->turn = next + HOCKET__SHARE_TURN;
    if (percent >= 100 || hocket__in_world())
        return;
    hocket_time now = hocket__clock();
    if (r->account_of != hk_load(&trace)) {
        r->account_of = hk_load(&trace);
        r->account = SAVED * each;
    } else {
        int64_t spent = events * each, own = now - r->paid_at - spent;
        int64_t paid = own / 100 * percent, room = SAVED * each - r->account;
        r->account += (paid < room ? paid : room) - spent;
    }
    r->paid_at = now;
    if (r->account < 0)
        ask(now + (HOCKET__SHARE_TURN * each - r->account) * 100 / percent);
}

/* ---- the pacer ---- */

/* Never before the last: counters of two processors may differ by more than lies between two pauses. */
static uint64_t edge(void)
{
    uint64_t now = (uint64_t)hocket__ticks();
    return last_edge = now > last_edge ? now : last_edge;
}

static void pause_begins(void)
{
    uint64_t n = hk_load(&begun);
    hk_store(&pauses[n % HOCKET__SHARE_PAUSES].to, NO_END);
    hk_store(&pauses[n % HOCKET__SHARE_PAUSES].from, edge());
    hk_store_rel(&begun, n + 1); /* pairs with hocket__share_pauses */
    hocket__events_pause(true);
    hk_store(&paused, true);
    (void)hk_add(&hocket__share_edges, 1);
}

static void pause_ends(void)
{
    hk_store(&paused, false);
    (void)hk_add(&hocket__share_edges, 1);
    hocket__events_pause(false);
    hk_store(&pauses[(hk_load(&begun) - 1) % HOCKET__SHARE_PAUSES].to, edge());
}

static void *pacer_main(void *arg)
{
    (void)arg;
    for (;;) {
        uint32_t seen = hk_load_acq(&calls);
        if (hk_load(&stopping))
            return NULL;
        hocket_time until = hk_load(&pause_end);
        bool wanted = until > hocket__clock();
        if (wanted && !hk_load(&paused))
            pause_begins();
        else if (hk_load(&paused) && !wanted)
            pause_ends();
        (void)hocket__futex_wait(&calls, seen, wanted ? until : HOCKET_FOREVER);
    }
}

/* ---- trace.c's right ---- */

/* Into a ring that is nobody's; the best of some, for the machine may be busy. */
static int64_t event_cost(void)
{
    static struct hocket__slot slots[TRIED];
    static struct hocket__trace_ring scratch = { .mask = TRIED - 1, .slots = slots };
    int64_t best = HOCKET_MS;
    for (int i = 0; i < TRIES; i++) {
        hocket_time start = hocket__clock();
        for (uint64_t n = 0; n < TRIED && hocket__trace_ring_begin(&scratch); n++) {
            hocket__trace_ring_put(&scratch, n, (uint64_t)hocket__ticks(), n, n, n);
            hocket__trace_ring_end(&scratch, n + 1);
        }
        int64_t took = (hocket__clock() - start) / TRIED;
        best = took < best ? took : best;
    }
    return best + REST;
}

void hocket__share_begin(unsigned percent)
{
    hk_store(&stopping, false);
    hk_store(&pause_end, 0);
    hk_store(&paused, false);
    hk_store(&begun, 0);
    hk_store(&hocket__share_cost, event_cost());
    (void)hk_add(&trace, 1);
    running = percent < 100 && !hocket__in_world() && !hk_load(&hocket__is_child);
    if (running) {
        (void)hk_add(&hocket__side_threads, 1);
        running = hocket__thread_start(&thread, pacer_main, NULL, 64 * 1024, "hocket-trace", 0) ==
                  0;
        if (!running)
            (void)hk_sub(&hocket__side_threads, 1);
    }
    hk_store(&share, running ? percent : 100);
}

void hocket__share_end(void)
{
    if (!running)
        return;
    running = false;
    hk_store(&share, 100);
    hk_store(&stopping, true);
    call();
    hocket__thread_join(thread);
    (void)hk_sub(&hocket__side_threads, 1);
}

/* ---- the writer ---- */

uint32_t hocket__share_pauses(struct hkt_pause to[HOCKET__SHARE_PAUSES], bool *ret_lost)
{
    uint64_t all = hk_load_acq(&begun),
             from = all > HOCKET__SHARE_PAUSES ? all - HOCKET__SHARE_PAUSES : 0;
    for (uint64_t n = from; n < all; n++) {
        to[n - from].from = hk_load_acq(&pauses[n % HOCKET__SHARE_PAUSES].from);
        to[n - from].to = hk_load_acq(&pauses[n % HOCKET__SHARE_PAUSES].to);
    }
    /* What may have been written over meanwhile is left out; the pacer writes one ahead. */
    uint64_t now = hk_load_acq(&begun) + 1;
    uint64_t good = now > HOCKET__SHARE_PAUSES ? now - HOCKET__SHARE_PAUSES : 0;
    good = good > all ? all : good;
    for (uint64_t n = good; n < all && good > from; n++)
        to[n - good] = to[n - from];
    *ret_lost = good > 0;
    return (uint32_t)(all - (good > from ? good : from));
}
