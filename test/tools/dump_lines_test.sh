#!/bin/sh
# SPDX-License-Identifier: MIT
# `hocket dump`: source files and lines of the calls, of a process and of a dump that was saved.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

run 2 dump --from x 1
says "$dir/err" "--from takes the place of a process"
run 1 dump --from "$dir/none"
says "$dir/err" "No such file"

# What is no dump, or one whose files cannot be had, stays as it is.
{
    printf 'a log line (with+0x12)\n  at nothing+0x1 (gone+0x2)\nat \nat (\nfiles\n'
    printf 'hocket: dump of x\n  at f+0x1 (gone+0x2)\n  at f (fifo+0x2)\n  at +0x (+0x)\nfiles\n'
    printf '  gone: - %s/none\n  fifo: - %s/fifo\n  text: 00 %s/saved\n  twice: - /bin/sh\n' "$dir" "$dir" "$dir"
    printf '  twice: - /bin/sh\n  : \n  x\nhocket: end of dump\nno line end'
} >"$dir/saved"
mkfifo "$dir/fifo"
run 0 dump --from "$dir/saved"
same "a saved text" "$dir/saved" "$dir/out"
hocket dump --from - <"$dir/saved" >"$dir/out" 2>/dev/null
same "from standard input" "$dir/saved" "$dir/out"

run 0 dump --from /dev/null
if grep -q "built without libdw" "$dir/err"; then
    [ "$failures" -gt 0 ] || skip "built without libdw"
    finish
fi

# Signals and /proc are the emulator's; ThreadSanitizer holds signals back.
if [ -n "$emulator" ] || built_with thread; then finish; fi

# The program waits for somebody to write into a pipe.
mkfifo "$dir/pipe"
env --default-signal=QUIT "$HOCKET" robots "$dir/pipe" >/dev/null 2>"$dir/quit" &
pid=$!
exec 9>"$dir/pipe"
run 0 dump $pid
grep -q '^ *at [a-z_]* (/.*/tools/[a-z_/]*\.c:[1-9][0-9]*)$' "$dir/out" ||
    fail "no line of the program's: $(cat "$dir/out")"
says "$dir/out" "hocket: end of dump"
cp "$dir/out" "$dir/first"

# Of one that wrote its dump by itself: addresses, until they are looked up.
kill -QUIT $pid
until grep -q "end of dump" "$dir/quit"; do :; done
grep -q '^ *at [a-z_]*+0x[0-9a-f]* (hocket+0x[0-9a-f]*)$' "$dir/quit" || fail "it has no addresses"
run 0 dump --from "$dir/quit"
grep -q '^ *at [a-z_]* (/.*/tools/[a-z_/]*\.c:[1-9][0-9]*)$' "$dir/out" || fail "no line in a saved one"
lines "$(wc -l <"$dir/quit")" "$dir/out"

# The program as it is now is another build.
sed 's/^  hocket: [0-9a-f]* /  hocket: 00112233445566778899aabbccddeeff00112233 /' "$dir/quit" >"$dir/other"
run 0 dump --from "$dir/other"
grep -q ' (hocket+0x' "$dir/out" || fail "lines of another build"
exec 9>&-
wait $pid
finish
