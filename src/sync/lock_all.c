/* SPDX-License-Identifier: MIT */
/*
 * lock_all - see hocket/lock_all.h
 *
 * Wait for one lock while holding none of the others, try the rest; on failure give all
 * back and wait for the one that failed.  No lock of the set is ever waited for with another
 * one held, so the set cannot be part of a deadlock with itself, in whatever order it is
 * named.  What the task held before is another matter, and judged by class.
 *
 * It ends: whoever holds the one that failed makes progress, and a mutex is handed to a
 * task that waits long enough.
 */
#include <hocket/lock_all.h>

#include <errno.h>

#include "base/panic.h"
#include "park/wait.h"
#include "sync/order.h"
#include "sync/ref.h"

static int check(const hocket_lock_ref *refs, size_t count, hocket_task *self)
{
    for (size_t i = 0; i < count; i++) {
        if (!hocket__ref_valid(refs[i]))
            return -EINVAL;
        for (size_t k = 0; k < i; k++)
            if (refs[k].lock == refs[i].lock)
                return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        hocket_lock_class *cls = hocket__ref_class(refs[i]);
        if (hocket__ref_blocks(refs[i], self) || (cls && hocket__order_broken(self, cls)))
            return -EDEADLK;
    }
    return 0;
}

/* Try all but refs[have], which is held.  count: all are held; else the one that failed, and none is. */
static size_t try_rest(const hocket_lock_ref *refs, size_t count, size_t have)
{
    size_t i = 0;
    while (i < count && (i == have || hocket__ref_try(refs[i]) == 0))
        i++;
    if (i == count)
        return count;
    for (size_t k = i; k-- > 0;)
        if (k != have)
            hocket_lock_ref_unlock(refs[k]);
    hocket_lock_ref_unlock(refs[have]);
    return i;
}

int hocket_lock_all_refs(const hocket_lock_ref *refs, size_t count, hocket_time deadline)
{
    hocket_task *self = hocket__self_must("hocket_lock_all");
    int err = hocket__cancel_point(self);
    if (err == 0)
        err = check(refs, count, self);
    if (err || count == 0)
        return err;
    size_t first = 0;
    for (;;) {
        err = hocket__ref_lock_until(refs[first], deadline);
        if (err)
            return err;
        size_t failed = try_rest(refs, count, first);
        if (failed == count)
            return 0;
        first = failed;
    }
}

void hocket_unlock_all_refs(const hocket_lock_ref *refs, size_t count)
{
    for (size_t i = count; i-- > 0;)
        hocket_lock_ref_unlock(refs[i]);
}
