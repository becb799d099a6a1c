/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_TIMEOUT_H
#define HOCKET_TRACE_TIMEOUT_H

/* What HOCKET_TEST_TIMEOUT asks for, once; called when a runtime starts. */
void hocket__timeout_by_env(void);

#endif
