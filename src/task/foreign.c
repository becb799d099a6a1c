/* SPDX-License-Identifier: MIT */
/*
 * foreign - the end of threads that Hocket did not start
 *
 * The hook is set by a constructor, when the library is loaded and nobody has a
 * record yet: threads read it when they end, without any order.  In a static link this file is
 * there only if something that a foreign thread has to give back is, because that calls
 * hocket__foreign_watch.
 */
#include "task/foreign.h"

#include "park/record.h"
#include "task/fail.h"
#include "task/local.h"

static void foreign_exit(hocket_task *task)
{
    if (task->locals != NULL)
        hocket__locals_end(task);
    hocket__words_unref(task->words);
    task->words = NULL;
}

__attribute__((constructor)) static void foreign_register(void)
{
    hocket__foreign_exit = foreign_exit;
}

void hocket__foreign_watch(void)
{
}
