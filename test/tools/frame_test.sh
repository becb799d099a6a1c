#!/bin/sh
# SPDX-License-Identifier: MIT
# What is the same for every command: help, versions, options, wrong usage.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

log_line 1 /robots.txt >"$dir/a.log"
log_line 2 /other >>"$dir/a.log"
echo 192.0.2.1 >"$dir/one"
echo 192.0.2.2 >"$dir/two"

run 0 --version
grep -qx 'hocket [0-9]*\.[0-9]*\.[0-9]*' "$dir/out" || fail "no version"
run 0 help
cp "$dir/out" "$dir/help"
says "$dir/help" "robots"
run 0 --help
same "--help" "$dir/help" "$dir/out"
run 0 -h
same "-h" "$dir/help" "$dir/out"
run 0 help robots
cp "$dir/out" "$dir/help"
says "$dir/help" "Usage: hocket robots [OPTION...] PATH..."
for option in --jobs --on --path --count --json --progress --no-progress --color --help; do
    says "$dir/help" " $option"
done
run 0 robots --help
same "robots --help" "$dir/help" "$dir/out"
run 0 robots "$dir/a.log" --help
same "--help behind a word" "$dir/help" "$dir/out"

# wrong WORDS... : status 2, nothing on standard output, a way out on standard error.
wrong() {
    run 2 "$@"
    empty "$dir/out"
    says "$dir/err" "hocket"
}
wrong
says "$dir/err" "Usage: hocket COMMAND"
wrong robot
says "$dir/err" "hocket: unknown command 'robot'; did you mean 'robots'?"
wrong roobts
says "$dir/err" "did you mean 'robots'?"
wrong xyzzy
says "$dir/err" "hocket: unknown command 'xyzzy'"
! grep -q 'did you mean' "$dir/err" || fail "a suggestion out of nothing"
wrong --robots
wrong help robots help
wrong help nothing
wrong robots
says "$dir/err" "Try 'hocket robots --help'."
wrong robots --cuont "$dir/a.log"
says "$dir/err" "hocket: robots: unknown option '--cuont'; did you mean '--count'?"
wrong robots -x "$dir/a.log"
wrong robots --count=yes "$dir/a.log"
wrong robots --path
wrong robots -j
wrong robots --on cluster "$dir/a.log"
wrong robots --color=green "$dir/a.log"
wrong --color green help
for jobs in 0 -1 1.5 two 4x '' 100000 99999999999999999999; do wrong robots -j "$jobs" "$dir/a.log"; done
for path in '' 'a b' "$(printf 'a\tb')"; do wrong robots --path "$path" "$dir/a.log"; done
wrong "$(printf 'a\033[31m')"
says "$dir/err" 'a\x1b[31m'

# The forms an option may have, and words in any place.
for words in "-j2" "-j 2" "--jobs 2" "--jobs=2" "--on inline" "--on=inline -j1" "--no-progress"; do
    # shellcheck disable=SC2086
    run 0 robots $words "$dir/a.log"
    same "robots $words" "$dir/one" "$dir/out"
    # shellcheck disable=SC2086
    run 0 robots "$dir/a.log" $words
    same "robots FILE $words" "$dir/one" "$dir/out"
done
run 0 --color never robots --path=/other "$dir/a.log"
same "--path=/other" "$dir/two" "$dir/out"
run 0 -- robots "$dir/a.log"
same "-- before the command" "$dir/one" "$dir/out"
cp "$dir/a.log" "$dir/--count"
(cd "$dir" && hocket robots -- --count >"$dir/out") || fail "--"
same "-- before a name" "$dir/one" "$dir/out"
cp "$dir/a.log" "$dir/--"
(cd "$dir" && hocket robots -- -- >"$dir/out") || fail "-- --"
same "-- is a name behind --" "$dir/one" "$dir/out"
printf '192.0.2.1\t1\n' >"$dir/expected"
run 0 robots --count "$dir/a.log"
same "--count" "$dir/expected" "$dir/out"
printf '[\n{"host":"192.0.2.1","hits":1}\n]\n' >"$dir/expected"
for words in "--json" "--json --count" "--count --json"; do
    # shellcheck disable=SC2086
    run 0 robots $words "$dir/a.log"
    same "$words" "$dir/expected" "$dir/out"
done

finish
