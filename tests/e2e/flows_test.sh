#!/usr/bin/env bash
# Connections through a gateway between two hosts, as marchd and marchctl show, cut and carry them.
here=$(dirname "$0")
. "$here/gateway.sh"

SERVER=march-e2e-$$-server
in_server() { inside "$SERVER" "$@"; }

gateway_up
namespace_up "$SERVER"
trap 'set +e; ip netns del "$SERVER" 2>/dev/null; gateway_down' EXIT
ip -n "$SERVER" link add s0 type veth peer name g1 netns "$GATEWAY"
ip -n "$SERVER" link set s0 up
ip -n "$GATEWAY" link set g1 up
in_client sysctl -q -w net.ipv6.conf.c0.disable_ipv6=0
in_gateway sysctl -q -w net.ipv6.conf.g0.disable_ipv6=0 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
address_up "$CLIENT" c0 10.1.0.5/16 2001:db8:1::5/64
address_up "$GATEWAY" g0 10.1.0.1/16 2001:db8:1::1/64
address_up "$GATEWAY" g1 10.2.0.1/16 2001:db8:2::1/64
address_up "$SERVER" s0 10.2.0.10/16 2001:db8:2::10/64
ip -n "$CLIENT" route add default via 10.1.0.1
ip -n "$CLIENT" -6 route add default via 2001:db8:1::1
ip -n "$SERVER" route add default via 10.2.0.1
ip -n "$SERVER" -6 route add default via 2001:db8:2::1

sed -i 's/^interfaces: .*/interfaces: [g0, g1]/' "$WORK/marchd.yaml"
echo "connections: { established: 4096, new: 1024 }" >>"$WORK/marchd.yaml"
cat >"$WORK/policy.yaml" <<POLICY
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
  chat: { from: [clients], to: [servers], protocols: [tcp], ports: [7000] }
  ping: { from: [clients], to: [servers], protocols: [icmp, icmpv6], icmp_types: [echo-request] }
POLICY
marchctl_flows() { "$MARCHCTL" flows "$@" --target "unix:$WORK/control.sock"; }
apply() {
  "$MARCHCTL" apply "$1" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
}

# Sends each line that it is told to on its standard input, by the server or by the client, and says
# "got LINE" when it has arrived within a second, and "lost" if not.
cat >"$WORK/talk.py" <<'TALK'
import os
import socket
import sys

role, address = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
if role == "server":
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 7000))
    listener.listen()
    print("ready", flush=True)
    connection = listener.accept()[0]
    listener.close()
else:
    connection = socket.create_connection((address, 7000), timeout=5)
    print("ready", flush=True)
connection.settimeout(1)
for line in sys.stdin:
    word, _, text = line.strip().partition(" ")
    if word == "send":
        connection.sendall(text.encode())
    elif word == "port":
        print(connection.getsockname()[1], flush=True)
    else:
        try:
            print("got " + connection.recv(100).decode(), flush=True)
        except TimeoutError:
            print("lost", flush=True)
TALK

# talk NAME NAMESPACE ROLE ADDRESS: a talker whose ends are ${NAME}_IN and ${NAME}_OUT.
talk() {
  local name=$1 fd_in fd_out
  mkfifo "$WORK/$name.in" "$WORK/$name.out"
  nsenter --net="/run/netns/$2" python3 "$WORK/talk.py" "$3" "$4" \
    <"$WORK/$name.in" >"$WORK/$name.out" 2>"$WORK/$name.err" &
  exec {fd_in}>"$WORK/$name.in" {fd_out}<"$WORK/$name.out"
  printf -v "${name}_IN" '%s' "$fd_in"
  printf -v "${name}_OUT" '%s' "$fd_out"
  rm "$WORK/$name.in" "$WORK/$name.out"
  expect "$name" "$(hear "$name")" ready
}
say() {
  local fd=${1}_IN
  echo "${*:2}" >&"${!fd}"
}
hear() {
  local fd=${1}_OUT line
  read -r -t 10 line <&"${!fd}" || fail "$1 is silent: $(cat "$WORK/$1.err")"
  echo "$line"
}
# passes FROM TO TEXT
passes() {
  say "$1" send "$3"
  say "$2" receive
  expect "$1 to $2" "$(hear "$2")" "${4:-got $3}"
}

[[ $(marchctl_flows 2>&1 || true) == *"cannot reach"* ]] || fail "there was an answer without marchd"
start_marchd
apply "$WORK/policy.yaml"
expect "no connections" "$(marchctl_flows list -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)["matched"])')" 0

