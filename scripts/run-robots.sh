#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job: which hosts asked for /robots.txt, from the logs in a folder, or without one from
# a set that is generated once (200 MB in 64 gzip files, always the same).
#
#   usage: scripts/run-robots.sh [folder]
set -eu
logs=${1-}
case $logs in
'' | /*) ;;
*) logs=$PWD/$logs ;;
esac
cd "$(dirname "$0")/.."

log=build/run/build.log
mkdir -p build/run
targets=hocket_program
[ -n "$logs" ] || targets="hocket_program hocket-genlogs"
# One word a target.
# shellcheck disable=SC2086
if ! { cmake --preset release &&
    cmake --build --preset release --target $targets; } >$log 2>&1; then
    cat $log >&2
    exit 1
fi

if [ -z "$logs" ]; then
    logs=build/logs
    if [ ! -f $logs/.complete ]; then
        echo "generating $logs: 64 gzip files, 200 MB uncompressed"
        rm -rf $logs
        mkdir -p $logs
        build/release/hocket-genlogs --files 64 --bytes 200M --seed 1 $logs
        : >$logs/.complete
    fi
fi

status=0
begin=$(date +%s%N)
build/release/hocket robots -- "$logs" >build/run/robots.txt || status=$?
end=$(date +%s%N)
{
    echo "command: build/release/hocket robots -- $logs"
    echo "exit status: $status"
    echo "input: $(du -shL "$logs" | cut -f1) on disk," \
        "$(find -L "$logs" -type f ! -name '.*' | wc -l) files"
    echo "seconds: $(awk -v ns=$((end - begin)) 'BEGIN { printf "%.3f", ns / 1e9 }')"
    echo "hosts: $(wc -l <build/run/robots.txt)"
} >build/run/timing.txt
cat build/run/timing.txt
echo "result: build/run/robots.txt"
echo "timing: build/run/timing.txt"
exit $status
