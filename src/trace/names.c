/* SPDX-License-Identifier: MIT */
/*
 * names - see trace/names.h
 *
 * A file is data from outside: every offset in it is checked against its size.  A lookup walks
 * the whole symbol table, some 10 us a thousand symbols; so answers are kept in a small table by
 * address.  Of files beyond FILES the name is told and the place in it, but no function.
 */
#include "trace/names.h"

#include <elf.h>
#include <string.h>

#include "sys/module.h"

#define FILES   64
#define ANSWERS 512

struct file {
    uintptr_t bias, start, end;
    const char *path;    /* the loader's; NULL: the program's own */
    const char *name;    /* last part of it */
    const uint8_t *data; /* NULL: cannot be read */
    size_t size;
    const Elf64_Sym *symbols;
    size_t count;
    const char *strings;
    size_t strings_size;
};

/* All by the one user. */
static struct file files[FILES];
static unsigned file_count;
static struct file beyond; /* the last of those for which there was no place; never mapped */
static struct {
    uintptr_t pc;
    struct hocket__name name;
} answers[ANSWERS];

static bool inside(const struct file *f, uint64_t offset, uint64_t size)
{
    return offset <= f->size && size <= f->size - offset;
}

static const Elf64_Shdr *section(const struct file *f, size_t i)
{
    const Elf64_Ehdr *e = (const void *)f->data;
    return (const void *)(f->data + e->e_shoff + i * sizeof(Elf64_Shdr));
}

static bool use_table(struct file *f, const Elf64_Shdr *table, size_t sections)
{
    if (table->sh_link >= sections || table->sh_offset % sizeof(uint64_t) != 0 ||
        !inside(f, table->sh_offset, table->sh_size))
        return false;
    const Elf64_Shdr *strings = section(f, table->sh_link);
    if (!inside(f, strings->sh_offset, strings->sh_size))
        return false;
    f->symbols = (const void *)(f->data + table->sh_offset);
    f->count = table->sh_size / sizeof(Elf64_Sym);
    f->strings = (const char *)f->data + strings->sh_offset;
    f->strings_size = strings->sh_size;
    return true;
}

static void find_tables(struct file *f)
{
    const Elf64_Ehdr *e = (const void *)f->data;
    if (f->size < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 ||
        e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_shentsize != sizeof(Elf64_Shdr) ||
        e->e_shoff % sizeof(uint64_t) != 0 ||
        !inside(f, e->e_shoff, (uint64_t)e->e_shnum * sizeof(Elf64_Shdr)))
        return;
    static const uint32_t kinds[] = { SHT_SYMTAB, SHT_DYNSYM };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < e->e_shnum; i++)
            if (section(f, i)->sh_type == kinds[k] && use_table(f, section(f, i), e->e_shnum))
                return;
}

static struct file *file_of(uintptr_t pc, bool in_handler)
{
    for (unsigned i = 0; i < file_count; i++)
        if (pc >= files[i].start && pc < files[i].end)
            return &files[i];
    struct hocket__module m;
    if (!hocket__module_find(pc, in_handler, &m))
        return NULL;
    struct file *f = file_count < FILES ? &files[file_count++] : &beyond;
    *f = (struct file){ .bias = m.bias, .start = m.start, .end = m.end };
    const void *data;
    if (f != &beyond && hocket__file_map(m.path, &data, &f->size))
        f->data = data;
    const char *slash = strrchr(m.path, '/');
    f->name = slash != NULL ? slash + 1 : m.path;
    f->path = m.path;
    if (strcmp(m.path, "/proc/self/exe") == 0)
        f->path = f->name = NULL; /* the program: that goes without saying */
    if (f->data != NULL)
        find_tables(f);
    return f;
}

/* A function's name begins with "hocket_". */
static bool named_ours(const struct file *f, const Elf64_Sym *s)
{
    static const char prefix[] = "hocket_";
    return f->strings_size - s->st_name >= sizeof prefix &&
           memcmp(f->strings + s->st_name, prefix, sizeof prefix - 1) == 0;
}

/*
 * What lies between two functions named hocket_ is the library's too: its static functions.  In a
 * program that it is linked into its code is in one piece (or two: cold code), and the
 * program's own functions have global ones of the program, main or _start before them.
 */
struct neighbours {
    const Elf64_Sym *before, *after; /* that are global or named hocket_ */
};

