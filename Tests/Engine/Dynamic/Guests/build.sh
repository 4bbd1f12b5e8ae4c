#!/usr/bin/env bash
# Builds the guests. Debian: apt-get install clang-22 lld-22 wasi-libc libclang-rt-22-dev-wasm32
# The results are in the repository, so that nobody who runs the tests needs a compiler.
set -euo pipefail
cd "$(dirname "$0")"
objects=$(mktemp -d); trap 'rm -rf "$objects"' EXIT
libc=/usr/lib/wasm32-wasi builtins=/usr/lib/llvm-22/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a
compile() { clang-22 --target=wasm32-wasip1 -fPIC -fvisibility=default -O1 -Wall -isystem /usr/include/wasm32-wasi -c "$@"; }
link() { wasm-ld-22 --strip-debug "$@" 2> >(grep -v "not yet stable" >&2); }
program=(--unresolved-symbols=import-dynamic --export-table --growable-table --export=__stack_pointer)

# Libraries in C: as the driver links them; with a runtime path; what that leads to.
for name in reactor needs shared; do compile $name.c -o "$objects/$name.o"; done
link -shared $libc/crt1-reactor.o --entry _initialize "$objects/reactor.o" -o libreactor.so
mkdir -p deep
link -shared "$objects/shared.o" -o deep/libshared.so
cp deep/libshared.so libshared.so
link -shared "$objects/needs.o" libreactor.so libshared.so -rpath '$ORIGIN/deep' -o libneeds.so
rm libshared.so

# 64 bits: tables have indices of 64 bits, too.
for name in wide libwide; do
  clang-22 --target=wasm64-unknown-unknown -fPIC -fvisibility=default -O1 -fno-builtin -Wall -c $name.c -o "$objects/$name.o"
done
link -mwasm64 -shared --unresolved-symbols=import-dynamic "$objects/libwide.o" -o libwide.so
link -mwasm64 --no-entry "${program[@]}" --export=base "$objects/wide.o" -o wide.wasm

# Threads.
for name in threads libthreads; do
  clang-22 --target=wasm32-unknown-unknown -pthread -matomics -mbulk-memory -fPIC -fvisibility=default -O1 -fno-builtin -Wall -c $name.c -o "$objects/$name.o"
done
tls=(--shared-memory --export-if-defined=__wasm_init_tls --export-if-defined=__tls_size --export-if-defined=__tls_align --export-if-defined=__tls_base)
link -shared --unresolved-symbols=import-dynamic "${tls[@]}" "$objects/libthreads.o" -o libthreads.so
link --no-entry --import-memory --max-memory=16777216 "${tls[@]}" "${program[@]}" --export=shared --export=work "$objects/threads.o" -o threads.wasm

# C++ with exceptions. Debian has LLVM's C++ runtime for WASI without exceptions alone; its sources are in the package emscripten
# (apt-get download emscripten), which needs telling that this is not emscripten's libc.
if [ $# -lt 1 ]; then
  echo "C++ is left as it is: the first argument must be a directory with the extracted package emscripten."
  exit
fi
sources=$1/usr/share/emscripten/system/lib
cp -r "$sources/libunwind" "$objects/unwind"
sed -i 's/#  error "Unsupported architecture."/#define _LIBUNWIND_CONTEXT_SIZE 16\n#define _LIBUNWIND_CURSOR_SIZE 16\n#define _LIBUNWIND_HIGHEST_DWARF_REGISTER 0/' \
  "$objects/unwind/include/__libunwind_config.h"
sed -i 's/__declspec(dllexport)/__attribute__((visibility("default")))/' "$objects/unwind/src/config.h"
touch "$objects/emscripten.h"
runtime=(-fwasm-exceptions -O2 -w -nostdinc++ -isystem "$sources/libcxx/include" -I"$sources/libcxxabi/include" -I"$sources/libcxxabi/src"
  -I"$objects/unwind/include" -I"$objects" -D__EMSCRIPTEN__ -D__USING_WASM_EXCEPTIONS__ -D_LIBCPP_HAS_NO_THREADS -D_LIBCXXABI_HAS_NO_THREADS
  -D_LIBUNWIND_HAS_NO_THREADS -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY -D_LIBUNWIND_IS_NATIVE_ONLY -DLIBCXXABI_NON_DEMANGLING_TERMINATE -DNDEBUG)
runtime_objects=()
for name in cxa_exception cxa_exception_storage cxa_personality cxa_handlers cxa_default_handlers fallback_malloc private_typeinfo \
  stdlib_typeinfo stdlib_exception cxa_virtual abort_message stdlib_new_delete cxa_guard; do
  compile -x c++ -std=c++20 "${runtime[@]}" "$sources/libcxxabi/src/$name.cpp" -o "$objects/$name.o"
  runtime_objects+=("$objects/$name.o")
done
compile "${runtime[@]}" "$objects/unwind/src/Unwind-wasm.c" -o "$objects/unwind.o"
clang-22 --target=wasm32-wasip1 -mexception-handling -c tag.s -o "$objects/tag.o"
# The program and one library with the legacy form of exceptions, the other library with that of Wasm 3.0.
for name in throws thrower; do compile -fwasm-exceptions -nostdinc++ $name.cpp -o "$objects/$name.o"; done
compile -fwasm-exceptions -mllvm -wasm-use-legacy-eh=false -nostdinc++ catcher.cpp -o "$objects/catcher.o"
for name in thrower catcher; do link -shared --unresolved-symbols=import-dynamic "$objects/$name.o" -o lib$name.so; done
link $libc/crt1.o "$objects/throws.o" "${runtime_objects[@]}" "$objects/unwind.o" "$objects/tag.o" -L$libc -lc $builtins \
  "${program[@]}" --export-dynamic --strip-all --export=malloc --export=free -o throws.wasm
