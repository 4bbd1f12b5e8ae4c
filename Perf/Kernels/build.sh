#!/usr/bin/env bash
# Builds the kernels' .wasm files, which are committed beside the sources: nothing else needs a C compiler.
# Kernels written as text (.wat) go through this project's own tool.
# Needs clang 16 with its wasm32 linker (Debian: clang-16 lld-16; for the SIMD header libclang-common-16-dev).
#
#   build.sh                 builds all .wasm
#   build.sh check NAME N    builds a kernel for this machine and prints its checksum (the SIMD ones have no native form)
set -euo pipefail
cd "$(dirname "$0")"
CLANG="${CLANG:-clang-16}"
FLAGS=(-O2 -std=c11 -Wall -Wextra -Wno-unused-parameter -ffreestanding -ffp-contract=off -fno-strict-aliasing)

if [ "${1:-}" = check ]; then
    program="$(mktemp)"
    trap 'rm -f "$program"' EXIT
    "${CC:-cc}" "${FLAGS[@]}" -o "$program" "$2.c" check.c -lm
    "$program" "$3"
    exit
fi

for source in *.c; do
    [ "$source" = check.c ] && continue
    name="${source%.c}"
    simd=()
    [[ "$name" == simd_* ]] && simd=(-msimd128)
    "$CLANG" --target=wasm32 -nostdlib "${FLAGS[@]}" -mbulk-memory -msign-ext -mnontrapping-fptoint "${simd[@]}" \
        -Wl,--no-entry -Wl,-z,stack-size=65536 -o "$name.wasm" "$source"
done

for source in *.wat; do
    dotnet run -c Release --project ../../Cli -- wat2wasm "$source" -o "${source%.wat}.wasm"
done
