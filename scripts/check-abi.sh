#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares the ABI of build/release/libhocket.so with the committed abi/libhocket.abi (x86-64).
# Additions are fine; a change or a removal needs a new SONAME (see CONTRIBUTING.md).
#
#   usage: scripts/check-abi.sh [--renew]     --renew: write the baseline anew
set -eu
cd "$(dirname "$0")/.."
baseline=abi/libhocket.abi
library=build/release/libhocket.so
log=build/abi.log

if [ "$(uname -m)" != x86_64 ]; then
    echo "abi: the baseline is for x86-64, not checked here"
    exit 0
fi
mkdir -p build
if ! { cmake --preset release &&
    cmake --build --preset release --target hocket_shared; } >$log 2>&1; then
    cat $log
    exit 1
fi
# Only what the public headers show: no private structs, no paths of this machine.
dump() {
    abidw --headers-dir include --drop-private-types --exported-interfaces-only --no-show-locs \
        --no-corpus-path --no-comp-dir-path --out-file "$1" $library
    sed -i "s|$PWD/||g" "$1"
}
if [ "${1-}" = --renew ]; then
    mkdir -p abi
    dump $baseline
    echo "abi: wrote $baseline, $(grep -c '<elf-symbol ' $baseline) symbols"
    exit 0
fi
if [ ! -f $baseline ]; then
    echo "abi: no $baseline to compare with (--renew writes it)" >&2
    exit 1
fi
dump build/libhocket.abi
abidiff --no-added-syms $baseline build/libhocket.abi
echo "abi: compatible"
