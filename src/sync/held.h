/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_HELD_H
#define HOCKET_SYNC_HELD_H

/*
 * held - which locks a task holds, where the lock itself does not say
 *
 * A mutex names its owner.  A rwlock does not name its readers, and no lock names the
 * class order it was taken in; so the task's record keeps a small table:
 *
 *   the address of a rwlock           held for reading
 *   the address of a class, plus 1    a lock of that class is held
 *
 * One entry for each time.  Only the task writes its table; the search for cycles reads it from
 * other threads.  What does not fit is only counted: then nothing is known
 * for certain about what is not in the table.
 */
#include <hocket/lock.h>

#include "park/record.h"

static inline const void *hocket__held_class(const hocket_lock_class *cls)
{
    return (const char *)cls + 1;
}

enum hocket__held { HOCKET__HELD_NO, HOCKET__HELD_YES, HOCKET__HELD_UNKNOWN };

void hocket__held_add(hocket_task *self, const void *entry);

/* Take one entry away.  False if it was not there for certain. */
bool hocket__held_remove(hocket_task *self, const void *entry);

/* For the task itself. */
enum hocket__held hocket__held_has(const hocket_task *self, const void *entry);

/* For others: is it in the table?  If not, nothing is known. */
bool hocket__held_lists(const hocket_task *task, const void *entry);

#endif
