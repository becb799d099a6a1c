/* SPDX-License-Identifier: MIT */
/*
 * names - numbers for tasks and objects, and the trace
 *
 * Both are numbered in the order in which the world sees them, so that a trace says nothing of
 * addresses or of what the process did before.
 *
 * Each event goes into a hash of them all, into the ring that the report is made of, and as a line of
 * text into the trace file, if there is to be one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "sim/world.h"

#define W hocket__sim_world

/* ---- tasks ---- */

static void name_take(struct sim_task *t)
{
    char *name = W.shared->names[t->number % SIM_NAMES];
    char text[HOCKET_NAME_MAX];
    if (t->number >= SIM_NAMES)
        return;
    if (hk_load(&t->task->named))
        (void)hocket__task_name(t->task, text, sizeof text);
    else
        (void)snprintf(text, sizeof text, "%s",
                       hk_load(&t->task->kind) == HOCKET__FOREIGN ? "main thread" : "");
    (void)snprintf(name, SIM_WORD_SIZE, "%.*s", SIM_WORD_SIZE - 1, text);
}

struct sim_task *hocket__sim_task(hocket_task *task)
{
    if (task->slot >= SIM_TASKS_MAX) {
        (void)snprintf(W.shared->message, sizeof W.shared->message, "more than %u tasks",
                       SIM_TASKS_MAX);
        hocket__sim_fail(HOCKET_SIM_CRASH, -ENOMEM);
    }
    struct sim_task *t = &W.tasks[task->slot];
    uint64_t id = hk_load(&task->id);
    if (t->task && t->id == id)
        return t;
    memset(t, 0, sizeof *t);
    t->task = task;
    t->id = id;
    t->number = ++W.task_count;
    t->what = "begin";
    t->object = SIM_OWN;
    W.shared->name_count = t->number < SIM_NAMES ? t->number + 1 : SIM_NAMES;
    name_take(t);
    hocket__sim_strategy_task(t);
    return t;
}

/* ---- objects: a table with linear probing, doubled when it is half full ---- */

static struct {
    struct object {
        const void *address;
        uint32_t number;
    } * slots;
    uint32_t size, count;
} objects;

static struct object *object_slot(struct object *slots, uint32_t size, const void *address)
{
    uint32_t at = hocket__hash_of((uintptr_t)address);
    while (slots[at % size].address && slots[at % size].address != address)
        at++;
    return &slots[at % size];
}

static void objects_grow(void)
{
    uint32_t size = objects.size ? 2 * objects.size : 1024;
    struct object *memory = hocket__sim_map(size * sizeof *memory);
    for (uint32_t i = 0; i < objects.size; i++)
        if (objects.slots[i].address)
            *object_slot(memory, size, objects.slots[i].address) = objects.slots[i];
    if (objects.slots)
        hocket__sys_linux.unmap(objects.slots, objects.size * sizeof *objects.slots);
    objects.slots = memory;
    objects.size = size;
}

uint32_t hocket__sim_object(const void *address)
{
    if (!address)
        return 0;
    if (2 * objects.count >= objects.size)
        objects_grow();
    struct object *o = object_slot(objects.slots, objects.size, address);
    if (!o->address) {
        o->address = address;
        o->number = ++objects.count;
    }
    return o->number;
}

/* ---- the trace ---- */

static struct {
    int fd;
    size_t used;
    char text[1 << 16];
} file = { .fd = -1 };

static void file_flush(void)
{
    size_t done = 0;
    while (file.fd >= 0 && done < file.used) {
        ssize_t n = write(file.fd, file.text + done, file.used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* a full disk ends the trace, not the run */
            (void)close(file.fd);
            file.fd = -1;
            return;
        }
        done += (size_t)n;
    }
    file.used = 0;
}

void hocket__sim_trace_open(void)
{
    if (W.plan->trace[0] == '\0')
        return;
    file.used = 0;
    file.fd = open(W.plan->trace, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file.fd < 0) {
        (void)snprintf(W.shared->message, sizeof W.shared->message, "%.200s: %s", W.plan->trace,
                       strerror(errno));
        hocket__sim_fail(HOCKET_SIM_CRASH, -errno);
    }
}

