/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H
#include <stdbool.h>

/*
 * terminal - what the thing behind a descriptor can show
 *
 * Colour by `--color auto|always|never`.  auto, the default: on a terminal that
 * is not "dumb", unless NO_COLOR is set to anything but nothing.
 */

/* False if `when` is none of the three. */
bool terminal_set_color(const char *when);
bool terminal_color(int fd);

/* Columns; 80 if that is not known. */
int terminal_width(int fd);

#endif