static void neighbours_look(struct neighbours *n, const struct file *f, const Elf64_Sym *s,
                            uintptr_t pc)
{
    if (ELF64_ST_BIND(s->st_info) == STB_LOCAL && !named_ours(f, s))
        return;
    if (s->st_value <= pc && (n->before == NULL || s->st_value >= n->before->st_value))
        n->before = s;
    if (s->st_value > pc && (n->after == NULL || s->st_value < n->after->st_value))
        n->after = s;
}

static void look_up(const struct file *f, uintptr_t pc, struct hocket__name *ret)
{
    const Elf64_Sym *best = NULL;
    struct neighbours near = { NULL, NULL };
    for (size_t i = 0; i < f->count; i++) {
        const Elf64_Sym *s = &f->symbols[i];
        unsigned type = ELF64_ST_TYPE(s->st_info);
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || s->st_shndx == SHN_UNDEF ||
            s->st_name >= f->strings_size)
            continue;
        neighbours_look(&near, f, s, pc);
        if (pc < s->st_value)
            continue;
        if (pc - s->st_value < s->st_size && (best == NULL || s->st_value >= best->st_value))
            best = s;
    }
    ret->ours = near.before != NULL && named_ours(f, near.before) &&
                (near.after == NULL || named_ours(f, near.after));
    if (best == NULL)
        return;
    ret->ours |= named_ours(f, best);
    ret->function = f->strings + best->st_name;
    ret->function_size = strnlen(ret->function, f->strings_size - best->st_name);
    /* What compilers add to the name of a copy or a part: .constprop.0, .isra.0, .cold */
    const char *dot = memchr(ret->function, '.', ret->function_size);
    if (dot != NULL && dot > ret->function)
        ret->function_size = (size_t)(dot - ret->function);
    ret->offset = pc - best->st_value;
}

void hocket__name_of(uintptr_t pc, bool in_handler, struct hocket__name *ret)
{
    size_t at = (pc ^ pc >> 10) % ANSWERS;
    if (answers[at].pc == pc) {
        *ret = answers[at].name;
        return;
    }
    *ret = (struct hocket__name){ 0 };
    const struct file *f = file_of(pc, in_handler);
    if (f != NULL) {
        ret->module = f->name;
        ret->address = pc - f->bias;
        look_up(f, pc - f->bias, ret);
    }
    answers[at].pc = pc;
    answers[at].name = *ret;
}

void hocket__name_of_object(const void *object, bool in_handler, struct hocket__name *ret)
{
    *ret = (struct hocket__name){ 0 };
    const struct file *f = file_of((uintptr_t)object, in_handler);
    if (f == NULL)
        return;
    uintptr_t address = (uintptr_t)object - f->bias;
    for (size_t i = 0; i < f->count; i++) {
        const Elf64_Sym *s = &f->symbols[i];
        if (ELF64_ST_TYPE(s->st_info) != STT_OBJECT || s->st_shndx == SHN_UNDEF ||
            s->st_name >= f->strings_size || address < s->st_value ||
            address - s->st_value >= s->st_size)
            continue;
        ret->function = f->strings + s->st_name;
        ret->function_size = strnlen(ret->function, f->strings_size - s->st_name);
        ret->offset = address - s->st_value;
        return;
    }
}

/* A note with the name GNU and the type 3; linkers put it first into a section of its own. */
static void find_build_id(const struct file *f, struct hocket__named_file *ret)
{
    const Elf64_Ehdr *e = (const void *)f->data;
    for (size_t i = 0; f->symbols != NULL && i < e->e_shnum; i++) {
        const Elf64_Shdr *s = section(f, i);
        Elf64_Nhdr note;
        if (s->sh_type != SHT_NOTE || !inside(f, s->sh_offset, s->sh_size) ||
            s->sh_size < sizeof note + 4)
            continue;
        const uint8_t *at = f->data + s->sh_offset;
        memcpy(&note, at, sizeof note);
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
            memcmp(at + sizeof note, "GNU", 4) != 0 || note.n_descsz > s->sh_size - sizeof note - 4)
            continue;
        ret->build_id = at + sizeof note + 4;
        ret->build_id_size = note.n_descsz;
    }
}

bool hocket__names_file(unsigned i, struct hocket__named_file *ret)
{
    if (i >= file_count)
        return false;
    *ret = (struct hocket__named_file){ .name = files[i].name, .path = files[i].path };
    find_build_id(&files[i], ret); /* `symbols` tell that the sections are in the file */
    return true;
}

void hocket__names_end(void)
{
    for (unsigned i = 0; i < file_count; i++)
        if (files[i].data != NULL)
            hocket__file_unmap(files[i].data, files[i].size);
    file_count = 0;
    memset(answers, 0, sizeof answers);
}
