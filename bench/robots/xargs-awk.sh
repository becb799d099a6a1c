#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tool: zcat awk xargs
# bench-package: mawk
#
# The same with two pipelines at a time.
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

# The $7 is for awk.
# shellcheck disable=SC2016
hosts() {
    printf '%s\0' "$HOCKET_BENCH_LOGS"/*.gz |
        xargs -0 -n 8 -P 2 sh -c 'zcat "$@" | awk '\''$7 == "/robots.txt" { print $1 }'\' sh |
        sort -u
}

timed "$@"
