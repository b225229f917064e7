#!/usr/bin/env bash
# marchctl replay: model, tables and kernel give identical answers, to the byte.
#
# MARCH_REPLAY_POLICIES (default 200) random policies of MARCH_REPLAY_FLOWS (default 5000) flows each.
set -euo pipefail
[[ $(id -u) == 0 ]] || { echo "SKIPPED: the kernel engine needs root" >&2; exit 77; }
policies=${MARCH_REPLAY_POLICIES:-200}
flows=${MARCH_REPLAY_FLOWS:-5000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

total=0
for seed in $(seq "$policies"); do
  # Small policies, where everything overlaps, and every tenth a large one.
  mappings=$((seed % 10 == 0 ? 400 : seed % 40 + 1))
  "$MARCH_BIN/march-generate" "$seed" "$mappings" "$flows" "$work" 2>/dev/null
  for engine in model tables kernel; do
    "$MARCH_BIN/marchctl" replay "$work/policy.yaml" "$work/flows.csv" --engine "$engine" \
      >"$work/$engine" 2>"$work/err" || { cat "$work/err"; echo "FAILED: seed $seed, $engine"; exit 1; }
  done
  cmp "$work/model" "$work/tables" || { echo "FAILED: seed $seed: model and tables differ"; exit 1; }
  cmp "$work/tables" "$work/kernel" || { echo "FAILED: seed $seed: tables and kernel differ"; exit 1; }
  cat "$work/kernel" >>"$work/all"
  total=$((total + $(wc -l <"$work/kernel")))
done
[[ $total == $((policies * flows)) ]] || { echo "FAILED: $total answers"; exit 1; }
echo "ok: $total flows over $policies policies, three engines identical"
awk -F, '{ kind = $1 ($2 == "-" ? " by default" : " by a mapping"); n[kind]++ }
  END { for (k in n) print "  " n[k], k }' "$work/all"
