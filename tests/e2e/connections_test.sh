#!/usr/bin/env bash
# What belongs to a connection passes in both directions, and nothing else does: replies, errors of
# ICMP (so path-MTU discovery works), fragments, VLANs, IP options, extension headers.
here=$(dirname "$0")
. "$here/three_hosts.sh"

FAR=march-e2e-$$-far
in_far() { inside "$FAR" "$@"; }
hosts_up
trap 'set +e; ip netns del "$FAR" 2>/dev/null; hosts_down' EXIT

# Behind the server, over a link that takes less: 10.3.0.2, 2001:db8:3::2.
namespace_up "$FAR"
ip -n "$SERVER" link add s1 mtu 1300 type veth peer name f0 netns "$FAR"
in_far ethtool -K f0 tx off >/dev/null
ip -n "$FAR" link set f0 mtu 1300 up
ip -n "$SERVER" link set s1 up
address_up "$SERVER" s1 10.3.0.1/24 2001:db8:3::1/64
address_up "$FAR" f0 10.3.0.2/24 2001:db8:3::2/64
# Which it does not tell when connections begin.
ip -n "$FAR" route add default via 10.3.0.1 advmss 1460
ip -n "$FAR" -6 route add default via 2001:db8:3::1 advmss 1440
in_server sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$GATEWAY" route add 10.3.0.0/24 via 10.2.0.2
ip -n "$GATEWAY" -6 route add 2001:db8:3::/64 via 2001:db8:2::2
in_client ping -q -c 1 -W 5 10.3.0.2 >/dev/null || fail "the far host is out of reach"
in_client ping -q -c 1 -W 5 2001:db8:3::2 >/dev/null || fail "the far host has no IPv6"
in_client ip route flush cache

cat >"$WORK/policy.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, 10.7.0.0/24, "2001:db8:1::/48", "2001:db8:7::/48"] }
  servers: { addresses: [10.2.0.0/15, "2001:db8:2::/47"] }
mappings:
  echo: { from: [clients], to: [servers], protocols: [tcp, udp], ports: [7] }
  ping: { from: [clients], to: [servers], protocols: [icmp, icmpv6], icmp_types: [echo-request] }
  once: { from: [clients], to: [servers], protocols: [udp], ports: [9], stateful: false }
POLICY
start_marchd
enforce "$WORK/policy.yaml"

cat >"$WORK/udp.py" <<'UDP'
"""udp.py serve PORT: sends UDP back as it came; says "ready".
udp.py send HOST PORT BYTES [PORT_HERE [IPV4_OPTIONS|EXTENSION]]: says how many bytes came back."""
import socket
import sys

if sys.argv[1] == "serve":
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", int(sys.argv[2])))
    print("ready", flush=True)
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(data, peer)
host, port, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
if len(sys.argv) > 5:
    s.bind(("", int(sys.argv[5])))
if len(sys.argv) > 6:
    if ":" in host:
        # Destination options: one PadN of six bytes.
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([7, 7, 4, 0, 0, 0, 0, 0]))
s.connect((host, port))
s.send(b"m" * count)
try:
    print(len(s.recv(65536)))
except TimeoutError:
    print("nothing")
except OSError as error:
    print(error.strerror)
UDP
serve "$here/echo.py" 7
nsenter --net="/run/netns/$FAR" python3 "$here/echo.py" serve 7 >"$WORK/far" &
nsenter --net="/run/netns/$SERVER" python3 "$WORK/udp.py" serve 9 >"$WORK/udp9" &
nsenter --net="/run/netns/$SERVER" python3 "$WORK/udp.py" serve 7 >"$WORK/udp7" &
for file in far udp9 udp7; do
  for _ in $(seq 100); do [[ -s $WORK/$file ]] && break || sleep 0.05; done
