/* SPDX-License-Identifier: MIT */
#include "sync/sync.h"

struct hocket__waiter *hocket__queue_claim(struct hocket__link **head)
{
    struct hocket__waiter *node;
    while ((node = hocket__queue_first(head)) != NULL) {
        hocket__queue_remove(head, &node->link);
        if (hocket__claim(node->task))
            return node;
    }
    return NULL;
}

const char *hocket__slot_name(uint32_t slot, char *buffer, size_t size)
{
    hocket_task *t = slot ? hocket__record_at(slot) : NULL;
    return t ? hocket__task_name(t, buffer, size) : slot ? "(unknown)" : "nobody";
}

uint64_t hocket__slot_id(uint32_t slot)
{
    hocket_task *t = slot ? hocket__record_at(slot) : NULL;
    return t ? hk_load(&t->id) : 0;
}

void hocket__destroy_check(const char *function, const char *kind, const void *object,
                           hocket__guard *guard, struct hocket__link *const *head)
{
    char name[HOCKET_NAME_MAX] = "";
    hocket__guard_lock(guard);
    struct hocket__waiter *node = hocket__queue_first(head);
    if (node)
        hocket__task_name(node->task, name, sizeof name);
    hocket__guard_unlock(guard);
    if (node)
        hocket__panic("%s: task %s waits for %s %p", function, name, kind, object);
}
