#!/usr/bin/env bash
# `forward: fast` between real hosts: transfers pass the gateway's kernel by, and what only the
# kernel can do (time exceeded, packet too big, neighbours, VLANs, checksums) it still does.
here=$(dirname "$0")
. "$here/three_hosts.sh"

hosts_up "forward: fast"
cat >"$WORK/policy.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, 10.5.0.0/24, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
  # Its errors come back with the flows that they are about.
  gateway: { addresses: [10.1.0.1, "2001:db8:1::1"] }
mappings:
  echo: { from: [clients], to: [servers], protocols: [tcp], ports: [7] }
  ping: { from: [clients], to: [servers], protocols: [icmp, icmpv6], icmp_types: [echo-request] }
POLICY
start_marchd --detach-on-exit
enforce "$WORK/policy.yaml"
serve "$here/echo.py" 7

# How many frames the program on an interface has sent on, and how many packets the kernel has.
sent_on() { driver_count gateway "$1" '^rx_queue_[0-9]+_xdp_redirect'; }
kernel_v4() { in_gateway awk '/^Ip: [0-9]/ { print $7 }' /proc/net/snmp; }
kernel_v6() { in_gateway awk '/^Ip6OutForwDatagrams/ { print $2 }' /proc/net/snmp6; }
echoed() { in_client python3 "$here/echo.py" send "$1" 7 "$2"; }
# pinged ADDRESS OPTIONS: what ping says of one packet.
pinged() { in_client ping -n -c 1 -W 3 "${@:2}" "$1" 2>&1 || true; }
forward_of() {
  control http://march/v1/status | python3 -c "
import json, sys
print([i['forward'] for i in json.load(sys.stdin)['interfaces'] if i['name'] == '$1'][0])"
}
# becomes INTERFACE HOW: marchd looks every few seconds.
becomes() {
  for _ in $(seq 100); do
    [[ $(forward_of "$1") == "$2" ]] && break
    sleep 0.1
  done
  expect "how $1 forwards now" "$(forward_of "$1")" "$2"
}
said() { # WHAT TEXT PATTERN
  grep -q "$3" <<<"$2" || fail "$1: $2"
  echo "ok: $1: $(grep -m 1 "$3" <<<"$2")"
}

for address in 10.2.0.2 2001:db8:2::2; do
  there=$(sent_on gc)
  back=$(sent_on gs)
  kernel=$(($(kernel_v4) + $(kernel_v6)))
  expect "bytes to $address and back" "$(echoed "$address" 20000000)" 20000000
  there=$(($(sent_on gc) - there))
  back=$(($(sent_on gs) - back))
  kernel=$(($(kernel_v4) + $(kernel_v6) - kernel))
  # 20 MB are 14,000 segments; the receiver's batches hold more than one, but no fewer than 1,500 B.
  ((there > 10000 && back > 10000)) || fail "only $there and $back frames were forwarded fast"
  # The first packets to an unknown neighbour, and one each few seconds.
  ((kernel < 50)) || fail "the kernel forwarded $kernel packets"
  echo "ok: frames forwarded fast: $there and $back; by the kernel: $kernel"
done

said "TTL of 1" "$(pinged 10.2.0.2 -t 1)" "From 10.1.0.1 icmp_seq=1 Time to live exceeded"
said "TTL of 2" "$(pinged 10.2.0.2 -t 2)" "1 received"
said "hop limit of 1" "$(pinged 2001:db8:2::2 -t 1)" "From 2001:db8:1::1 icmp_seq=1 Time exceeded"
said "hop limit of 2" "$(pinged 2001:db8:2::2 -t 2)" "1 received"

before=$(($(sent_on gc) + $(sent_on gs)))
kernel=$(($(kernel_v4) + $(kernel_v6)))
said "fragments" "$(pinged 10.2.0.2 -s 4000)" "1 received"
said "IPv6 fragments" "$(pinged 2001:db8:2::2 -s 4000)" "1 received"
kernel=$(($(kernel_v4) + $(kernel_v6) - kernel))
fast=$(($(sent_on gc) + $(sent_on gs) - before))
# Of either family and direction, one each few seconds is the kernel's.
((kernel <= 4)) || fail "the kernel forwarded $kernel of 12 fragments"
expect "fragments forwarded, fast or by the kernel, there and back" $((fast + kernel)) 12

# The server's link takes less than the client's. What the kernel said before holds for a while.
ip -n "$GATEWAY" link set gs mtu 1400
ip -n "$SERVER" link set s0 mtu 1400
sleep 0.4
said "too large to forward" "$(pinged 10.2.0.2 -M do -s 1450)" "Frag needed and DF set (mtu = 1400)"
said "too large for IPv6" "$(pinged 2001:db8:2::2 -M do -s 1450)" "Packet too big: mtu=1400"
in_client ip route flush cache
in_client ip -6 route flush cache
said "cut by the kernel" "$(pinged 10.2.0.2 -M dont -s 1450)" "1 received"
for address in 10.2.0.2 2001:db8:2::2; do
  there=$(sent_on gc)
  expect "bytes over the smaller link to $address" "$(echoed "$address" 5000000)" 5000000
  ((there + 3000 < $(sent_on gc))) || fail "they were not forwarded fast"
done
ip -n "$GATEWAY" link set gs mtu 1500
ip -n "$SERVER" link set s0 mtu 1500

