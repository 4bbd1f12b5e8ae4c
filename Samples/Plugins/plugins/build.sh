#!/usr/bin/env bash
# Makes components of bulk.c and clearance.js. Needs clang with wasm-ld, and Node.js; npm brings the tools. What it makes is committed. shipping.wat needs no tool.
set -euo pipefail
cd "$(dirname "$0")"
tools="${TOOLS:-$(mktemp -d)}"
[ -d "$tools/node_modules/componentize-qjs" ] || npm install --silent --prefix "$tools" @bytecodealliance/jco@1.35.0 componentize-qjs@0.4.5
"${CLANG:-clang-16}" -O2 -std=c11 -Wall -Wextra -mbulk-memory --target=wasm32 -nostdlib -Wl,--no-entry -Wl,-z,stack-size=16384 -Wl,--strip-debug -o "$tools/bulk.wasm" bulk.c
cp embed.mjs "$tools"
(cd "$tools" && node embed.mjs bulk.wasm "$OLDPWD/rule.wit" plugin "$OLDPWD/bulk.wasm")
"$tools/node_modules/.bin/componentize-qjs" --wit rule.wit --js clearance.js --sync --opt-size --stub-wasi -o clearance.wasm
