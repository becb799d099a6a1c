/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_H
#define HOCKET_H

/*
 * hocket - everything at once; each header can also be included alone
 */
#include <hocket/barrier.h>
#include <hocket/base.h>
#include <hocket/broadcast.h>
#include <hocket/cond.h>
#include <hocket/delay_queue.h>
#include <hocket/dump.h>
#include <hocket/error.h>
#include <hocket/event.h>
#include <hocket/executor.h>
#include <hocket/fork.h>
#include <hocket/future.h>
#include <hocket/guarded.h>
#include <hocket/hooks.h>
#include <hocket/latch.h>
#include <hocket/live.h>
#include <hocket/local.h>
#include <hocket/lock_all.h>
#include <hocket/map.h>
#include <hocket/mutex.h>
#include <hocket/once.h>
#include <hocket/parallel.h>
#include <hocket/park.h>
#include <hocket/print.h>
#include <hocket/profile.h>
#include <hocket/promise.h>
#include <hocket/queue.h>
#include <hocket/rmutex.h>
#include <hocket/runtime.h>
#include <hocket/rwlock.h>
#include <hocket/scope.h>
#include <hocket/select.h>
#include <hocket/sem.h>
#include <hocket/sim.h>
#include <hocket/task.h>
#include <hocket/ticker.h>
#include <hocket/time.h>
#include <hocket/timer.h>
#include <hocket/trace.h>

#endif