# A neighbour that has to be found first.
ip -n "$GATEWAY" neighbour flush dev gs
there=$(sent_on gc)
said "an unknown neighbour" "$(pinged 10.2.0.2 -c 5 -i 0.05)" "5 received"
ip -n "$GATEWAY" -6 neighbour flush dev gs
said "an unknown IPv6 neighbour" "$(pinged 2001:db8:2::2 -c 5 -i 0.05)" "5 received"
(($(sent_on gc) - there >= 6)) || fail "not forwarded fast once the neighbour was known"
# One whose MAC changes while nothing but the program sends to it, and without a word of it.
ip -n "$GATEWAY" neighbour replace 10.2.0.2 lladdr 02:00:00:00:00:99 nud stale dev gs
for _ in $(seq 150); do
  pinged 10.2.0.2 -W 0.2 | grep -q "1 received" && break
  sleep 0.1
done
said "a neighbour that has moved" "$(pinged 10.2.0.2)" "1 received"

# VLANs are the kernel's, if it has any. Where frames show no tags, their interface is not fast.
if ip -n "$CLIENT" link add link c0 name c5 type vlan id 5 2>/dev/null; then
  ip -n "$GATEWAY" link add link gc name gc5 type vlan id 5
  ip -n "$CLIENT" link set c5 up
  ip -n "$GATEWAY" link set gc5 up
  ip -n "$CLIENT" address add 10.5.0.2/24 dev c5
  ip -n "$GATEWAY" address add 10.5.0.1/24 dev gc5
  in_client ip route add 10.2.0.3/32 via 10.5.0.1
  ip -n "$SERVER" address add 10.2.0.3/24 dev s0
  becomes gc kernel
  there=$(sent_on gc)
  said "from a VLAN" "$(pinged 10.2.0.3 -I 10.5.0.2 -c 3 -i 0.1)" "3 received"
  expect "tagged frames forwarded fast" $(($(sent_on gc) - there)) 0
  ip -n "$GATEWAY" link del gc5
  becomes gc fast
else
  echo "SKIPPED: this kernel has no VLANs, so that they pass as without 'forward: fast' is not tried" >&2
fi

# Checksums that the sender leaves to be computed.
in_client ethtool -K c0 tx on >/dev/null
there=$(sent_on gc)
back=$(sent_on gs)
for address in 10.2.0.2 2001:db8:2::2; do
  expect "bytes without checksums to $address" "$(echoed "$address" 2000000)" 2000000
done
((there + 20 > $(sent_on gc))) || fail "frames without checksums were forwarded fast"
((back + 1000 < $(sent_on gs))) || fail "frames with checksums were not forwarded fast"
in_client ethtool -K c0 tx off >/dev/null

# Rules that ask for more than the destination are heeded at once, for each of the families.
next_hops() { # FAMILY: how marchd says that they are kept
  grep 'event=next_hops' "$WORK/marchd.log" | tail -n 1 | grep -o "$1=\"by [a-z]*\"" | cut -d '"' -f 2
}
ip -n "$CLIENT" address add 10.1.0.3/24 dev c0
for source in 10.1.0.2 10.1.0.3; do
  said "from $source" "$(pinged 10.2.0.2 -I "$source" -c 3 -i 0.05)" "3 received"
done
expect "IPv4's next hops" "$(next_hops ipv4)" "by destination"
expect "IPv6's next hops" "$(next_hops ipv6)" "by destination"
ip -n "$GATEWAY" rule add from 10.1.0.3 prohibit
sleep 0.5
said "a source that a rule forbids" "$(pinged 10.2.0.2 -I 10.1.0.3)" "From 10.1.0.1 icmp_seq=1 Packet filtered"
there=$(sent_on gc)
said "one that it does not" "$(pinged 10.2.0.2 -I 10.1.0.2 -c 5 -i 0.05)" "5 received"
(($(sent_on gc) - there >= 4)) || fail "it was not forwarded fast"
said "the one of before, again" "$(pinged 10.2.0.2 -I 10.1.0.3)" "Packet filtered"
expect "IPv4's next hops by then" "$(next_hops ipv4)" "by connection"
expect "IPv6's next hops by then" "$(next_hops ipv6)" "by destination"
ip -n "$GATEWAY" rule del from 10.1.0.3 prohibit
sleep 0.5
said "without the rule" "$(pinged 10.2.0.2 -I 10.1.0.3)" "1 received"

# What the policy forbids stays forbidden.
if in_client timeout 2 bash -c ': </dev/tcp/10.2.0.2/9' 2>/dev/null; then fail "a port that is not allowed"; fi

# A way out that takes no XDP frames any more.
in_server ethtool -K s0 gro off
becomes gs kernel
there=$(sent_on gc)
expect "bytes by way of the kernel" "$(echoed 10.2.0.2 2000000)" 2000000
expect "frames forwarded fast by then" $(($(sent_on gc) - there)) 0
in_server ethtool -K s0 gro on
becomes gs fast

# Behind the drivers: every interface can send, and the program's own counts tell.
forwarded() { control http://march/metrics | awk '$1 == "march_forwarded_total" { print $2 }'; }
(($(forwarded) > 50000)) || fail "the metrics count only $(forwarded) packets"
kill "$MARCHD_PID"
wait "$MARCHD_PID" || fail "marchd ended with an error"
echo "xdp: generic" >>"$WORK/marchd.yaml"
start_marchd
before=$(forwarded)
for address in 10.2.0.2 2001:db8:2::2; do
  expect "bytes by the generic hook to $address" "$(echoed "$address" 5000000)" 5000000
done
(($(forwarded) - before > 10000)) || fail "only $(($(forwarded) - before)) packets were forwarded there"
echo "ok: packets forwarded in the generic hook: $(($(forwarded) - before))"
