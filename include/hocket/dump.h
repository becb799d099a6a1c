/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_DUMP_H
#define HOCKET_DUMP_H
#include <hocket/task.h>

/*
 * dump - who is there, and what does each wait for?
 *
 * A dump is text: the workers, then every task by scope, threads included, with id, name,
 * placement and state; for a task that waits what for and since when, who holds that, and its
 * deadline; for a fiber that does not run its calls, with the names of functions where the
 * program was not stripped.  Tasks that stand at the same place for the same reason are one entry
 * with their number.
 *
 *     hocket: dump of server, pid 4711: 1,003 tasks (1,002 waiting, 1 running, 0 ready, 0 held)
 *     worker 0 runs accept [2]
 *     root scope
 *       main [1] fiber, waits 12.031 s for scope 0x7f3a...; age 12.034 s
 *           at hocket_scope_close+0x5c (libhocket.so.0+0x1c5bc)
 *           at serve+0x91 (server+0x1391)
 *         scope 'clients' 0x7f3a...
 *           1,000 tasks: task-4 [4], ... and 996 more fiber, waits 12.028 s for queue
 *           ...
 *
 * The program goes on meanwhile, so it is no picture of one moment: each task is shown as it was
 * when it was looked at. Times are a few milliseconds coarse.  What is in brackets after a call
 * is for addr2line(1).
 *
 *   Callers    threads and fibers alike, also without a runtime.
 *   Blocks     the thread, as long as writing to the descriptor does; no cancel point.
 *   Memory     works when there is none left; with many tasks they are then not sorted.
 */

HOCKET_BEGIN_DECLS

/*
 * Write a dump to a descriptor.  0, -EBUSY (the runtime is just giving its stacks back), or what
 * write(2) failed with, negative.
 *
 *     hocket_dump(STDERR_FILENO);
 */
HOCKET_API int hocket_dump(int fd);

/*
 * From now on this signal writes a dump to standard error, and a second one within two seconds
 * has the signal's default action; 0: no longer, what was there before comes back.  `hocket dump
 * PID` then has one written to it instead.  hocket_run does this with SIGQUIT (runtime.h,
 * .no_dump); for programs that it does not run.  The dump is made by a worker, or by the monitor
 * if all are busy; without a runtime, or without workers, in the handler.  0, -EINVAL.  Not from
 * signal handlers.
 *
 *     err = hocket_dump_on_signal(SIGUSR1);
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_dump_on_signal(int signal);

HOCKET_END_DECLS
#endif
