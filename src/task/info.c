/* SPDX-License-Identifier: MIT */
/*
 * info - what can be asked of a task: id, name, state, and the list of all
 *
 * A list reads the records while their tasks run.  Each info is checked by the id
 * before and after: if the record changed hands meanwhile, it is read again.
 */
#include <string.h>

#include "park/wait.h"
#include "task/task.h"

hocket_task *hocket_self(void)
{
    return hocket__self_attach();
}

uint64_t hocket_task_id(const hocket_task *task)
{
    return hk_load(&task->id);
}

char *hocket_task_name(const hocket_task *task, char *buffer, size_t size)
{
    return hocket__task_name(task, buffer, size);
}

void hocket_task_set_name(hocket_task *task, const char *name)
{
    _Atomic char *to = task->name;
    size_t i = 0;
    if (name)
        for (; i < HOCKET_NAME_MAX - 1 && name[i]; i++)
            hk_store(&to[i], name[i]);
    hk_store(&to[i], '\0');
    hk_store(&task->named, i > 0);
}

bool hocket_task_alive(const hocket_task *task)
{
    return !(hocket__life(task) & (HOCKET__LIFE_HELD | HOCKET__LIFE_DONE));
}

bool hocket_task_daemon(const hocket_task *task)
{
    return (hk_load(&task->flags) & HOCKET__TASK_DAEMON) != 0;
}

int hocket_task_placement(const hocket_task *task)
{
    return hk_load(&task->kind) == HOCKET__FIBER ? HOCKET_ON_FIBER : HOCKET_ON_THREAD;
}

static bool counted(hocket_task *t)
{
    return hk_load_acq(&t->id) != 0 && !(hocket__life(t) & HOCKET__LIFE_DONE);
}

size_t hocket_task_count(void)
{
    size_t n = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++)
        n += counted(hocket__record_at(slot));
    return n;
}

static void read_info(hocket_task *t, hocket_task_info *info)
{
    memset(info, 0, sizeof *info);
    (void)hocket__task_name(t, info->name, sizeof info->name);
    info->placement = hocket_task_placement(t);
    info->daemon = hocket_task_daemon(t);
    const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
    if (cls) {
        info->waiting = true;
        info->wait_kind = cls->name;
        info->object = hk_load(&t->wait_object);
        info->deadline = hk_load(&t->wait_deadline);
    }
}

size_t hocket_task_list(hocket_task_info *ret_infos, size_t max)
{
    size_t n = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        hocket_task_info info;
        uint64_t id = 0;
        for (;;) {
            uint32_t seq = hk_load_acq(&t->wait_seq);
            if (!counted(t))
                break;
            id = hk_load_acq(&t->id);
            if (n >= max)
                break;
            read_info(t, &info);
            info.id = id;
            if (hk_load_acq(&t->id) == id && hk_load_acq(&t->wait_seq) == seq)
                break;
        }
        if (id == 0)
            continue;
        if (n < max)
            ret_infos[n] = info;
        n++;
    }
    return n;
}
