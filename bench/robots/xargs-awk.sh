#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tool: zcat awk xargs
# bench-package: mawk
#
# The same with two pipelines at a time; each writes a file of its own, as lines would mix in a pipe.
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

# The $7 is for awk, the rest for the inner shell.
# shellcheck disable=SC2016
part='zcat "$@" | awk '\''$7 == "/robots.txt" { print $1 }'\'' >"$0.$$"'

hosts() {
    printf '%s\0' "$HOCKET_BENCH_LOGS"/*.gz | xargs -0 -n 8 -P 2 sh -c "$part" "$answer.part"
    sort -u "$answer".part.*
    rm -f "$answer".part.*
}

timed "$@"
