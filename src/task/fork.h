/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_FORK_H
#define HOCKET_TASK_FORK_H

/*
 * fork - what loops that fork seldom need beside hocket/fork.h
 */
#include <hocket/fork.h>

#include "park/forks.h"

/* Somebody asks for a branch: give the oldest, if there is one. */
void hocket__fork_answer(hocket_task *self);

/* To be called now and then by a task that has branches and does not fork. */
static inline void hocket__fork_poll(hocket_task *self)
{
    if (hk_unlikely(hk_load(hk_word32(&self->forks.attention)) & HOCKET__FORKS_ASKED))
        hocket__fork_answer(self);
}

#endif
