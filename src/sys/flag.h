/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_FLAG_H
#define HOCKET_SYS_FLAG_H

/*
 * flag - a descriptor that polls readable while a flag is set
 *
 * A pipe with one byte in it or none.  An eventfd would be one descriptor instead of two, but
 * could not say that nothing will come any more: hanging up does (POLLHUP).
 *
 * No function blocks, changes errno or allocates; the caller's lock keeps them apart.
 */
#include <stdbool.h>

struct hocket__flag {
    int read_end, write_end; /* -1 = not open, or hung up */
    bool set;
};

#define HOCKET__FLAG_INIT \
    {                     \
        -1, -1, false     \
    }

/* 0, -EMFILE, -ENFILE, -ENOMEM. */
int hocket__flag_open(struct hocket__flag *ret_flag);
void hocket__flag_set(struct hocket__flag *flag, bool set);
void hocket__flag_hang_up(struct hocket__flag *flag);
void hocket__flag_close(struct hocket__flag *flag);

#endif
