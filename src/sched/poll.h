/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_POLL_H
#define HOCKET_SCHED_POLL_H

/*
 * poll - tasks that wait for descriptors
 *
 * A thread of its own waits for all of them: started by the first, it ends after some seconds
 * without any.  A task is claimed by it like by any waker; waiter.tag says what the task wants,
 * waiter.done what there is.
 */
#include "park/wait.h"

struct hocket__poll_node {
    struct hocket__waiter waiter;
    int fd;
};

/*
 * Watch node->fd for waiter.tag.  0; -EBADF; -EPERM: a file, always ready; -ENOMEM; -EAGAIN: no
 * thread; -EMFILE, -ENFILE.  After 0 it must be unlinked before it dies.
 */
int hocket__poll_link(struct hocket__poll_node *node);
void hocket__poll_unlink(struct hocket__poll_node *node);

/*
 * In a simulated world there is no thread: the loop that has nothing else to do looks, for as long as
 * that many milliseconds.  How many wait; without any there is nothing to look at.
 */
unsigned hocket__poll_waiting(void);
void hocket__poll_turn(int timeout_ms);

/* End the thread, unless somebody still waits. */
void hocket__poll_stop(void);

#endif
