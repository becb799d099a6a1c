/* SPDX-License-Identifier: MIT */
/*
 * lines - see dump/lines.h
 *
 * The text comes from anywhere, so nothing in it is believed: files are opened only if they are
 * regular ones, and two of one name in a dump are none.
 */
#include "dump/lines.h"

#include <string.h>

#define LAST "hocket: end of dump\n"

#ifdef HOCKET_HAVE_DW

#include <elfutils/libdwfl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILES 64

const bool lines_known = true;

struct piece {
    const char *text;
    size_t size;
};

struct file {
    struct piece name;
    Dwfl *dwfl;
    Dwfl_Module *module; /* NULL: nothing is known of it */
};

struct files {
    struct file at[FILES];
    unsigned count;
};

static struct piece piece_of(const char *from, const char *to)
{
    return (struct piece){ from, (size_t)(to - from) };
}

static bool alike(struct piece a, struct piece b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* ---- the files of a dump ---- */

static bool same_build(Dwfl_Module *m, struct piece id)
{
    const unsigned char *bits;
    GElf_Addr address;
    int n = dwfl_module_build_id(m, &bits, &address);
    if (n <= 0)
        return id.size == 1 && *id.text == '-';
    if (id.size != (size_t)n * 2)
        return false;
    for (int i = 0; i < n; i++) {
        char text[3];
        (void)snprintf(text, sizeof text, "%02x", bits[i]);
        if (memcmp(text, id.text + (ptrdiff_t)2 * i, 2) != 0)
            return false;
    }
    return true;
}

static void file_open(struct file *f, struct piece id, const char *path)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    struct stat s;
    GElf_Addr bias;
    if (stat(path, &s) != 0 || !S_ISREG(s.st_mode) || (f->dwfl = dwfl_begin(&callbacks)) == NULL)
        return;
    dwfl_report_begin(f->dwfl);
    f->module = dwfl_report_offline(f->dwfl, path, path, -1);
    (void)dwfl_report_end(f->dwfl, NULL, NULL);
    if (f->module != NULL &&
        (dwfl_module_getelf(f->module, &bias) == NULL || !same_build(f->module, id)))
        f->module = NULL;
}

/* "  NAME: ID PATH" */
static void note_file(struct files *files, const char *line, const char *end)
{
    const char *colon = memmem(line, (size_t)(end - line), ": ", 2);
    const char *blank = colon != NULL ? memchr(colon + 2, ' ', (size_t)(end - colon - 2)) : NULL;
    if (blank == NULL || files->count == FILES || line + 2 > colon)
        return;
    struct file *f = &files->at[files->count];
    *f = (struct file){ .name = piece_of(line + 2, colon) };
    for (unsigned i = 0; i < files->count; i++)
        if (alike(files->at[i].name, f->name)) {
            files->at[i].module = NULL;
            return;
        }
    char *path = strndup(blank + 1, (size_t)(end - blank - 1));
    files->count++;
    if (path != NULL)
        file_open(f, piece_of(colon + 2, blank), path);
    free(path);
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline : end;
}

static void files_read(struct files *files, const char *text, const char *end)
{
    static const char head[] = "\nfiles\n";
    const char *at = memmem(text, (size_t)(end - text), head, sizeof head - 1);
    files->count = 0;
    for (at = at != NULL ? at + sizeof head - 1 : end; end - at > 2 && memcmp(at, "  ", 2) == 0;) {
        const char *next = line_end(at, end);
        note_file(files, at, next);
        at = next < end ? next + 1 : end;
    }
}

static void files_close(struct files *files)
{
    for (unsigned i = 0; i < files->count; i++)
        if (files->at[i].dwfl != NULL)
            dwfl_end(files->at[i].dwfl);
}

/* ---- its calls ---- */

/* Unit by unit: clang writes no table of their addresses (.debug_aranges). */
static const char *source_in_units(Dwfl_Module *m, GElf_Addr address, int *ret_line)
{
    Dwarf_Addr bias = 0;
    for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(m, unit, &bias)) != NULL;)
        if (dwarf_haspc(unit, address - bias) > 0) {
            Dwarf_Line *line = dwarf_getsrc_die(unit, address - bias);
            return line != NULL && dwarf_lineno(line, ret_line) == 0
                       ? dwarf_linesrc(line, NULL, NULL)
                       : NULL;
        }
    return NULL;
}

static const char *source_in(Dwfl_Module *m, GElf_Addr address, int *ret_line)
{
    Dwfl_Line *line = dwfl_module_getsrc(m, address);
    return line != NULL ? dwfl_lineinfo(line, NULL, ret_line, NULL, NULL, NULL)
                        : source_in_units(m, address, ret_line);
}

static const char *source_of(const struct files *files, struct piece name, uint64_t address,
                             int *ret_line)
{
    for (unsigned i = 0; i < files->count; i++) {
        Dwfl_Module *m = files->at[i].module;
        GElf_Addr bias = 0;
        if (m == NULL || !alike(files->at[i].name, name))
            continue;
        (void)dwfl_module_getelf(m, &bias);
        return source_in(m, address + bias, ret_line);
    }
    return NULL;
}

/* "at FUNCTION+0xN (NAME+0xADDRESS)" behind blanks.  False: it is none, or nothing is known. */
static bool write_call(struct output *o, const struct files *files, const char *line,
                       const char *end)
{
    const char *at = line, *plus = end, *open = end;
    while (at < end && *at == ' ')
        at++;
    if (end - at < 8 || memcmp(at, "at ", 3) != 0 || end[-1] != ')')
        return false;
    while (plus > at && *plus != '+')
        plus--;
    while (open > at && *open != '(')
        open--;
    const char *offset = memrchr(at, '+', (size_t)(open - at));
    if (open - at < 5 || plus < open || end - plus < 4 || memcmp(plus, "+0x", 3) != 0)
        return false;
    int number = 0;
    uint64_t address = strtoull(plus + 1, NULL, 16);
    const char *source = source_of(files, piece_of(open + 1, plus), address, &number);
    if (source == NULL)
        return false;
    output_put(o, line, (size_t)((offset != NULL ? offset : open - 1) - line));
    output_text(o, " (");
    output_text(o, source);
    output_printf(o, ":%d)", number);
    return true;
}

static void write_dump(struct output *o, const char *text, const char *end)
{
    struct files files;
    files_read(&files, text, end);
    for (const char *at = text; at < end;) {
        const char *next = line_end(at, end);
        if (!write_call(o, &files, at, next))
            output_put(o, at, (size_t)(next - at));
        if (next < end)
            output_text(o, "\n");
        at = next + (next < end);
    }
    files_close(&files);
}

#else

const bool lines_known = false;

static void write_dump(struct output *o, const char *text, const char *end)
{
    output_put(o, text, (size_t)(end - text));
}

#endif

void lines_write(struct output *o, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        const char *last = memmem(text, (size_t)(end - text), LAST, sizeof LAST - 1);
        const char *next = last != NULL ? last + sizeof LAST - 1 : end;
        write_dump(o, text, next);
        text = next;
    }
}
