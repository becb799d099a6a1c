#!/bin/sh
# SPDX-License-Identifier: MIT
# hocket sim: options, programs that are none, a program that passes; failures are test/sim/world_exec_test.c.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

wrong() {
    run 2 sim "$@"
    empty "$dir/out"
    says "$dir/err" "hocket"
}
wrong
wrong --seeds 0 -- true
wrong --seeds many -- true
wrong --strategy luck -- true
wrong --depth 0 -- true
wrong --time -1 -- true
wrong --first -1 -- true
wrong --no-such-option -- true

run 0 sim --help
says "$dir/out" "Usage: hocket sim [OPTION...] [--] PROGRAM [WORD...]"
for option in --seeds --first --strategy --depth --max-choices --time --replay --save --trace \
    --no-shrink --json; do
    says "$dir/out" " $option"
done

run 1 sim -- /no/such/program
says "$dir/err" "No such file"
run 1 sim -- true
says "$dir/err" "no runtime"
run 1 sim --seeds 3 -- false
says "$dir/err" "seed 0 fails: exit status 1"

echo "something else" >"$dir/bad"
run 2 sim --replay "$dir/bad" -- true
says "$dir/err" "no file of choices"
run 1 sim --replay "$dir/none" -- true
says "$dir/err" "No such file"

program=${HOCKET%/*}/test/examples/condition
[ -x "$program" ] || finish
run 0 sim -n 20 -- "$program"
says "$dir/out" "20 runs passed"
empty "$dir/err"
run 0 sim -n 20 -s pct --json -- "$program"
says "$dir/out" '"failure":"passed","runs":20'
run 0 sim -n 1 --first 5 --trace "$dir/a" -- "$program"
run 0 sim -n 1 --first 5 --trace "$dir/b" -- "$program"
same "the same seed twice" "$dir/a" "$dir/b"
[ "$(wc -l <"$dir/a")" -gt 10 ] || fail "the trace is short"
run 0 sim -n 1 --first 6 --trace "$dir/b" -- "$program"
cmp -s "$dir/a" "$dir/b" && fail "another seed is the same run"
run 1 sim -n 1 --max-choices 3 -- "$program"
says "$dir/err" "livelock"

# Pipes and sockets between tasks: what was read, and when, is the seed's.
program=${HOCKET%/*}/test/sim_world_fd_test
[ -x "$program" ] || finish
for strategy in random pct; do
    for i in a b; do
        WORLD_FD_LOG=$dir/log.$i
        export WORLD_FD_LOG
        run 0 sim -n 1 --first 7 -s $strategy --trace "$dir/$i" -- "$program"
    done
    same "the trace of pipes, $strategy" "$dir/a" "$dir/b"
    same "what was read, $strategy" "$dir/log.a" "$dir/log.b"
    [ "$(wc -l <"$dir/log.a")" -gt 50 ] || fail "the log is short"
done
finish
