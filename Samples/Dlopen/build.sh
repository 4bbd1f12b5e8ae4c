#!/usr/bin/env bash
# Builds the program and its libraries. Debian: apt-get install clang-16 lld-16 wasi-libc libclang-rt-16-dev-wasm32
# The results are in the repository, so that nobody who runs them needs a C compiler.
set -euo pipefail
cd "$(dirname "$0")"
objects=$(mktemp -d); trap 'rm -rf "$objects"' EXIT

# Libraries: position-independent code is made for emscripten's target alone. Without -fno-builtin the compiler would call
# functions of emscripten's libc. Symbols are hidden unless it is said that they are not.
for name in libping libpong pie; do
  clang-16 --target=wasm32-unknown-emscripten -fPIC -fvisibility=default -O2 -fno-builtin -Wall -c $name.c -o "$objects/$name.o"
done
link() { wasm-ld-16 -shared --experimental-pic --strip-debug "$@"; }
# Each names the other as needed, so one is made twice.
link "$objects/libpong.o" -o libpong.so
link "$objects/libping.o" libpong.so -o libping.so
link "$objects/libpong.o" libping.so -o libpong.so

# A position-independent program, which names the libraries that it needs.
wasm-ld-16 -pie --experimental-pic --export-dynamic --strip-debug "$objects/pie.o" libping.so libpong.so -o pie.wasm

# The program: what libraries may use is exported, and so are the table, which can grow, the stack pointer, and the functions by
# which the loader gets memory and runs destructors. With crt1.o the program itself begins and ends in _start; with the usual
# crt1-command.o the linker would do that around each call of an exported function.
clang-16 --target=wasm32-wasi -fvisibility=default -O2 -Wall main.c -o main.wasm \
  -nostartfiles "$(clang-16 --target=wasm32-wasi --print-file-name=crt1.o)" \
  -Wl,--strip-debug -Wl,--export-table -Wl,--growable-table -Wl,--export-dynamic -Wl,--export=__stack_pointer \
  -Wl,--export=malloc -Wl,--export=free -Wl,--export=__cxa_atexit
