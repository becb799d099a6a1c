/* SPDX-License-Identifier: MIT */
/*
 * The stores release and a reader acquires, so that an entry never shows before
 * the lock was taken; a reader that comes late misses an entry, which only means that it claims less.
 */
#include "sync/held.h"

void hocket__held_add(hocket_task *self, const void *entry)
{
    for (unsigned i = 0; i < HOCKET__HELD_READS; i++) {
        if (!hk_load(&self->held_reads[i])) {
            hk_store_rel(&self->held_reads[i], entry); /* pairs with held_lists */
            return;
        }
    }
    self->held_reads_more++;
}

bool hocket__held_remove(hocket_task *self, const void *entry)
{
    /* The last one first: with the same entry twice it does not matter, but it is the likely one. */
    for (unsigned i = HOCKET__HELD_READS; i-- > 0;) {
        if (hk_load(&self->held_reads[i]) == entry) {
            hk_store_rel(&self->held_reads[i], NULL);
            return true;
        }
    }
    if (self->held_reads_more == 0)
        return false;
    self->held_reads_more--;
    return true;
}

bool hocket__held_lists(const hocket_task *task, const void *entry)
{
    for (unsigned i = 0; i < HOCKET__HELD_READS; i++)
        if (hk_load_acq(&task->held_reads[i]) == entry)
            return true;
    return false;
}

enum hocket__held hocket__held_has(const hocket_task *self, const void *entry)
{
    if (hocket__held_lists(self, entry))
        return HOCKET__HELD_YES;
    return self->held_reads_more ? HOCKET__HELD_UNKNOWN : HOCKET__HELD_NO;
}
