/* SPDX-License-Identifier: MIT */
/* atoms - see sim/atoms.h */
#include "sim/atoms.h"

#include "sim/world.h"

#ifdef HOCKET_TEST_POINTS

#include <errno.h>
#include <string.h>

#include "task/task.h"

#define W hocket__sim_world

bool hocket__sim_atoms;

/* Files without places, known by the addresses of their names: there is one or more a file. */
#define FILES 1024 /* a power of two */

static struct {
    const char *name;
    bool choose;
} files[FILES];

static bool has_places(const char *file)
{
    static const char *const without[] = { "src/sched/", "src/sim/", "src/sys/",
                                           "src/park/watch.c" };
    uint64_t at = ((uint64_t)(uintptr_t)file * UINT64_C(0x9e3779b97f4a7c15)) >> 54;
    while (files[at].name != file && files[at].name != NULL)
        at = (at + 1) % FILES;
    if (files[at].name == NULL) {
        files[at].name = file;
        files[at].choose = true;
        for (size_t i = 0; i < sizeof without / sizeof *without; i++)
            if (strstr(file, without[i]) != NULL)
                files[at].choose = false;
    }
    return files[at].choose;
}

static bool is_of_worker(const struct hocket__worker *w, const volatile void *addr)
{
    uintptr_t at = (uintptr_t)addr, from = (uintptr_t)w;
    return at >= from && at < from + sizeof *w;
}

/* Its record may be another task's, or nobody's, once others run. */
static bool is_over(const hocket_task *t)
{
    return hk_peek(&t->id) == 0 ||
           ((hk_peek(&t->life) | hk_peek(&t->queued_on)) & HOCKET__LIFE_FINISHED);
}

/* Whose place it would be; NULL: no task's code runs. */
static struct sim_task *whose(const struct hocket__worker *w)
{
    hocket_task *task = w ? hk_peek(&w->running) : NULL;
    return task && task == hocket__self_or_null() && !is_over(task) ? hocket__sim_task(task) : NULL;
}

static const char *word(int kind)
{
    switch (kind) {
    case HOCKET_POINT_LOAD: return "load";
    case HOCKET_POINT_STORE: return "store";
    case HOCKET_POINT_RMW: return "change";
    case HOCKET_POINT_CAS: return "cas";
    default: return "spin";
    }
}

static void on_point(int kind, const volatile void *addr, const char *file, int line)
{
    (void)line;
    struct hocket__worker *w = hocket__worker_here();
    if (W.quiet || hocket__point_alone > 0 || kind == HOCKET_POINT_FENCE ||
        kind == HOCKET_POINT_WAIT || kind == HOCKET_POINT_WAKE || !has_places(file))
        return;
    int err = errno;
    struct sim_task *self = whose(w);
    bool spins = kind == HOCKET_POINT_YIELD;
    if (!w && spins)
        hocket__sim_thread_place("spin", NULL, true);
    else if (self && self->inside == 0 && !is_of_worker(w, addr))
        hocket__sim_point_place(self, word(kind), (const void *)(uintptr_t)addr, spins);
    errno = err;
}

void hocket__sim_atoms_open(void)
{
    if (!W.plan->atoms)
        return;
    hocket__point_world = true;
    hocket__point_hook = on_point;
}

#else

void hocket__sim_atoms_open(void)
{
}

#endif
