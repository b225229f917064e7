#!/usr/bin/env bash
# Events: drops that live frames make appear in the policy's words, connections that end leave a
# record, and under a flood every drop is told of, or counted as one that is not.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
export TZ=UTC
cat >>"$WORK/marchd.yaml" <<'CONFIG'
events: { drops: 1000, allows: 100, keep: 5000 }
connections: { established: 1024, new: 1024, timeouts: { tcp_closed: 1s } }
CONFIG
cat >"$WORK/office.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  payments: { addresses: [10.20.0.0/16, "2001:db8:20::/48"] }
  relays: { addresses: [10.60.0.1, "2001:db8:60::1"] }
  intruder: { addresses: [10.20.6.6] }
mappings:
  web-out: { from: [payments], protocols: [tcp], ports: [443] }
  mail-out: { from: [relays], protocols: [tcp], ports: [25] }
  block: { from: [intruder], action: deny, priority: 5, comment: found scanning in May }
POLICY

# send FRAME...: from the client, each `PROTO FLAGS SRC SPORT DST DPORT`, or hexadecimal bytes.
send() {
  in_client python3 - "$@" <<'PYTHON'
import ipaddress, socket, struct, sys

def frame(text):
    if " " not in text:
        return bytes.fromhex(text)
    proto, flags, src, sport, dst, dport = text.split()
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    bits = sum(1 << "FSRPA".index(letter) for letter in flags if letter in "FSRPA")
    if proto == "tcp":
        l4, number = struct.pack("!HHIIBBHHH", int(sport), int(dport), 1000, 1001, 0x50, bits, 8192, 0, 0), 6
    elif proto == "udp":
        l4, number = struct.pack("!HHHH", int(sport), int(dport), 8, 0), 17
    else:
        l4, number = struct.pack("!BBHHH", int(dport), 0, 0, 1, 1), 1 if src.version == 4 else 58
    if src.version == 4:
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 1, 0, 64, number, 0, src.packed, dst.packed)
        kind = 0x0800
    else:
        ip = struct.pack("!IHBB16s16s", 6 << 28, len(l4), number, 64, src.packed, dst.packed)
        kind = 0x86DD
    return bytes(12) + struct.pack("!H", kind) + ip + l4

raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("c0", 0))
for text in sys.argv[1:]:
    raw.send(frame(text))
PYTHON
}
# monitor FLAGS...: without the times.
monitor() {
  timeout 60 "$MARCHCTL" monitor --target "unix:$WORK/control.sock" "$@" |
    sed -E 's/^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} //'
}
# until_events N: waits until so many packets are among the events.
until_events() {
  for _ in $(seq 100); do
    (($(events_told) >= $1)) && return
    sleep 0.1
  done
  fail "only $(events_told) events"
}
events_told() {
  control "http://march/v1/events?last=5000&follow=false" | grep -c -E '"type":"(drop|allow)"' || true
}
apply() { "$MARCHCTL" apply "$1" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null; }

start_marchd
apply "$WORK/office.yaml"

# Live: who follows sees what comes.
timeout 60 "$MARCHCTL" monitor --target "unix:$WORK/control.sock" --drops --count 2 >"$WORK/live" &
live=$!
sleep 1
send 'tcp S 10.20.1.1 40000 203.0.113.9 25' 'tcp S 10.20.6.6 40000 203.0.113.9 443'
wait "$live" || fail "monitor --count 2 failed"
grep -E -q '^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3} deny  tcp ' "$WORK/live" || fail "$(cat "$WORK/live")"
expect "what a monitor shows as it happens" "$(sed -E 's/^[0-9:.]{12} //' "$WORK/live")" \
  "deny  tcp 10.20.1.1:40000 > 203.0.113.9:25  default deny: no mapping from payments to 203.0.113.9 tcp/25
             web-out allows tcp/443 to it (office.yaml:8)
             mail-out allows it from relays (office.yaml:9)
deny  tcp 10.20.6.6:40000 > 203.0.113.9:443  block denies it (office.yaml:10): found scanning in May"

# IPv6, ICMP, an answer without its connection, a frame that ends too early.
send 'tcp S 2001:db8:20::1 40000 2001:db8::9 25' 'icmp - 10.20.1.1 0 203.0.113.9 8' \
  'tcp SA 203.0.113.9 443 10.20.1.1 40009' '0000000000000000000000000800450000280001000040060000'
until_events 6
expect "the words of other drops" "$(monitor --last 4 --no-follow)" \
  "deny  tcp [2001:db8:20::1]:40000 > [2001:db8::9]:25  default deny: no mapping from payments to 2001:db8::9 tcp/25
             web-out allows tcp/443 to it (office.yaml:8)
             mail-out allows it from relays (office.yaml:9)
deny  icmp 10.20.1.1 > 203.0.113.9  default deny: no mapping from payments to 203.0.113.9 icmp/echo-request
             web-out allows tcp/443 to it (office.yaml:8)
deny  tcp 203.0.113.9:443 > 10.20.1.1:40009  default deny: no mapping from 203.0.113.9 to payments tcp/40009
             web-out allows the opposite direction: an answer without a connection that is known
             mail-out allows tcp/25 from relays (office.yaml:9)
             web-out allows tcp/443 from payments (office.yaml:8)
deny  a frame of 26 bytes  truncated: it ends before the headers that decide"

# A connection from its first packet to its record.
send 'tcp S 10.20.1.1 40001 203.0.113.9 443' 'tcp SA 203.0.113.9 443 10.20.1.1 40001' \
  'tcp A 10.20.1.1 40001 203.0.113.9 443' 'tcp PA 203.0.113.9 443 10.20.1.1 40001' \
  'tcp FA 10.20.1.1 40001 203.0.113.9 443' 'tcp FA 203.0.113.9 443 10.20.1.1 40001'
