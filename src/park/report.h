/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_REPORT_H
#define HOCKET_PARK_REPORT_H

/*
 * report - one line on standard error about something that is not an error yet
 *
 *     hocket: report: deadlock unless cancelled: ...
 *
 * Without allocation and stdio, in one write(2), as base/panic.h, but the program goes on.
 * The message is cut at about 400 bytes.
 */
#include <hocket/base.h>

void hocket__report(const char *format, ...) HOCKET_PRINTF(1, 2);

/* Tests take the line instead of standard error; NULL undoes it. */
extern void (*hocket__report_hook)(const char *line);

#endif