void hocket__sim_trace_close(void)
{
    W.shared->spent = hocket__sys_linux.clock() - W.began;
    file_flush();
    if (file.fd >= 0)
        (void)close(file.fd);
    file.fd = -1;
}

/* Words are few and static, so they are known by address; two of one text do no harm. */
static uint16_t word_number(const char *word)
{
    static const char *known[SIM_WORDS];
    struct sim_shared *s = W.shared;
    uint32_t i = 0;
    while (i < s->word_count && known[i] != word)
        i++;
    if (i == SIM_WORDS)
        return SIM_WORDS - 1;
    if (i == s->word_count) {
        s->word_count++;
        known[i] = word;
        (void)snprintf(s->words[i], SIM_WORD_SIZE, "%s", word);
    }
    return (uint16_t)i;
}

static void hash_text(const char *text)
{
    uint64_t h = W.shared->hash;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    W.shared->hash = h;
}

static void hash_number(uint64_t number)
{
    W.shared->hash = hocket__hash_mix(W.shared->hash, number);
}

void hocket__sim_trace(struct sim_task *who, const char *what, uint32_t object)
{
    static uint32_t last;
    struct sim_shared *s = W.shared;
    struct sim_event *e = &s->events[s->event_count++ % SIM_EVENTS];
    *e = (struct sim_event){ W.now, who->number, object, word_number(what), 0 };
    if (who->number != last && who->number != 0) {
        e->switched = W.tasks && last != 0;
        last = who->number;
    }
    hash_text(what);
    hash_number((uint64_t)who->number << 32 | object);
    hash_number((uint64_t)W.now);
    if (file.fd < 0)
        return;
    if (file.used + 128 > sizeof file.text)
        file_flush();
    file.used += (size_t)snprintf(file.text + file.used, 128, "%llu %lld %u %.40s %u\n",
                                  (unsigned long long)s->choices, (long long)W.now, who->number,
                                  what, object);
}

/* ---- for the report of a deadlock ---- */

static struct sim_task *with_slot(uint32_t slot)
{
    hocket_task *t = slot != 0 && slot != HOCKET__HOLDER_UNKNOWN ? hocket__record_at(slot) : NULL;
    return t && hk_load(&t->id) != 0 ? hocket__sim_task(t) : NULL;
}

static size_t say(char *text, size_t size, size_t used, const struct sim_task *t)
{
    int n;
    const char *killed = t->killed ? ", which was killed" : "";
    char name[HOCKET_NAME_MAX];
    if (used >= size)
        return used;
    if (hk_load(&t->task->kind) == HOCKET__FOREIGN)
        n = snprintf(text + used, size - used, "the main thread");
    else if (hk_load(&t->task->named))
        n = snprintf(text + used, size - used, "task %u '%s'%s", t->number,
                     hocket__task_name(t->task, name, sizeof name), killed);
    else
        n = snprintf(text + used, size - used, "task %u%s", t->number, killed);
    return used + (size_t)n;
}

void hocket__sim_describe_waits(char *text, size_t size)
{
    size_t used = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        struct sim_task *t = with_slot(slot);
        const struct hocket__wait_class *cls = t ? hk_load(&t->task->wait_class) : NULL;
        if (!cls || used + 2 >= size)
            continue;
        const void *object = hk_load(&t->task->wait_object);
        used += (size_t)snprintf(text + used, size - used, "\n  ");
        used = say(text, size, used, t);
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, " waits for %s", cls->name);
        struct sim_task *holder = cls->holder ? with_slot(cls->holder(object, 0)) : NULL;
        if (used < size && object && cls->name[0] != 'j')
            used += (size_t)snprintf(text + used, size - used, " %u", hocket__sim_object(object));
        if (used < size && holder) {
            used += (size_t)snprintf(text + used, size - used, " of ");
            used = say(text, size, used, holder);
        }
    }
}
