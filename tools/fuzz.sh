#!/bin/sh
# Runs every fuzz target of a libFuzzer build for SECONDS each, starting from the corpus in src/ and
# from what earlier runs found (BUILD/corpus/).
#
#   tools/fuzz.sh BUILD SECONDS [NAME...]
set -u
build=$1
seconds=$2
shift 2
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
passed=0 failed=0
mkdir -p "$build/crashes"
for target in $(find "$build/src" -maxdepth 3 -name '*_fuzz' -type f -perm -u+x | sort); do
    name=$(basename "$target" _fuzz)
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    # protocol_imap_parse -> src/protocol/imap/parse_corpus
    seeds=''
    for dir in $(find src -type d -name '*_corpus'); do
        flat=$(echo "${dir#src/}" | tr / _)
        [ "$flat" != "${name}_corpus" ] || seeds=$dir
    done
    mkdir -p "$build/corpus/$name"
    printf '%s (%s s, seeds %s): ' "$name" "$seconds" "${seeds:-none}"
    # shellcheck disable=SC2086
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" $seeds \
        >"$build/crashes/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok, $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/crashes/$name.log") runs"
    else
        failed=$((failed + 1))
        echo "FAILED"
        tail -n 40 "$build/crashes/$name.log"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
