#!/bin/sh
# SPDX-License-Identifier: MIT
# hocket trace json: valid JSON with what happened in it; wrong words and files are refused.
# The timeline is one of the program itself.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

for n in 1 2 3 4; do log_line "$n" /robots.txt >"$dir/$n.log"; done
HOCKET_TRACE="$dir/own.trace" HOCKET_WORKERS=2 $emulator "$HOCKET" robots -j 2 "$dir" >"$dir/hosts" ||
    fail "robots with a trace"
lines 4 "$dir/hosts"
[ -s "$dir/own.trace" ] || fail "no trace"

run 0 trace json "$dir/own.trace" -o "$dir/own.json"
empty "$dir/out"
empty "$dir/err"
run 0 trace json "$dir/own.trace"
same "standard output" "$dir/own.json" "$dir/out"
run 0 trace json - <"$dir/own.trace"
same "standard input" "$dir/own.json" "$dir/out"
says "$dir/own.json" '"name":"main"'
# Which of the two did the work is chance.
grep -q '"name":"worker [01]"' "$dir/own.json" || fail "no worker has a row: $(head -c 900 "$dir/own.json")"
says "$dir/own.json" '"name":"running"'
says "$dir/own.json" '"name":"waiting: '

if command -v python3 >/dev/null; then
    python3 - "$dir/own.json" <<'PYTHON' || fail "the JSON says something else"
import json
import sys

with open(sys.argv[1]) as f:
    trace = json.load(f)
events = trace["traceEvents"]
assert trace["otherData"]["lost_events"] == 0
phases = {}
for e in events:
    phases[e["ph"]] = phases.get(e["ph"], 0) + 1
    assert e["pid"] in (1, 2), e
    assert e["ts"] >= 0, e
    assert e["ph"] != "X" or e["dur"] >= 0, e
assert phases["s"] == phases["f"], phases
assert phases.get("b", 0) == phases.get("e", 0), phases
# The bars of a row never overlap.
rows = {}
for e in events:
    if e["ph"] == "X":
        rows.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["dur"]))
for row, bars in rows.items():
    bars.sort()
    for (start, dur), (following, _) in zip(bars, bars[1:]):
        assert start + dur <= following + 0.002, (row, start, dur, following)
PYTHON
fi

# Words and files that are wrong.
run 2 trace
says "$dir/err" "hocket: trace: "
run 2 trace josn "$dir/own.trace"
says "$dir/err" "did you mean 'json'?"
run 2 trace json
says "$dir/err" "Try 'hocket trace json --help'."
run 2 trace json a b
run 0 trace --help
says "$dir/out" "Usage: hocket trace ACTION"
run 0 trace json --help
says "$dir/out" "--output"
run 1 trace json "$dir/nothing"
says "$dir/err" "No such file"
run 1 trace json "$dir/1.log"
says "$dir/err" "1.log: not a trace of Hocket"
head -c 1000 "$dir/own.trace" >"$dir/cut.trace"
run 1 trace json "$dir/cut.trace" -o "$dir/cut.json"
says "$dir/err" "cut.trace: truncated: it ends after 1000 bytes"
[ ! -e "$dir/cut.json" ] || fail "an answer to a damaged file"
if [ -c /dev/full ]; then
    run 1 trace json "$dir/own.trace" -o /dev/full
    says "$dir/err" "No space left"
fi

finish
