#!/usr/bin/env bash
# Builds the program. Debian: apt-get install clang-16 lld-16
# The result is in the repository, so that nobody who runs it needs a C compiler. Memory and table are those of jit.wat.
set -euo pipefail
cd "$(dirname "$0")"
clang-16 --target=wasm32 -O2 -Wall -nostdlib calculator.c -o calculator.wasm \
  -Wl,--no-entry -Wl,--strip-debug -Wl,--import-memory -Wl,--import-table -Wl,--growable-table