done
echoed() { in_client python3 "$here/echo.py" send "$1" 7 "$2"; }
udp() { in_client python3 "$WORK/udp.py" send "$@"; }
slot() { rules "sum(x['packets'] for x in r['slots'] if x['name'] == '$1')"; }
dropped() { rules "r['defaults'][0]['packets']"; }
related() { control http://march/metrics | awk '$1 == "march_related_errors_total" { print $2 }'; }
unanswered() { in_server ping -q -n -c 1 -W 1 "$1" >/dev/null && fail "the server reaches $1" || true; }

for address in 10.2.0.2 2001:db8:2::2; do
  expect "TCP with $address" "$(echoed "$address" 300000)" 300000
  expect "UDP with $address" "$(udp "$address" 7 100)" 100
  expect "UDP in fragments with $address" "$(udp "$address" 7 4000)" 4000
  expect "UDP with options with $address" "$(udp "$address" 7 100 0 options)" 100
  in_client ping -q -n -c 2 -i 0.2 -W 2 "$address" >/dev/null || fail "$address does not answer a ping"
  in_client ping -q -n -c 1 -W 2 -s 4000 "$address" >/dev/null || fail "no ping in fragments to $address"
done
in_client ping -R -q -n -c 1 -W 2 10.2.0.2 >/dev/null || fail "no answer to a ping that records its route"
echo "ok: pings, in fragments and with options too"
expect "of all that, dropped" "$(dropped) $(slot fragment)" "0 0"

# Only replies: what the server begins itself does not pass, nor do replies of what keeps no state.
unanswered 10.1.0.2
unanswered 2001:db8:1::2
for address in 10.2.0.2 2001:db8:2::2; do
  expect "without state, from $address" "$(udp "$address" 9 100)" nothing
done
expect "dropped since then" "$(dropped)" 4
# Nobody listens there: the server says so, with an error of ICMP.
enforce <(sed 's/ports: \[7\]/ports: [7, 8]/' "$WORK/policy.yaml")
before=$(related)
expect "no such port" "$(udp 10.2.0.2 8 10)" "Connection refused"
expect "no such port, IPv6" "$(udp 2001:db8:2::2 8 10)" "Connection refused"
expect "errors that passed" $(($(related) - before)) 2

# Path-MTU discovery: segments of 1,500 bytes are too large behind the server.
before=$(related)
for address in 10.3.0.2 2001:db8:3::2; do
  expect "bytes to $address, over a narrow link" "$(echoed "$address" 300000)" 300000
done
(($(related) - before >= 2)) || fail "no error of ICMP came back"
in_client ip route get 10.3.0.2 | grep -q "mtu 1300" || fail "the client does not know the path's MTU"
in_client ip -6 route get 2001:db8:3::2 | grep -q "mtu 1300" || fail "nor that of IPv6"
echo "ok: the client knows that 1,300 bytes can pass"

# The same in a VLAN, on the client's side alone. Where the kernel has no VLANs, what it sends and
# takes on that link is tagged and untagged at the link itself.
from=10.1.0.0/24
if ip -n "$CLIENT" link add link c0 name c7 type vlan id 7 2>/dev/null; then
  from=10.7.0.0/24
  ip -n "$GATEWAY" link add link gc name gc7 type vlan id 7
  for host in "$CLIENT c7 2" "$GATEWAY gc7 1"; do
    read -r name interface end <<<"$host"
    ip -n "$name" link set "$interface" up
    address_up "$name" "$interface" "10.7.0.$end/24" "2001:db8:7::$end/64"
  done
  ip -n "$CLIENT" route replace 10.2.0.0/24 via 10.7.0.1
  ip -n "$CLIENT" -6 route replace 2001:db8:2::/64 via 2001:db8:7::1
else
  for host in "$CLIENT c0" "$GATEWAY gc"; do
    read -r name interface <<<"$host"
    inside "$name" ethtool -K "$interface" txvlan off >/dev/null
    inside "$name" "$MARCH_BIN/march-tag-frames" "$interface" 7
  done
fi
# What it says are the frames that the program saw: Ethernet, tag, IP and UDP headers.
frame_bytes() {
  "$MARCHCTL" flows --target "unix:$WORK/control.sock" --port "$1" -o json | python3 -c '
import json, sys
flow = json.load(sys.stdin)["flows"][0]
print(flow["bytes"], flow["reply_bytes"])'
}
port=20000
for address in 10.2.0.2 2001:db8:2::2; do
  expect "TCP in a VLAN with $address" "$(echoed "$address" 300000)" 300000
  expect "UDP in fragments in a VLAN with $address" "$(udp "$address" 7 4000)" 4000
  expect "UDP with options in a VLAN with $address" "$(udp "$address" 7 100 0 options)" 100
  expect "a port that is not allowed, in a VLAN with $address" "$(udp "$address" 10 100)" nothing
  port=$((port + 1))
  expect "UDP in a VLAN with $address" "$(udp "$address" 7 100 "$port")" 100
  ip=28
  [[ $address == *:* ]] && ip=48
  expect "its bytes with the tag, and without" "$(frame_bytes "$port")" \
    "$((14 + 4 + ip + 100)) $((14 + ip + 100))"
done
if [[ $from == 10.1.* ]]; then
  ip netns exec "$CLIENT" tc qdisc del dev c0 clsact
  in_gateway tc qdisc del dev gc clsact
fi

# Asymmetric: requests go through the gateway as ever, replies come back by a third interface.
ip -n "$SERVER" link add s2 type veth peer name gs2 netns "$GATEWAY"
in_server ethtool -K s2 tx off gro on >/dev/null
ip -n "$SERVER" link set s2 up
ip -n "$GATEWAY" link set gs2 up
ip -n "$SERVER" address add 10.4.0.2/24 dev s2
ip -n "$GATEWAY" address add 10.4.0.1/24 dev gs2
in_gateway sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.gs2.rp_filter=0
kill "$MARCHD_PID" && wait "$MARCHD_PID" || true
sed -i 's/^interfaces: .*/interfaces: [gc, gs, gs2]/' "$WORK/marchd.yaml"
start_marchd
ip -n "$SERVER" route add "$from" via 10.4.0.1
before=$(driver_count gateway gs2 '^rx_queue_[0-9]+_xdp_packets')
expect "bytes that come back another way" "$(echoed 10.2.0.2 300000)" 300000
(($(driver_count gateway gs2 '^rx_queue_[0-9]+_xdp_packets') - before > 100)) ||
  fail "replies did not come in by the third interface"
