/* SPDX-License-Identifier: MIT */
/*
 * point - the hook behind every point of the test build
 *
 * Written by a test before it starts threads and read by all of them without
 * ordering: starting a thread orders it.  A release build has no hook at all.  `alone` is counted
 * in a world only, which has one thread.
 */
#include "base/atomic.h"

#ifdef HOCKET_TEST_POINTS
void (*hocket__point_hook)(int kind, const volatile void *addr, const char *file, int line);
bool hocket__point_world;
unsigned hocket__point_alone;
#else
/* ISO C wants a translation unit to declare something. */
typedef int hocket__point_absent;
#endif
