#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-hocket: program
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

hosts() {
    "$HOCKET_BENCH_BUILD/hocket" robots -j 2 "$HOCKET_BENCH_LOGS"
}

timed "$@"
