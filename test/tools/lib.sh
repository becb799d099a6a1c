#!/bin/sh
# SPDX-License-Identifier: MIT
# Read by the *_test.sh here: `. "${0%/*}/lib.sh"`.  $HOCKET is the program under test, the
# arguments are an emulator to run it in, if any.  Each script has a folder of its own, $dir.
set -u
export LC_ALL=C
unset HOCKET_WORKERS HOCKET_GZIP NO_COLOR TMPDIR
emulator="$*"
: "${HOCKET:?is not set: which program is to be tested?}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

hocket() { $emulator "$HOCKET" "$@"; }

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

skip() {
    echo "skipped: $*"
    exit 77
}

finish() {
    [ "$failures" -eq 0 ] || echo "$failures failed"
    exit $((failures > 0))
}

# run STATUS WORD...: hocket WORD... ends with STATUS; its output is in $dir/out and $dir/err.
run() {
    want=$1
    shift
    hocket "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "status $got, not $want: hocket $* ($(head -c 300 "$dir/err"))"
}

# same WHAT EXPECTED ACTUAL: two files are alike.
same() {
    cmp -s "$2" "$3" || { fail "$1"; diff "$2" "$3" | head -5; }
}

# says FILE TEXT: a line of FILE has TEXT in it.
says() {
    grep -qF -- "$2" "$1" || fail "'$2' is not in $1: $(head -c 300 "$1")"
}

empty() {
    [ ! -s "$1" ] || fail "$1 is not empty: $(head -c 300 "$1")"
}

# lines N FILE
lines() {
    [ "$(wc -l <"$2")" -eq "$1" ] || fail "not $1 lines in $2: $(head -c 300 "$2")"
}

# What the answer has to be for the text on standard input; of another path with paths_hosts.
paths_hosts() {
    awk -v want="$1" '$7 == want "" { print $1 }' | sort -u
}

awk_hosts() { paths_hosts /robots.txt; }

# built_with address|thread: is the program instrumented?
built_with() { nm "$HOCKET" 2>/dev/null | grep -q "__$(echo "$1" | cut -c1)san_init"; }

have_gzip() { ! hocket --version | grep -q 'gzip by nothing'; }

# A few ordinary lines; $1 is the host's last number.
log_line() {
    printf '192.0.2.%s - - [17/May/2015:10:05:03 +0000] "GET %s HTTP/1.1" 200 71 "-" "bot"\n' "$1" "$2"
}
