/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_ENV_H
#define HOCKET_BASE_ENV_H

/*
 * env - the HOCKET_* variables of the environment
 *
 * A program that runs with more rights than its caller (setuid, setgid, capabilities) sees none.
 */
#include <stdbool.h>
#include <stddef.h>

/* Its value; NULL if it is not set, empty, or not to be trusted. */
const char *hocket__env(const char *name);

/* Is it set to something that is not "0"? */
bool hocket__env_on(const char *name);

/*
 * The name of a file in it, with %p replaced by the process id and %% by %.  0, -ENOENT without
 * the variable, -ENAMETOOLONG, -EINVAL for another %.
 */
int hocket__env_path(const char *name, char *buffer, size_t size);

/*
 * The path from the root on, for who writes the file later: the program may change its folder until then.
 * 0, -EINVAL (it is empty), -ENAMETOOLONG, -errno of getcwd(3).
 */
int hocket__path_whole(const char *path, char *buffer, size_t size);

#endif
