/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARALLEL_H
#define HOCKET_PARALLEL_H
#include <hocket/base.h>

/*
 * parallel - loops over a range of indices, on as many workers as are idle
 *
 * The caller works through the range itself; a worker that has nothing else to do takes
 * half of what is left.  Nothing is allocated, and where nobody is idle the price is a few
 * nanoseconds a chunk.
 *
 *   Callers    everything that can wait.  On threads and without a runtime the caller does it all.
 *   Blocks     until all chunks that began have ended.  Both are cancel points, at the call and
 *              before each chunk.
 *   Order      chunks run in any order and at the same time; the call happens before all
 *              of them, their ends before its return.
 *   Failures   the first chunk that gives a negative result stops the loop: chunks that
 *              have not begun are left out, and the call returns that result, with its words.
 *   Cancel     the loop stops likewise and returns -ECANCELED.
 *
 * What hocket/fork.h says of branches holds for chunks: they may run in the calling task or in
 * another one, may wait, and must give back the locks they take.
 *
 *     static int scale(size_t begin, size_t end, void *arg)
 *     {
 *         float *pixels = arg;
 *         for (size_t i = begin; i < end; i++)
 *             pixels[i] *= 0.5f;
 *         return 0;
 *     }
 *     int err = hocket_parallel_for(0, count, 0, scale, pixels);
 */

/* Do the indices begin ... end - 1.  Negative: a failure. */
typedef int hocket_range_fn(size_t begin, size_t end, void *arg);

/* The largest value that hocket_parallel_reduce handles, in bytes. */
#define HOCKET_REDUCTION_MAX 1024

/*
 * What is to be gathered over a range: a value of `size` bytes, aligned as malloc's memory is to 16.
 * `combine` must be associative; it need not be commutative.
 */
typedef struct hocket_reduction {
    const void *identity; /* what each chunk starts from */
    size_t size;          /* of a value, 1 ... HOCKET_REDUCTION_MAX */
    /* Add the indices begin ... end - 1 to *value.  Negative: a failure. */
    int (*body)(size_t begin, size_t end, void *value, void *arg);
    /* *value = *value (op) *right, where `value` stands for the indices before those of `right`. */
    void (*combine)(void *value, const void *right, void *arg);
    void *arg; /* for both */
} hocket_reduction;

HOCKET_BEGIN_DECLS

/*
 * Call fn for all of begin ... end - 1, in chunks of at most `grain` indices.
 *
 * 0 as grain lets the library choose: chunks grow until one takes some microseconds, so that
 * thieves need not wait long and tiny bodies cost little.  Chunks of a given grain begin at
 * begin + k * grain.  An empty range (end <= begin) is done at once.
 *
 * 0, -ECANCELED, or what the first chunk that failed returned.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_parallel_for(size_t begin, size_t end, size_t grain,
                                                     hocket_range_fn *fn, void *arg);

/*
 * Gather a value over begin ... end - 1: chunks of `grain` indices each start from the
 * identity, and their values are combined in the order of their indices, always in the same
 * pairs.  So with the same range and grain the result is the same to the bit, also for
 * floating point, whatever the number of workers.  0 as grain stands for at most 128 chunks of equal
 * size: 40 ns each or so, which a body of a few instructions an index may want to avoid.
 *
 * 0, and then *ret_value is set (for an empty range to the identity); -ECANCELED, -EINVAL for a size
 * out of bounds, or what the first chunk that failed returned.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_parallel_reduce(const hocket_reduction *reduction,
                                                        size_t begin, size_t end, size_t grain,
                                                        void *ret_value);

HOCKET_END_DECLS
#endif
