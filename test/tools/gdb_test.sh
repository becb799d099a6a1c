#!/bin/sh
# SPDX-License-Identifier: MIT
# tools/gdb/hocket-gdb.py: tasks and the calls of parked fibers, in a live program and in a core file.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

script=$(cd "${0%/*}/../../tools/gdb" && pwd)/hocket-gdb.py
command -v gdb >/dev/null || skip "no gdb"
[ -z "$emulator" ] || skip "the program runs in an emulator"
if built_with address || built_with thread; then skip "sanitizers and debuggers do not mix"; fi

# debug FILE WORD...: gdb WORD... with the script, quietly; what it says is in FILE.
debug() {
    to=$1
    shift
    gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set width 0' -x "$script" "$@" \
        >"$to" 2>"$to.err" </dev/null
}

debug "$dir/out" "$HOCKET" -ex 'python gdb.lookup_type("struct hocket__wait_class")'
if grep -q "Python scripting is not supported\|No struct type" "$dir/out.err"; then
    skip "gdb without Python, or a program without debug information"
fi

mkfifo "$dir/pipe"
(
    cd "$dir" || exit 1
    # Every sh that we know has it.
    # shellcheck disable=SC3045
    ulimit -c unlimited 2>/dev/null
    exec env --default-signal=QUIT "$HOCKET" robots pipe
) >"$dir/answer" 2>"$dir/quit" &
pid=$!
exec 9>"$dir/pipe"
hocket dump $pid >"$dir/dump" || fail "the program does not answer"

# The main task waits; a dump of the same moment says for what.
debug "$dir/live" -p $pid -ex 'info hocket' -ex 'hocket bt main' -ex 'hocket bt nobody' \
    -ex 'hocket bt' -ex 'bt 1' -ex detach
if grep -q "ptrace: Operation not permitted\|Could not attach" "$dir/live.err"; then
    kill $pid
    skip "processes may not be traced here"
fi
looks_right() {
    says "$1" "NAME"
    grep -q '^ *[0-9]* *main *fiber *waits for ' "$1" || fail "no main that waits in $1: $(cat "$1")"
    says "$1" "hocket__wait_park"
    says "$1" "hocket__task_run"
    says "$1" "context_begin"
}
looks_right "$dir/live"
says "$dir/live.err" "there is no task 'nobody'"
says "$dir/live.err" "usage: hocket bt"
# The walk ends where the stack begins, and the thread's own calls come back afterwards.
[ "$(grep -c context_begin "$dir/live")" -eq 1 ] || fail "not one beginning in $(cat "$dir/live")"
grep -q '^#0' "$dir/live" || fail "bt afterwards shows nothing: $(cat "$dir/live")"

# Who has ended is not there, whichever way, though it has its record as long as somebody has the handle.
debug "$dir/ended" "${PRESS:?is not set: where is ended?}/ended" -ex 'break here' -ex run -ex 'info hocket' -ex kill
grep -q '^ *[0-9]* *not-begun *fiber *held' "$dir/ended" || fail "no held task in $(cat "$dir/ended")"
if grep 'ended-' "$dir/ended"; then fail "who has ended is shown"; fi

# It goes on; then a core file, where this system writes them into the folder.
hocket dump $pid >"$dir/dump" || fail "the program does not go on after gdb"
kill -ABRT $pid
wait $pid 2>/dev/null
core=$(find "$dir" -name 'core*' | head -1)
if [ -n "$core" ]; then
    debug "$dir/dead" "$HOCKET" "$core" -ex 'info hocket' -ex 'hocket bt main'
    looks_right "$dir/dead"
fi
finish
