/* SPDX-License-Identifier: MIT */
/* bias: at most one is inside, whoever owns the lock, loses it and gets it. */
#include "support/explored.h"

#include "task/bias.h"

static struct hocket__bias lock;
static struct hocket__worker *workers[3]; /* the lock looks only at who is who */
static int inside;                        /* plain: TSan sees when the lock orders nothing */
static long entered;

static void *worker(void *arg)
{
    int turns = 12 + (int)explore_choice(24);
    hocket__tls_worker_put(arg);
    for (int i = 0; i < turns; i++) {
        hocket__bias_lock(&lock);
        HK_EXPECT_EQ(inside++, 0);
        explore_point();
        HK_EXPECT_EQ(--inside, 0);
        entered++;
        hocket__bias_unlock(&lock);
    }
    hocket__tls_worker_put(NULL);
    return (void *)(intptr_t)turns;
}

static void run(int others)
{
    int threads[3];
    memset(&lock, 0, sizeof lock);
    inside = 0;
    entered = 0;
    for (int i = 0; i < 3; i++)
        threads[i] = explore_start(worker, i < others ? NULL : workers[i]);
    for (int i = 0; i < 3; i++)
        explore_join(threads[i]);
    HK_EXPECT(entered >= 3 * 12);
    HK_EXPECT_EQ(hk_load(&lock.busy), 0);
}

EXPLORED(workers_only, NULL)
{
    run(0);
}

EXPLORED(workers_and_another, NULL)
{
    run(1);
}

SUITE("task_bias", explored_limit())
{
    for (int i = 0; i < 3; i++)
        workers[i] = calloc(1, sizeof(struct hocket__worker));
    suite_once(workers_only);
    suite_once(workers_and_another);
}
