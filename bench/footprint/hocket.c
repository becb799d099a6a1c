/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */
/* bench-flags: -Wl,--gc-sections */

/* Hocket linked in, the C library shared: what a program usually is. */

#include "hocket.h"
