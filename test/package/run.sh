#!/bin/sh
# SPDX-License-Identifier: MIT
# Hocket as its users meet it: built plainly and offline, installed, found by pkg-config and by
# CMake, taken in as source, linked statically.  Last line `N passed, N failed`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/build/package
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 2
passed=0
failed=0

# try NAME: runs the function test_NAME in a subshell that ends at the first error.
try() {
    (
        set -eu
        "test_$1"
    ) >"$1.log" 2>&1
    # Outside of any condition, or -e would be off inside.
    # shellcheck disable=SC2181
    if [ $? -eq 0 ]; then
        echo "ok      package: $1"
        passed=$((passed + 1))
    else
        echo "FAILED  package: $1"
        tail -n 40 "$1.log" | sed 's/^/        /'
        failed=$((failed + 1))
    fi
}

# none_of PATTERN-OPTIONS [file]: fails, showing them, when there are such lines.
none_of() {
    if grep "$@"; then
        echo "(none of these should be)"
        return 1
    fi
}

# Without network, Check, zlib or any other library: pkg-config finds nothing here.
test_plain_offline_build() {
    PKG_CONFIG_LIBDIR=/nonexistent PKG_CONFIG_PATH='' http_proxy=http://127.0.0.1:9 \
        https_proxy=http://127.0.0.1:9 cmake -B plain -S "$top"
    cmake --build plain -j 2
    test -f plain/libhocket.a
    test -f plain/libhocket.so.0
    find plain -name '*hocket_test*' | none_of .
    if [ -x plain/hocket ]; then
        plain/hocket --version
    fi
}

test_elsewhere_stops_with_one_line() {
    if cmake -B elsewhere -S "$top" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=riscv64 \
        -DCMAKE_C_COMPILER=cc >elsewhere.out 2>&1; then
        return 1
    fi
    grep -q "Hocket needs Linux on x86-64 or aarch64" elsewhere.out
}

test_install() {
    cmake --install plain --prefix "$work/prefix"
    test -f prefix/include/hocket.h
    find prefix -name hocket.pc | grep -q .
    find prefix -name hocket-config.cmake | grep -q .
}

# The installed tree must work from anywhere.
test_move() {
    mv prefix moved
}

test_pkg_config() {
    PKG_CONFIG_PATH=$(dirname "$(find "$PWD/moved" -name hocket.pc)")
    export PKG_CONFIG_PATH
    libdir=$(pkg-config --variable=libdir hocket)
    # One word a flag.
    # shellcheck disable=SC2046
    cc -std=c11 "$here/consumer/main.c" -o by_pkg_config $(pkg-config --cflags --libs hocket)
    LD_LIBRARY_PATH=$libdir ./by_pkg_config
    LD_LIBRARY_PATH=$libdir ldd ./by_pkg_config | grep 'libhocket.so.0 => .*/moved/'
    test "$(pkg-config --modversion hocket)" = "$(LD_LIBRARY_PATH=$libdir ./by_pkg_config version)"
    # And as an archive.
    # shellcheck disable=SC2046
    cc -std=c11 "$here/consumer/main.c" -o by_pkg_config_static -Wl,-Bstatic \
        $(pkg-config --cflags --static --libs hocket) -Wl,-Bdynamic
    ./by_pkg_config_static
    ldd ./by_pkg_config_static | none_of libhocket
}

test_find_package() {
    cmake -B by_cmake -S "$here/consumer" -DCMAKE_PREFIX_PATH="$PWD/moved"
    cmake --build by_cmake
    by_cmake/with_shared
    by_cmake/with_static
    readelf -d by_cmake/with_shared | grep 'NEEDED.*libhocket.so.0'
}

# The examples by themselves, as a user builds them.
test_examples() {
    cmake -B examples -S "$top/examples" -DCMAKE_PREFIX_PATH="$PWD/moved"
    cmake --build examples -j 2
    for source in "$top"/examples/*.c; do
        name=$(basename "$source" .c)
        sh "$top/examples/check.sh" "$name" "examples/$name"
    done
}

# Taken in as source: no tests, no -Werror, no install rules, nothing built that is not linked.
embedded() {
    name=$1
    shift
    cmake -B "$name" -S "$here/embed" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
        -DCMAKE_INSTALL_PREFIX="$work/$name-prefix" "$@"
    cmake --build "$name" -j 2
    "$name/app"
    none_of -e -Werror "$name/compile_commands.json"
    find "$name" -name libhocket.so.0 | none_of .
    test "$(ctest --test-dir "$name" -N | sed -n 's/^Total Tests: //p')" = 0
    cmake --build "$name" --target help | none_of -E '[a-z]_test\b|hocket_program'
    cmake --install "$name"
    find "$work/$name-prefix" -name '*hocket*' | none_of .
}

test_add_subdirectory() {
    embedded add_subdirectory -DHOCKET_SOURCE="$top"
}

test_fetch_content() {
    embedded fetch_content -DHOCKET_SOURCE="$top" -DBY_FETCH_CONTENT=ON
}

# A program that uses only locks links no scheduler.  An archive a layer, so that the linker's map
# says from which layer each object came: in libhocket.a two layers may have a file of one name.
test_locks_alone_link_no_scheduler() {
    archives=
    for objects in plain/CMakeFiles/hocket_objects.dir/src/*; do
        archive=layer_$(basename "$objects").a
        ar rcs "$archive" "$objects"/*.o
        archives="$archives $archive"
    done
    # One word an archive.
    # shellcheck disable=SC2086
    cc -std=c11 -I"$top/include" "$here/lock_only.c" -o lock_only -Wl,-Map,lock_only.map \
        -Wl,--start-group $archives -Wl,--end-group -lpthread
    ./lock_only
    grep -q '^layer_sync\.a(' lock_only.map
    none_of -E '^layer_(sched|task|queue|trace|sim)\.a\(' lock_only.map
    cc -std=c11 -I"$top/include" "$here/lock_only.c" plain/libhocket.a -lpthread -o lock_only
    ./lock_only
}

# Exported is what the headers declare, and what they declare is exported.
test_exported_symbols() {
    nm -D --defined-only plain/libhocket.so | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        sort -u >exported
    cc -E -P -I"$top/include" "$here/all_headers.c" >expanded.c
    tr -c 'A-Za-z0-9_' '\n' <expanded.c | grep '^hocket_' | sort -u >named
    comm -23 exported named | none_of .
    none_of -v '^hocket_' exported
    python3 - >declared <<'END'
import re
text = open("expanded.c").read()
for match in re.finditer(r'visibility\("default"\)[^;{]*?\b(hocket_\w+)\s*[(;\[]', text):
    print(match.group(1))
END
    sort -u declared -o declared
    comm -13 exported declared >absent
    none_of . absent
}

test_shared_object() {
    readelf -d plain/libhocket.so | grep 'SONAME.*libhocket\.so\.0'
    readelf -d plain/libhocket.so | grep 'FLAGS_1.*NODELETE'
    # No executable stack, from any assembly file.
    readelf -lW plain/libhocket.so | grep GNU_STACK | grep -v 'RWE'
    readelf -d plain/libhocket.so | none_of TEXTREL
}

for name in plain_offline_build elsewhere_stops_with_one_line install move pkg_config \
    find_package examples add_subdirectory fetch_content locks_alone_link_no_scheduler exported_symbols \
    shared_object; do
    try $name
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
