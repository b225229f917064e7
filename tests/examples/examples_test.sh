#!/usr/bin/env bash
# Every example is valid, has nothing for lint to complain about, has tests that decide every mapping
# and notice nine changes in ten, and compiles, unless it shows what cannot be enforced yet.
set -euo pipefail
marchctl=$MARCH_BIN/marchctl
# They may use what this version refuses to compile.
readonly AHEAD=" partner-access "

examples=0
for example in examples/*/; do
  name=$(basename "$example")
  echo "$name"
  "$marchctl" validate "$example"
  "$marchctl" lint "$example"
  "$marchctl" fmt --check "$example"
  "$marchctl" test "$example" --min-coverage 100 --min-mutation 90
  code=0
  output=$("$marchctl" compile "$example" --until tables --dump 2>&1) || code=$?
  expected=0
  [[ $AHEAD == *" $name "* ]] && expected=3
  if ((code != expected)); then
    echo "FAILED: compiling $name ended with $code, not $expected: ${output:0:2000}"
    exit 1
  fi
  if ((expected == 3)) && grep 'error\[' <<<"$output" | grep -qv 'M0214'; then
    echo "FAILED: $name is refused for another reason: $output"
    exit 1
  fi
  examples=$((examples + 1))
done
((examples >= 6)) || { echo "FAILED: only $examples examples"; exit 1; }
echo "ok: $examples examples"
