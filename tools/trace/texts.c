/* SPDX-License-Identifier: MIT */
#include "trace/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All names of the file are fields that a NUL need not end. */
struct name {
    uint64_t key;
    uint32_t order; /* of two names for one key the later one counts */
    char text[HKT_TEXT_MAX + 1];
};

struct table {
    struct name *names;
    size_t used, room;
};

struct trace_texts {
    const struct hkt_kind *kinds;
    uint32_t kind_count;
    const struct hkt_symbol *symbols;
    uint32_t symbol_count;
    struct table kind, symbol, task;
};

struct trace_texts *trace_texts_new(void)
{
    return calloc(1, sizeof(struct trace_texts));
}

void trace_texts_free(struct trace_texts *n)
{
    if (n == NULL)
        return;
    free(n->kind.names);
    free(n->symbol.names);
    free(n->task.names);
    free(n);
}

void trace_texts_kinds(struct trace_texts *n, const struct hkt_kind *kinds, uint32_t count)
{
    n->kinds = kinds;
    n->kind_count = count;
}

void trace_texts_symbols(struct trace_texts *n, const struct hkt_symbol *symbols, uint32_t count)
{
    n->symbols = symbols;
    n->symbol_count = count;
}

static bool add(struct table *t, uint64_t key, const char *text, size_t size)
{
    if (t->used == t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        struct name *more = realloc(t->names, room * sizeof *more);
        if (more == NULL)
            return false;
        t->names = more;
        t->room = room;
    }
    struct name *name = &t->names[t->used];
    name->key = key;
    name->order = (uint32_t)t->used++;
    size_t length = strnlen(text, size < HKT_TEXT_MAX ? size : HKT_TEXT_MAX);
    memcpy(name->text, text, length);
    name->text[length] = '\0';
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void sort(struct table *t)
{
    if (t->used == 0)
        return;
    qsort(t->names, t->used, sizeof *t->names, compare);
    size_t kept = 0;
    for (size_t i = 1; i < t->used; i++) {
        if (t->names[i].key != t->names[kept].key)
            kept++;
        if (kept != i)
            t->names[kept] = t->names[i];
    }
    t->used = kept + 1;
}

static const char *find(const struct table *t, uint64_t key)
{
    size_t low = 0, high = t->used;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->names[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->used && t->names[low].key == key ? t->names[low].text : NULL;
}

/* Names that the events say. */
static bool from_lane(struct table *tasks, const struct trace_lane *lane)
{
    char text[HKT_TEXT_MAX + 1];
    for (size_t i = 0; i < lane->count; i++) {
        const struct hkt_event *e = &lane->events[i];
        if (HKT_KIND(e) != HKT_NAME && HKT_KIND(e) != HKT_EXIT)
            continue;
        size_t length = trace_text(lane, i, text);
        if (length > 0 && !add(tasks, e->task, text, length))
            return false;
    }
    return true;
}

bool trace_texts_finish(struct trace_texts *n, const struct trace *t)
{
    for (uint32_t i = 0; i < n->kind_count; i++)
        if (!add(&n->kind, n->kinds[i].number, n->kinds[i].name, sizeof n->kinds[i].name))
            return false;
    for (uint32_t i = 0; i < n->symbol_count; i++)
        if (!add(&n->symbol, n->symbols[i].address, n->symbols[i].name, sizeof n->symbols[i].name))
            return false;
    for (uint32_t i = 0; i < t->lane_count; i++)
        if (!from_lane(&n->task, &t->lanes[i]))
            return false;
    for (uint32_t i = 0; i < t->task_count; i++)
        if (t->tasks[i].id != 0 && t->tasks[i].name[0] != '\0' &&
            !add(&n->task, t->tasks[i].id, t->tasks[i].name, sizeof t->tasks[i].name))
            return false;
    sort(&n->kind);
    sort(&n->symbol);
    sort(&n->task);
    return true;
}

const char *trace_kind_name(const struct trace *t, uint32_t kind)
{
    const char *name = find(&t->texts->kind, kind);
    return name != NULL ? name : "?";
}

const char *trace_task_name(const struct trace *t, uint64_t task)
{
    const char *name = find(&t->texts->task, task);
    return name != NULL ? name : "";
}

void trace_task_title(const struct trace *t, uint64_t task, char *buffer, size_t size)
{
    const char *name = trace_task_name(t, task);
    if (task == 0)
        (void)snprintf(buffer, size, "%s", "");
    else if (name[0] != '\0')
        (void)snprintf(buffer, size, "%s", name);
    else
        (void)snprintf(buffer, size, "task-%llu", (unsigned long long)task);
}

void trace_lane_name(const struct trace *t, uint32_t lane, char *buffer, size_t size)
{
    const struct hkt_lane *l = t->lanes[lane].head;
    if (l->worker >= 0)
        (void)snprintf(buffer, size, "worker %d", l->worker);
    else if (l->name[0] != '\0')
        (void)snprintf(buffer, size, "thread %.16s", l->name);
    else
        (void)snprintf(buffer, size, "thread %u", l->tid);
}

void trace_symbol(const struct trace *t, uint64_t address, char *buffer, size_t size)
{
    const char *name = find(&t->texts->symbol, address);
    if (name != NULL) {
        (void)snprintf(buffer, size, "%s", name);
        return;
    }
    for (uint32_t i = 0; i < t->module_count; i++) {
        const struct hkt_module *m = &t->modules[i];
        if (address < m->start || address >= m->end)
            continue;
        const char *path = m->path;
        size_t length = strnlen(path, sizeof m->path);
        const char *slash = memrchr(path, '/', length);
        const char *base = slash != NULL ? slash + 1 : path;
        (void)snprintf(buffer, size, "%.*s+0x%llx", (int)(length - (size_t)(base - path)), base,
                       (unsigned long long)(address - m->start + m->offset));
        return;
    }
    (void)snprintf(buffer, size, "0x%llx", (unsigned long long)address);
}
