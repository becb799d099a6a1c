/* SPDX-License-Identifier: MIT */
/*
 * press_fixed - the print shop without its bug: see doc/debugging.md
 *
 * An editor lays pages into a tray that holds one; a printer takes them out.  Main says each second how
 * far they are, and gives up after ten in which nothing was printed.
 *
 *     usage: press_fixed [PAGES]     100,000 unless said
 */
#include <hocket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static hocket_mutex lock;
static int in_tray, printed; /* under lock */
static hocket_event filled, emptied;
static int pages = 100000;

static bool put(void)
{
    hocket_mutex_lock(&lock);
    bool room = in_tray == 0;
    if (room)
        in_tray = 1;
    hocket_mutex_unlock(&lock);
    return room;
}

static bool take(void)
{
    hocket_mutex_lock(&lock);
    bool page = in_tray == 1;
    if (page) {
        in_tray = 0;
        printed++;
    }
    hocket_mutex_unlock(&lock);
    return page;
}

static int editor(void *arg)
{
    int err = 0;
    (void)arg;
    for (int i = 0; i < pages && err == 0; i++) {
        hocket_event_clear(&emptied);
        while (err == 0 && !put()) {
            err = hocket_event_wait(&emptied, HOCKET_FOREVER);
            hocket_event_clear(&emptied);
        }
        hocket_event_set(&filled);
    }
    return err;
}

static int printer(void *arg)
{
    int err = 0;
    (void)arg;
    for (int i = 0; i < pages && err == 0; i++) {
        hocket_event_clear(&filled);
        while (err == 0 && !take()) {
            err = hocket_event_wait(&filled, HOCKET_FOREVER);
            hocket_event_clear(&filled);
        }
        hocket_event_set(&emptied);
    }
    return err;
}

static int wait_for(hocket_task *task)
{
    for (int standing = 0, before = -1; standing < 5;) {
        int err = hocket_join(task, NULL, hocket_after(HOCKET_SEC));
        if (err != -ETIMEDOUT)
            return err;
        hocket_mutex_lock(&lock);
        standing = printed == before ? standing + 1 : 0;
        before = printed;
        hocket_mutex_unlock(&lock);
        (void)hocket_print(stdout, "%d pages\n", before);
    }
    return hocket_fail(-ETIMEDOUT, "the press stands still");
}

static int shop(void *arg)
{
    hocket_scope s;
    hocket_task *tasks[2];
    static const char *const names[] = { "editor", "printer" };
    int err = 0, n = 0;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.name = "shop"));
    for (; n < 2 && err == 0; n++)
        err = hocket_spawn_task(&tasks[n], &s, n == 0 ? editor : printer, NULL,
                                HOCKET_SPAWN_OPTIONS(.name = names[n]));
    for (int i = 0; i < n && err == 0; i++)
        err = wait_for(tasks[i]);
    if (err)
        hocket_scope_cancel(&s);
    int failed = hocket_scope_close(&s);
    for (int i = 0; i < n; i++)
        hocket_task_release(tasks[i]);
    return err ? err : failed;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        pages = atoi(argv[1]);
    return hocket_run(shop, NULL) != 0;
}
