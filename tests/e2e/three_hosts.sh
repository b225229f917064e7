# shellcheck shell=bash
# A client, a gateway and a server in network namespaces of their own, for end-to-end tests to
# source: what the gateway's marchd guards stands between the other two. With gateway.sh's
# functions (start_marchd, control, rules, expect) and clean-up at any exit.
#
#   client c0  10.1.0.2/24   2001:db8:1::2/64 -- gc 10.1.0.1  2001:db8:1::1
#   server s0  10.2.0.2/24   2001:db8:2::2/64 -- gs 10.2.0.1  2001:db8:2::1
#
# MARCH_BIN names the directory of the programs.

. "$(dirname "${BASH_SOURCE[0]}")/gateway.sh"

SERVER=march-e2e-$$-server
in_server() { inside "$SERVER" "$@"; }

hosts_down() {
  gateway_down
  ip netns del "$SERVER" 2>/dev/null
  return 0
}

# join_hosts HOST INTERFACE GATEWAY_INTERFACE NETWORK: "10.NETWORK.0.0/24" and
# "2001:db8:NETWORK::/64", with the gateway as the way to everywhere else.
join_hosts() {
  local host=$1 interface=$2 at_gateway=$3 network=$4
  ip -n "$host" link add "$interface" type veth peer name "$at_gateway" netns "$GATEWAY"
  # XDP can send into a veth only if its other end receives in batches.
  inside "$host" ethtool -K "$interface" gro on
  # Frames between hosts have their checksums, as on a wire.
  inside "$host" ethtool -K "$interface" tx off >/dev/null
  ip -n "$host" link set "$interface" up
  ip -n "$GATEWAY" link set "$at_gateway" up
  address_up "$host" "$interface" "10.$network.0.2/24" "2001:db8:$network::2/64"
  address_up "$GATEWAY" "$at_gateway" "10.$network.0.1/24" "2001:db8:$network::1/64"
  ip -n "$host" route add default via "10.$network.0.1"
  ip -n "$host" -6 route add default via "2001:db8:$network::1"
}

# hosts_up [TEXT]: three hosts that reach each other, keys, and a configuration that guards gc and
# gs, with TEXT at its end; marchd does not run yet.
hosts_up() {
  [[ $(id -u) == 0 ]] || skip "network namespaces and BPF need root"
  WORK=$(mktemp -d)
  trap 'set +e; hosts_down' EXIT
  trap 'exit 130' INT TERM
  mkdir "$WORK/bpffs"
  mount -t bpf bpf "$WORK/bpffs" || skip "no bpffs on this kernel"
  namespace_up "$CLIENT" || skip "no network namespaces here"
  namespace_up "$GATEWAY"
  namespace_up "$SERVER"
  in_gateway sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  join_hosts "$CLIENT" c0 gc 1
  join_hosts "$SERVER" s0 gs 2
  in_client ping -q -c 1 -W 5 10.2.0.2 >/dev/null || fail "the hosts do not reach each other"
  in_client ping -q -c 1 -W 5 2001:db8:2::2 >/dev/null || fail "no IPv6 between the hosts"
  "$MARCHCTL" key generate -o "$WORK/key" >/dev/null
  cat >"$WORK/marchd.yaml" <<CONFIG
apiVersion: march/v1
kind: Runtime
interfaces: [gc, gs]
trusted_keys: [$WORK/key.pub]
control: { socket: $WORK/control.sock }
state: $WORK/state
bpffs: $WORK/bpffs/march
${1:-}
CONFIG
}

# enforce POLICY: puts it in force.
enforce() {
  "$MARCHCTL" apply "$1" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
}

# serve PROGRAM PORT: a server in Python on the server host, which says when it is ready.
serve() {
  # Not through in_server: a function in the background is a shell, and ends alone.
  nsenter --net="/run/netns/$SERVER" python3 "$1" serve "$2" >"$WORK/serves-$2" &
  for _ in $(seq 100); do
    if [[ -s $WORK/serves-$2 ]]; then return; fi
    sleep 0.1
  done
  fail "$1 does not serve port $2"
}
