#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one example with 0, 1 and 4 workers and compares what it writes with what it should.
#
#   usage: check.sh NAME COMMAND...
#
# NAME.out is standard output as it is.  Where tasks write in whatever order they run in, NAME.sorted
# is it with its lines sorted.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
name=$1
shift
LC_ALL=C
export LC_ALL
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
for workers in 0 1 4; do
    HOCKET_WORKERS=$workers "$@" >"$work/raw" 2>"$work/err"
    status=$?
    if [ -f "$here/$name.sorted" ]; then
        sort "$work/raw" >"$work/got"
        wanted=$here/$name.sorted
    else
        mv "$work/raw" "$work/got"
        wanted=$here/$name.out
    fi
    if [ $status -ne 0 ] || ! diff -u "$wanted" "$work/got"; then
        echo "$name with $workers workers: status $status"
        cat "$work/err"
        failed=1
    fi
done
exit $failed
