/* SPDX-License-Identifier: MIT */
/* env - see base/env.h */
#include "base/env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *hocket__env(const char *name)
{
    const char *value = secure_getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

bool hocket__env_on(const char *name)
{
    const char *value = hocket__env(name);
    return value != NULL && strcmp(value, "0") != 0;
}

/* What stands for a % followed by this letter, or NULL. */
static const char *expanded(char letter, char *pid, size_t size)
{
    if (letter == '%')
        return "%";
    if (letter != 'p')
        return NULL;
    (void)snprintf(pid, size, "%ld", (long)getpid());
    return pid;
}

int hocket__env_path(const char *name, char *buffer, size_t size)
{
    const char *from = hocket__env(name);
    size_t used = 0;
    if (from == NULL)
        return -ENOENT;
    for (; *from != '\0'; from++) {
        char one[2] = { *from, '\0' }, pid[24];
        const char *text = one;
        if (*from == '%') {
            text = expanded(from[1], pid, sizeof pid);
            if (text == NULL)
                return -EINVAL;
            from++;
        }
        size_t length = strlen(text);
        if (used + length >= size)
            return -ENAMETOOLONG;
        memcpy(buffer + used, text, length);
        used += length;
    }
    buffer[used] = '\0';
    return 0;
}

int hocket__path_whole(const char *path, char *buffer, size_t size)
{
    size_t used = 0;
    if (path[0] == '\0')
        return -EINVAL;
    if (path[0] != '/') {
        if (getcwd(buffer, size - 1) == NULL)
            return errno == ERANGE ? -ENAMETOOLONG : -errno;
        used = strlen(buffer);
        buffer[used++] = '/';
    }
    if (used + strlen(path) >= size)
        return -ENAMETOOLONG;
    strcpy(buffer + used, path);
    return 0;
}
