/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_SEARCH_H
#define HOCKET_SIM_SEARCH_H

/* search - the parent's half of the exhaustive search */
#include "sim/shared.h"

/* Make the plan of the next run of what the last one did.  False: there is none. */
bool hocket__sim_search_next(struct sim_shared *shared);

#endif
