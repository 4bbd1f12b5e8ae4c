#!/usr/bin/env bash
# Builds the same C++ as build.sh with the exceptions of Emscripten's JavaScript (-fexceptions), and a program alone; writes what the latter prints
# natively. Debian: apt-get install clang-22 lld-22 wasi-libc libc++-22-dev-wasm32 libc++abi-22-dev-wasm32 libclang-rt-22-dev-wasm32
set -euo pipefail
cd "$(dirname "$0")"
objects=$(mktemp -d); trap 'rm -rf "$objects"' EXIT
libc=/usr/lib/wasm32-wasi libcxx=/usr/lib/llvm-22
compile() {
  clang++-22 --target=wasm32-wasip1 -fvisibility=default -O1 -Wall -nostdinc++ -isystem $libcxx/include/wasm32-wasi/c++/v1 \
    -isystem $libcxx/include/c++/v1 -isystem /usr/include/wasm32-wasi -c "$@"
}
link() { wasm-ld-22 --strip-debug "$@" 2> >(grep -v "not yet stable" >&2); }
thrown=(-fexceptions -mllvm -enable-emscripten-cxx-exceptions)
compile javascript/runtime.cpp -o "$objects/runtime.o"
clang-22 --target=wasm32-wasip1 -c javascript/stack.s -o "$objects/stack.o"
# Without what stands there for programs that have no exceptions.
cp $libc/libc++abi.a "$objects" && ar d "$objects/libc++abi.a" cxa_noexception.cpp.o
for name in throws thrower catcher; do compile "${thrown[@]}" -fPIC $name.cpp -o "$objects/$name.o"; done
# A program alone: what nobody defines is imported, its addresses too.
compile "${thrown[@]}" javascript/handlers.cpp -o "$objects/handlers.o"
for name in thrower catcher; do link -shared --unresolved-symbols=import-dynamic "$objects/$name.o" -o javascript/lib$name.so; done
program=("$objects/runtime.o" "$objects/stack.o" "$objects/libc++abi.a" -L$libc -lc $libcxx/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a
  --export-table --growable-table --export=__stack_pointer --export=stackSave --export=stackRestore --export=setThrew
  --export=__cxa_can_catch --export=__cxa_increment_exception_refcount --export=__cxa_decrement_exception_refcount --export=__cxa_get_exception_ptr)
link $libc/crt1.o "$objects/throws.o" "${program[@]}" --unresolved-symbols=import-dynamic --export-dynamic --strip-all --export=malloc --export=free -o javascript/throws.wasm
link $libc/crt1.o "$objects/handlers.o" "${program[@]}" --allow-undefined --strip-all -o javascript/handlers.wasm
${CXX:-g++} -O1 javascript/handlers.cpp -o "$objects/handlers"
"$objects/handlers" >../Golden/handlers.txt 2>/dev/null || true
