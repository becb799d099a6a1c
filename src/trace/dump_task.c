/* SPDX-License-Identifier: MIT */
/*
 * dump_task - the lines of one task, or of many that are alike
 *
 *     reader [17] fiber, waits 3.214 s for mutex 0x55d0 held by writer [4]; deadline in 1.786 s
 *         at hocket_mutex_lock_until+0x8e (libhocket.so.0+0x1aa2e)
 *         at read_all+0x31 (program+0x12c1)
 *
 * Of the calls, those inside the library above the public function and below the task's own are
 * left out where names tell which they are.
 */
#include <errno.h>
#include <hocket/queue.h>
#include <string.h>

#include "park/graph.h"
#include "queue/registry.h"
#include "task/task.h"
#include "trace/dump.h"
#include "trace/names.h"

#define NAMES_SHOWN   4
#define HOLDERS_SHOWN 4

static const char *const state_words[HOCKET__DUMP_STATES] = { "held", "ready", "running", "waits" };
static const char *const kind_words[] = { "foreign thread", "thread", "fiber" };

void hocket__dump_name(struct hocket__dump *d, const hocket_task *t, uint64_t id)
{
    char name[HOCKET_NAME_MAX];
    hocket__out_words(&d->out, hocket__task_name(t, name, sizeof name));
    hocket__out_text(&d->out, " [");
    hocket__out_id(&d->out, id);
    hocket__out_char(&d->out, ']');
}

/* ---- calls ---- */

static bool begins(const struct hocket__name *n, const char *with)
{
    size_t size = strlen(with);
    return n->function != NULL && n->function_size >= size && memcmp(n->function, with, size) == 0;
}

static bool is(const struct hocket__name *n, const char *function)
{
    return begins(n, function) && n->function_size == strlen(function);
}

/*
 * The public function that waits: the one above hocket__wait_park, perhaps with a helper of its
 * own in between. Inline functions have no frame; then it is what they call.
 */
static unsigned first_shown(struct hocket__dump *d, const struct hocket__frames *f)
{
    struct hocket__name n;
    unsigned park = 0, found = 0;
    for (unsigned i = 0; i < f->count && i < 12; i++) {
        hocket__name_of(f->pc[i], d->in_handler, &n);
        bool ours = begins(&n, "hocket_"), internal = begins(&n, "hocket__");
        if (is(&n, "hocket__wait_park"))
            park = i;
        else if (ours && !internal && (park > 0 || i < 4))
            return i;
        else if (park > 0 && ours)
            found = i;
        else if (found > 0 || (park > 0 && i > park + 1))
            break;
    }
    return found > 0 ? found : park;
}

/* The library's own function under that of the root task is left out too. */
static unsigned without_root(struct hocket__dump *d, const struct hocket__frames *f, unsigned end)
{
    struct hocket__name n;
    hocket__name_of(f->pc[end - 1], d->in_handler, &n);
    return is(&n, "root_main") && end > 1 ? end - 1 : end;
}

/* Of the task that makes the dump, how it is made is left out. */
static unsigned first_running(struct hocket__dump *d, const struct hocket__frames *f)
{
    struct hocket__name n;
    hocket__name_of(f->pc[0], d->in_handler, &n);
    if (!is(&n, "hocket__backtrace_here"))
        return 0;
    for (unsigned i = 1; i < f->count; i++) {
        hocket__name_of(f->pc[i], d->in_handler, &n);
        if (!n.ours)
            return i;
    }
    return 0;
}

/* It may run on top of the task that joins it. */
static unsigned end_running(struct hocket__dump *d, const struct hocket__frames *f)
{
    struct hocket__name n;
    for (unsigned i = 1; i < f->count; i++) {
        hocket__name_of(f->pc[i], d->in_handler, &n);
        if (is(&n, "hocket__task_run"))
            return without_root(d, f, i);
    }
    return f->count;
}

/* Below the function of the task come the loop and the beginning of all stacks. */
static unsigned end_shown(struct hocket__dump *d, const struct hocket__frames *f)
{
    struct hocket__name n;
    for (unsigned i = f->count; i-- > 1 && f->count - i < 12;) {
        hocket__name_of(f->pc[i], d->in_handler, &n);
        if (!is(&n, "hocket__task_run"))
            continue;
        return without_root(d, f, i);
    }
    return f->count;
}

