#!/usr/bin/env bash
# What a gateway drops whatever its policy says, on real hosts: martians, its own addresses as they
# come and go, too much ICMP and too many connections from one source.
here=$(dirname "$0")
. "$here/three_hosts.sh"

hosts_up 'abuse:
  land: true
  tcp_flags: true
  martians: true
  spoofed: true
  icmp_per_source: { rate: 20, burst: 5 }
  syn_per_source: { rate: 10, burst: 5 }'
cat >"$WORK/policy.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
defaults: { action: allow }
POLICY
start_marchd
enforce "$WORK/policy.yaml"

slot() { rules "sum(x['packets'] for x in r['slots'] if x['name'] == '$1')"; }
mac=$(ip -n "$GATEWAY" -o link show gc | sed -n 's/.*link.ether \([^ ]*\).*/\1/p')
send() { in_client python3 "$here/send_udp.py" c0 "$mac" "$@"; }

send 3 10.1.0.2
expect "from the client itself" "$(slot spoofed) $(slot martian) $(slot land)" "0 0 0"
send 3 10.1.0.1 10.2.0.1 127.0.0.1 240.0.0.1 10.2.0.2
expect "from the gateway's addresses" "$(slot spoofed)" 6
expect "from addresses that none can have" "$(slot martian)" 6
expect "from their own destination" "$(slot land)" 3

# followed SOURCE COUNT: waits until COUNT more of three packets from SOURCE are taken for spoofed.
followed() {
  local before
  for _ in $(seq 50); do
    before=$(slot spoofed)
    send 3 "$1"
    if (($(slot spoofed) - before == $2)); then return; fi
    sleep 0.05
  done
  fail "3 packets from $1 were not taken for $2 spoofed ones"
}
followed 10.1.0.77 0
ip -n "$GATEWAY" address add 10.1.0.77/32 dev gs
followed 10.1.0.77 3
echo "ok: an address that comes is followed"
ip -n "$GATEWAY" address del 10.1.0.77/32 dev gs
followed 10.1.0.77 0
echo "ok: an address that goes is followed"

# One source's pings, 100 a second: five at once, and 20 a second.
sleep 1
before=$(slot icmp-rate)
in_client ping -q -i 0.01 -c 200 -W 1 10.2.0.2 >"$WORK/ping" || true
received=$(sed -n 's/.*, \([0-9]*\) received.*/\1/p' "$WORK/ping")
((received >= 30 && received <= 70)) || fail "$received of 200 pings were answered"
echo "ok: $received of 200 pings in two seconds were answered"
expect "pings above the rate" "$(($(slot icmp-rate) - before))" $((200 - received))
sleep 1
in_client ping -q -c 2 -W 2 2001:db8:2::2 >/dev/null || fail "no ping within the rate"
in_server ping -q -c 2 -W 2 10.1.0.2 >/dev/null || fail "another source is limited too"

# Connections to a port that nobody serves are refused by the server, as long as they reach it.
cat >"$WORK/connect.py" <<'PYTHON'
import socket
refused = 0
for _ in range(40):
    s = socket.socket()
    s.settimeout(0.02)
    try:
        s.connect(("10.2.0.2", 9))
    except ConnectionRefusedError:
        refused += 1
    except OSError:
        pass
    s.close()
print(refused)
PYTHON
reached=$(in_client python3 "$WORK/connect.py")
((reached >= 5 && reached <= 25)) || fail "$reached of 40 connections reached the server"
(($(slot syn-rate) >= 40 - reached)) || fail "only $(slot syn-rate) were above the rate"
echo "ok: $reached of 40 connections at once reached the server"
