/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_FAIL_H
#define HOCKET_TASK_FAIL_H

/*
 * fail - the words of a failure, shared by reference count
 *
 * While a task runs its words hang on its record (`task->words`, one reference); at its end
 * they belong to whoever can still ask: the handle, the scope, a future.
 */
#include <hocket/hooks.h>

#include "park/record.h"

struct hocket__words;

/*
 * The words for a task that ends with the negative `code`: those kept by hocket_fail (if
 * their code differs, `code` wins and they become the cause), or new ones that say the
 * error's text.  They are then task->words too.  NULL without memory.
 */
struct hocket__words *hocket__words_for(hocket_task *task, int code);

/* NULL is allowed in all of these. */
struct hocket__words *hocket__words_ref(struct hocket__words *words);
void hocket__words_unref(struct hocket__words *words);
const hocket_error *hocket__words_error(const struct hocket__words *words);

/* `task` failed because of these: they become its words, in place of what it had. */
void hocket__words_adopt(hocket_task *task, struct hocket__words *words);

/* Nobody looked: give them to the error hook, or print the one line. */
void hocket__words_report(const struct hocket__words *words);
void hocket__error_report(const hocket_error *error);

/* The user's hooks or NULL, set by task/hooks.c: errors are told to them from here. */
extern _Atomic(const hocket_hooks *) hocket__hooks;

#endif
