#!/bin/sh
# SPDX-License-Identifier: MIT
# Every check that reads the sources, each once; last line `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 2
scripts/install-deps.sh style || exit 1

passed=0
failed=0
for check in check-format check-style check-layers check-headers check-docs check-errors \
    check-verification "make-man --check" "plant-defects --check" check-shell; do
    # shellcheck disable=SC2086
    if output=$(scripts/$check 2>&1); then
        passed=$((passed + 1))
        echo "ok      $check${output:+: $(printf '%s\n' "$output" | tail -n 1)}"
    else
        failed=$((failed + 1))
        echo "FAILED  $check"
        printf '%s\n' "$output" | head -n 200 | sed 's/^/        /'
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
