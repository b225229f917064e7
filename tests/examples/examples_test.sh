#!/usr/bin/env bash
# Every example is valid, is laid out canonically, has nothing for lint to complain about, has tests
# that decide every mapping and notice nine changes in ten, and compiles.
set -euo pipefail
marchctl=$MARCH_BIN/marchctl

examples=0
for example in examples/*/; do
  name=$(basename "$example")
  echo "$name"
  "$marchctl" validate "$example"
  "$marchctl" lint "$example"
  "$marchctl" fmt --check "$example"
  "$marchctl" test "$example" --min-coverage 100 --min-mutation 90
  "$marchctl" compile "$example" --until object --dump >/dev/null
  examples=$((examples + 1))
done
((examples >= 6)) || { echo "FAILED: only $examples examples"; exit 1; }
echo "ok: $examples examples"
