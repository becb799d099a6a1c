/* SPDX-License-Identifier: MIT */
/*
 * The pacer under every schedule: whoever asks is heard, pauses end, and a copy of their list
 * is whole whatever the pacer does meanwhile.
 */
#include "support/explored.h"

#include "sys/sys.h"
#include "trace/share.h"
#include "trace/timeline.h"

enum { ASKS = 4, PERCENT = 10 };

static struct hkt_pause list[HOCKET__SHARE_PAUSES];

/* In order, none within another, and only the last one may last. */
static uint32_t look(void)
{
    bool lost = true;
    uint32_t n = hocket__share_pauses(list, &lost);
    HK_EXPECT(!lost);
    for (uint32_t i = 0; i < n; i++) {
        HK_EXPECT(list[i].from <= list[i].to);
        HK_EXPECT(i + 1 == n || list[i].to != UINT64_MAX);
        HK_EXPECT(i == 0 || list[i - 1].to <= list[i].from);
    }
    return n;
}

/* A ring that is always overdrawn: each of its turns asks. */
static void *asks(void *arg)
{
    struct hocket__trace_ring *r = arg;
    for (int i = 0; i < ASKS; i++) {
        hocket__share_turn(r, hk_load(&r->next));
        hk_store(&r->next, hk_load(&r->next) + 40 * HOCKET__SHARE_TURN);
        explore_point();
    }
    return NULL;
}

static void *looks(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++)
        (void)look();
    return NULL;
}

static struct hocket__trace_ring rings[2];
static uint32_t edges; /* when it began: a trace may end in a pause */

static void begin(void)
{
    memset(rings, 0, sizeof rings);
    edges = hk_load(&hocket__share_edges);
    hocket__share_begin(PERCENT);
}

/*
 * A pause is over some time; that it never is would be a livelock.  There may be none, if its time was
 * over before the pacer came.
 */
EXPLORED(asked, NULL)
{
    begin();
    int a = explore_start(asks, &rings[0]), b = explore_start(asks, &rings[1]);
    int c = explore_start(looks, NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    _Atomic uint32_t never = 0;
    uint32_t n;
    while (((n = look()) > 0 && list[n - 1].to == UINT64_MAX) ||
           (hk_load(&hocket__share_edges) - edges) % 2 != 0)
        (void)hocket__futex_wait(&never, 0, hocket__clock() + HOCKET_SEC);
    hocket__share_end();
}

EXPLORED(asked_spurious, &explored_spurious)
{
    asked_body(explored_arg);
}

/* The end comes at any time, and there is nobody to be waited for then. */
EXPLORED(ended, NULL)
{
    begin();
    int a = explore_start(asks, &rings[0]);
    hocket__share_end();
    explore_join(a);
    (void)look();
    begin();
    HK_EXPECT_EQ(look(), 0);
    hocket__share_end();
}

SUITE("trace_share", explored_limit())
{
    suite_once(asked);
    suite_once(asked_spurious);
    suite_once(ended);
}
