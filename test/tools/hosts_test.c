/* SPDX-License-Identifier: MIT */
/* tools: the set of hosts against a sorted list, in memory and through runs on disk. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/hosts.h"

enum { HOSTS = 3000, ROOM = 64 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((state >> 33) % n);
}

/* The n-th host: beginnings of one another, bytes of all kinds, the empty one. */
static size_t host_of(uint32_t n, char out[ROOM])
{
    size_t length = n % 40;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(i % 3 == 0 ? n / 40 : i % 3 == 1 ? 0xff - n % 7 : 'a');
    return length;
}

/* A host and what it is to have, sorted; `next` is the one that each() has to see now. */
struct wanted {
    char host[ROOM];
    size_t length;
    uint64_t hits;
};

struct check {
    uint64_t hits[HOSTS];
    struct wanted wanted[HOSTS];
    size_t count, next;
};

static int order(const void *one, const void *other)
{
    const struct wanted *a = one, *b = other;
    int o = memcmp(a->host, b->host, a->length < b->length ? a->length : b->length);
    return o != 0 ? o : (a->length > b->length) - (a->length < b->length);
}

/* From the hits of each number: several of them have the same host. */
static void want(struct check *c)
{
    size_t n = 0;
    for (uint32_t i = 0; i < HOSTS; i++) {
        if (c->hits[i] == 0)
            continue;
        c->wanted[n].length = host_of(i, c->wanted[n].host);
        c->wanted[n++].hits = c->hits[i];
    }
    qsort(c->wanted, n, sizeof c->wanted[0], order);
    for (size_t i = 0; i < n; i++) {
        if (c->count > 0 && order(&c->wanted[c->count - 1], &c->wanted[i]) == 0)
            c->wanted[c->count - 1].hits += c->wanted[i].hits;
        else
            c->wanted[c->count++] = c->wanted[i];
    }
}

static int each(void *arg, const char *host, size_t length, uint64_t hits)
{
    struct check *c = arg;
    HK_EXPECT(c->next < c->count);
    const struct wanted *w = &c->wanted[c->next++];
    HK_EXPECT_EQ(length, w->length);
    HK_EXPECT(memcmp(host, w->host, length) == 0);
    HK_EXPECT_EQ(hits, w->hits);
    return 0;
}

/* From all in memory over a single run to one for every handful, merged two at a time. */
static const struct hosts_limits limits[] = {
    { 1 << 20, 2 }, { 16 << 10, 64 }, { 4 << 10, 7 }, { 1 << 10, 3 }, { 512, 2 }, { 96 << 10, 2 },
};

START_TEST(as_a_sorted_list)
{
    static struct check c;
    struct hosts h;
    state = (uint64_t)_i;
    hosts_init(&h, &limits[_i]);
    for (int i = 0; i < 9000; i++) {
        char host[ROOM];
        uint32_t n = below(HOSTS), hits = 1 + below(3);
        HK_EXPECT_EQ(hosts_add(&h, host, host_of(n, host), hits), 0);
        c.hits[n] += hits;
    }
    HK_EXPECT(_i == 0 ? h.run_count == 0 : _i == 5 ? h.run_count == 1 : h.run_count > 1);
    want(&c);
    HK_EXPECT(c.count > 2000);
    HK_EXPECT_EQ(hosts_each(&h, each, &c), 0);
    HK_EXPECT_EQ(c.next, c.count);
    HK_EXPECT(h.run_count <= h.limits.fan_in);
    hosts_destroy(&h);
}
END_TEST

START_TEST(small_sets_into_a_large_one)
{
    static struct check c;
    struct hosts all, small;
    state = 99;
    hosts_init(&all, &limits[2]);
    hosts_init(&small, &limits[1]);
    for (int i = 0; i < 5000; i++) {
        char host[ROOM];
        uint32_t n = below(HOSTS);
        size_t length = host_of(n, host);
        if (!hosts_try_add(&small, host, length, 1)) {
            HK_EXPECT_EQ(hosts_add_all(&all, &small), 0);
            hosts_clear(&small);
            HK_EXPECT(hosts_try_add(&small, host, length, 1));
        }
        c.hits[n]++;
    }
    HK_EXPECT_EQ(hosts_add_all(&all, &small), 0);
    want(&c);
    HK_EXPECT_EQ(hosts_each(&all, each, &c), 0);
    HK_EXPECT_EQ(c.next, c.count);
    hosts_destroy(&all);
    hosts_destroy(&small);
}
END_TEST

static int count(void *arg, const char *host, size_t length, uint64_t hits)
{
    size_t *n = arg;
    HK_EXPECT(length == HOSTS_LENGTH_MAX && host[0] >= 'a' && hits == 3);
    return ++*n == 5 ? 77 : 0;
}

/* Hosts as long as they may be, and a round that is ended early. */
START_TEST(the_longest_hosts)
{
    static char host[HOSTS_LENGTH_MAX];
    static const struct hosts_limits tight = { 2 * (HOSTS_LENGTH_MAX + 32), 2 };
    struct hosts h;
    size_t n = 0;
    hosts_init(&h, &tight);
    for (int i = 0; i < 30; i++) {
        memset(host, 'a' + i * 7 % 10, sizeof host);
        HK_EXPECT_EQ(hosts_add(&h, host, sizeof host, 1), 0);
    }
    HK_EXPECT_EQ(hosts_each(&h, count, &n), 77);
    HK_EXPECT_EQ(n, 5);
    hosts_destroy(&h);
}
END_TEST

START_TEST(nothing_at_all)
{
    static struct check c;
    struct hosts h;
    hosts_init(&h, &limits[0]);
    HK_EXPECT_EQ(hosts_each(&h, each, &c), 0);
    HK_EXPECT_EQ(c.count, 0);
    hosts_destroy(&h);
}
END_TEST

/* A temporary file that cannot grow is an error, at the latest in the round. */
START_TEST(no_room_on_disk)
{
    struct hosts h;
    struct rlimit small = { 2000, 2000 };
    int error = 0;
    signal(SIGXFSZ, SIG_IGN);
    HK_EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    hosts_init(&h, &limits[2]);
    for (uint32_t n = 0; n < HOSTS && error == 0; n++) {
        char host[ROOM];
        error = hosts_add(&h, host, host_of(n, host), 1);
    }
    HK_EXPECT_EQ(error, EFBIG);
    hosts_destroy(&h);
}
END_TEST

/* Without descriptors there is no temporary file. */
START_TEST(no_descriptor)
{
    struct hosts h;
    struct rlimit before, none;
    int error = 0;
    HK_EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ 3, before.rlim_max };
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    hosts_init(&h, &limits[3]);
    for (uint32_t n = 0; n < HOSTS && error == 0; n++) {
        char host[ROOM];
        error = hosts_add(&h, host, host_of(n, host), 1);
    }
    HK_EXPECT_EQ(error, EMFILE);
    hosts_destroy(&h);
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

PLAIN_SUITE("tools_hosts", 0)
{
    tcase_add_loop_test(suite__case, as_a_sorted_list, 0, sizeof limits / sizeof limits[0]);
    suite_once(small_sets_into_a_large_one);
    suite_once(the_longest_hosts);
    suite_once(nothing_at_all);
    suite_once(no_room_on_disk);
    suite_once(no_descriptor);
}
