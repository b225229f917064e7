#!/usr/bin/env bash
# The same policy gives the same bytes: in two directories, as two users, with other names, times,
# locales and environments.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
"$MARCH_BIN/marchctl" key generate -o "$work/key" >/dev/null
mkdir -p "$work/a" "$work/b/deep er/place"
cp -r examples/quickstart "$work/a/policy"
cp -r examples/quickstart "$work/b/deep er/place/renamed"
touch -d '2001-02-03' "$work/b/deep er/place/renamed/"*
chmod 644 "$work/key"

(cd "$work/a" && env -i PATH=/usr/bin:/bin HOME=/root USER=alice TZ=UTC \
  "$MARCH_BIN/marchctl" compile policy --serial 7 --key "$work/key" -o "$work/one.march")
second=("$MARCH_BIN/marchctl" compile "$work/b/deep er/place/renamed" --serial 7 --key "$work/key" -o "$work/out/two.march")
mkdir "$work/out"
if [[ $(id -u) == 0 ]]; then
  chown nobody "$work/out"
  setpriv --reuid=65534 --regid=65534 --clear-groups \
    env -i PATH=/usr/bin:/bin HOME=/nonexistent USER=bob TZ=Asia/Tokyo LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1 "${second[@]}"
else
  env -i HOME=/nonexistent USER=bob TZ=Asia/Tokyo "${second[@]}"
fi
cmp "$work/one.march" "$work/out/two.march"
echo "ok: $(sha256sum <"$work/one.march" | cut -c1-16) twice"
