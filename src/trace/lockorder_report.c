/* SPDX-License-Identifier: MIT */
/*
 * lockorder_report - an inversion in words
 *
 *     hocket: report: lock order: task b wants 0x10 while it holds 0x20; the other way round was seen before
 *     hocket:   1. task a [4] wanted 0x20 while it held 0x10
 *     hocket:        at hocket_mutex_lock+0x1b (bank+0x9810)
 *     hocket:        at transfer+0x41 (bank+0x1241)
 *     ...
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "park/report.h"
#include "trace/dump.h"
#include "trace/lockorder.h"
#include "trace/names.h"

static void say(const char *line, int length, size_t size)
{
    size_t n = length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
    if (hocket__report_hook)
        hocket__report_hook(line);
    else if (n > 0 && write(STDERR_FILENO, line, n) < 0)
        return; /* nobody to tell */
}

/* "0x7f..", or "account" 0x7f... */
static char *describe(uint16_t node, const void *lock, bool shared, char *text, size_t size)
{
    const hocket_lock_class *cls = hocket__order_class(node);
    (void)snprintf(text, size, "%s%.40s%s%p%s", cls ? "\"" : "", cls ? cls->name : "",
                   cls ? "\" " : "", lock, shared ? " (to read)" : "");
    return text;
}

static void say_call(const struct hocket__name *n, uintptr_t pc)
{
    char line[256];
    int used = snprintf(
        line, sizeof line, "hocket:        at %.*s+0x%lx (%.60s+0x%lx)\n",
        n->function ? (int)(n->function_size < 80 ? n->function_size : 80) : 1,
        n->function ? n->function : "?", (unsigned long)(n->function ? n->offset : pc),
        n->module ? n->module : program_invocation_short_name, (unsigned long)n->address);
    say(line, used, sizeof line);
}

static bool is(const struct hocket__name *n, const char *function)
{
    return n->function != NULL && n->function_size == strlen(function) &&
           memcmp(n->function, function, n->function_size) == 0;
}

/*
 * The calls of the program: from the function of the library that it called to where its task began.  Without
 * names, all.
 */
static void say_stack(const struct hocket__order_edge *e)
{
    unsigned first = 0;
    struct hocket__name n;
    for (; first < e->depth; first++) {
        hocket__name_of(e->stack[first], false, &n);
        if (n.function == NULL || !n.ours)
            break;
    }
    if (first == e->depth || n.function == NULL)
        first = 0;
    for (unsigned i = first > 0 ? first - 1 : 0; i < e->depth; i++) {
        hocket__name_of(e->stack[i], false, &n);
        if (is(&n, "hocket__task_run") || is(&n, "root_main"))
            break;
        if (i < first && n.function_size > 8 && memcmp(n.function, "hocket__", 8) == 0)
            continue; /* the public function has jumped to it */
        say_call(&n, e->stack[i]);
    }
}

static void say_edge(const struct hocket__order_edge *e, unsigned number)
{
    char line[300], wanted[100], held[100];
    int n = snprintf(line, sizeof line, "hocket:   %u. task %s [%llu] wanted %s while it held %s\n",
                     number, e->name, (unsigned long long)e->task,
                     describe(e->to, e->to_lock, e->to_shared, wanted, sizeof wanted),
                     describe(e->from, e->from_lock, e->from_shared, held, sizeof held));
    say(line, n, sizeof line);
    say_stack(e);
}

__attribute__((noinline)) void hocket__order_report(struct hocket__order_edge *const *cycle,
                                                    unsigned length)
{
    int saved = errno;
    const struct hocket__order_edge *e = cycle[length - 1];
    char wanted[100], held[100];
    hocket__report(
        "lock order: task %s wants %s while it holds %s; the other way round was seen before",
        e->name, describe(e->to, e->to_lock, e->to_shared, wanted, sizeof wanted),
        describe(e->from, e->from_lock, e->from_shared, held, sizeof held));
    (void)hocket__dump_take(false); /* names have one user at a time */
    for (unsigned i = 0; i < length; i++)
        say_edge(cycle[i], i + 1);
    hocket__names_end();
    hocket__dump_give_back();
    errno = saved;
}
