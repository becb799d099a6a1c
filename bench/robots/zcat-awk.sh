#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tool: zcat awk
# bench-package: mawk
#
# What one types first.
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

hosts() {
    zcat "$HOCKET_BENCH_LOGS"/*.gz | awk '$7 == "/robots.txt" { print $1 }' | sort -u
}

timed "$@"
