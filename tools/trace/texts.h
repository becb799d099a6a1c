/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TRACE_TEXTS_H
#define TOOLS_TRACE_TEXTS_H
#include "trace/reader.h"

/*
 * texts - what a trace calls its kinds of waits, tasks and addresses; part of the reader
 *
 * Kinds and symbols are kept as they are found; finish sorts them and gathers the names of tasks
 * from everywhere: those that lived at the end, those that said theirs, those that ended.
 */
struct trace_texts *trace_texts_new(void);
void trace_texts_free(struct trace_texts *n); /* NULL is nothing */
void trace_texts_kinds(struct trace_texts *n, const struct hkt_kind *kinds, uint32_t count);
void trace_texts_symbols(struct trace_texts *n, const struct hkt_symbol *symbols, uint32_t count);
bool trace_texts_finish(struct trace_texts *n, const struct trace *t);

#endif
