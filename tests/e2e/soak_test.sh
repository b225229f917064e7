#!/usr/bin/env bash
# Thousands of conversations, IPv4 and IPv6, through a gateway whose policy changes every second:
# no verdict other than the model's, and nothing that grows with time.
#
# MARCH_SOAK_SECONDS (default 20) is how long; 1800 is half an hour. MARCH_SOAK_RATE (default 20000)
# is how many packets a second, if the machine can; MARCH_SOAK_SEED, which ones.
here=$(dirname "$0")
. "$here/three_hosts.sh"

seconds=${MARCH_SOAK_SECONDS:-20}
hosts_up "$("$MARCH_BIN/march-soak" config)"

# Behind either host there are networks in which nobody lives: march-soak speaks for them, and the
# hosts drop what arrives in silence.
for side in "$CLIENT c0 gc 1" "$SERVER s0 gs 2"; do
  read -r host interface at_gateway number <<<"$side"
  inside "$host" sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
  ip -n "$GATEWAY" route add "10.$number.0.0/16" via "10.$number.0.2"
  ip -n "$GATEWAY" -6 route add "2001:db8:$number::/48" via "2001:db8:$number::2"
  mac=$(ip -n "$host" -brief link show dev "$interface" | awk '{ print $3 }')
  for address in "10.$number.0.2" "2001:db8:$number::2"; do
    ip -n "$GATEWAY" neighbour replace "$address" lladdr "$mac" nud permanent dev "$at_gateway"
  done
done

# A sanitizer keeps memory that was freed; little of it, so that what leaks is seen.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=4"
start_marchd
"$MARCH_BIN/march-soak" run --client "$CLIENT" --gateway "$GATEWAY" --server "$SERVER" \
  --marchctl "$MARCHCTL" --key "$WORK/key" --target "unix:$WORK/control.sock" --directory "$WORK" \
  --marchd "$MARCHD_PID" --bpffs "$WORK/bpffs/march" --seconds "$seconds" \
  --rate "${MARCH_SOAK_RATE:-20000}" --seed "${MARCH_SOAK_SEED:-$RANDOM}" || fail "see above"

for interface in "client c0" "gateway gc" "gateway gs" "server s0"; do
  read -r host name <<<"$interface"
  expect "frames that $name lost" "$(driver_count "$host" "$name" '^rx_queue_[0-9]+_drops')" 0
done
flows() { control http://march/v1/flows/summary | python3 -c 'import json, sys; print(json.load(sys.stdin)["flows"])'; }
# Nothing but marchd's own silence is needed for them to end.
for _ in $(seq 30); do
  [[ $(flows) == 0 ]] && break
  sleep 0.5
done
expect "flows after a silence" "$(flows)" 0
seen=$(($(driver_count gateway gc '^rx_queue_[0-9]+_xdp_packets') +
  $(driver_count gateway gs '^rx_queue_[0-9]+_xdp_packets')))
expect "packets counted" "$(rules "sum(x['packets'] for x in everything)")" "$seen"
