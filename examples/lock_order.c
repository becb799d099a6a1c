/* SPDX-License-Identifier: MIT */
/*
 * lock_order - an inversion is reported although nobody was ever blocked
 *
 * One task takes the stock's lock and then the ledger's, another the other way round.  They run one after the other, so all
 * goes well today.  With the check on (or HOCKET_LOCKORDER=1) a report on standard error says at the second
 * task's first lock that it need not, with the stacks of both.
 */
#include <hocket.h>
#include <stdio.h>

static hocket_mutex stock, ledger;
static int items = 10, booked;

static int sell(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&stock);
    hocket_mutex_lock(&ledger);
    items--;
    booked++;
    hocket_mutex_unlock(&ledger);
    hocket_mutex_unlock(&stock);
    return 0;
}

static int take_back(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&ledger);
    hocket_mutex_lock(&stock); /* reported: sell does it the other way round */
    items++;
    booked--;
    hocket_mutex_unlock(&stock);
    hocket_mutex_unlock(&ledger);
    return 0;
}

static int one_after_the_other(void *arg)
{
    (void)arg;
    hocket_task_fn *const steps[] = { sell, sell, take_back };
    for (int i = 0; i < 3; i++) {
        hocket_task *task;
        int err = hocket_spawn_task(&task, NULL, steps[i], NULL, NULL);
        if (err == 0) {
            err = hocket_join(task, NULL, HOCKET_FOREVER);
            hocket_task_release(task);
        }
        if (err)
            return err;
    }
    printf("%d items, %d booked\n", items, booked);
    return 0;
}

int main(void)
{
    hocket_lock_order_check(true);
    return hocket_run(one_after_the_other, NULL) != 0;
}
