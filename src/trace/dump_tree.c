/* SPDX-License-Identifier: MIT */
/*
 * dump_tree - the tasks by scope, indented, equal ones as one
 *
 * Tasks are sorted by home, likeness and id, then the alike are given the id of the first of them
 * and all are sorted once more: so within a scope the order is that of the first ids.  Heap sort:
 * in place, and without the allocation that libc's makes.
 *
 * The walk down is a recursion over the depth of nesting; deeper ones than DEPTH_MAX come at the
 * end, with tasks whose scope was gone when we looked.
 */
#include <string.h>

#include "park/cancel.h"
#include "task/task.h"
#include "trace/dump.h"

#define DEPTH_MAX 40 /* of 4 small frames each: signal stacks are 64 KiB */

/* ---- order ---- */

static bool before(const struct hocket__dumped *a, const struct hocket__dumped *b)
{
    if (a->home != b->home)
        return (uintptr_t)a->home < (uintptr_t)b->home;
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void sift(struct hocket__dumped *a, uint32_t at, uint32_t n)
{
    struct hocket__dumped moved = a[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&a[child], &a[child + 1]))
            child++;
        if (!before(&moved, &a[child]))
            break;
        a[at] = a[child];
    }
    a[at] = moved;
}

static void sort(struct hocket__dumped *a, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(a, i, n);
    for (uint32_t i = n; i-- > 1;) {
        struct hocket__dumped last = a[i];
        a[i] = a[0];
        a[0] = last;
        sift(a, 0, i);
    }
}

static uint32_t end_of_alike(const struct hocket__dump *d, uint32_t from)
{
    const struct hocket__dumped *a = d->tasks;
    uint32_t i = from + 1;
    while (i < d->task_count && a[i].home == a[from].home && a[i].key == a[from].key)
        i++;
    return i;
}

static void order_tasks(struct hocket__dump *d)
{
    sort(d->tasks, d->task_count);
    for (uint32_t i = 0, end; i < d->task_count; i = end) {
        end = end_of_alike(d, i);
        for (uint64_t first = d->tasks[i].id; i < end; i++)
            d->tasks[i].key = first;
    }
    sort(d->tasks, d->task_count);
}

/* The first task of a scope, or where it would be. */
static uint32_t first_of(const struct hocket__dump *d, const void *home)
{
    uint32_t low = 0, high = d->task_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((uintptr_t)d->tasks[middle].home < (uintptr_t)home)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- the walk ---- */

static void write_tasks(struct hocket__dump *d, const void *home, unsigned depth);

static void write_scope(struct hocket__dump *d, const struct hocket__dumped_scope *s,
                        unsigned depth)
{
    struct hocket__out *o = &d->out;
    hocket__out_indent(o, depth);
    hocket__out_text(o, "scope ");
    if (s->name[0] != '\0') {
        hocket__out_char(o, '\'');
        hocket__out_words(o, s->name);
        hocket__out_text(o, "' ");
    }
    hocket__out_hex(o, (uintptr_t)s->scope);
    if (s->cancelled)
        hocket__out_text(o, ", cancelled");
    if (s->shield)
        hocket__out_text(o, ", shield");
    if (s->deadline != HOCKET_FOREVER) {
        hocket__out_text(o, s->deadline > d->now ? ", deadline in " : ", deadline passed by ");
        hocket__out_time(o, s->deadline > d->now ? s->deadline - d->now : d->now - s->deadline);
    }
    hocket__out_char(o, '\n');
    write_tasks(d, s->scope, depth + 1);
}

/* The scopes of an owner were noted together, from the innermost out. */
static void write_scopes_of(struct hocket__dump *d, uint32_t owner, unsigned depth)
{
    uint32_t low = 0, high = d->scope_count; /* noted in the order of slots */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (d->scopes[middle].owner <= owner)
            low = middle + 1;
        else
            high = middle;
    }
    while (low-- > 0 && d->scopes[low].owner == owner)
        write_scope(d, &d->scopes[low], depth);
}

/* One line for tasks[from .. end): the first of them that is still as it was. */
static void write_alike(struct hocket__dump *d, uint32_t from, uint32_t end, unsigned depth)
{
    static struct hocket__look l; /* done with before the walk goes deeper */
    struct hocket__dumped *a = &d->tasks[from];
    uint32_t count = end - from;
    for (uint32_t i = 0; i < count; i++)
        a[i].shown = true;
    for (uint32_t i = 0; i < count; i++)
        if (hocket__dump_look(d, hocket__record_at(a[i].slot), &l) && l.id == a[i].id) {
            if (count == 1 || l.state == a[i].state) {
                hocket__dump_task(d, &l, depth, a, count);
                break;
            }
        }
    if (a->owner && depth < DEPTH_MAX)
        write_scopes_of(d, a->slot, depth + 1);
}

static void write_tasks(struct hocket__dump *d, const void *home, unsigned depth)
{
    for (uint32_t i = first_of(d, home), end; i < d->task_count && d->tasks[i].home == home;
         i = end) {
        end = end_of_alike(d, i);
        if (!d->tasks[i].shown)
            write_alike(d, i, end, depth);
    }
}

static void write_left(struct hocket__dump *d)
{
    bool headed = false;
    for (uint32_t i = 0, end; i < d->task_count; i = end) {
        end = end_of_alike(d, i);
        if (d->tasks[i].shown)
            continue;
        if (!headed)
            hocket__out_text(&d->out, "in scopes that were not seen open\n");
        headed = true;
        write_alike(d, i, end, 1);
    }
}

void hocket__dump_tree(struct hocket__dump *d)
{
    order_tasks(d);
    static const struct {
        const char *title;
        const struct hocket__cancel_scope *home;
    } tops[] = { { "root scope\n", &hocket__root_scope.cancel },
                 { "daemons\n", &hocket__daemon_scope.cancel },
                 { "threads that Hocket did not start\n", NULL } };
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        uint32_t first = first_of(d, tops[i].home);
        if (first == d->task_count || d->tasks[first].home != tops[i].home)
            continue;
        hocket__out_text(&d->out, tops[i].title);
        write_tasks(d, tops[i].home, 1);
    }
    write_left(d);
}

/* One by one: that they are alike is not known without notes. */
void hocket__dump_list(struct hocket__dump *d)
{
    static struct hocket__look l;
    hocket__out_text(&d->out, "more tasks, as there was no memory to sort them\n");
    uint32_t skip = d->task_count;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        if (hk_load_acq(&t->id) == 0 || !hocket__dump_look(d, t, &l))
            continue;
        struct hocket__dumped one = { .id = l.id, .slot = slot, .state = (uint8_t)l.state };
        if (skip > 0)
            skip--;
        else
            hocket__dump_task(d, &l, 1, &one, 1);
    }
}
