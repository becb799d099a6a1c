#!/bin/sh
# SPDX-License-Identifier: MIT
# `hocket dump`: asks a running program, and never harms one that it should not have asked.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

run 2 dump
says "$dir/err" "of which process?"
run 2 dump 1x
says "$dir/err" "'1x' is no process id"
run 2 dump -- -1
run 2 dump --wait 0 1
says "$dir/err" "--wait is a time such as 10s, not '0'"
run 2 dump 1 2
run 0 dump --help
run 1 dump 2147483647
says "$dir/err" "there is no such process"
empty "$dir/out"

# Signals and /proc are the emulator's; ThreadSanitizer holds signals back.
if [ -n "$emulator" ] || built_with thread; then finish; fi

# Whoever knows nothing of it lives on.
sleep 100 &
pid=$!
run 1 dump $pid
says "$dir/err" "it does not run Hocket, or takes no signal for dumps"
kill -0 $pid || fail "a stranger was harmed"
kill $pid
wait $pid 2>/dev/null
run 1 dump $pid
says "$dir/err" "there is no such process"

# A mark with a signal that there is not is none.
if command -v python3 >/dev/null; then
    mkfifo "$dir/ready"
    python3 -c 'import mmap, os, signal, sys
mark = os.memfd_create("hocket-dump-1-999")
os.ftruncate(mark, 4096)
page = mmap.mmap(mark, 4096)
open(sys.argv[1], "w").write("ready")
signal.pause()' "$dir/ready" &
    pid=$!
    read -r _ <"$dir/ready"
    run 1 dump $pid
    says "$dir/err" "it does not run Hocket, or takes no signal for dumps"
    kill $pid
    wait $pid 2>/dev/null
fi

# A program that waits for somebody to write into a pipe; in a script's background SIGQUIT is ignored,
# env gives it back.
start() {
    rm -f "$dir/pipe"
    mkfifo "$dir/pipe"
    "$@" "$HOCKET" robots "$dir/pipe" >"$dir/answer" 2>"$dir/quit" &
    pid=$!
    exec 9>"$dir/pipe"
}
finish_it() {
    log_line 77 /robots.txt >&9
    exec 9>&-
    wait $pid || fail "the program did not go on: status $?"
    echo 192.0.2.77 >"$dir/expected"
    same "its answer" "$dir/expected" "$dir/answer"
}

for how in --default-signal=QUIT --ignore-signal=QUIT; do
    start env $how
    run 0 dump $pid
    empty "$dir/err"
    says "$dir/out" "hocket: dump of hocket, pid $pid: "
    says "$dir/out" "main ["
    [ "$(tail -1 "$dir/out")" = "hocket: end of dump" ] || fail "the dump is not complete"
    for _ in 1 2 3 4 5; do run 0 dump $pid; done
    lines "$(grep -c . "$dir/out")" "$dir/out"
    [ "$(grep -c 'end of dump' "$dir/out")" -eq 1 ] || fail "more than one dump"
    empty "$dir/quit"
    finish_it
done

# From the keyboard, and both at once.
start env --default-signal=QUIT
run 0 dump $pid
kill -QUIT $pid
run 0 dump $pid
says "$dir/out" "main ["
says "$dir/quit" "hocket: end of dump"
finish_it

# A stopped one cannot answer, and is not asked.
start env --default-signal=QUIT
run 0 dump $pid
kill -STOP $pid
until grep -q '^State:.*T' /proc/$pid/status; do :; done
run 1 dump $pid
says "$dir/err" "it is stopped"
kill -CONT $pid
finish_it

# Nor is a stranger asked that has got the number of one who has ended (where that can be arranged).
if command -v python3 >/dev/null && unshare -Urpf --mount-proc true 2>/dev/null; then
    unshare -Urpf --mount-proc python3 "${0%/*}/dump_reuse.py" "$HOCKET" >"$dir/out" 2>&1
    got=$?
    [ $got -eq 0 ] || [ $got -eq 77 ] || fail "a number given anew: $(head -c 300 "$dir/out")"
fi

# Another user's: root can try.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    sleep 100 &
    pid=$!
    setpriv --reuid=65534 --clear-groups "$HOCKET" dump $pid 2>"$dir/err" >"$dir/out"
    [ $? -eq 1 ] || [ ! -x "$HOCKET" ] || fail "another user's program was asked"
    grep -q "belongs to another user (uid 0)\|ermission denied" "$dir/err" ||
        fail "not the words for another user: $(head -c 300 "$dir/err")"
    kill $pid
fi
finish
