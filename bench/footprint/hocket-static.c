/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */
/* bench-flags: -static -Wl,--gc-sections */

/* Nothing shared, as Go's programs are. */

#include "hocket.h"
