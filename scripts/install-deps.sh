#!/bin/sh
# SPDX-License-Identifier: MIT
# Says what is missing for the named groups and installs it by apt-get; silent when all is there.
#
#   usage: scripts/install-deps.sh [-n] group...      -n: only say, exit 1 when something is missing
#
# A need is written PROBE=PACKAGE, the probe being cmd:NAME, pc:MODULE or file:PATTERN.
set -eu

needs_of() {
    case $1 in
    build) echo cmd:cmake=cmake cmd:ninja=ninja-build cmd:cc=gcc cmd:pkg-config=pkg-config \
        cmd:make=make file:/usr/include/stdio.h=libc6-dev ;;
    gzip) echo pc:zlib=zlib1g-dev pc:libisal=libisal-dev pc:libdeflate=libdeflate-dev ;;
    lines) echo pc:libdw=libdw-dev ;;
    test-quick) echo pc:check=check cmd:g++=g++ ;;
    test) echo pc:check=check cmd:gdb=gdb cmd:gcc=gcc cmd:g++=g++ cmd:clang=clang cmd:ccache=ccache \
        'file:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.tsan-*.a=libclang-rt-dev' ;;
    style) echo cmd:clang-format=clang-format cmd:shellcheck=shellcheck cmd:python3=python3 \
        cmd:git=git cmd:g++=g++ cmd:clang=clang cmd:mandoc=mandoc ;;
    browser) echo cmd:chromium-headless-shell=chromium-headless-shell cmd:python3=python3 ;;
    model) echo cmd:spin=spin cmd:gcc=gcc ;;
    tidy) echo cmd:clang-tidy=clang-tidy ;;
    coverage) echo cmd:llvm-cov=llvm cmd:clang=clang cmd:python3=python3 \
        'file:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.profile-*.a=libclang-rt-dev' ;;
    abi) echo cmd:abidw=abigail-tools cmd:nm=binutils ;;
    other) echo cmd:ccache=ccache cmd:musl-gcc=musl-tools \
        cmd:aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu \
        file:/usr/aarch64-linux-gnu/include/stdio.h=libc6-dev-arm64-cross \
        cmd:qemu-aarch64-static=qemu-user-static ;;
    bench) [ ! -f bench/packages ] || grep -v '^#' bench/packages ;;
    *)
        echo "install-deps: no group '$1'" >&2
        exit 2
        ;;
    esac
}

is_there() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    file:*)
        # The pattern is meant to expand here.
        # shellcheck disable=SC2086
        set -- ${1#file:}
        [ -e "$1" ]
        ;;
    *)
        echo "install-deps: no probe '$1'" >&2
        exit 2
        ;;
    esac
}

cd "$(dirname "$0")/.."
only_say=false
if [ "${1-}" = -n ]; then
    only_say=true
    shift
fi

missing=
set -f
for group in "$@"; do
    for need in $(needs_of "$group"); do
        package=${need#*=}
        set +f
        if ! is_there "${need%%=*}"; then
            case " $missing " in
            *" $package "*) ;;
            *) missing="$missing $package" ;;
            esac
        fi
        set -f
    done
done
set +f

[ -n "$missing" ] || exit 0
echo "missing here:$missing"
if $only_say; then
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt-get on this machine: please install these by its own package manager." >&2
    exit 1
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Neither root nor sudo: please run  apt-get install$missing  as root." >&2
        exit 1
    fi
fi
apt_get() {
    # Empty when already root.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"
}
install_missing() {
    # One word a package.
    # shellcheck disable=SC2086
    apt_get install --no-install-recommends $missing
}
echo "installing:$missing (apt-get)"
install_missing >/dev/null 2>&1 || { apt_get update >/dev/null && install_missing; } || {
    echo "apt-get could not install:$missing" >&2
    exit 1
}
