#!/usr/bin/env bash
# Builds the programs, and runs them natively to learn what they print. Everything it makes is committed: nothing else needs
# a C compiler. Needs clang 16 for wasm32-wasi, a C compiler and Rust with wasm32-wasi (Debian: clang-16 lld-16 wasi-libc
# libclang-rt-16-dev-wasm32 gcc rustc libstd-rust-dev-wasm32).
#
#   build.sh           builds Wasm/*.wasm and writes Expected/*.txt
#   build.sh native    the latter alone, with the time of each run
set -euo pipefail
cd "$(dirname "$0")"
CLANG="${CLANG:-clang-16}"
RUSTC="${RUSTC:-/usr/bin/rustc}"
# -ffp-contract: natively a multiplication and an addition would become one instruction, with another result.
FLAGS=(-O2 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-format -ffp-contract=off)
WASM=(--target=wasm32-wasi -Wl,-z,stack-size=1048576 -Wl,--strip-debug)
PROGRAMS=(script store numbers json regex sort files)

sources() { if [ -d "C/$1" ]; then echo C/"$1"/*.c; else echo "C/$1.c"; fi; }

if [ "${1:-}" != native ]; then
    mkdir -p Wasm
    for program in "${PROGRAMS[@]}"; do "$CLANG" "${WASM[@]}" "${FLAGS[@]}" -o "Wasm/$program.wasm" $(sources "$program") -lm; done
    "$RUSTC" -O --target wasm32-wasi -C linker=wasm-ld-16 -C strip=debuginfo -o Wasm/words.wasm Rust/words.rs
    "$CLANG" "${WASM[@]}" "${FLAGS[@]}" -mexec-model=reactor -o Wasm/reactor.wasm C/reactor.c
    "$CLANG" "${WASM[@]}" "${FLAGS[@]}" -o Wasm/standalone.wasm C/standalone.c
    "$CLANG" "${WASM[@]}" "${FLAGS[@]}" -o Wasm/full_pipe.wasm C/full_pipe.c
fi

# In memory where that is possible: programs that sync their files would measure the disk.
work="$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")"
trap 'rm -rf "$work"' EXIT
for program in "${PROGRAMS[@]}"; do "${CC:-gcc}" "${FLAGS[@]}" -Wno-maybe-uninitialized -o "$work/$program" $(sources "$program") -lm; done
"$RUSTC" -O -o "$work/words" Rust/words.rs
mkdir -p Expected "$work/run"
cp -r Scripts "$work/run/scripts"
rm -f Expected/*.txt
while IFS= read -r line; do
    [[ -z "$line" || "$line" == \#* ]] && continue
    name="${line%%:*}"
    name="${name#@}"
    command="${line#*: }"
    input=/dev/null
    if [[ "$command" == *" < "* ]]; then
        input="$work/run/${command##* < }"
        command="${command%% < *}"
    fi
    IFS=' ' read -r -a words <<<"$command"
    status=0 start="$(date +%s%N)"
    (cd "$work/run" && "$work/${words[0]}" "${words[@]:1}" <"$input" >"$work/out" 2>"$work/error") || status=$?
    printf '%-16s %6d ms\n' "$name" "$((($(date +%s%N) - start) / 1000000))"
    { cat "$work/out"; [ ! -s "$work/error" ] || { echo "--- error"; cat "$work/error"; }; echo "--- exit $status"; } >"Expected/$name.txt"
done <cases.txt
