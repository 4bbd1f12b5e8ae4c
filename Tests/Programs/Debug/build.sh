#!/usr/bin/env bash
# Builds the modules with debugging information, in both versions of DWARF that the tests read. What it makes is committed.
# Needs clang 16 with its linker for wasm, and Rust with wasm32-wasi (see ../build.sh).
set -euo pipefail
cd "$(dirname "$0")"
CLANG="${CLANG:-clang-16}"
FLAGS=(--target=wasm32 -nostdlib -Wl,--no-entry -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=.)
for version in 4 5; do
    "$CLANG" "${FLAGS[@]}" -O1 "-gdwarf-$version" -o "faults-dwarf$version.wasm" faults.c
done
"$CLANG" "${FLAGS[@]}" -O1 -gdwarf-4 -fno-exceptions -Wl,--no-demangle -o names.wasm names.cpp
