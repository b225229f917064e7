#!/usr/bin/env bash
# marchd carries no compiler and no YAML library of the compiler's; marchctl compiles on a host that
# has no compiler, no headers and no files but its own libraries.
set -euo pipefail
[[ $(id -u) == 0 ]] || { echo "SKIPPED: chroot needs root" >&2; exit 77; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

if ldd "$MARCH_BIN/marchd" | grep -iE 'clang|llvm|yaml-cpp'; then
  echo "FAILED: marchd links what it must not"
  exit 1
fi
# Statically linked parts would not show in ldd.
if nm -C "$MARCH_BIN/marchd" 2>/dev/null | grep -qE ' (clang|llvm|YAML)::'; then
  echo "FAILED: marchd holds clang, LLVM or yaml-cpp"
  exit 1
fi
echo "ok: marchd links neither clang, LLVM nor yaml-cpp"

mkdir -p "$root/bin" "$root/policy" "$root/out"
cp "$MARCH_BIN/marchctl" "$root/bin/"
ldd "$MARCH_BIN/marchctl" | grep -oE '/[^ ]+' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp "$library" "$root$library"
done
cp examples/quickstart/*.yaml "$root/policy/"
[[ ! -e $root/usr/include && ! -e $root/bin/sh ]]
chroot "$root" /bin/marchctl key generate -o /out/key >/dev/null
chroot "$root" /bin/marchctl compile /policy --key /out/key -o /out/bare.march
chroot "$root" /bin/marchctl bundle verify /out/bare.march --key /out/key.pub
"$MARCH_BIN/marchctl" compile examples/quickstart --key "$root/out/key" -o "$root/out/here.march"
cmp "$root/out/bare.march" "$root/out/here.march"
echo "ok: the bundle of the bare host is the bundle of this one"