static void write_call(struct hocket__dump *d, uintptr_t pc, unsigned depth)
{
    struct hocket__out *o = &d->out;
    struct hocket__name n;
    hocket__name_of(pc, d->in_handler, &n);
    hocket__out_indent(o, depth);
    hocket__out_text(o, "at ");
    if (n.function != NULL) {
        hocket__out_bytes(o, n.function, n.function_size);
        hocket__out_char(o, '+');
        hocket__out_hex(o, n.offset + 1);
    } else {
        hocket__out_hex(o, pc + 1);
    }
    if (n.address != 0) {
        hocket__out_text(o, " (");
        hocket__out_text(o, n.module != NULL ? n.module : program_invocation_short_name);
        hocket__out_char(o, '+');
        hocket__out_hex(o, n.address);
        hocket__out_char(o, ')');
    }
    hocket__out_char(o, '\n');
}

void hocket__dump_frames(struct hocket__dump *d, const struct hocket__frames *f, unsigned depth)
{
    unsigned i = f->running ? first_running(d, f) : first_shown(d, f);
    unsigned end = f->running ? end_running(d, f) : end_shown(d, f);
    if (i >= end) {
        i = 0;
        end = f->count;
    }
    for (; i < end; i++)
        write_call(d, f->pc[i], depth);
    if (f->more && end == f->count) {
        hocket__out_indent(&d->out, depth);
        hocket__out_text(&d->out, "at ... (more calls)\n");
    }
}

static void write_refused(struct hocket__dump *d, const struct hocket__look *l, unsigned depth)
{
    static const char *const why[] = {
        [HOCKET__SAMPLE_BLOCKED] = "it blocks signal ",
        [HOCKET__SAMPLE_IN_USE] = "not asked, the program uses signal ",
        [HOCKET__SAMPLE_SILENT] = "no answer to signal ",
        [HOCKET__SAMPLE_LATE] = "no time left to ask by signal ",
    };
    struct hocket__out *o = &d->out;
    if (l->refused == HOCKET__SAMPLE_GOOD || l->refused == HOCKET__SAMPLE_GONE)
        return;
    hocket__out_indent(o, depth);
    hocket__out_text(o, "calls not known: ");
    hocket__out_text(o, why[l->refused]);
    hocket__out_id(o, HOCKET__SAMPLE_SIGNAL);
    if (l->refused == HOCKET__SAMPLE_SILENT) {
        hocket__out_text(o, ", its state is ");
        hocket__out_char(o, l->thread_state);
    }
    hocket__out_char(o, '\n');
}

/* ---- what it waits for ---- */

static void write_holders(struct hocket__dump *d, const struct hocket__look *l)
{
    struct hocket__out *o = &d->out;
    for (unsigned i = 0; l->cls->holder && i < HOLDERS_SHOWN; i++) {
        uint32_t slot = hocket__graph_holder(l->task, i, d->in_handler);
        const hocket_task *t = slot != 0 ? hocket__record_at(slot) : NULL;
        uint64_t id = t != NULL ? hk_load_acq(&t->id) : 0;
        if (id == 0)
            return;
        bool join = strcmp(l->cls->name, "join") == 0;
        hocket__out_text(o, i > 0 ? ", " : join ? " of " : " held by ");
        hocket__dump_name(d, t, id);
    }
}

static void write_deadline(struct hocket__dump *d, hocket_time deadline)
{
    if (deadline == HOCKET_FOREVER || deadline == HOCKET_NOW)
        return;
    hocket__out_text(&d->out, deadline > d->now ? "; deadline in " : "; deadline passed ");
    hocket__out_time(&d->out, deadline > d->now ? deadline - d->now : d->now - deadline);
    if (deadline <= d->now)
        hocket__out_text(&d->out, " ago");
}

static void write_object(struct hocket__dump *d, const void *object)
{
    struct hocket__out *o = &d->out;
    struct hocket__name n;
    hocket__out_hex(o, (uintptr_t)object);
    hocket__name_of_object(object, d->in_handler, &n);
    if (n.function == NULL)
        return;
    hocket__out_text(o, " <");
    hocket__out_bytes(o, n.function, n.function_size);
    if (n.offset > 0) {
        hocket__out_char(o, '+');
        hocket__out_id(o, n.offset);
    }
    hocket__out_char(o, '>');
}

