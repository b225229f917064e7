#!/usr/bin/env bash
# Limits under live frames, from one and from two CPUs: what passes is the rate, within 2 %, and
# every packet counts once.
#
# MARCH_SECONDS (default 3) is how long each rate is measured. MARCH_RATES are the rates.
#
# Never may more pass than the rate and a burst. When the host takes the CPU away for longer than a burst
# lasts, less than the rate passes, and up to a burst more afterwards: what is not within 2 % is
# measured again, up to five times. A rate that this host cannot send is said not to be tested.
here=$(dirname "$0")
. "$here/gateway.sh"

seconds=${MARCH_SECONDS:-3}
rates=${MARCH_RATES:-100 10000 1000000}
gateway_up
# A second link: what comes in by one is taken in by one CPU at a time.
ip -n "$CLIENT" link add c1 type veth peer name g1 netns "$GATEWAY"
in_client sysctl -q -w net.ipv6.conf.c1.disable_ipv6=1
in_gateway sysctl -q -w net.ipv6.conf.g1.disable_ipv6=1
ip -n "$CLIENT" link set c1 up
ip -n "$GATEWAY" link set g1 up
sed -i 's/^interfaces: .*/interfaces: [g0, g1]/' "$WORK/marchd.yaml"
start_marchd
target=unix:$WORK/control.sock
cpus=$(nproc)

enforce() { # NAME LIMIT
  cat >"$WORK/policy.yaml" <<POLICY
apiVersion: march/v1
kind: Policy
mappings:
  $1: { protocols: [udp], ports: [9], stateful: false, limit: { $2 } }
POLICY
  "$MARCHCTL" apply "$WORK/policy.yaml" --target "$target" --key "$WORK/key" >/dev/null
}

