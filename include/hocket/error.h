/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_ERROR_H
#define HOCKET_ERROR_H
#include <hocket/base.h>

/*
 * error - a failure with words
 *
 * A number says what kind of failure it was, words say what failed.  A task
 * that cannot go on returns both:
 *
 *     int load(void *arg)
 *     {
 *         const char *path = arg;
 *         int fd = open(path, O_RDONLY | O_CLOEXEC);
 *         if (fd < 0)
 *             return hocket_fail(-errno, "open %s", path);
 *         ...
 *     }
 *
 * The words stay with the task.  Whoever joins it reads them with
 * hocket_task_error(); if a failed task is released, or its scope closed, and
 * nobody has looked, the error hook gets them (default: one line on stderr).
 */
typedef struct hocket_error {
    int code;                         /* the negative errno value */
    int line;                         /* where hocket_fail was called; 0 if it was not */
    const char *file;                 /* likewise; static, or NULL */
    const char *message;              /* the formatted words, or the error's text; never NULL */
    const char *task;                 /* name of the task that failed */
    uint64_t task_id;                 /* its id */
    const struct hocket_error *cause; /* an earlier failure this one follows from, or NULL */
} hocket_error;

HOCKET_BEGIN_DECLS

/*
 * Keep the words for a failure of the calling task and return `code`.
 *
 * `code` must be negative, else it panics.  A second call in one task keeps the first words as
 * the cause; of a long chain the first 15 and the newest are kept.  Without memory the words are
 * lost, the code is not.  In a thread that Hocket did not start they stay with the
 * thread.  Not a cancel point.
 */
#define hocket_fail(code, ...) hocket_fail_at((code), __FILE__, __LINE__, __VA_ARGS__)

/* What hocket_fail calls; for languages without macros.  `file` must be static or outlive the words. */
HOCKET_API int hocket_fail_at(int code, const char *file, int line, const char *format, ...)
    HOCKET_PRINTF(4, 5);

/* Forget the words kept for the calling task: it handled the failure. */
HOCKET_API void hocket_fail_clear(void);

/* The words kept for the calling task, or NULL.  Valid until the next hocket_fail or clear. */
HOCKET_API const hocket_error *hocket_fail_words(void);

HOCKET_END_DECLS
#endif
