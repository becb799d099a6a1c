/* SPDX-License-Identifier: MIT */
#include "common/walk.h"
#include "common/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

bool walk_is_log(const char *name)
{
    if (fnmatch("*.log", name, 0) == 0 || fnmatch("access_log*", name, 0) == 0 ||
        fnmatch("*.gz", name, 0) == 0)
        return true;
    /* *.log.N */
    const char *number = strrchr(name, '.');
    if (number == NULL || number[1] == '\0' || number[1 + strspn(number + 1, "0123456789")] != '\0')
        return false;
    return number - name >= 4 && memcmp(number - 4, ".log", 4) == 0;
}

void walk_start(struct walk *w, char **words,
                void (*failed)(void *arg, const char *path, int error), void *arg)
{
    w->words = words;
    w->depth = 0;
    w->failed = failed;
    w->arg = arg;
}

static void leave(struct walk *w)
{
    closedir(w->folders[--w->depth]);
}

void walk_end(struct walk *w)
{
    while (w->depth > 0)
        leave(w);
}

/* Go into the folder at `path`, `length` bytes long. */
static void enter(struct walk *w, size_t length)
{
    int error = w->depth == WALK_DEPTH ? ELOOP : length + 2 > WALK_PATH ? ENAMETOOLONG : 0;
    DIR *folder = error == 0 ? opendir(w->path) : NULL;
    if (folder == NULL) {
        w->failed(w->arg, w->path, error != 0 ? error : errno);
        return;
    }
    if (w->path[length - 1] != '/')
        w->path[length++] = '/';
    w->path[length] = '\0';
    w->folders[w->depth] = folder;
    w->lengths[w->depth++] = length;
}

/* The next word of the command line.  True if it is a file. */
static bool next_word(struct walk *w, struct walk_file *ret)
{
    const char *word = *w->words++;
    struct stat st;
    *ret = (struct walk_file){ word, 0 };
    if (strcmp(word, "-") == 0 || stat(word, &st) != 0)
        return true; /* whoever opens it finds out */
    if (!S_ISDIR(st.st_mode)) {
        ret->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
        return true;
    }
    size_t length = strlen(word);
    if (length + 1 > WALK_PATH) {
        w->failed(w->arg, word, ENAMETOOLONG);
        return false;
    }
    memcpy(w->path, word, length + 1);
    enter(w, length);
    return false;
}

/* The next entry of the innermost folder.  True if it is a log. */
static bool next_entry(struct walk *w, struct walk_file *ret)
{
    DIR *folder = w->folders[w->depth - 1];
    size_t length = w->lengths[w->depth - 1];
    w->path[length] = '\0';
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (entry == NULL) {
        if (errno != 0)
            w->failed(w->arg, w->path, errno);
        leave(w);
        return false;
    }
    const char *name = entry->d_name;
    bool log = walk_is_log(name), unknown = entry->d_type == DT_UNKNOWN;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        (entry->d_type != DT_DIR && !unknown && !(log && entry->d_type == DT_REG)))
        return false;
    size_t size = strlen(name);
    if (length + size + 1 > WALK_PATH) {
        w->failed(w->arg, w->path, ENAMETOOLONG);
        return false;
    }
    memcpy(w->path + length, name, size + 1);
    struct stat st;
    if (fstatat(dirfd(folder), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        w->failed(w->arg, w->path, errno);
        return false;
    }
    if (S_ISDIR(st.st_mode))
        enter(w, length + size);
    if (!log || !S_ISREG(st.st_mode))
        return false;
    *ret = (struct walk_file){ w->path, (uint64_t)st.st_size };
    return true;
}

bool walk_next(struct walk *w, struct walk_file *ret)
{
    while ((w->depth > 0 || *w->words != NULL) && !interrupt_pending())
        if (w->depth > 0 ? next_entry(w, ret) : next_word(w, ret))
            return true;
    return false;
}
