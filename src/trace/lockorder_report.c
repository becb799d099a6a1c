/* SPDX-License-Identifier: MIT */
/*
 * lockorder_report - an inversion in words
 *
 *     hocket: report: lock order: task b waits for mutex 0x10 while it holds 0x20; the other way
 *     hocket:   1. task a [4] wanted 0x20 while it held 0x10, at
 *     hocket:        transfer+0x41 (bank+0x1241)
 *     ...
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "park/report.h"
#include "trace/lockorder.h"

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

static void say_call(uintptr_t pc)
{
    Dl_info info;
    char line[256];
    int n;
    if (dladdr((void *)pc, &info) == 0 || info.dli_fname == NULL) {
        n = snprintf(line, sizeof line, "hocket:        %p\n", (void *)pc);
    } else {
        const char *slash = strrchr(info.dli_fname, '/');
        n = snprintf(line, sizeof line, "hocket:        %.60s%s(%.60s+0x%lx)\n",
                     info.dli_sname ? info.dli_sname : "", info.dli_sname ? " " : "",
                     slash ? slash + 1 : info.dli_fname,
                     (unsigned long)(pc - (uintptr_t)info.dli_fbase));
    }
    say(line, n, sizeof line);
}

static void say_edge(const struct hocket__order_edge *e, unsigned number)
{
    char line[300], wanted[100], held[100];
    int n = snprintf(line, sizeof line,
                     "hocket:   %u. task %s [%llu] wanted %s while it held %s, at\n", number,
                     e->name, (unsigned long long)e->task,
                     describe(e->to, e->to_lock, e->to_shared, wanted, sizeof wanted),
                     describe(e->from, e->from_lock, e->from_shared, held, sizeof held));
    say(line, n, sizeof line);
    for (unsigned i = 0; i < e->depth; i++)
        say_call(e->stack[i]);
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
    for (unsigned i = 0; i < length; i++)
        say_edge(cycle[i], i + 1);
    errno = saved;
}
