#!/usr/bin/env bash
# Fuzzes the decoders, guided by coverage, on the stable toolchain.
#
#   scripts/fuzz.sh [--seconds N] [--minimise] [TARGET...]
#
# N seconds a target, 60 without it. --minimise afterwards keeps in the corpus the smallest set of files that reaches the same.
# A finding is kept in target/fuzz/findings; put it into the corpus, as a line of hexadecimal, with its mend, so that `make test` replays it.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60 minimise=0 targets=()
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds) seconds=$2 && shift ;;
    --minimise) minimise=1 ;;
    --*) echo "usage: $0 [--seconds N] [--minimise] [TARGET...]" >&2 && exit 2 ;;
    *) targets+=("$1") ;;
    esac
    shift
done
if [ "${#targets[@]}" = 0 ]; then
    targets=(fuzz/corpus/*.hex)
    targets=("${targets[@]##*/}")
    targets=("${targets[@]%.hex}")
fi

# unpack FILE FOLDER, pack FOLDER FILE: a corpus is one file, an input a line in hexadecimal, the shortest first.
unpack() {
    local line number=0
    rm -rf "$2" && mkdir -p "$2"
    while read -r line; do
        number=$((number + 1))
        # shellcheck disable=SC2059
        printf "$(sed 's/../\\x&/g' <<<"$line")" >"$2/$number"
    done <"$1"
}
pack() {
    local file
    for file in "$1"/*; do
        od -An -v -tx1 "$file" | tr -d ' \n'
        echo
    done | awk 'NF { print length($0), $0 }' | LC_ALL=C sort -u -k1,1n -k2 | cut -d ' ' -f 2 >"$2"
}

folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/fuzz")
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "$folder/findings" "$folder/corpus"

# Counters at every edge, and what comparisons compare: LLVM's own pass, which needs no nightly flag. With --target the flags
# are not for build scripts.
if [ -z "${WUJI_FUZZ_PROGRAM:-}" ]; then
    RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
        cargo build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$folder"
fi
program=${WUJI_FUZZ_PROGRAM:-$folder/$host/release/wuji-fuzz}

failed=0
printf '%-12s %12s %9s %9s %7s  %s\n' target executions a-second coverage corpus findings
for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target new=$folder/new/$target log=$folder/$target.log
    findings=$folder/findings/$target
    mkdir -p "$new" "$findings"
    unpack "fuzz/corpus/$target.hex" "$corpus"
    WUJI_FUZZ=$target "$program" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$findings/" "$new" "$corpus" >"$log" 2>&1 || failed=1
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    coverage=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d ' ' -f 2)
    printf '%-12s %12s %9s %9s %7s  %s\n' "$target" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
        "${coverage:-0}" "$(find "$corpus" -type f | wc -l)" "$(find "$findings" -type f | wc -l)"
    if [ "$minimise" = 1 ]; then
        rm -rf "$folder/least" && mkdir -p "$folder/least"
        WUJI_FUZZ=$target "$program" -set_cover_merge=1 -use_counters=0 -use_cmp=0 -max_len=8192 \
            "$folder/least" "$corpus" "$new" >>"$log" 2>&1
        pack "$folder/least" "fuzz/corpus/$target.hex"
    fi
done
[ "$failed" = 0 ] || echo "fuzz: something was found: see $folder/findings" >&2
exit "$failed"
