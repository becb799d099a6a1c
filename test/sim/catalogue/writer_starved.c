/* SPDX-License-Identifier: MIT */
/*
 * writer_starved - readers that overlap keep the writer of a hand-made lock out
 *
 * Right: a lock that lets no reader pass a waiting writer.
 */
#include "catalogue.h"

#define ROUNDS 4

static hocket_mutex lock;
static hocket_cond idle;
static hocket_rwlock fair;
static int readers, begun, overtaken;
static bool waiting;

static void reading(void)
{
    begun++;
    OK(hocket_yield());
}

static int read_some(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        hocket_mutex_lock(&lock);
        readers++;
        if (waiting)
            overtaken++;
        hocket_mutex_unlock(&lock);
        reading();
        hocket_mutex_lock(&lock);
        if (--readers == 0)
            hocket_cond_broadcast(&idle);
        hocket_mutex_unlock(&lock);
    }
    return 0;
}

static int write_once(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    waiting = true;
    while (readers > 0)
        OK(hocket_cond_wait(&idle, &lock, HOCKET_FOREVER));
    waiting = false;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int read_fair(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        hocket_rwlock_rdlock(&fair);
        reading();
        hocket_rwlock_unlock(&fair);
    }
    return 0;
}

/* How many reads begin while it waits: those of the readers that were in line before it. */
static int write_fair(void *arg)
{
    (void)arg;
    int before = begun;
    hocket_rwlock_wrlock(&fair);
    overtaken = begun - before;
    hocket_rwlock_unlock(&fair);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(TOGETHER(read_some, read_some, write_once));
    return overtaken < ROUNDS ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(TOGETHER(read_fair, read_fair, write_fair));
    return 0;
}

const struct bug bug_writer_starved = { "writer_starved", wrong, right };
