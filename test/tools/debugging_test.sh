#!/bin/sh
# SPDX-License-Identifier: MIT
# What doc/debugging.md says, as it says it: the bug of doc/debugging/press.c is seen in a dump, found by a
# seed, replayed, and gone in press_fixed.c.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"
: "${PRESS:?is not set: where are press and press_fixed?}"
[ -z "$emulator" ] || skip "the programs run in an emulator"
if built_with address || built_with thread; then skip "timing and signals of a plain build"; fi
cd "$dir" || exit 1
cp "$PRESS/press" "$PRESS/press_fixed" .

# It hangs at some page, mostly within the first seconds; on one CPU perhaps never.
env --default-signal=QUIT ./press 100000000 >pages 2>quit &
pid=$!
# Until it takes dumps.
until hocket dump $pid >/dev/null 2>&1 || ! kill -0 $pid 2>/dev/null; do :; done
seen=
tries=0
while [ -z "$seen" ] && [ $tries -lt 40 ] && kill -0 $pid 2>/dev/null; do
    tries=$((tries + 1))
    run 0 dump $pid
    # Both wait, and stand where they wait: one that is just leaving has no stack to show.
    if grep -q 'editor .* for event .*<emptied>' out && grep -q 'printer .* for event .*<filled>' out &&
        grep -q 'at editor+0x' out && grep -q 'at printer+0x' out; then
        seen=yes
    fi
    # Between two looks: as long as a dump takes, and no guess about when it will hang.
    hocket dump $pid >/dev/null 2>&1
done
if [ -n "$seen" ]; then
    says out "main ["
    says out "scope 'shop'"
fi
kill -9 $pid
wait $pid 2>/dev/null

# A seed finds it, and the same choices bring it back.
hocket sim --save bug.choices ./press 10 >found 2>&1 && fail "no seed finds the bug"
says found "fails: exit status 1"
says found "<- before clear"
says found "the press stands still"
hocket sim --replay bug.choices ./press 10 >again 2>&1 && fail "the replay does not fail"
says again "<- before clear"
hocket sim --replay bug.choices ./press 10 >once_more 2>&1
same "two replays" again once_more

# The repaired one lives.
run 0 sim --seeds 200 ./press_fixed 10
says "$dir/out" "200 runs passed"
./press_fixed 1000 || fail "the repaired program fails"
finish
