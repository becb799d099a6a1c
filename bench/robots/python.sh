#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tool: /usr/bin/python3
# bench-package: python3
#
# Python's process pool, two workers.
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

hosts() {
    /usr/bin/python3 "${0%/*}/python/find_robots.py" "$HOCKET_BENCH_LOGS"
}

timed "$@"