# "NANOSECONDS UNITS ABOVE ARRIVED": what has passed and what was above the limit by then, and how many
# frames had come. Asked again if the answer took long.
sample() { # NAME packets|bytes
  local before after units arrived
  for _ in $(seq 50); do
    before=$(date +%s%N)
    control http://march/v1/rules >"$WORK/rules"
    arrived=$(arrived)
    after=$(date +%s%N)
    if ((after - before < 30000000)); then break; fi
  done
  units=$(python3 -c "
import json
found = [m for m in json.load(open('$WORK/rules'))['mappings'] if m['name'] == '$1']
print(sum(m['$2'] for m in found), sum(m['above_limit']['packets'] for m in found))")
  echo "$(((before + after) / 2)) $units $arrived"
}

arrived() {
  echo $(($(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets') +
    $(driver_count gateway g1 '^rx_queue_[0-9]+_xdp_packets')))
}

# Feeds of $1 CPUs, each to a link of its own, until stop_feeds.
feeds=()
start_feeds() {
  local cpu
  feeds=()
  for cpu in $(seq 0 $(($1 - 1))); do
    nsenter --net="/run/netns/$CLIENT" taskset -c "$cpu" "$MARCH_BIN/march-live-feed" "c$cpu" 2000000 \
      >"$WORK/sent$cpu" &
    feeds+=($!)
  done
}
stop_feeds() {
  local pid
  for pid in "${feeds[@]}"; do kill "$pid"; done
  for pid in "${feeds[@]}"; do wait "$pid" || fail "a feed failed"; done
}

# Until the burst is used up, as far as this host can.
use_up_burst() { # NAME UNIT
  local above
  for _ in $(seq 20); do
    read -r _ _ above _ <<<"$(sample "$1" "$2")"
    if ((above > 0)); then break; fi
    sleep 0.25
  done
  sleep 0.5
}

# The burst is what may pass in a second. Fails with 1 if more passed than ever may, and with 2 if what
# passed is not within 2 %.
measure_once() { # NAME LIMIT UNIT EXPECTED CPUS
  local begin end
  start_feeds "$5"
  use_up_burst "$1" "$3"
  begin=$(sample "$1" "$3")
  sleep "$seconds"
  end=$(sample "$1" "$3")
  stop_feeds
  python3 - "$2, from $5 CPUs" "$4" $begin $end <<'PYTHON'
import sys
what, expected = sys.argv[1], int(sys.argv[2])
begin, passed_before, above_before, arrived_before = map(int, sys.argv[3:7])
end, passed_after, above, arrived_after = map(int, sys.argv[7:])
seconds = (end - begin) / 1e9
rate = (passed_after - passed_before) / seconds
offered = (arrived_after - arrived_before) / seconds
off = rate / expected - 1
if offered < 1.02 * expected and (above == 0 or off < -0.02):
    print(f"NOT TESTED: {what}: {offered:.0f} packets a second are all that this host sends")
    sys.exit(0)
status = 1 if passed_after - passed_before > expected * (1.02 * seconds + 1) else 2
status *= abs(off) > 0.02
print(f"{['ok', 'more than ever may', 'not within 2 %'][status]}: {what}: {rate:.1f} a second, "
      f"{100 * off:+.2f} %")
sys.exit(status)
PYTHON
}

measure() { # NAME LIMIT UNIT EXPECTED CPUS
  local status
  enforce "$1" "$2"
  for _ in 1 2 3 4 5; do
    status=0
    measure_once "$@" || status=$?
    if ((status == 0)); then return; fi
    ((status == 2)) || break
  done
  fail "the limit is not met"
}

# The frames have 48 bytes from their IP header on.
number=0
for use in 1 2; do
  if ((use > cpus)); then
    echo "not tested: $use CPUs, of which this host has $cpus"
    continue
  fi
  for rate in $rates; do
    number=$((number + 1))
    measure "packets$number" "packets: $rate, burst: $rate" packets "$rate" "$use"
  done
  number=$((number + 1))
  measure "bytes$number" "bytes: 4800000, burst: 4800000" packets 100000 "$use"
  # Units are not only packets.
  number=$((number + 1))
  measure "bytes$number" "bytes: 1000000, burst: 1000000" packets 20833 "$use"
  # 64 sources of either family, all of one prefix in IPv6.
  number=$((number + 1))
  measure "each$number" "packets: 100, burst: 100, per: source" packets $((65 * 100)) "$use"
  # Each of either family.
  number=$((number + 1))
  measure "all$number" "packets: 100, burst: 100, per: source, prefix_v6: 128" packets \
    $((128 * 100)) "$use"
done

above=$(rules "sum(x['packets'] for x in r['retired'] if x['action'] == 'above-limit')
               + sum(m.get('above_limit', {'packets': 0})['packets'] for m in r['mappings'])")
dropped=$(rules "sum(x['packets'] for x in r['slots'] if x['name'] == 'limit')")
expect "packets above a limit that dropped" "$dropped" "$above"
judged=$(rules "sum(x['packets'] for x in everything if x.get('action') != 'above-limit')")
expect "packets counted" "$judged" "$(arrived)"
expect "packets that the driver saw dropped" "$(($(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_drops') +
  $(driver_count gateway g1 '^rx_queue_[0-9]+_xdp_drops')))" \
  "$(rules "sum(x['packets'] for x in r['slots'] if x['action'] == 'drop') + sum(x['packets'] for x in r['defaults'])")"

# A change of policy that does not concern a limit leaves what it has used; marchd's restart too.
enforce kept "packets: 1, burst: 20"
start_feeds 1
sleep 0.5
stop_feeds
before=$(rules "sum(m['packets'] for m in r['mappings'] if m['name'] == 'kept')")
sed -i 's/^mappings:/mappings:\n  other: { protocols: [icmp] }/' "$WORK/policy.yaml"
"$MARCHCTL" apply "$WORK/policy.yaml" --target "$target" --key "$WORK/key" >/dev/null
kill_marchd
start_marchd
began=$(date +%s)
start_feeds 1
sleep 0.5
stop_feeds
more=$(($(rules "sum(m['packets'] for m in r['mappings'] if m['name'] == 'kept')") - before))
((before >= 20 && before <= 22)) || fail "$before packets of a burst of 20 passed"
((more <= 1 + $(date +%s) - began + 10)) || fail "$more more passed after a change and a restart"
echo "ok: $before packets of a burst of 20, and $more more after a change and a restart"
