# shellcheck shell=bash
# A gateway in network namespaces, for end-to-end tests to source: a client host and a gateway host
# joined by a veth pair, a marchd that the test starts, kills and restarts, and clean-up at any exit.
#
# MARCH_BIN names the directory of the programs.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/namespaces.sh"

skip() {
  echo "SKIPPED: $*" >&2
  exit 77
}

fail() {
  echo "FAILED: $*" >&2
  [[ -s ${WORK:-}/marchd.log ]] && tail -n 20 "$WORK/marchd.log" >&2
  exit 1
}

MARCHCTL=$MARCH_BIN/marchctl
MARCHD=$MARCH_BIN/marchd
WORK=
CLIENT=march-e2e-$$-client
GATEWAY=march-e2e-$$-gateway
MARCHD_PID=
FEED_PID=

in_client() { inside "$CLIENT" "$@"; }
in_gateway() { inside "$GATEWAY" "$@"; }

gateway_down() {
  [[ -n $MARCHD_PID ]] && kill -9 "$MARCHD_PID" 2>/dev/null
  mapfile -t others < <(jobs -p)
  kill "${others[@]}" 2>/dev/null
  wait 2>/dev/null
  ip netns del "$CLIENT" 2>/dev/null
  ip netns del "$GATEWAY" 2>/dev/null
  if [[ -n $WORK ]]; then
    umount "$WORK/bpffs" 2>/dev/null
    rm -rf "$WORK"
  fi
  return 0
}

# Two hosts, keys and a configuration; marchd does not run yet.
gateway_up() {
  [[ $(id -u) == 0 ]] || skip "network namespaces and BPF need root"
  WORK=$(mktemp -d)
  trap 'set +e; gateway_down' EXIT
  trap 'exit 130' INT TERM
  mkdir "$WORK/bpffs"
  mount -t bpf bpf "$WORK/bpffs" || skip "no bpffs on this kernel"
  namespace_up "$CLIENT" || skip "no network namespaces here"
  namespace_up "$GATEWAY"
  ip -n "$CLIENT" link add c0 type veth peer name g0 netns "$GATEWAY"
  in_client sysctl -q -w net.ipv6.conf.c0.disable_ipv6=1
  in_gateway sysctl -q -w net.ipv6.conf.g0.disable_ipv6=1
  ip -n "$CLIENT" link set c0 up
  ip -n "$GATEWAY" link set g0 up
  "$MARCHCTL" key generate -o "$WORK/key" >/dev/null
  cat >"$WORK/marchd.yaml" <<CONFIG
apiVersion: march/v1
kind: Runtime
interfaces: [g0]
trusted_keys: [$WORK/key.pub]
control: { socket: $WORK/control.sock }
state: $WORK/state
bpffs: $WORK/bpffs/march
CONFIG
}

control() { curl --silent --show-error --max-time 20 --unix-socket "$WORK/control.sock" "$@"; }

# Starts marchd, with more flags if given, and waits until it answers.
start_marchd() {
  # Not through in_gateway: a function in the background is a shell, and $! would be that.
  nsenter --net="/run/netns/$GATEWAY" "$MARCHD" --config "$WORK/marchd.yaml" "$@" \
    2>>"$WORK/marchd.log" &
  MARCHD_PID=$!
  for _ in $(seq 100); do
    if control http://march/v1/status >/dev/null 2>&1; then return; fi
    kill -0 "$MARCHD_PID" 2>/dev/null || fail "marchd ended before it answered"
    sleep 0.05
  done
  fail "marchd did not answer within 5 s"
}

kill_marchd() {
  kill -9 "$MARCHD_PID"
  wait "$MARCHD_PID" 2>/dev/null || true
  MARCHD_PID=
}

# Sends live frames from the client until stop_feed, which sets SENT. The gateway's program has seen
# some when it returns.
start_feed() {
  local before
  before=$(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets')
  nsenter --net="/run/netns/$CLIENT" "$MARCH_BIN/march-live-feed" c0 >"$WORK/sent" &
  FEED_PID=$!
  for _ in $(seq 100); do
    if (($(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets') > before)); then return; fi
    sleep 0.1
  done
  fail "the feed sends nothing"
}

# SENT frames reached the gateway; its ring was too full for REFUSED more, which no program saw: the
# feed is faster than a receiver that has to wait for its CPU.
SENT=0
REFUSED=0
stop_feed() {
  kill "$FEED_PID"
  wait "$FEED_PID" || fail "the feed failed"
  FEED_PID=
  REFUSED=$(driver_count client c0 '^tx_queue_[0-9]+_xdp_xmit_errors')
  SENT=$(($(cat "$WORK/sent") - REFUSED))
}

# driver_count client|gateway INTERFACE NAME: a counter of the network driver's, over all queues.
driver_count() {
  "in_$1" ethtool -S "$2" | awk -v name="$3" '$1 ~ name { sum += $2 } END { printf "%.0f\n", sum }'
}

# rules FILTER: python over the rules, as `r`.
rules() {
  control http://march/v1/rules | python3 -c "
import json, sys
r = json.load(sys.stdin)
everything = r['mappings'] + r['defaults'] + r['slots'] + r['retired'] + [r['retired_rest']]
print($1)"
}

expect() {
  local what=$1 actual=$2 expected=$3
  [[ $actual == "$expected" ]] || fail "$what: got '$actual', expected '$expected'"
  echo "ok: $what: $actual"
}
