/* SPDX-License-Identifier: MIT */
/*
 * poll - see sched/poll.h
 *
 * Nodes are in buckets by descriptor.  Several may wait for one: it is armed for all that they want,
 * and armed again for the rest after each report.  Everything is under one guard; the thread
 * holds it while it serves a batch, and waits without it.
 *
 * A report may be of a descriptor that was closed and opened again meanwhile, so being ready
 * is a hint, as it always is with poll.
 */
#include "sched/poll.h"

#include <errno.h>

#include "park/forked.h"
#include "park/world.h"
#include "sched/quiet.h"
#include "sys/poller.h"
#include "sys/sys.h"

#define BUCKETS 256
#define BATCH   64
#define IDLE_MS 5000

static hocket__guard guard;
static struct hocket__link *buckets[BUCKETS];
static unsigned waiting;                /* nodes in all buckets */
static bool running, stopping, started; /* started: `thread` is to be joined */
static struct hocket__poller poller;
static struct hocket__thread thread;

static struct hocket__link **bucket_of(int fd)
{
    return &buckets[(unsigned)fd % BUCKETS];
}

static struct hocket__poll_node *node_of(struct hocket__link *link)
{
    return hk_container_of(link, struct hocket__poll_node, waiter.link);
}

/* The next node in a bucket behind `link` (NULL: the first), NULL at the end. */
static struct hocket__link *after(struct hocket__link *const *head, struct hocket__link *link)
{
    if (link == NULL)
        return *head;
    return link->next == *head ? NULL : link->next;
}

/* What all nodes of a descriptor want. */
static unsigned wanted(int fd)
{
    unsigned events = 0;
    struct hocket__link **head = bucket_of(fd);
    for (struct hocket__link *l = after(head, NULL); l != NULL; l = after(head, l))
        if (node_of(l)->fd == fd)
            events |= node_of(l)->waiter.tag;
    return events;
}

static void take_out(struct hocket__poll_node *n)
{
    hocket__queue_remove(bucket_of(n->fd), &n->waiter.link);
    waiting--;
}

static void serve(const struct hocket__polled *report, struct hocket__wakes *wakes)
{
    struct hocket__link **head = bucket_of(report->fd), *next;
    for (struct hocket__link *l = after(head, NULL); l != NULL; l = next) {
        struct hocket__poll_node *n = node_of(l);
        next = after(head, l);
        if (n->fd != report->fd || !(n->waiter.tag & report->ready))
            continue;
        take_out(n);
        if (hocket__claim(n->waiter.task)) {
            n->waiter.done = n->waiter.tag & report->ready;
            hocket__wakes_add(wakes, n->waiter.task);
        }
    }
    unsigned rest = wanted(report->fd);
    if (rest != 0)
        (void)hocket__poller_arm(&poller, report->fd, rest);
}

unsigned hocket__poll_waiting(void)
{
    return waiting;
}

void hocket__poll_turn(int timeout_ms)
{
    struct hocket__polled reports[BATCH];
    struct hocket__wakes wakes = { NULL, NULL };
    int n = hocket__poller_wait(&poller, reports, BATCH, timeout_ms);
    for (int i = 0; i < n; i++)
        serve(&reports[i], &wakes);
    hocket__wakes_run(&wakes);
}

static void *poll_main(void *arg)
{
    (void)arg;
    for (;;) {
        struct hocket__polled reports[BATCH];
        struct hocket__wakes wakes = { NULL, NULL };
        int n = hocket__poller_wait(&poller, reports, BATCH, IDLE_MS);
        hocket__guard_lock(&guard);
        for (int i = 0; i < n; i++)
            serve(&reports[i], &wakes);
        bool end = waiting == 0 && (n == 0 || stopping);
        if (end) {
            hocket__poller_close(&poller);
            running = false;
        }
        if (end && !stopping) { /* who stops it waits for it, else nobody might */
            hocket__thread_detach(thread);
            started = false;
        }
        (void)hocket__guard_unlock(&guard);
        hocket__wakes_run(&wakes);
        if (end)
            return NULL;
    }
}

/* Under the guard. */
static int start(void)
{
    if (started)
        hocket__thread_join(thread); /* it has left its last section: it ends */
    started = false;
    int err = hocket__poller_open(&poller);
    if (err != 0)
        return err;
    running = hocket__in_world(); /* it looks by itself: hocket__poll_turn */
    if (running)
        return 0;
    err = hocket__thread_start(&thread, poll_main, NULL, 64 * 1024, "hocket-poll", 0);
    if (err != 0) {
        hocket__poller_close(&poller);
        return err;
    }
    started = running = true;
    return 0;
}

int hocket__poll_link(struct hocket__poll_node *n)
{
    hocket__fork_check("waiting for a descriptor");
    hocket__guard_lock(&guard);
    int err = running ? 0 : start();
    if (stopping && err == 0)
        hocket__poller_wake(&poller, false);
    stopping = false;
    if (err == 0) {
        hocket__queue_push(bucket_of(n->fd), &n->waiter.link);
        waiting++;
        err = hocket__poller_arm(&poller, n->fd, wanted(n->fd));
        if (err != 0)
            take_out(n);
    }
    (void)hocket__guard_unlock(&guard);
    return err == -ENOSPC ? -ENOMEM : err;
}

void hocket__poll_unlink(struct hocket__poll_node *n)
{
    hocket__guard_lock(&guard);
    struct hocket__link **head = bucket_of(n->fd);
    if (*head == &n->waiter.link || !hocket__list_empty(&n->waiter.link)) {
        take_out(n);
        unsigned rest = wanted(n->fd);
        if (rest != 0)
            (void)hocket__poller_arm(&poller, n->fd, rest);
        else
            hocket__poller_disarm(&poller, n->fd);
    }
    (void)hocket__guard_unlock(&guard);
}

bool hocket__poll_quiet(unsigned *threads)
{
    hocket__guard_lock(&guard);
    bool quiet = waiting == 0;
    *threads += running;
    (void)hocket__guard_unlock(&guard);
    return quiet;
}

/* Somebody who links meanwhile keeps the thread. */
void hocket__poll_stop(void)
{
    bool gone = false, wait = true;
    hocket__guard_lock(&guard);
    if (hocket__in_world() && running) {
        hocket__poller_close(&poller);
        running = false;
    }
    stopping = started && waiting == 0;
    if (stopping && running)
        hocket__poller_wake(&poller, true);
    while (wait) {
        gone = stopping && !running;
        wait = stopping && running;
        if (gone)
            started = stopping = false;
        (void)hocket__guard_unlock(&guard);
        if (wait) {
            hocket__thread_yield();
            hocket__guard_lock(&guard);
        }
    }
    if (gone)
        hocket__thread_join(thread);
}
