# Every task of the project; each installs the Debian packages it needs first (packaging/deps.sh).
#
#   make build       the program, at build/bourse          make run      a demo server in demo/
#   make test        everything, under sanitizers          make bench    beside Dovecot
#   make check-fast  format, layers, unit tests            make fuzz     FUZZ_SECONDS=60 a target
#   make lint        format, clang-tidy, layers            make install  PREFIX=/usr/local DESTDIR=
#
# make test ONLY="imap faults"  runs the integration test files whose names contain one of the words.
SHELL = /bin/sh
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
PYTHON = /usr/bin/python3
COMPILER = $$(command -v ccache >/dev/null 2>&1 && echo "ccache gcc" || echo gcc)
SOURCES = $$(find src -name '*.[ch]')

.PHONY: all build run test bench fuzz lint check-fast format install clean \
	deps-build deps-run deps-test deps-bench deps-lint deps-fuzz build-plain build-asan build-tsan
all: build

deps-build deps-run deps-test deps-bench deps-lint deps-fuzz:
	@packaging/deps.sh $(@:deps-%=%)

# $(1) folder, $(2) options of meson setup. lld links the many test programs in a third of the time.
LINKER = $$(command -v ld.lld >/dev/null 2>&1 && echo CC_LD=lld)
define setup
	@test -e $(1)/build.ninja || env $(LINKER) CC="$(COMPILER)" meson setup $(1) $(2) --prefix $(PREFIX) >/dev/null || \
		{ cat $(1)/meson-logs/meson-log.txt; exit 1; }
endef

# Sanitizer builds: quick to compile, with line numbers for their reports. What sanitizers add confuses
# gcc's search for uninitialized variables; the plain build has that warning.
TEST_BUILD = -Doptimization=1 -Ddebug=false -Dc_args="-g1 -Wno-maybe-uninitialized"

build-plain:
	$(call setup,build,)
	@ninja -C build -j$(JOBS) --quiet src/main/bourse
	@ln -sfn src/main/bourse build/bourse

build-asan:
	$(call setup,build-asan,-Db_sanitize=address$(comma)undefined -Db_lundef=false $(TEST_BUILD))
	@ninja -C build-asan -j$(JOBS) --quiet

build-tsan:
	$(call setup,build-tsan,-Db_sanitize=thread -Db_lundef=false $(TEST_BUILD))
	@ninja -C build-tsan -j$(JOBS) --quiet src/main/bourse src/store_model_test
	@gcc -O1 -g -shared -fPIC -Wall -Wextra -Werror -o build-tsan/tsan_glib.so tests/harness/tsan_glib.c \
		$$(pkg-config --cflags glib-2.0) -ldl

comma := ,

build: deps-build
	@$(MAKE) --no-print-directory build-plain
	@echo "built build/bourse"

run: deps-run
	@$(MAKE) --no-print-directory build-plain
	@tools/demo.sh demo

test: deps-test
	@$(MAKE) --no-print-directory build-plain build-asan build-tsan
	@$(PYTHON) tests/run.py $(ONLY)

bench: deps-bench
	@$(MAKE) --no-print-directory build-plain
	@$(PYTHON) tests/bench/bench.py $(BENCH)

fuzz: deps-fuzz
	@test -e build-fuzz/build.ninja || CC=clang meson setup build-fuzz -Dfuzz=true \
		-Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
	@ninja -C build-fuzz -j$(JOBS) --quiet
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS)

check-fast: deps-lint
	@clang-format --dry-run -Werror $(SOURCES)
	@$(PYTHON) tools/layers.py
	$(call setup,build,)
	@ninja -C build -j$(JOBS) --quiet
	@meson test -C build --no-rebuild --suite unit --quiet --print-errorlogs

# fuzz_replay.c is compiled with every fuzz target; clang-tidy would read it as often.
lint: deps-lint
	@clang-format --dry-run -Werror $(SOURCES)
	@$(PYTHON) tools/layers.py
	$(call setup,build,)
	@ninja -C build -j$(JOBS) --quiet
	@find src -name '*.c' ! -name fuzz_replay.c | sort | xargs -P $(JOBS) -n 4 clang-tidy -p build --quiet --warnings-as-errors='*'

format:
	@clang-format -i $(SOURCES)

install: deps-build
	$(call setup,build,)
	@ninja -C build -j$(JOBS) --quiet src/main/bourse
	@meson install -C build --no-rebuild --quiet

clean:
	rm -rf build build-asan build-tsan build-fuzz
