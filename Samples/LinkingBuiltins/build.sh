#!/usr/bin/env bash
# Builds the program. Debian: apt-get install clang-16 lld-16 wasi-libc libclang-rt-16-dev-wasm32
# The result is in the repository, so that nobody who runs it needs a C compiler. The table is exported and can grow, because
# compiled functions are put into it.
set -euo pipefail
cd "$(dirname "$0")"
clang-16 --target=wasm32-wasi -O2 -Wall main.c -o main.wasm -Wl,--strip-debug -Wl,--export-table -Wl,--growable-table
