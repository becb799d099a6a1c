/* SPDX-License-Identifier: MIT */
/*
 * deadlock - see task/deadlock.h
 *
 * Beyond what the scheduler sees, something may happen by a timer that is pending, and by a
 * signal whose handler is the program's own: it may set an event, or anything.  SIGINT and SIGTERM
 * cancel the root scope, but count only if a task sleeps until it is cancelled: that is how a program
 * says that it waits for them.  A program that merely could be interrupted hangs.
 *
 * The list: waits of one kind for one object are one line, with the names of the first of those tasks.
 */
#include "task/deadlock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/panic.h"
#include "park/wait.h"
#include "sys/census.h"
#include "sys/sample.h"
#include "task/signals.h"
#include "task/timer.h"

#define GROUPS 48
#define NAMES  3

struct group {
    const struct hocket__wait_class *cls;
    const void *object;
    unsigned tasks;
    const hocket_task *first[NAMES];
};

void (*_Atomic hocket__deadlock_dump)(int fd);

static _Atomic int action;

int hocket__deadlock_set(int wanted, bool whole_program)
{
    static const char *const names[] = { "", "panic", "report", "off" };
    const char *text = hocket__env("HOCKET_DEADLOCK");
    if (text && *text)
        for (wanted = HOCKET_DEADLOCK_OFF; wanted > 0 && strcmp(text, names[wanted]) != 0; wanted--)
            ;
    if (wanted < 0 || wanted > HOCKET_DEADLOCK_OFF || (text && *text && wanted == 0))
        return -EINVAL;
    if (wanted == HOCKET_DEADLOCK_DEFAULT)
        wanted = whole_program ? HOCKET_DEADLOCK_PANIC : HOCKET_DEADLOCK_REPORT;
    hk_store(&action, wanted);
    return 0;
}

bool hocket__deadlock_watched(void)
{
    return hk_load(&action) != HOCKET_DEADLOCK_OFF;
}

bool hocket__deadlock_outside(bool for_cancel)
{
    void (*const ours[])(int) = {
        hocket__signals_handler,
        (void (*)(int))(void (*)(void))hocket__dump_signal_handler, /* it wakes no task */
        (void (*)(int))(void (*)(void))hocket__timeout_handler,
        (void (*)(int))(void (*)(void))hocket__sample_handler,
    };
    return (for_cancel && hocket__signals_on()) || hocket__timers_pending() ||
           hocket__foreign_handlers(ours, sizeof ours / sizeof *ours);
}

/* ---- the list ---- */

static void say(const char *text, int length)
{
    if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0)
        return; /* nobody to tell */
}

/* The group of a wait: NULL if there are too many. */
static struct group *group_of(struct group *groups, unsigned *count,
                              const struct hocket__wait_class *cls, const void *object)
{
    for (unsigned i = 0; i < *count; i++)
        if (groups[i].cls == cls && groups[i].object == object)
            return &groups[i];
    if (*count == GROUPS)
        return NULL;
    groups[*count] = (struct group){ .cls = cls, .object = object };
    return &groups[(*count)++];
}

static void say_group(const struct group *g)
{
    char line[512], name[HOCKET_NAME_MAX];
    const size_t size = sizeof line;
    size_t used = (size_t)snprintf(line, size, "hocket:   %s %p:", g->cls->name, g->object);
    for (unsigned i = 0; i < g->tasks && i < NAMES; i++) {
        const hocket_task *t = g->first[i];
        used += (size_t)snprintf(line + used, size - used, "%s %s (%s)", i > 0 ? "," : "",
                                 hocket__task_name(t, name, sizeof name),
                                 hk_load(&t->kind) == HOCKET__FIBER ? "fiber" : "thread");
    }
    if (g->tasks > NAMES)
        used += (size_t)snprintf(line + used, size - used, " and %u more", g->tasks - NAMES);
    line[used++] = '\n';
    say(line, (int)used);
}

static void say_tasks(void)
{
    static struct group groups[GROUPS]; /* one thread looks, once at a time */
    unsigned count = 0, more = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        const hocket_task *t = hocket__record_at(slot);
        const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
        if (hk_load(&t->id) == 0 || cls == NULL)
            continue;
        struct group *g = group_of(groups, &count, cls, hk_load(&t->wait_object));
        if (g && g->tasks < NAMES)
            g->first[g->tasks] = t;
        if (g)
            g->tasks++;
        else
            more++;
    }
    for (unsigned i = 0; i < count; i++)
        say_group(&groups[i]);
    char line[80];
    if (more > 0)
        say(line, snprintf(line, sizeof line, "hocket:   and %u more\n", more));
}

void hocket__deadlock_found(void)
{
    static const char head[] =
        "hocket: report: deadlock: all tasks are asleep, and nothing can wake "
        "one; they wait for\n";
    say(head, (int)sizeof head - 1);
    void (*dump)(int) = hk_load_acq(&hocket__deadlock_dump);
    if (dump)
        dump(STDERR_FILENO);
    else
        say_tasks();
    if (hk_load(&action) == HOCKET_DEADLOCK_PANIC)
        hocket__panic("all tasks are asleep: deadlock");
}
