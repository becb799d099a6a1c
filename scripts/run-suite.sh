#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests the named presets one after the other; one that fails does not stop the next.
#
#   usage: scripts/run-suite.sh [-L label-regex] preset...
#
# A line a preset, the output of what failed, and at the end `N passed, N failed`.  A build that
# fails counts as one failure; what of it was built is tested all the same.
# Logs and JUnit files: build/suite/.  JOBS sets how many compilers run at once, and twice as many
# tests: they spend half of their time waiting.
set -u
cd "$(dirname "$0")/.." || exit 2

labels=.
if [ "${1-}" = -L ]; then
    labels=$2
    shift 2
fi
cores=$(nproc)
jobs=${JOBS:-$((cores < 2 ? 2 : cores))}
out=$PWD/build/suite
mkdir -p "$out"
# Tests of panics abort by the hundred; nobody reads their cores.
# shellcheck disable=SC3045
ulimit -c 0
passed=0
failed=0

launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi

# attribute NAME FILE: a number from the <testsuite> tag.
attribute() {
    sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1
}

for preset in "$@"; do
    log=$out/$preset.log
    junit=$out/$preset.xml
    rm -f "$junit"
    start=$(date +%s)
    # One word an option.
    # shellcheck disable=SC2086
    if ! { cmake --preset "$preset" -DHOCKET_BUILD_TESTS=ON $launcher &&
        cmake --build --preset "$preset" -j "$jobs" -- -k 0; } >"$log" 2>&1; then
        echo "$preset: build failed"
        grep -E -A 12 '(error|Error|warning): |^FAILED' "$log" | head -n 80
        failed=$((failed + 1))
    fi
    built=$(date +%s)
    ctest --preset "$preset" -j "$((2 * jobs))" -L "$labels" --output-junit "$junit" \
        --no-tests=error >"$log" 2>&1
    status=$?
    end=$(date +%s)
    if [ ! -f "$junit" ]; then
        echo "$preset: no result from ctest"
        tail -n 20 "$log"
        failed=$((failed + 1))
        continue
    fi
    tests=$(attribute tests "$junit")
    bad=$(attribute failures "$junit")
    skipped=$(attribute skipped "$junit")
    disabled=$(attribute disabled "$junit")
    good=$((tests - bad - skipped - disabled))
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "$preset: ctest ended with status $status"
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" -gt 0 ]; then
        sed -n '/^The following tests FAILED/q; /Start .*: /d; / Passed /d; p' "$log" | head -n 400
    fi
    echo "$preset: $good passed, $bad failed, $skipped skipped" \
        "(built in $((built - start)) s, tested in $((end - built)) s)"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