/* How full a queue is: "(63 of 64)". */
static void write_queue(struct hocket__dump *d, const struct hocket__look *l)
{
    struct hocket__queue_look q;
    struct hocket__out *o = &d->out;
    if (l->cls != &hocket__queue_class || !hocket__registry_awaited(l->task, d->in_handler, &q) ||
        q.queue != l->object)
        return;
    hocket__out_text(o, " (");
    if (q.capacity == 0) {
        hocket__out_text(o, q.kind);
    } else {
        bool bounded = q.capacity != HOCKET_UNBOUNDED;
        hocket__out_number(o, q.length);
        hocket__out_text(o, bounded ? " of " : ", no bound");
        if (bounded)
            hocket__out_number(o, q.capacity);
    }
    hocket__out_text(o, q.closed ? ", closed)" : ")");
}

static void write_wait(struct hocket__dump *d, const struct hocket__look *l, hocket_time since,
                       bool one_object)
{
    struct hocket__out *o = &d->out;
    if (since > 0) {
        hocket__out_char(o, ' ');
        hocket__out_time(o, d->now - since);
    }
    hocket__out_text(o, " for ");
    hocket__out_text(o, l->cls->name);
    if (l->object != NULL && one_object) {
        hocket__out_char(o, ' ');
        write_object(d, l->object);
        write_queue(d, l);
    }
    write_holders(d, l);
    if (l->on_top)
        hocket__out_text(o, ", which runs on top of it");
}

/* ---- many that are alike ---- */

static void write_names(struct hocket__dump *d, const struct hocket__dumped *alike, uint32_t count)
{
    struct hocket__out *o = &d->out;
    for (uint32_t i = 0; i < count && i < NAMES_SHOWN; i++) {
        hocket__out_text(o, i > 0 ? ", " : "");
        hocket__dump_name(d, hocket__record_at(alike[i].slot), alike[i].id);
    }
    if (count > NAMES_SHOWN) {
        hocket__out_text(o, " and ");
        hocket__out_number(o, count - NAMES_SHOWN);
        hocket__out_text(o, " more");
    }
}

/* Of all: since when the longest waits, the first deadline, and whether they wait for the same. */
static hocket_time survey(const struct hocket__dumped *alike, uint32_t count,
                          const struct hocket__look *l, hocket_time *ret_deadline, bool *ret_one)
{
    hocket_time since = l->since;
    *ret_deadline = l->deadline;
    *ret_one = true;
    for (uint32_t i = 0; i < count; i++) {
        hocket_task *t = hocket__record_at(alike[i].slot);
        hocket_time s = hk_load(&t->wait_since), dl = hk_load(&t->wait_deadline);
        if (hk_load_acq(&t->id) != alike[i].id || hk_load_acq(&t->wait_class) != l->cls)
            continue;
        since = s > 0 && (since == 0 || s < since) ? s : since;
        *ret_deadline = dl > HOCKET_NOW && dl < *ret_deadline ? dl : *ret_deadline;
        *ret_one = *ret_one && hk_load(&t->wait_object) == l->object;
    }
    return since;
}

static void write_age(struct hocket__dump *d, const hocket_task *t)
{
    uint32_t born = hk_load(&t->born);
    uint32_t age = (uint32_t)(d->now >> HOCKET__BORN_SHIFT) - born;
    if (born == 0 || age > UINT32_MAX / 2)
        return;
    hocket__out_text(&d->out, "; age ");
    hocket__out_time(&d->out, (hocket_time)age << HOCKET__BORN_SHIFT);
}

void hocket__dump_task(struct hocket__dump *d, const struct hocket__look *l, unsigned depth,
                       const struct hocket__dumped *alike, uint32_t count)
{
    struct hocket__out *o = &d->out;
    hocket__out_indent(o, depth);
    if (count > 1) {
        hocket__out_number(o, count);
        hocket__out_text(o, " tasks: ");
        write_names(d, alike, count);
    } else {
        hocket__dump_name(d, l->task, l->id);
    }
    hocket__out_char(o, ' ');
    hocket__out_text(o, kind_words[hk_load(&l->task->kind) % 3]);
    if (hk_load(&l->task->flags) & HOCKET__TASK_DAEMON)
        hocket__out_text(o, " daemon");
    hocket__out_text(o, ", ");
    hocket__out_text(o, state_words[l->state]);
    if (l->state == HOCKET__DUMP_WAITING) {
        hocket_time deadline;
        bool one;
        hocket_time since = survey(alike, count, l, &deadline, &one);
        write_wait(d, l, since, one);
        write_deadline(d, deadline);
    }
    write_age(d, l->task);
    hocket__out_char(o, '\n');
    if (l->stacked)
        hocket__dump_frames(d, &l->frames, depth + 2);
    else
        write_refused(d, l, depth + 2);
}
