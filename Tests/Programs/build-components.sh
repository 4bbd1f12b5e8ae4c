#!/usr/bin/env bash
# Makes components of some programs, with the adapter for WASI preview 1. Needs Node.js; npm brings the tools (jco 1.35.0). What it makes is committed.
set -euo pipefail
cd "$(dirname "$0")"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
npm install --silent --prefix "$tools" @bytecodealliance/jco@1.35.0
mkdir -p Components
for program in script words json regex; do
    "$tools/node_modules/.bin/jco" new "Wasm/$program.wasm" --wasi-command -o "Components/$program.wasm"
done
