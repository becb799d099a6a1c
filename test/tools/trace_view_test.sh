#!/bin/sh
# SPDX-License-Identifier: MIT
# hocket trace view: the page of a timeline.  What it looks like is tested in a headless Chromium where
# there is one (scripts/install-deps.sh browser), once: not with instrumented builds.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"
here=${0%/*}

command -v python3 >/dev/null || skip "no python3"
make_trace() { python3 "$here/trace_make.py" "$@"; }
make_trace "$dir/plain.trace" --tasks 60 --steps 100000 --alive 60 --events 8000
make_trace "$dir/evil.trace" --names evil --events 3000
make_trace "$dir/empty.trace" --empty
make_trace "$dir/lost.trace" --lost 500 --events 8000
make_trace "$dir/paused.trace" --pauses 5 --events 8000

for name in plain evil empty lost paused; do
    run 0 trace view "$dir/$name.trace" -o "$dir/$name.html"
    empty "$dir/out"
    empty "$dir/err"
done
run 0 trace view --plain "$dir/plain.trace" -o "$dir/raw.html"
run 0 trace view "$dir/plain.trace"
same "to standard output" "$dir/plain.html" "$dir/out"
run 0 trace view - <"$dir/plain.trace"
same "from standard input" "$dir/plain.html" "$dir/out"
says "$dir/raw.html" 'data-coding="none"'

# Nothing that a trace names is text of the page, and the page asks the network for nothing.
for name in evil raw; do
    ! grep -q -e 'hacked' -e 'run_reader' "$dir/$name.html" || fail "a name in $name.html"
    ! grep -q -e 'src=' -e 'https\?://' "$dir/$name.html" || fail "something is fetched by $name.html"
done

# Wrong usage, wrong files, no place to write to.
run 2 trace view
run 2 trace view a b
run 2 trace view --paln a
says "$dir/err" "did you mean '--plain'?"
run 1 trace view "$dir/nothing.trace" -o "$dir/x.html"
says "$dir/err" "nothing.trace: No such file"
[ ! -e "$dir/x.html" ] || fail "a page of nothing"
size=$(wc -c <"$dir/plain.trace")
for bytes in 0 5 127 128 150 1000 $((size - 8)) $((size - 1)); do
    head -c "$bytes" "$dir/plain.trace" >"$dir/cut.trace"
    run 1 trace view "$dir/cut.trace" -o "$dir/x.html"
    lines 1 "$dir/err"
    says "$dir/err" "hocket: trace view: $dir/cut.trace: "
done
run 1 trace view "$0" -o "$dir/x.html"
says "$dir/err" "not a trace"
run 1 trace view "$dir/plain.trace" -o "$dir/no/x.html"
says "$dir/err" "no/x.html: No such file"
if [ -c /dev/full ]; then
    run 1 trace view "$dir/plain.trace" -o /dev/full
    says "$dir/err" "No space left"
fi

# Any bytes at all: a page or one line, never a crash.
python3 - "$dir/plain.trace" "$dir" <<'END'
import random, sys
data = open(sys.argv[1], "rb").read()
dice = random.Random(5)
for number in range(24):
    bad = bytearray(data)
    for _ in range(40):
        bad[dice.randrange(200, len(bad))] = dice.randrange(256)
    open(f"{sys.argv[2]}/bad{number}.trace", "wb").write(bad)
END
for bad in "$dir"/bad*.trace; do
    hocket trace view "$bad" -o "$dir/bad.html" >"$dir/out" 2>"$dir/err"
    status=$?
    [ "$status" -le 1 ] || fail "status $status of $bad: $(head -c 300 "$dir/err")"
done

[ "$failures" -eq 0 ] || finish
if built_with address || built_with thread; then
    finish
fi
python3 "$here/trace_view.py" test "$dir"
case $? in
0) ;;
77) skip "no Chromium: what the page does was not tested" ;;
*) fail "the page" ;;
esac
finish
