#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tool: rg gzip
# bench-package: ripgrep
#
# ripgrep looks for the request in the files that it unpacks by gzip; -j 2 as all here.
# shellcheck source=bench/robots/timed.sh
. "${0%/*}/timed.sh"

hosts() {
    rg -z -j 2 --no-ignore --no-filename --no-line-number --color never -o --replace '$1' \
        '^([^ ]+) [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ /robots\.txt( |$)' -- "$HOCKET_BENCH_LOGS" | sort -u
}

timed "$@"
