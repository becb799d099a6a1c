#!/bin/sh
# SPDX-License-Identifier: MIT
# `hocket robots` stays below 64 MiB and 4 MiB a job, whatever the logs are.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"
[ -z "$emulator" ] || skip "an emulator's memory says nothing"
[ -x /usr/bin/time ] || skip "no /usr/bin/time"
if built_with address || built_with thread; then skip "sanitizers take memory of their own"; fi

# bounded WHAT JOBS WORD...: the answer in $dir/out.
bounded() {
    what=$1
    jobs=$2
    shift 2
    /usr/bin/time -f '%M' -o "$dir/peak" "$HOCKET" robots -j "$jobs" "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    peak=$(tail -1 "$dir/peak")
    [ "$peak" -le $((65536 + 4096 * jobs)) ] || fail "$what: $peak KiB with $jobs jobs"
    return $status
}

# A line of 100 MB, one of them a match; and one that never has a blank.
long() {
    printf '%s - - [d +0] "GET /robots.txt ' "$1"
    head -c 100000000 /dev/zero | tr '\0' "$2"
    printf '\n'
}
long first x | bounded "a long line" 1 - || fail "a long line: status $?"
echo first >"$dir/expected"
same "host of a long line" "$dir/expected" "$dir/out"
{
    head -c 100000000 /dev/zero | tr '\0' 'y'
    printf ' - - [d +0] "GET /robots.txt x\n'
    log_line 9 /robots.txt
} | bounded "a long host" 1 -
[ $? -eq 1 ] || fail "a host of 100 MB is no failure"
says "$dir/err" "hocket: robots: standard input: 1 hosts of more than 65535 bytes left out"
echo 192.0.2.9 >"$dir/expected"
same "hosts beside a long one" "$dir/expected" "$dir/out"

# Hosts as long as they may be.
{
    for c in a b c d; do
        head -c 65535 /dev/zero | tr '\0' $c
        printf ' 2 3 4 5 6 /robots.txt\n'
    done
} >"$dir/wide.log"
awk_hosts <"$dir/wide.log" >"$dir/expected"
run 0 robots "$dir/wide.log"
same "hosts of 65535 bytes" "$dir/expected" "$dir/out"

# More hosts than fit: 1,200,000, three quarters of them in each of two files, in no order.
hosts() {
    awk -v from="$1" 'BEGIN {
        for (i = 0; i < 900000; i++)
            printf "host-%d.example.org 2 3 4 5 6 /robots.txt\n", (i * 7919 + from) % 1200000 }'
}
hosts 0 >"$dir/many0.log"
hosts 900000 >"$dir/many1.log"
bounded "many hosts" 2 --count "$dir"/many?.log || fail "many hosts: status $?: $(cat "$dir/err")"
awk '{ n++; sum += $2 } $1 "" <= last "" { wrong++ } { last = $1 } END { print n, sum, wrong + 0 }' "$dir/out" >"$dir/actual"
echo 1200000 1800000 0 >"$dir/expected"
same "hosts, hits and order of many" "$dir/expected" "$dir/actual"

# A thousand files, as many jobs as allowed, in a tree; binary junk of 64 MB.
mkdir "$dir/tree"
i=0
while [ $i -lt 1000 ]; do
    i=$((i + 1))
    log_line $i /robots.txt >"$dir/tree/$i.log"
done
bounded "a thousand files" 4 "$dir/tree"
lines 1000 "$dir/out"
head -c 64000000 /dev/urandom >"$dir/junk"
bounded "junk" 1 "$dir/junk" || fail "junk: status $?"
if have_gzip && command -v gzip >/dev/null; then
    # 300 MB out of 1.3 MB.
    head -c 300000000 /dev/zero | gzip -1c >"$dir/bomb.gz"
    bounded "a bomb" 2 "$dir/bomb.gz" "$dir/bomb.gz" || fail "a bomb: status $?"
fi

# Where the runs cannot go, the answer is not complete, and that is said.
(
    ulimit -f 2000
    trap '' XFSZ
    hocket robots "$dir"/many?.log >"$dir/out" 2>"$dir/err"
)
[ $? -eq 1 ] || fail "a temporary file that is too large is no failure"
says "$dir/err" "temporary file: File too large"
empty "$dir/out"

# Little address space: an answer or an error, no crash, no hang.
log_line 1 /robots.txt >"$dir/one.log"
for on in inline threads fibers; do
    for kib in 3000 5000 7000 9000 12000 16000 24000 40000 80000; do
        (
            # Not in POSIX, but in every shell that is called sh here.
            # shellcheck disable=SC3045
            ulimit -v $kib
            # Not even the program fits: the kernel says so by a signal, or its loader.
            hocket --version >/dev/null 2>&1 || exit 127
            hocket robots --on $on "$dir/one.log" "$dir/wide.log" >"$dir/out" 2>"$dir/err"
        )
        status=$?
        case $status in
        0) lines 5 "$dir/out" ;;
        1) says "$dir/err" "hocket: robots: " ;;
        126 | 127) ;; # not even the program's libraries fit
        *) fail "ulimit -v $kib, --on $on: status $status: $(head -c 300 "$dir/err")" ;;
        esac
    done
done

finish