# json FILTERS... -- EXPRESSION over the answer, as `a`.
json() {
  local expression=${*: -1}
  marchctl_flows "${@:1:$#-1}" -o json | python3 -c "
import json, sys
a = json.load(sys.stdin)
print($expression)"
}

talk server4 "$SERVER" server 10.2.0.10
talk client4 "$CLIENT" client 10.2.0.10
talk server6 "$SERVER" server 2001:db8:2::10
talk client6 "$CLIENT" client 2001:db8:2::10
passes client4 server4 hello
passes server4 client4 welcome
passes client6 server6 hello
passes server6 client6 welcome
in_client ping -c 2 -i 0.2 -W 2 10.2.0.10 >/dev/null || fail "no answer to a ping"

say client4 port
port=$(hear client4)
expect "connections of the mapping" "$(json --mapping chat "a['matched']")" 2
expect "one of them" \
  "$(json --source 10.1.0.0/16 --port 7000 "[a['flows'][0][k] for k in ('protocol', 'source', 'source_port', 'destination', 'destination_port', 'state', 'mapping', 'generation', 'interface')]")" \
  "['tcp', '10.1.0.5', $port, '10.2.0.10', 7000, 'established', 'chat', 1, 'g0']"
expect "what it has carried" \
  "$(json --port "$port" "a['flows'][0]['packets'] >= 3 and a['flows'][0]['reply_bytes'] > 200")" True
expect "of IPv6" "$(json --destination 2001:db8:2::/48 "a['flows'][0]['source']")" 2001:db8:1::5
expect "ICMP" "$(json --protocol icmp "[(f['icmp_type'], f['mapping']) for f in a['flows']]")" "[(8, 'ping')]"
expect "counted by state and mapping" \
  "$(json count "[(s['state'], s['flows']) for s in a['states']], [(m['mapping'], m['flows']) for m in a['mappings']]")" \
  "[('established', 3)] [('chat', 2), ('ping', 1)]"
expect "the list as a table" "$(marchctl_flows --port "$port" | awk 'NR == 2 { print $1, $2, $3, $4, $5 }')" \
  "tcp 10.1.0.5:$port 10.2.0.10:7000 established chat"
marchctl_flows
marchctl_flows count
"$MARCHCTL" status --target "unix:$WORK/control.sock" | grep -q '^connections  3 established, room for 4,096$' ||
  fail "status does not tell of connections"
control http://march/metrics >"$WORK/metrics"
grep -q '^march_flows{table="established"} 3$' "$WORK/metrics" || fail "not in the metrics"
grep -q '^march_flows_established_total 3$' "$WORK/metrics" || fail "no statistics"

# A restart with tables of another size: the first packet afterwards is a reply, which only a
# connection lets pass.
kill "$MARCHD_PID" && wait "$MARCHD_PID" || true
sed -i 's/^connections: .*/connections: { established: 512, new: 512 }/' "$WORK/marchd.yaml"
start_marchd
passes server4 client4 again
passes server6 client6 again
expect "room after the restart" "$(json count "[t['capacity'] for t in a['flow_tables']]")" "[512, 512]"
expect "connections after the restart" "$(json count --protocol tcp "a['flows']")" 2
expect "packets since the beginning" "$(json --port "$port" "a['flows'][0]['reply_packets'] >= 3")" True

# Cut: both directions, and the other connection goes on.
expect "cut" "$(marchctl_flows cut --source 10.1.0.5 --mapping chat)" \
  "1 connection cut: source 10.1.0.5, mapping chat"
passes server4 client4 more lost
passes client4 server4 more lost
passes server6 client6 more
expect "what was cut" "$(json --state cut "[f['source_port'] for f in a['flows']]")" "[$port]"
control http://march/v1/rules | python3 -c '
import json, sys
cut = [s for s in json.load(sys.stdin)["slots"] if s["name"] == "cut"]
sys.exit(0 if cut and cut[0]["packets"] > 0 else 1)' || fail "packets of what was cut are not counted"
expect "a cut without a filter ends with" "$(marchctl_flows cut >/dev/null 2>&1 || echo $?)" 64
talk server4b "$SERVER" server 10.2.0.10
talk client4b "$CLIENT" client 10.2.0.10
passes client4b server4b anew

# A policy that forbids them ends what is left.
sed -i 's/ports: \[7000\]/ports: [7001]/' "$WORK/policy.yaml"
apply "$WORK/policy.yaml"
passes server6 client6 late lost
passes client4b server4b late lost
sleep 2.5
expect "connections of a mapping that is no more" "$(json --port 7000 --state established "a['matched']")" 0
expect "forbidden" "$(json count "a['statistics']['flows_forbidden']")" 2
