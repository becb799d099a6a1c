#!/bin/sh
# SPDX-License-Identifier: MIT
# How `hocket robots` ends: full and closed outputs, Ctrl-C, terminals.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

i=0
while [ $i -lt 3000 ]; do
    i=$((i + 1))
    log_line $i.a-host-of-some-length.that-is.not-too-short /robots.txt
done >"$dir/a.log"
awk_hosts <"$dir/a.log" >"$dir/expected"

# A full disk is an error, for each form and for the helps.
for form in "robots $dir/a.log" "robots --json $dir/a.log" "robots --help" "help" "--version"; do
    # shellcheck disable=SC2086
    hocket $form >/dev/full 2>"$dir/err"
    [ $? -eq 1 ] || fail "hocket $form >/dev/full is no error"
    says "$dir/err" "standard output: No space left on device"
done

# A reader that has seen enough: quiet, also where SIGPIPE is ignored.
{ hocket robots "$dir/a.log" 2>"$dir/err"; echo $? >"$dir/status"; } | head -1 >"$dir/out"
lines 1 "$dir/out"
empty "$dir/err"
for on in inline fibers; do
    { hocket robots --on $on --json "$dir/a.log" 2>"$dir/err"; echo $? >"$dir/status"; } | :
    empty "$dir/err"
    [ "$(cat "$dir/status")" -eq 0 ] || fail "a reader that went away makes status $(cat "$dir/status")"
done
(
    trap '' PIPE
    hocket robots "$dir/a.log" 2>"$dir/err" | :
)
empty "$dir/err"
hocket robots "$dir/a.log" >&- 2>"$dir/err" || fail "closed standard output is a failure"
empty "$dir/err"
# ... and nothing is written where descriptor 1 or 2 would have been.
cp "$dir/a.log" "$dir/copy.log"
hocket robots "$dir/copy.log" "$dir/missing" >&- 2>&-
same "a log read without descriptors" "$dir/a.log" "$dir/copy.log"

# Ctrl-C: within a second, with words, and the status says SIGINT.  A pipe that nobody writes to
# keeps the program waiting; opening it waits until the program is there.
#
# ThreadSanitizer holds a signal back until the thread it came to calls something that it knows,
# and a worker that sleeps in the kernel never does.
signals=yes
if [ -n "$emulator" ] || built_with thread; then signals=; fi
for signal in ${signals:+INT TERM}; do
    for on in inline threads fibers; do
        rm -f "$dir/pipe" "$dir/err"
        mkfifo "$dir/pipe"
        # A shell without job control starts its background jobs with SIGINT ignored; env gives
        # it back.
        env --default-signal=INT "$HOCKET" robots --on $on "$dir/a.log" "$dir/pipe" >"$dir/out" 2>"$dir/err" &
        pid=$!
        exec 9>"$dir/pipe"
        log_line 77 /robots.txt >&9
        kill -$signal $pid
        before=$(date +%s)
        wait $pid
        status=$?
        after=$(date +%s)
        exec 9>&-
        [ $((after - before)) -le 2 ] || fail "SIG$signal with --on $on took $((after - before)) s"
        case $signal$status in
        INT130 | TERM143) ;;
        *) fail "SIG$signal: status $status" ;;
        esac
        says "$dir/err" "hocket: robots: interrupted: "
        says "$dir/err" "of 2 files"
        empty "$dir/out"
    done
done

# One that was started with SIGINT ignored (nohup, a background job of a script) goes on.
if [ -n "$signals" ]; then
    rm -f "$dir/pipe"
    mkfifo "$dir/pipe"
    env --ignore-signal=INT "$HOCKET" robots "$dir/pipe" >"$dir/out" 2>"$dir/err" &
    pid=$!
    exec 9>"$dir/pipe"
    kill -INT $pid
    cat "$dir/a.log" >&9
    exec 9>&-
    wait $pid || fail "SIGINT was not ignored: status $?"
    same "hosts in spite of SIGINT" "$dir/expected" "$dir/out"
fi

# A full pipe does not hold up Ctrl-C either.
if [ -n "$signals" ]; then
    rm -f "$dir/pipe"
    mkfifo "$dir/pipe"
    exec 8<>"$dir/pipe" # a reader that never reads
    env --default-signal=INT "$HOCKET" robots "$dir/a.log" >"$dir/pipe" 2>"$dir/err" &
    pid=$!
    head -c 5000 <&8 >"$dir/out" # it has begun to write, and there is room for a little more
    kill -INT $pid
    wait $pid
    [ $? -eq 130 ] || fail "a full pipe: Ctrl-C has no effect"
    exec 8>&-
fi

# Terminals: a bar only there, colours only where wanted, no escapes out of a log.
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    esc=$(printf '\033')
    on_terminal() { TERM=xterm script -qec "$*" /dev/null </dev/null; }
    printf 'x\033[31m 2 3 4 5 6 /robots.txt\n' >"$dir/odd.log"
    on_terminal "$emulator $HOCKET robots $dir/odd.log" >"$dir/out"
    says "$dir/out" 'x\x1b[31m'
    ! grep -q "$esc\[31m" "$dir/out" || fail "an escape sequence reached the terminal"
    on_terminal "$emulator $HOCKET help" >"$dir/out"
    grep -q "$esc" "$dir/out" || fail "no colour on a terminal"
    on_terminal "NO_COLOR=1 $emulator $HOCKET help" >"$dir/out"
    ! grep -q "$esc" "$dir/out" || fail "colour in spite of NO_COLOR"
    on_terminal "$emulator $HOCKET --color never help" >"$dir/out"
    ! grep -q "$esc" "$dir/out" || fail "colour in spite of --color never"
fi
hocket --color=always help >"$dir/out"
grep -q "$(printf '\033')" "$dir/out" || fail "no colour in spite of --color=always"
run 0 help
! grep -q "$(printf '\033')" "$dir/out" || fail "colour without a terminal"
run 0 robots "$dir/a.log"
empty "$dir/err"

finish
