#!/usr/bin/env bash
# How long a one-line change of a policy of 10,000 mappings takes from the moment someone types
# `marchctl apply` until the gateway treats packets by it: compiling, signing, sending, verifying,
# loading and swapping. A client sends a packet every 0.2 ms all the while; the moment that counts is
# when the first one gets through that did not before, or the last one that does no more.
#
#   MARCH_BIN=DIRECTORY bench/update/measure.sh [ROUNDS] [MAPPINGS]
#
# Prints a line a round, then the median and the spread, in milliseconds.
here=$(dirname "$0")
. "$here/../../tests/e2e/gateway.sh"

rounds=${1:-10}
mappings=${2:-10000}
gateway_up
ip -n "$CLIENT" address add 10.255.0.1/24 dev c0
ip -n "$GATEWAY" address add 10.255.0.2/24 dev g0

python3 - "$WORK/policy" "$mappings" <<'PYTHON'
import os, random, sys
folder, mappings = sys.argv[1], int(sys.argv[2])
r = random.Random(1)
os.mkdir(folder)
services = max(mappings // 5, 4)
for part in range(10):
    with open(f"{folder}/{part}.yaml", "w") as f:
        f.write("apiVersion: march/v1\nkind: Policy\nservices:\n")
        for i in range(part, services, 10):
            f.write(f"  s{i}: {{addresses: [10.{i >> 8}.{i & 255}.0/24]}}\n")
        f.write("mappings:\n")
        for i in range(part, mappings, 10):
            f.write(f"  m{i}: {{from: [s{r.randrange(services)}], to: [s{r.randrange(services)}], "
                    f"protocols: [tcp], ports: [{r.randrange(1, 65536)}]}}\n")
with open(f"{folder}/probe.yaml", "w") as f:
    f.write("apiVersion: march/v1\nkind: Policy\n"
            "services: {probe: {addresses: [10.255.0.0/24]}}\n"
            "mappings:\n  probe: {from: [probe], to: [probe], protocols: [udp], ports: [9], action: deny}\n")
PYTHON

start_marchd
target=unix:$WORK/control.sock
apply() { "$MARCHCTL" apply "$WORK/policy" --target "$target" --key "$WORK/key"; }
apply >/dev/null

nsenter --net="/run/netns/$CLIENT" python3 - <<'PYTHON' &
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(b"probe", ("10.255.0.2", 9))
    except OSError:
        pass
    time.sleep(0.0002)
PYTHON

nsenter --net="/run/netns/$GATEWAY" python3 - "$WORK/arrivals" <<'PYTHON' &
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.255.0.2", 9))
with open(sys.argv[1], "w", buffering=1) as out:
    while True:
        s.recv(64)
        out.write(f"{time.time_ns()}\n")
PYTHON
sleep 1
[[ -s $WORK/arrivals ]] && fail "probes get through that the policy denies"

for ((i = 0; i < rounds; i++)); do
  if ((i % 2 == 0)); then
    sed -i 's/action: deny/action: allow/' "$WORK/policy/probe.yaml"
  else
    sed -i 's/action: allow/action: deny/' "$WORK/policy/probe.yaml"
  fi
  began=$(date +%s%N)
  apply >"$WORK/answer"
  answered=$(date +%s%N)
  sleep 0.5
  if ((i % 2 == 0)); then
    changed=$(awk -v began="$began" '$1 > began { print $1; exit }' "$WORK/arrivals")
  else
    changed=$(tail -n 1 "$WORK/arrivals")
  fi
  [[ -n $changed ]] || fail "no probe arrived"
  echo "round $i: enforced after $(((changed - began) / 1000000)) ms, answered after $(((answered - began) / 1000000)) ms: $(head -n 1 "$WORK/answer")"
  echo "$(((changed - began) / 1000))" >>"$WORK/figures"
done
sort -n "$WORK/figures" | awk -v mappings="$mappings" '{ v[NR] = $1 / 1000 } END {
  printf "%d mappings, one line changed: median %.0f ms, from %.0f to %.0f, over %d rounds\n",
    mappings, v[int((NR + 1) / 2)], v[1], v[NR], NR }'
