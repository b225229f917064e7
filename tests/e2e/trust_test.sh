#!/usr/bin/env bash
# Bundles that must not be believed: each is refused with exit code 5, and the old policy stays.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
write_policy "$WORK/one.yaml" allow deny 0
write_policy "$WORK/two.yaml" deny allow 3
start_marchd
target=unix:$WORK/control.sock
"$MARCHCTL" compile "$WORK/one.yaml" --serial 5 --key "$WORK/key" -o "$WORK/good.march"
"$MARCHCTL" apply "$WORK/good.march" --target "$target" >/dev/null
"$MARCHCTL" compile "$WORK/two.yaml" --serial 6 --key "$WORK/key" -o "$WORK/next.march"
"$MARCHCTL" key generate -o "$WORK/stranger" >/dev/null

identity() {
  control http://march/v1/status | python3 -c '
import json, sys
s = json.load(sys.stdin)
print(s["enforcement"], s["generation"], s["serial"], s["highest_serial"], s["policy_digest"])'
  in_gateway ip -j link show g0 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["xdp"]["prog"]["id"])'
}
before=$(identity)

# refused NAME CODE: the gateway and `bundle verify` both refuse NAME.march, for that reason.
refused() {
  local name=$1 code=$2 exit_code=0
  "$MARCHCTL" apply "$WORK/$name.march" --target "$target" 2>"$WORK/err" || exit_code=$?
  expect "$name: exit code of apply" "$exit_code" 5
  grep -q "error\[$code\]" "$WORK/err" || fail "$name: no $code in: $(cat "$WORK/err")"
  expect "$name: what the gateway enforces" "$(identity)" "$before"
}
verify_refuses() {
  local exit_code=0
  "$MARCHCTL" bundle verify "$WORK/$1.march" --key "$WORK/key.pub" >/dev/null 2>&1 || exit_code=$?
  expect "$1: exit code of verify" "$exit_code" 5
}

"$MARCHCTL" compile "$WORK/two.yaml" --serial 6 -o "$WORK/unsigned.march" 2>/dev/null
"$MARCHCTL" compile "$WORK/two.yaml" --serial 6 --key "$WORK/stranger" -o "$WORK/wrongly-signed.march"
"$MARCHCTL" compile "$WORK/two.yaml" --serial 4 --key "$WORK/key" -o "$WORK/old-serial.march"
python3 - "$WORK" <<'PYTHON'
import random, sys
work = sys.argv[1]
good = open(work + "/next.march", "rb").read()
def write(name, data):
    open(f"{work}/{name}.march", "wb").write(data)
def flip(at):
    data = bytearray(good)
    data[at] ^= 1
    return bytes(data)
write("tampered-object", flip(good.index(b"\x7fELF") + 4000))
write("tampered-policy", flip(good.index(b"apiVersion")))
write("tampered-manifest", flip(good.index(b'"serial"') + 10))
write("tampered-signature", flip(good.index(b"signatures/") + 512))
write("truncated-half", good[: len(good) // 2])
write("truncated-end", good[:-512])
write("trailing", good + bytes(512))
write("empty", b"")
write("noise", random.Random(7).randbytes(20000))
PYTHON

refused unsigned M0602
refused wrongly-signed M0603
refused tampered-object M0605
refused tampered-policy M0605
refused tampered-manifest M0604
refused tampered-signature M0604
refused truncated-half M0601
refused truncated-end M0601
refused trailing M0601
refused empty M0601
refused noise M0601
refused old-serial M0607
for name in unsigned wrongly-signed tampered-object tampered-policy tampered-manifest \
  tampered-signature truncated-half truncated-end trailing empty noise; do
  verify_refuses "$name"
done

# What does not compile is told with its place, and never reaches the gateway.
printf 'apiVersion: march/v1\nkind: Policy\nmappings: }\n' >"$WORK/broken.yaml"
exit_code=0
"$MARCHCTL" apply "$WORK/broken.yaml" --target "$target" --key "$WORK/key" 2>"$WORK/err" || exit_code=$?
expect "broken: exit code of apply" "$exit_code" 3
expect "broken: what it says" "$(head -n 1 "$WORK/err")" \
  "$WORK/broken.yaml:3:11: error[M0101]: this bracket closes nothing"
expect "broken: what the gateway enforces" "$(identity)" "$before"

# What is right still works, and a restart does not forget the highest serial.
"$MARCHCTL" apply "$WORK/next.march" --target "$target" >/dev/null || fail "the good bundle was refused"
kill_marchd
start_marchd
before=$(identity)
refused good M0607

# A warning is told with its place too, and hinders nothing.
cat >"$WORK/warned.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  old: { addresses: [10.1.0.0/16] }
  new: { addresses: ["2001:db8::/32"] }
mappings:
  none: { from: [old], to: [new] }
POLICY
"$MARCHCTL" apply "$WORK/warned.yaml" --target "$target" --key "$WORK/key" >"$WORK/said" 2>"$WORK/err" ||
  fail "a warning hinders apply: $(cat "$WORK/err")"
expect "warned: what it says" "$(head -n 1 "$WORK/err" | cut -d ' ' -f 1,2)" \
  "$WORK/warned.yaml:7:3: warning[M0305]:"
expect "warned: what the gateway did" "$(cut -d ' ' -f 1-5 "$WORK/said" | head -n 1)" \
  "applied: generation 3, serial 7,"

# A policy is read once, so it can come from a pipe, the one that is in force too.
for result in applied unchanged; do
  sed 's/^  none:/  piped:/' "$WORK/warned.yaml" |
    "$MARCHCTL" apply /dev/stdin --target "$target" --key "$WORK/key" >"$WORK/said" 2>"$WORK/err" ||
    fail "apply of a pipe: $(cat "$WORK/err")"
  expect "piped: what the gateway did" "$(cut -d ' ' -f 1-5 "$WORK/said" | head -n 1)" \
    "$result: generation 4, serial 8,"
done
