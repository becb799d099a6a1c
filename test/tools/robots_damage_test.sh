#!/bin/sh
# SPDX-License-Identifier: MIT
# What `hocket robots` makes of files it cannot read, or not to the end.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

for n in 1 2 3; do log_line $n /robots.txt; done >"$dir/good.log"
awk_hosts <"$dir/good.log" >"$dir/good"

# One line a file, name and cause; the rest is done; status 1.
run 1 robots "$dir/missing.log" "$dir/good.log" "$dir/missing too.log"
same "hosts beside missing files" "$dir/good" "$dir/out"
lines 2 "$dir/err"
says "$dir/err" "hocket: robots: $dir/missing.log: No such file or directory"
says "$dir/err" "hocket: robots: $dir/missing too.log: No such file or directory"

run 1 robots ''
says "$dir/err" "hocket: robots: : No such file"

# A read that fails in the middle of the work.
if [ -z "$emulator" ] && [ -r /proc/self/mem ]; then
    run 1 robots /proc/self/mem "$dir/good.log"
    same "hosts beside a file that cannot be read" "$dir/good" "$dir/out"
    says "$dir/err" "hocket: robots: /proc/self/mem: I" # Input/output error; I/O error of musl
fi

# Names are bytes of strangers too.
odd=$(printf 'a\033[2Jb\nc')
run 1 robots "$dir/$odd"
lines 1 "$dir/err"
says "$dir/err" 'a\x1b[2Jb\x0ac: No such file'

if [ "$(id -u)" -ne 0 ]; then
    cp "$dir/good.log" "$dir/secret.log"
    mkdir "$dir/secret"
    chmod 0 "$dir/secret.log" "$dir/secret"
    run 1 robots "$dir/secret.log" "$dir/secret" "$dir/good.log"
    same "hosts beside what may not be read" "$dir/good" "$dir/out"
    lines 2 "$dir/err"
    says "$dir/err" "secret.log: Permission denied"
    says "$dir/err" "secret: Permission denied"
    chmod 700 "$dir/secret"
fi

# A folder that goes deeper than anybody means to.
mkdir "$dir/deep"
(
    cd "$dir/deep" || exit
    i=0
    while [ $i -lt 150 ]; do mkdir d && cd d || exit; i=$((i + 1)); done
)
run 1 robots "$dir/deep" "$dir/good.log"
same "hosts beside a deep folder" "$dir/good" "$dir/out"
says "$dir/err" "too many folders in one another"

# A stand-in for a descriptor that was closed cannot be read.
hocket robots - <&- >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] || fail "closed standard input is not reported"
says "$dir/err" "hocket: robots: standard input: "

{ have_gzip && command -v gzip >/dev/null; } || finish

i=0
while [ $i -lt 3000 ]; do
    i=$((i + 1))
    log_line $i$((i * 7919 % 1000)) /robots.txt
done >"$dir/text"
gzip -c "$dir/text" >"$dir/whole.gz"
size=$(wc -c <"$dir/whole.gz")
awk_hosts <"$dir/text" >"$dir/expected"

# flip FILE OFFSET BYTES
flip() {
    printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# Wrong checksum, wrong length: all of the text is there and counts.
for back in 8 4; do
    cp "$dir/whole.gz" "$dir/bad.gz"
    flip "$dir/bad.gz" $((size - back)) '\0252'
    run 1 robots "$dir/bad.gz" "$dir/good.log"
    sort "$dir/expected" "$dir/good" | uniq >"$dir/both"
    same "hosts of a file with a wrong checksum" "$dir/both" "$dir/out"
    lines 1 "$dir/err"
    says "$dir/err" "hocket: robots: $dir/bad.gz: corrupt gzip data (checksum)"
done

# Cut off: what was read before counts, but for a last line that may have been longer.
for part in 1 2 3 5 9 10 11 15 18 50 $((size / 3)) $((size / 2)) $((size - 100)) $((size - 9)) $((size - 8)) \
    $((size - 4)) $((size - 1)); do
    head -c "$part" "$dir/whole.gz" >"$dir/cut.gz"
    run 1 robots "$dir/cut.gz" "$dir/good.log"
    lines 1 "$dir/err"
    says "$dir/err" "hocket: robots: $dir/cut.gz: truncated gzip data"
    gzip -dc "$dir/cut.gz" 2>/dev/null >"$dir/part"
    # gzip may give up earlier, but what it had is there, and nothing that never was.
    sed '$d' "$dir/part" | cat - "$dir/good.log" | awk_hosts >"$dir/least"
    cat "$dir/text" "$dir/good.log" | awk_hosts >"$dir/most"
    [ -z "$(comm -13 "$dir/out" "$dir/least")" ] || fail "hosts lost in a file cut at $part"
    [ -z "$(comm -23 "$dir/out" "$dir/most")" ] || fail "hosts invented in a file cut at $part"
done

# Junk in the middle: no crash, status 1, the hosts before it.
for at in 12 40 $((size / 4)) $((size / 2)); do
    cp "$dir/whole.gz" "$dir/bad.gz"
    flip "$dir/bad.gz" "$at" '\0377\0000\0377\0252\0125\0377\0000\0377'
    run 1 robots "$dir/bad.gz" "$dir/good.log"
    lines 1 "$dir/err"
    says "$dir/err" "hocket: robots: $dir/bad.gz: "
    [ -z "$(comm -13 "$dir/out" "$dir/good")" ] || fail "hosts beside a corrupt file are lost"
done

# A later member is bad: the earlier ones count.
{ gzip -c "$dir/text"; gzip -c "$dir/good.log"; } >"$dir/bad.gz"
flip "$dir/bad.gz" $((size + 30)) '\0377\0377\0377\0377'
run 1 robots "$dir/bad.gz"
[ -z "$(comm -13 "$dir/out" "$dir/expected")" ] || fail "hosts of the good member are lost"

# Bytes behind the end that are no padding.
{ cat "$dir/whole.gz"; printf 'junk'; } >"$dir/bad.gz"
run 1 robots "$dir/bad.gz"
same "hosts before trailing junk" "$dir/expected" "$dir/out"
says "$dir/err" "bad.gz: bytes behind the end of the gzip data"

# The name promises gzip.
cp "$dir/good.log" "$dir/plain.log.gz"
run 1 robots "$dir/plain.log.gz"
empty "$dir/out"
says "$dir/err" "plain.log.gz: not in gzip format"
: >"$dir/empty.gz"
run 0 robots "$dir/empty.gz"
empty "$dir/err"

finish
