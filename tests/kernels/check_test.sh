#!/usr/bin/env bash
# march-kernel-check finds what is wrong with a case: what the program returns, which slot counts,
# how much is verified, a line that is no frame, a program that does not load, a case that is not
# whole.
#
#   check_test.sh PROGRAMS CASES
set -euo pipefail
check=$1/march-kernel-check
good=$2/frames/headers

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checked=0

# finds TEXT: a case without fault is checked beside the one that the caller made, and holds.
finds() {
  local text=$1 code=0
  cp "$good.march" "$work/cases/whole.march"
  cp "$good.frames" "$work/cases/whole.frames"
  "$check" "$work/cases" >"$work/out" 2>&1 || code=$?
  if ((code == 77)); then
    cat "$work/out" >&2
    exit 77
  fi
  if ((code != 1)) || ! grep -q "^ok whole " "$work/out" || ! grep -qx "sum 2 1" "$work/out" ||
    ! grep -q "^failed wrong .*$text" "$work/out"; then
    echo "FAILED: not found: $text"
    cat "$work/out"
    exit 1
  fi
  verified=$(awk '$2 == "whole" { print $3 }' "$work/out")
  checked=$((checked + 1))
  rm -r "$work/cases"
}

# wrong SED_SCRIPT: the good case, its frames changed.
wrong() {
  mkdir "$work/cases"
  cp "$good.march" "$work/cases/wrong.march"
  sed "$1" "$good.frames" >"$work/cases/wrong.frames"
}

wrong '1s/^pass/drop/'
finds 'frame 1: the program returned 2 instead of drop'
wrong '2s/^drop/pass/'
finds 'frame 2: the program returned 1 instead of pass'
wrong '1s/^pass [0-9]*/pass 16/'
finds 'slot 16 counted .* packets of .* bytes instead of'
wrong '1s/^pass [0-9]*/pass -/'
finds 'slot [0-9]* counted .* packets of .* bytes instead of'
wrong '1s/^pass [0-9]*/pass 70000/'
finds 'frame 1: there is no slot 70000'
wrong '3s/^[a-z]*/permit/'
finds 'wrong.frames:3: not a frame'
wrong '3s/.$//'
finds 'wrong.frames:3: not a frame'
wrong ''
rm "$work/cases/wrong.frames"
finds 'cannot read'
wrong ''
head -c 5000 "$good.march" >"$work/cases/wrong.march"
finds 'error.M0601'
wrong ''
sed 's/\x7fELF/\x7fFLE/' "$good.march" >"$work/cases/wrong.march"
finds 'the BPF object cannot be read'
wrong ''
echo many >"$work/cases/wrong.estimate"
finds 'wrong.estimate: not a number'
# Linux before 5.16 does not say how much it verified.
if ((verified > 0)); then
  wrong ''
  echo $((verified - 1)) >"$work/cases/wrong.estimate"
  finds "$verified instructions were verified, by estimate $((verified - 1)) at most"
fi
echo "ok: $checked faults found"
