# SPDX-License-Identifier: MIT
# Short words for the usual things; all of the building is CMake's (see CMakePresets.json).
#
#   make             the library and the program, build/release
#   make run         hocket robots over LOGS=dir, or over a set made here
#   make test        the suite under gcc and clang: plain, ASan+UBSan, TSan in both ways
#   make test-other  the suite on musl, and cross-built for aarch64 under qemu-user
#   make test-quick  the suite once, gcc, debug
#   make coverage    which lines and branches the suite reaches (COVERAGE='--missing src/sync')
#   make catalogue  classic bugs and their repaired twins in the seeded world: seeds needed
#   make bench       all benches beside their peers, table in bench/results/ (BENCH='--only mutex')
#   make install     to PREFIX (/usr/local) under DESTDIR
#   make check-style format, layers, headers, documents

PREFIX ?= /usr/local
BUILT = hocket_shared hocket_static hocket_program

all:
	cmake --preset release
	cmake --build --preset release --target $(BUILT)

run:
	@scripts/install-deps.sh build gzip lines
	@scripts/run-robots.sh "$(LOGS)"

test:
	@scripts/install-deps.sh build gzip lines test model
	@scripts/run-suite.sh release release-clang asan asan-clang tsan tsan-clang tsan-nosync

test-other:
	@scripts/install-deps.sh build other
	@scripts/run-suite.sh musl aarch64

test-quick:
	@scripts/install-deps.sh build gzip lines test-quick
	@scripts/run-suite.sh dev

coverage:
	@scripts/install-deps.sh build gzip lines test coverage
	@scripts/coverage $(COVERAGE)

catalogue:
	cmake --preset release >/dev/null
	cmake --build --preset release --target sim_catalogue
	build/release/test/sim_catalogue --full

bench:
	@scripts/install-deps.sh build gzip lines bench
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target $(BUILT) hocket-genlogs
	@bench/run $(BENCH)

install: all
	cmake --install build/release --prefix "$(PREFIX)"

check-style:
	@scripts/check-all.sh

clean:
	rm -rf build

.PHONY: all run test test-other test-quick coverage bench catalogue install check-style clean
