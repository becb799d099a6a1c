/* SPDX-License-Identifier: MIT */
#include "common/source.h"
#include "common/inflate.h"
#include "common/interrupt.h"
#include "common/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char magic[] = { 0x1f, 0x8b, 8 };

int source_init(struct source *s)
{
    *s = (struct source){ .fd = -1 };
    s->in = malloc(SOURCE_IN);
    s->out = malloc(SOURCE_OUT);
    if (s->in != NULL && s->out != NULL)
        return 0;
    source_destroy(s);
    return ENOMEM;
}

void source_destroy(struct source *s)
{
    inflate_free(s->inflate);
    free(s->in);
    free(s->out);
}

static void fail(struct source *s, const char *cause)
{
    s->failed = true;
    snprintf(s->cause, sizeof s->cause, "%s", cause);
}

static bool ends_in_gz(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

bool source_open(struct source *s, const char *path)
{
    struct stat st;
    s->started = s->gzip = s->eof = s->member = s->failed = false;
    s->raw = 0;
    s->at = s->end = s->in;
    s->cause[0] = '\0';
    bool standard = strcmp(path, "-") == 0;
    s->named_gzip = !standard && ends_in_gz(path);
    do
        s->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                         : open(path, O_RDONLY | O_CLOEXEC);
    while (s->fd < 0 && errno == EINTR && !interrupt_pending());
    if (s->fd < 0 || fstat(s->fd, &st) != 0) {
        fail(s, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        fail(s, strerror(EISDIR));
        return false;
    }
    s->regular = S_ISREG(st.st_mode);
    if (s->regular)
        posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

void source_close(struct source *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* Wait until a pipe has something, at most until Ctrl-C. */
static bool readable(const struct source *s)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    if (s->regular || poll(&p, 1, 0) > 0)
        return !interrupt_pending();
    jobs_blocking_begin();
    while (!interrupt_pending() && poll(&p, 1, 100) <= 0)
        ;
    jobs_blocking_end();
    return !interrupt_pending();
}

/* Read once, behind what is left in `in`.  False at the end, on an error and on Ctrl-C. */
static bool refill(struct source *s)
{
    size_t left = (size_t)(s->end - s->at);
    memmove(s->in, s->at, left);
    s->at = s->in;
    s->end = s->in + left;
    while (!s->eof && !s->failed) {
        if (!readable(s)) {
            fail(s, "");
            break;
        }
        ssize_t n = read(s->fd, s->in + left, SOURCE_IN - left);
        if (n > 0) {
            s->end += n;
            s->raw += (uint64_t)n;
            return true;
        }
        if (n == 0)
            s->eof = true;
        else if (errno != EINTR && errno != EAGAIN)
            fail(s, strerror(errno));
    }
    return false;
}

/* Look at the first bytes. */
static void detect(struct source *s)
{
    while ((size_t)(s->end - s->at) < sizeof magic && refill(s))
        ;
    size_t n = (size_t)(s->end - s->at), known = n < sizeof magic ? n : sizeof magic;
    s->started = true;
    bool like = known > 0 && memcmp(s->at, magic, known) == 0;
    s->gzip = like && (n >= sizeof magic || s->named_gzip);
    if (s->failed || (s->named_gzip && n == 0))
        return;
    if (s->named_gzip && !s->gzip) {
        fail(s, "not in gzip format");
        return;
    }
    int error = s->gzip && s->inflate == NULL ? inflate_new(&s->inflate, getenv("HOCKET_GZIP")) : 0;
    if (error != 0)
        fail(s, error == ENOSYS ? "no gzip support built in" : strerror(error));
}

/* Between two members: true if another one begins here. */
static bool next_member(struct source *s)
{
    while ((size_t)(s->end - s->at) < 2 && refill(s))
        ;
    if (s->failed || s->at == s->end)
        return false;
    if (s->at[0] == magic[0] && (s->end - s->at == 1 || s->at[1] == magic[1]))
        return true;
    do
        for (; s->at < s->end; s->at++)
            if (*s->at != 0) {
                fail(s, "bytes behind the end of the gzip data");
                return false;
            }
    while (refill(s));
    return false;
}

static void step_failed(struct source *s, int rc)
{
    fail(s, rc == INFLATE_CHECKSUM ? "corrupt gzip data (checksum)" : "corrupt gzip data");
}

/* Unpack until the block is full or there is no more. */
static ptrdiff_t next_gzip(struct source *s)
{
    unsigned char *out = s->out, *out_end = s->out + SOURCE_OUT;
    while (out < out_end && !s->failed) {
        if (!s->member) {
            if (!next_member(s))
                break;
            inflate_start(s->inflate);
            s->member = true;
        }
        if (s->at == s->end && !refill(s) && s->failed)
            break;
        /* Without input too: the library may hold text back that had no room before. */
        const unsigned char *at = s->at, *was = out;
        int rc = inflate_step(s->inflate, &s->at, s->end, &out, out_end);
        if (rc == INFLATE_END)
            s->member = false;
        else if (rc < 0)
            step_failed(s, rc);
        else if (s->at == at && out == was)
            fail(s, s->eof ? "truncated gzip data" : "corrupt gzip data");
    }
    return out - s->out;
}

ptrdiff_t source_next(struct source *s, const unsigned char **ret_text)
{
    ptrdiff_t n = 0;
    if (!s->started)
        detect(s);
    if (!s->failed && s->gzip) {
        n = next_gzip(s);
        *ret_text = s->out;
    } else if (!s->failed && (s->at < s->end || refill(s))) {
        n = s->end - s->at;
        *ret_text = s->at;
        s->at = s->end;
    }
    return n > 0 ? n : s->failed ? -1 : 0;
}
