#!/usr/bin/env bash
# Makes components of some programs, with the adapter for WASI preview 1. Needs what build.sh needs, and Node.js; npm brings the tools (jco 1.35.0). What it
# makes is committed.
set -euo pipefail
cd "$(dirname "$0")"
CLANG="${CLANG:-clang-16}"
FLAGS=(-O2 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-format -ffp-contract=off --target=wasm32-wasi -Wl,-z,stack-size=1048576 -Wl,--strip-debug)
tools="${TOOLS:-$(mktemp -d)}"
[ -x "$tools/node_modules/.bin/jco" ] || npm install --silent --prefix "$tools" @bytecodealliance/jco@1.35.0
mkdir -p Components

adapt() { "$tools/node_modules/.bin/jco" new "$1" --wasi-command -o "Components/$2.wasm"; }

sources() { if [ -d "C/$1" ]; then echo C/"$1"/*.c; else echo "C/$1.c"; fi; }

for program in script json regex files; do
    "$CLANG" "${FLAGS[@]}" -o "$tools/$program.wasm" $(sources "$program") C/component/cabi.c -lm
    adapt "$tools/$program.wasm" "$program"
done
adapt Wasm/words.wasm words

# A server: a module without a library, and the interfaces that it uses.
wit=../Engine/Wasi/Preview2/Wit
"$CLANG" -O2 -std=c11 -Wall -Wextra -mbulk-memory --target=wasm32 -nostdlib -Wl,--no-entry -Wl,-z,stack-size=16384 -Wl,--strip-debug -o "$tools/server.wasm" C/http/server.c
here=$PWD
(cd "$tools" && node "$here/C/component/embed.mjs" server.wasm server "$here/Components/server.wasm" "$here"/C/http/wit/{world,handler}.wit "$here/$wit"/{io,clocks,http}.wit)

# build-components.sh javascript: a component of JavaScript, too, for the test that is skipped without it.
if [ "${1:-}" = javascript ]; then
    npm install --silent --prefix "$tools" @bytecodealliance/componentize-js
    cp JavaScript/* "$tools"
    (cd "$tools" && node build.mjs plugin.wasm)
    cp "$tools/plugin.wasm" Components/plugin.wasm
fi
