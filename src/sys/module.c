/* SPDX-License-Identifier: MIT */
/*
 * module - see sys/module.h
 *
 * The program itself has no name in the loader's list; /proc/self/exe is its file.
 */
#include "sys/module.h"

#include "sys/context.h"
#include "sys/kernel.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define OWN_PATH "/proc/self/exe"

static const char *path_or_own(const char *name)
{
    return name != NULL && name[0] == '/'    ? name
           : name == NULL || name[0] == '\0' ? OWN_PATH
                                             : name;
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* Weak: a program built here may meet an older libc. */
extern int _dl_find_object(void *address, struct dl_find_object *result) __attribute__((weak));

static bool find_by_object(uintptr_t address, struct hocket__module *ret)
{
    struct dl_find_object o;
    if (_dl_find_object == NULL || _dl_find_object((void *)address, &o) != 0)
        return false;
    ret->bias = o.dlfo_link_map != NULL ? (uintptr_t)o.dlfo_link_map->l_addr : 0;
    ret->start = (uintptr_t)o.dlfo_map_start;
    ret->end = (uintptr_t)o.dlfo_map_end;
    ret->unwind = o.dlfo_eh_frame;
    ret->path = path_or_own(o.dlfo_link_map != NULL ? o.dlfo_link_map->l_name : NULL);
    return true;
}
#else
static bool find_by_object(uintptr_t address, struct hocket__module *ret)
{
    (void)address, (void)ret;
    return false;
}
#endif

struct search {
    uintptr_t address;
    struct hocket__module *ret;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *s = arg;
    (void)size;
    uintptr_t low = UINTPTR_MAX, high = 0;
    const uint8_t *unwind = NULL;
    bool hit = false;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = (uintptr_t)info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_GNU_EH_FRAME)
            unwind = (const uint8_t *)start;
        if (p->p_type != PT_LOAD)
            continue;
        low = start < low ? start : low;
        high = start + p->p_memsz > high ? start + p->p_memsz : high;
        hit = hit || (s->address >= start && s->address - start < p->p_memsz);
    }
    if (!hit)
        return 0;
    *s->ret = (struct hocket__module){ (uintptr_t)info->dlpi_addr, low, high, unwind,
                                       path_or_own(info->dlpi_name) };
    return 1;
}

bool hocket__module_find(uintptr_t address, bool in_handler, struct hocket__module *ret)
{
    if (find_by_object(address, ret))
        return true;
    struct search s = { address, ret };
    return !in_handler && dl_iterate_phdr(look_at, &s) == 1;
}

size_t hocket__own_path(char *ret, size_t size)
{
    long got = hocket__syscall4(SYS_readlinkat, AT_FDCWD, (long)OWN_PATH, (long)ret,
                                (long)(size - 1));
    ret[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

bool hocket__file_map(const char *path, const void **ret, size_t *ret_size)
{
    long fd = hocket__syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long size = hocket__syscall4(SYS_lseek, fd, 0, 2 /* SEEK_END */, 0);
    long at = -1;
    if (size > 0)
        at = hocket__syscall6(SYS_mmap, 0, size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)hocket__syscall4(SYS_close, fd, 0, 0, 0);
    if (size <= 0 || (at < 0 && at > -4096))
        return false;
    *ret = (const void *)at;
    *ret_size = (size_t)size;
    return true;
}

bool hocket__read_safely(uintptr_t from, void *to, size_t size)
{
    struct iovec local = { to, size }, remote = { (void *)from, size };
    return hocket__syscall6(SYS_process_vm_readv, getpid(), (long)&local, 1, (long)&remote, 1, 0) ==
           (long)size;
}

void hocket__file_unmap(const void *memory, size_t size)
{
    hocket__munmap(memory, size);
}
