/* SPDX-License-Identifier: MIT */
/* shrink - a shorter schedule that fails, too */
#include "sim/session.h"

void hocket__sim_shrink(struct sim_session *x)
{
    (void)x;
}
