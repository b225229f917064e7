#!/usr/bin/env bash
# What is rejected is told so at once: real clients, through a program in the driver and through one
# in the kernel's generic hook.
here=$(dirname "$0")
. "$here/three_hosts.sh"

# connects ADDRESS PORT: how a connection ends, and after how many whole seconds.
connects() {
  in_client python3 - "$1" "$2" <<'PYTHON'
import errno, socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    result = "connected"
except TimeoutError:
    result = "silence"
except OSError as error:
    result = errno.errorcode[error.errno]
print(result, int(time.monotonic() - began))
PYTHON
}
# sends ADDRESS: what becomes of a datagram.
sends() {
  in_client python3 - "$1" <<'PYTHON'
import errno, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as client:
    client.settimeout(3)
    client.connect((sys.argv[1], 53))
    client.send(b"x" * 1300)
    try:
        client.recv(10)
        print("an answer")
    except TimeoutError:
        print("silence")
    except OSError as error:
        print(errno.errorcode[error.errno])
PYTHON
}
said() { # WHAT TEXT PATTERN
  grep -q "$3" <<<"$2" || fail "$1: $2"
  echo "ok: $1: $(grep -m 1 "$3" <<<"$2")"
}

# counted NAME...: what the gateway has counted, by its metrics.
counted() {
  control http://march/metrics | awk -v wanted="$*" '
    { values[$1] = $2 }
    END { count = split(wanted, names, " ")
          for (i = 1; i <= count; ++i)
            printf "%s%s", values["march_" names[i] "_total"], i < count ? " " : "\n" }'
}
modes() {
  control http://march/v1/status | python3 -c "
import json, sys
print(*[i['mode'] for i in json.load(sys.stdin)['interfaces']])"
}
stop_marchd() {
  kill "$MARCHD_PID"
  wait "$MARCHD_PID" || fail "marchd ended with an error"
  MARCHD_PID=
}

hosts_up
cat >"$WORK/policy.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
  echo: { from: [clients], to: [servers], protocols: [tcp], ports: [7] }
  discard: { from: [clients], to: [servers], protocols: [tcp], ports: [9], action: reject }
  dns: { from: [clients], to: [servers], protocols: [udp], ports: [53], action: reject }
  ping: { from: [clients], to: [servers], protocols: [icmp, icmpv6], action: reject }
POLICY
serve "$here/echo.py" 7

# try MODE DENIED ANSWERS: all of it; what becomes of a port that no mapping names; and how many
# resets, errors and suppressed answers there have been by then.
try() {
  start_marchd --detach-on-exit
  enforce "$WORK/policy.yaml"
  expect "modes" "$(modes)" "$1 $1"
  for address in 10.2.0.2 2001:db8:2::2; do
    expect "a port that is allowed, $address" "$(connects "$address" 7)" "connected 0"
    expect "a port that is rejected, $address" "$(connects "$address" 9)" "ECONNREFUSED 0"
    expect "a port that nothing names, $address" "$(connects "$address" 11)" "$2"
  done
  # What Linux makes of the codes.
  expect "a datagram that is rejected" "$(sends 10.2.0.2)" EHOSTUNREACH
  expect "a datagram of IPv6" "$(sends 2001:db8:2::2)" EACCES
  said "ping" "$(in_client ping -n -c 1 -W 3 10.2.0.2 2>&1 || true)" \
    "From 10.1.0.1 icmp_seq=1 Packet filtered"
  said "ping over IPv6" "$(in_client ping -n -c 1 -W 3 2001:db8:2::2 2>&1 || true)" \
    "From 2001:db8:1::1 icmp_seq=1 Destination unreachable: Administratively prohibited"
  expect "answers" "$(counted answered_resets answered_errors answers_suppressed)" "$3"
  stop_marchd
}

try native "silence 3" "2 4 0"
echo "xdp: generic" >>"$WORK/marchd.yaml"
try generic "silence 3" "4 8 0"
echo "reject: { answer: denied }" >>"$WORK/marchd.yaml"
try generic "ECONNREFUSED 0" "8 12 0"
sed -i 's/answer: denied/answer: denied, per_second: 0/' "$WORK/marchd.yaml"
start_marchd
for port in 9 11; do
  expect "port $port without answers" "$(connects 10.2.0.2 "$port")" "silence 3"
done