until_events 7
expect "a connection that begins" "$(monitor --last 1 --no-follow --allows)" \
  "allow tcp 10.20.1.1:40001 > 203.0.113.9:443  web-out allows it (office.yaml:8)"
expect "a connection that has ended" \
  "$(monitor --last 9 --flows --count 1 | sed -E 's/after [0-9.]+ s/after a while/')" \
  "flow  tcp 10.20.1.1:40001 > 203.0.113.9:443  web-out, finished after a while: 3 packets, 162 bytes there, 3 packets, 162 bytes back"

# Filters.
expect "what one mapping decided" "$(monitor --last 99 --no-follow --mapping block | wc -l)" 1
expect "what a service has to do with" "$(monitor --last 99 --no-follow --service relays | wc -l)" 0
expect "what goes to a port" "$(monitor --last 99 --no-follow --port 20-30 | grep -c '^deny')" 2
expect "what comes from a prefix" "$(monitor --last 99 --no-follow --source 2001:db8::/32 | grep -c '^deny')" 1
expect "what was dropped for a reason" "$(monitor --last 99 --no-follow --reason truncated | wc -l)" 1
expect "what JSON says of the nearest mappings" \
  "$("$MARCHCTL" monitor --target "unix:$WORK/control.sock" --last 99 --no-follow -o json --port 25 --source 10.20.1.1 |
    grep '"drop"' | python3 -c 'import json, sys
event = json.load(sys.stdin)
print([(near["mapping"], near["differs"]) for near in event["near"]])')" \
  "[('web-out', ['protocol and port']), ('mail-out', ['from'])]"
if "$MARCHCTL" monitor --target "unix:$WORK/control.sock" --service nobody 2>"$WORK/err"; then
  fail "a service that is not there was taken"
fi
expect "a service that is not there" "$(cat "$WORK/err")" \
  'marchctl: the policy in force has no service "nobody"'

# After a change of policy, each event is explained by the policy that judged it.
sed 's/ports: \[25\]/ports: [25, 587]/; s/payments/billing/' "$WORK/office.yaml" >"$WORK/next.yaml"
apply "$WORK/next.yaml"
send 'tcp S 10.20.1.1 40000 203.0.113.9 25'
until_events 8
expect "policies before and after a change" \
  "$(monitor --last 99 --no-follow --drops --port 25 --source 10.20.0.0/16 | grep -o 'from [a-z]* to')" \
  "from payments to
from billing to"

# A flood, with somebody who follows and one who follows and does not read.
write_policy "$WORK/one.yaml" allow deny 0
apply "$WORK/one.yaml"
counts() { # KIND KEY
  control "http://march/v1/events?follow=false" | head -n 1 |
    python3 -c "import json, sys; print(json.load(sys.stdin)['$1']['$2'])"
}
dropped() { rules "sum(x['packets'] for x in everything if x.get('action') in ('deny', 'drop'))"; }
sleep 1.5
before=$(($(counts drops told) + $(counts drops suppressed) + $(counts drops lost)))
expect "drops before the flood, told or counted" "$before" "$(dropped)"
control -N "http://march/v1/events" >"$WORK/follower" 2>/dev/null &
python3 -c '
import socket, sys, time
slow = socket.socket(socket.AF_UNIX)
slow.connect(sys.argv[1])
slow.send(b"GET /v1/events HTTP/1.1\r\nHost: march\r\n\r\n")
time.sleep(60)' "$WORK/control.sock" &
started=$(date +%s%N)
start_feed
sleep 5
control --max-time 1 http://march/v1/status >/dev/null || fail "marchd does not answer under a flood"
stop_feed
took=$((($(date +%s%N) - started) / 1000000))
sleep 2
told=$(counts drops told)
suppressed=$(counts drops suppressed)
lost=$(counts drops lost)
((SENT > 100000)) || fail "only $SENT frames were sent"
expect "drops that were told of, suppressed or lost" $((told + suppressed + lost)) "$(dropped)"
((suppressed > 10000)) || fail "only $suppressed drops were suppressed"
cpus=$(nproc)
((told - 10 <= cpus * (1000 * took / 1000 + 1000))) ||
  fail "$told drops were told of in $took ms, which is more than 1000 a second and CPU"
((told >= 2000)) || fail "only $told drops were told of in $took ms"
echo "ok: $SENT frames in $took ms; of the drops, $told told, $suppressed suppressed, $lost lost"
python3 - "$WORK/follower" <<'PYTHON' || fail "a follower was told something else"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1]) if line.endswith("\n")]
drops = [line for line in lines if line["type"] == "drop"]
missed = sum(line["events"] for line in lines if line["type"] == "missed")
counts = [line for line in lines if line["type"] == "counts"]
told = counts[-1]["drops"]["told"] - counts[0]["drops"]["told"]
told += counts[-1]["allows"]["told"] - counts[0]["allows"]["told"]
events = len(drops) + len([line for line in lines if line["type"] == "allow"])
untold = sum(line["untold"] for line in drops)
print(f"a follower got {events} of {told} events, missed {missed}; they speak of {untold} more")
sys.exit(events + missed != told or untold > counts[-1]["drops"]["suppressed"] + counts[-1]["drops"]["lost"])
PYTHON

# Events outlive marchd: a restart goes on counting.
kill_marchd
start_marchd
sleep 1
expect "drops told of before the restart" "$(counts drops told)" "$told"
