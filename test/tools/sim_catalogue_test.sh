#!/bin/sh
# SPDX-License-Identifier: MIT
# The bug at the end of doc/debugging.md: found by a seed, replayed, and gone in its twin.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"
: "${CATALOGUE:?is not set: where is sim_catalogue?}"
[ -z "$emulator" ] || skip "the programs run in an emulator"
cd "$dir" || exit 1

run 1 sim --save taken.choices -- "$CATALOGUE" --run no_predicate
cat out err >found
says found "fails: exit status 222"
says found "<- before"
says found "the choices: taken.choices"
run 1 sim --replay taken.choices -- "$CATALOGUE" --run no_predicate
cat out err >again
says again "fails: exit status 222"
# The same story.
grep "^  task" found >story
grep "^  task" again >story_again
same "the replay" story story_again
run 0 sim --seeds 300 -- "$CATALOGUE" --run no_predicate right
says out "300 runs passed"
finish
