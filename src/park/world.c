/* SPDX-License-Identifier: MIT */
/* world - see park/world.h */
#include "park/world.h"

const struct hocket__world *hocket__world;
