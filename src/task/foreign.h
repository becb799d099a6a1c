/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_FOREIGN_H
#define HOCKET_TASK_FOREIGN_H

/*
 * foreign - what src/task keeps for threads that Hocket did not start
 *
 * Their locals and words are freed when the thread ends, by hocket__foreign_exit of
 * park/record.h.  Calling this sees to it; it does nothing else and costs nothing.
 */
void hocket__foreign_watch(void);

#endif
