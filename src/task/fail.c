/* SPDX-License-Identifier: MIT */
/*
 * fail - the words of a failure
 *
 * Words are one block of memory: the error, its message and the task's name behind it,
 * and one reference to the words it follows from.  Once made they never change, so
 * only the count of references is atomic; what the last holder frees was
 * published by whatever handed the words over (a join, a guard).
 *
 * A task that runs for ever and handles its failures must not collect them for ever: beyond
 * CHAIN causes the newest but one is left out, which keeps the first, the root of it all.
 */
#include "task/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "task/foreign.h"

#define CHAIN 16

struct hocket__words {
    _Atomic uint32_t refs;
    uint32_t causes; /* how many follow */
    struct hocket__words *cause;
    hocket_error error;
    char text[]; /* the message, then the name */
};

struct hocket__words *hocket__words_ref(struct hocket__words *words)
{
    if (words != NULL)
        (void)hk_add(&words->refs, 1);
    return words;
}

void hocket__words_unref(struct hocket__words *words)
{
    while (words != NULL && hk_sub(&words->refs, 1) == 1) {
        struct hocket__words *cause = words->cause;
        hocket__free(words);
        words = cause;
    }
}

const hocket_error *hocket__words_error(const struct hocket__words *words)
{
    return words != NULL ? &words->error : NULL;
}

/* New words with room for a message of `length` bytes, which the caller fills in. */
static struct hocket__words *words_new(const hocket_task *task, int code, const char *file,
                                       int line, size_t length)
{
    char name[HOCKET_NAME_MAX];
    (void)hocket__task_name(task, name, sizeof name);
    size_t name_size = strlen(name) + 1;
    struct hocket__words *w = hocket__alloc(sizeof *w + length + 1 + name_size);
    if (w == NULL)
        return NULL;
    hk_store(&w->refs, 1);
    w->causes = 0;
    w->cause = NULL;
    w->error = (hocket_error){
        .code = code,
        .line = line,
        .file = file,
        .message = w->text,
        .task = memcpy(w->text + length + 1, name, name_size),
        .task_id = hk_load(&task->id),
    };
    return w;
}

/* `w` follows from `cause`, whose reference it takes over. */
static void words_follow(struct hocket__words *w, struct hocket__words *cause)
{
    if (cause != NULL && cause->causes + 1 >= CHAIN) {
        struct hocket__words *newest = cause;
        cause = hocket__words_ref(newest->cause);
        hocket__words_unref(newest);
    }
    if (cause == NULL)
        return;
    w->cause = cause;
    w->causes = cause->causes + 1;
    w->error.cause = &cause->error;
}

int hocket_fail_at(int code, const char *file, int line, const char *format, ...)
{
    if (code >= 0)
        hocket__panic("hocket_fail: %d is no failure, at %s:%d", code, file, line);
    hocket_task *self = hocket__self_attach();
    if (self == NULL)
        return code;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    struct hocket__words *w = length < 0 ? NULL : words_new(self, code, file, line, (size_t)length);
    if (w != NULL) {
        (void)vsnprintf(w->text, (size_t)length + 1, format, again);
        words_follow(w, self->words);
        if (self->kind == HOCKET__FOREIGN)
            hocket__foreign_watch();
        self->words = w;
    }
    va_end(again);
    return code;
}

void hocket_fail_clear(void)
{
    hocket_task *self = hocket__self_or_null();
    if (self == NULL)
        return;
    hocket__words_unref(self->words);
    self->words = NULL;
}

const hocket_error *hocket_fail_words(void)
{
    const hocket_task *self = hocket__self_or_null();
    return self != NULL ? hocket__words_error(self->words) : NULL;
}

struct hocket__words *hocket__words_for(hocket_task *task, int code)
{
    if (task->words == NULL || task->words->error.code != code) {
        const char *text = hocket_error_text(code);
        struct hocket__words *w = words_new(task, code, NULL, 0, strlen(text));
        if (w == NULL)
            return NULL;
        strcpy(w->text, text);
        words_follow(w, task->words);
        task->words = w;
    }
    return hocket__words_ref(task->words);
}

void hocket__words_adopt(hocket_task *task, struct hocket__words *words)
{
    hocket__words_unref(task->words);
    task->words = hocket__words_ref(words);
}

/* ---- failures nobody looked at ---- */

struct line {
    char text[1024];
    size_t length;
};

static void line_add(struct line *l, const char *format, ...) HOCKET_PRINTF(2, 3);

static void line_add(struct line *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof l->text - l->length;
    int n = vsnprintf(l->text + l->length, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        l->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void line_error(struct line *l, const hocket_error *e)
{
    const char *text = hocket_error_text(e->code);
    line_add(l, "%s", e->message);
    if (strcmp(e->message, text) != 0)
        line_add(l, ": %s", text);
    line_add(l, " (%s", hocket_error_name(e->code));
    if (e->file != NULL)
        line_add(l, ", %s:%d", e->file, e->line);
    line_add(l, ")");
}

/* One line, whatever a message holds: words often quote data from outside. */
static void line_write(struct line *l)
{
    for (size_t i = 0; i < l->length; i++)
        if ((unsigned char)l->text[i] < ' ' || l->text[i] == 0x7f)
            l->text[i] = '?';
    if (l->length == sizeof l->text - 1)
        l->length--;
    l->text[l->length++] = '\n';
    if (write(STDERR_FILENO, l->text, l->length) < 0)
        return; /* nobody to tell */
}

_Atomic(const hocket_hooks *) hocket__hooks;

void hocket__error_report(const hocket_error *error)
{
    const hocket_hooks *hooks = hk_load_acq(&hocket__hooks); /* pairs with hocket_hooks_set */
    hocket__watch(HOCKET__EVENT_ERROR, hocket__self_or_null(), error, error->code);
    if (hooks != NULL && hooks->error != NULL) {
        hooks->error(error, hooks->context);
        return;
    }
    struct line l = { .length = 0 };
    line_add(&l, "hocket: ");
    if (error->task_id != 0)
        line_add(&l, "task '%s' (id %llu) failed: ", error->task,
                 (unsigned long long)error->task_id);
    line_error(&l, error);
    for (const hocket_error *e = error->cause; e != NULL; e = e->cause) {
        line_add(&l, "; because of ");
        line_error(&l, e);
    }
    line_write(&l);
}

void hocket__words_report(const struct hocket__words *words)
{
    static const hocket_error lost = {
        .code = -ENOMEM,
        .message = "a task failed, and there was no memory to keep its words",
        .task = "?",
    };
    hocket__error_report(words != NULL ? &words->error : &lost);
}
