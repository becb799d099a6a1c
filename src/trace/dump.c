/* SPDX-License-Identifier: MIT */
/*
 * dump - all tasks as text: the head, the workers, and the order of things
 *
 * One dump at a time: `busy` is taken by a CAS, in a signal handler too, which gives up if it is
 * taken, since the one who has it may be what the handler interrupted.  Others wait their turn.
 *
 * All of it works without memory.  The state is static; for the notes of many tasks memory is
 * mapped, and if there is none a table for TASKS_STATIC serves.
 */
#include <hocket/dump.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sched/worker.h"
#include "sys/module.h"
#include "sys/sanitizer.h"
#include "trace/dump.h"
#include "trace/names.h"

#define TASKS_STATIC  1024u
#define SCOPES_STATIC 256u

static _Atomic uint32_t busy;
static struct hocket__dump dump; /* under busy, as all below */
static struct hocket__dumped static_tasks[TASKS_STATIC];
static struct hocket__dumped_scope static_scopes[SCOPES_STATIC];
static void *mapped;
static size_t mapped_size;

/* Room for the tasks of this moment, for some that come meanwhile, and a scope for each. */
static void make_room(struct hocket__dump *d)
{
    uint32_t n = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++)
        n += hk_load_acq(&hocket__record_at(slot)->id) != 0;
    d->tasks = static_tasks;
    d->scopes = static_scopes;
    d->task_room = TASKS_STATIC;
    d->scope_room = SCOPES_STATIC;
    mapped = NULL;
    if (n <= TASKS_STATIC / 2 && n <= SCOPES_STATIC / 2)
        return;
    uint32_t room = n + n / 8 + 1024;
    mapped_size = room * (sizeof *d->tasks + sizeof *d->scopes);
    mapped_size = (mapped_size + 65535) & ~(size_t)65535;
    if (hocket__map(mapped_size, &mapped) != 0) {
        mapped = NULL;
        return;
    }
    d->scopes = mapped;
    d->tasks = (void *)(d->scopes + room);
    d->task_room = d->scope_room = room;
}

static void give_room_back(void)
{
    if (mapped != NULL)
        hocket__unmap(mapped, mapped_size);
    mapped = NULL;
}

static void write_head(struct hocket__dump *d)
{
    static const char *const words[HOCKET__DUMP_STATES] = { " held", " ready", " running",
                                                            " waiting" };
    struct hocket__out *o = &d->out;
    uint64_t n = (uint64_t)d->task_count + d->missed;
    hocket__out_text(o, "hocket: dump of ");
    hocket__out_words(o, program_invocation_short_name);
    hocket__out_text(o, ", pid ");
    hocket__out_id(o, (uint64_t)getpid());
    hocket__out_text(o, ": ");
    hocket__out_number(o, n);
    hocket__out_text(o, n == 1 ? " task (" : " tasks (");
    for (unsigned i = HOCKET__DUMP_STATES; i-- > 0;) {
        hocket__out_number(o, d->by_state[i]);
        hocket__out_text(o, words[i]);
        hocket__out_text(o, i > 0 ? ", " : ")\n");
    }
}

static void write_worker(struct hocket__dump *d, const struct hocket__worker *w, hocket_task *t)
{
    struct hocket__out *o = &d->out;
    uint64_t id = t != NULL ? hk_load_acq(&t->id) : 0;
    hocket__out_text(o, "worker ");
    hocket__out_id(o, (uint64_t)w->index);
    if (id != 0) {
        hocket__out_text(o, hk_load(&w->blocked) ? " in a blocking call of " : " runs ");
        hocket__dump_name(d, t, id);
    } else if (hk_load(&w->sleep) == HOCKET__ASLEEP) {
        hocket__out_text(o, " asleep");
    } else {
        hocket__out_text(o, hk_load(&w->is_seat) && !hk_load(&w->driver) ? " without a thread"
                                                                         : " looks for work");
    }
}

static void write_workers(struct hocket__dump *d)
{
    struct hocket__out *o = &d->out;
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        if (w == NULL || hk_load(&w->gone))
            continue;
        write_worker(d, w, hk_load_acq(&w->running));
        uint32_t depth = hocket__runq_depth(&w->q);
        if (depth > 0) {
            hocket__out_text(o, ", ");
            hocket__out_number(o, depth);
            hocket__out_text(o, " queued");
        }
        hocket__out_char(o, '\n');
    }
}

/* What a tool needs to find source lines: `hocket dump`. */
static void write_files(struct hocket__dump *d)
{
    static const char digits[] = "0123456789abcdef";
    static char own[4096];
    struct hocket__out *o = &d->out;
    struct hocket__named_file f;
    for (unsigned i = 0; hocket__names_file(i, &f); i++) {
        if (f.path == NULL && hocket__own_path(own, sizeof own) == 0)
            continue;
        hocket__out_text(o, i == 0 ? "files\n  " : "  ");
        hocket__out_words(o, f.name != NULL ? f.name : program_invocation_short_name);
        hocket__out_text(o, ": ");
        for (size_t k = 0; k < f.build_id_size; k++) {
            hocket__out_char(o, digits[f.build_id[k] >> 4]);
            hocket__out_char(o, digits[f.build_id[k] & 15]);
        }
        hocket__out_text(o, f.build_id_size == 0 ? "- " : " ");
        hocket__out_words(o, f.path != NULL ? f.path : own);
        hocket__out_char(o, '\n');
    }
}

static void write_all(struct hocket__dump *d)
{
    make_room(d);
    hocket__dump_collect(d);
    write_head(d);
    write_workers(d);
    hocket__dump_tree(d);
    if (d->missed > 0)
        hocket__dump_list(d);
    write_files(d);
    hocket__out_text(&d->out, "hocket: end of dump\n");
    give_room_back();
}

bool hocket__dump_take(bool in_handler)
{
    uint32_t free_word = 0;
    if (!hk_cas(&busy, &free_word, 1)) {
        if (in_handler)
            return false;
        while (hk_xchg(&busy, 2) != 0)
            (void)hocket__futex_wait(&busy, 2, HOCKET_FOREVER);
    }
    hocket__nosync_acquire(&busy);
    return true;
}

void hocket__dump_give_back(void)
{
    hocket__nosync_release(&busy);
    if (hk_xchg(&busy, 0) == 2)
        (void)hocket__futex_wake(&busy, 1);
}

struct hocket__dump *hocket__dump_begin(int fd, const void *context)
{
    if (!hocket__dump_take(context != NULL))
        return NULL;
    if (!hocket__stacks_pin()) {
        hocket__dump_give_back();
        return NULL;
    }
    memset(&dump, 0, sizeof dump);
    hocket__out_open(&dump.out, fd);
    dump.in_handler = context != NULL;
    dump.context = context;
    dump.now = hocket__clock();
    return &dump;
}

int hocket__dump_end(struct hocket__dump *d)
{
    int err = hocket__out_close(&d->out);
    hocket__sample_end();
    hocket__names_end();
    hocket__stacks_unpin();
    hocket__dump_give_back();
    return err;
}

int hocket__dump_to(int fd, const void *context)
{
    struct hocket__dump *d = hocket__dump_begin(fd, context);
    if (d == NULL)
        return -EBUSY;
    write_all(d);
    return hocket__dump_end(d);
}

int hocket_dump(int fd)
{
    return hocket__dump_to(fd, NULL);
}
