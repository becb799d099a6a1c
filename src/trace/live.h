/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_LIVE_H
#define HOCKET_TRACE_LIVE_H
#include <hocket/live.h>

/* By HOCKET_LIVE, when a runtime starts; and when it has stopped. */
void hocket__live_by_env(void);
void hocket__live_runtime_stopped(void);

#endif
