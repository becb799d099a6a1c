/* SPDX-License-Identifier: MIT */
/*
 * hocket trace view: a timeline as one HTML page that needs nothing else.
 *
 * The page (tools/view/page) is part of the program; written here is it with the trace in its
 * place.  The trace goes in as base64 of packed numbers and names, so no name in it can be taken
 * for HTML or a script.
 */
#include "common/message.h"
#include "common/output.h"
#include "trace/trace.h"
#include "view/pack.h"
#include "view/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HOCKET_HAVE_ZLIB
#include <zlib.h>
#endif

enum { OUTPUT = 1, PLAIN };

/* A page takes 100 bytes of the browser's memory an event. */
enum { EVENTS_MAX = 20000000 };

static const struct option view_options[] = {
    { OUTPUT, 'o', "output", "FILE", "write there (default: standard output)" },
    { PLAIN, 0, "plain", NULL, "do not compress, for browsers without DecompressionStream" },
    { 0, 0, NULL, NULL, NULL },
};

/* Deflated if that can be done; which it was. */
static const char *compress_columns(struct columns *c)
{
#ifdef HOCKET_HAVE_ZLIB
    uLongf size = compressBound((uLong)c->used);
    unsigned char *packed = malloc(size);
    if (packed != NULL && compress2(packed, &size, c->bytes, (uLong)c->used, 5) == Z_OK) {
        free(c->bytes);
        *c = (struct columns){ .bytes = packed, .used = size };
        return "deflate";
    }
    free(packed);
#else
    (void)c;
#endif
    return "none";
}

static void put_base64(struct output *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size && out->error == 0; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < size ? bytes[i + 2] : 0;
        char four[4] = { digits[three >> 18], digits[three >> 12 & 63],
                         i + 1 < size ? digits[three >> 6 & 63] : '=',
                         i + 2 < size ? digits[three & 63] : '=' };
        output_put(out, four, sizeof four);
    }
}

/* The page up to `marker`; what is behind it. */
static const char *put_until(struct output *out, const char *page, const char *marker)
{
    const char *at = strstr(page, marker);
    output_put(out, page, (size_t)(at - page));
    return at + strlen(marker);
}

static int write_page(const char *name, const char *path, const struct columns *trace,
                      const char *coding)
{
    struct output *out = malloc(sizeof *out);
    if (out == NULL) {
        message(name, NULL, "%s", strerror(ENOMEM));
        return 1;
    }
    if (!output_begin(out, name, path)) {
        free(out);
        return 1;
    }
    const char *rest = put_until(out, view_page, "@@coding@@");
    output_text(out, coding);
    rest = put_until(out, rest, "@@trace@@");
    put_base64(out, trace->bytes, trace->used);
    output_text(out, rest);
    int status = output_end(out, name, path, 0);
    free(out);
    return status;
}

static int convert(const char *name, const char *file, const char *path, bool plain)
{
    struct trace t;
    struct columns columns = { 0 };
    char why[TRACE_WHY];
    if (!trace_open(&t, file, why)) {
        message(name, file, "%s", why);
        return 1;
    }
    if (t.event_count > EVENTS_MAX) {
        message(name, file, "%zu events, more than a page can show (%d)", t.event_count,
                EVENTS_MAX);
        trace_close(&t);
        return 1;
    }
    bool good = view_pack(&t, &columns);
    trace_close(&t);
    int status = 1;
    if (good) {
        const char *coding = plain ? "none" : compress_columns(&columns);
        status = write_page(name, path, &columns, coding);
    } else {
        message(name, file, "%s", strerror(ENOMEM));
    }
    columns_free(&columns);
    return status;
}

static int view_run(const struct command *self, char **argv)
{
    struct options o;
    const char *file = NULL, *path = NULL;
    bool plain = false;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        switch (id) {
        case OPTION_WORD:
            if (file != NULL)
                return message_usage(self->name, "one file at a time");
            file = o.value;
            break;
        case OUTPUT: path = o.value; break;
        case PLAIN: plain = true; break;
        default: return o.status;
        }
    }
    if (file == NULL)
        return message_usage(self->name, "which file? It is what HOCKET_TRACE named");
    return convert(self->name, file, path, plain);
}

const struct command command_trace_view = {
    .name = "trace view",
    .synopsis = "FILE [-o OUT.html]",
    .summary = "a timeline as one HTML page that needs no network",
    .about = "FILE is what HOCKET_TRACE named, '-' is standard input. The page has a row for each\n"
             "worker and task, arrows from waker to woken, a search, and tables of where the time\n"
             "went; '?' shows its keys. It holds everything itself.\n",
    .options = view_options,
    .run = view_run,
};
