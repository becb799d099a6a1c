/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_PROFILE_H
#define HOCKET_TRACE_PROFILE_H

/*
 * profile - what the wait profile has counted, for who prints it
 */
#include <hocket/profile.h>

#include "park/record.h"

/* One place or one object; `cls` NULL with a count: the others. */
struct hocket__waits {
    const struct hocket__wait_class *cls; /* NULL: free */
    const void *object;                   /* of objects */
    uint32_t site;                        /* of places, trace/site.h */
    uint64_t holder_hash;                 /* of places: of the name, 0: nobody */
    uint64_t count;
    hocket_time total, max;
    char holder[HOCKET_NAME_MAX];
};

/* What all threads have counted, each entry once, longest total first.  How many, or -ENOMEM; to free. */
ptrdiff_t hocket__profile_collect(int by, struct hocket__waits **ret_waits);

/* By HOCKET_PROFILE, when a runtime starts. */
void hocket__profile_by_env(void);

#endif
