#!/usr/bin/env bash
# The completion scripts load in their shells, and bash completes as a user would see it.
set -euo pipefail
marchctl=$MARCH_BIN/marchctl

# complete WORDS...: what bash offers for the last of them.
complete_words() {
  bash --norc -c '
    source <("$0" completion bash)
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _marchctl
    printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "' "$marchctl" "$@"
}

expect() {
  local expected=$1 actual
  shift
  actual=$(complete_words "$@")
  if [[ $actual != "$expected" ]]; then
    echo "FAILED: $*: got '$actual', expected '$expected'"
    exit 1
  fi
  echo "ok: $*: $actual"
}

cd examples/quickstart
expect "validate" marchctl val
expect "explain" marchctl expl
expect "generate" marchctl key ""
expect "inspect verify" marchctl bundle ""
expect "github json junit sarif text" marchctl validate -o ""
expect "json junit" marchctl test policy --output j
expect "--min-coverage --min-mutation" marchctl test policy --min
expect "kernel model tables" marchctl replay p f --engine ""
expect "bash fish zsh" marchctl completion ""
expect "count cut list" marchctl flows ""
expect "closed closing cut established new" marchctl flows cut --state ""
expect "--report" marchctl compile policy --rep
expect "policy.yaml" marchctl validate pol

for shell in zsh fish; do
  if ! command -v "$shell" >/dev/null; then
    echo "SKIPPED: there is no $shell to check its script with" >&2
    continue
  fi
  "$marchctl" completion "$shell" | "$shell" -n /dev/stdin
  echo "ok: $shell reads its script"
done
