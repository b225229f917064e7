#!/usr/bin/env bash
# Under a flood of SYNs a client that was there before works on, a new one gets in at its second try,
# and no connection that is established is forgotten, whether the gateway asks for proofs or not.
# How fast the client is then, bench/flood measures.
here=$(dirname "$0")
. "$here/../../bench/flood/hosts.sh"

readonly KEPT=200 ABOVE=100
flood_hosts_up "connections: { new: 4096 }
abuse: { syn_cookies: { above: $ABOVE } }"
# The server has nothing of its own against it.
in_server sysctl -q -w net.ipv4.tcp_syncookies=0
serve_web
start_marchd
enforce "$WORK/policy.yaml"
start_client 16 "$KEPT"

slot() { rules "sum(x['packets'] for x in r['slots'] if x['name'] == '$1')"; }
counted() { control http://march/metrics | awk -v name="march_$1_total" '$1 == name { print $2 }'; }
of() { python3 -c "import json, sys; print(json.loads(sys.argv[2])[sys.argv[1]])" "$1" "$2"; }
established() {
  "$MARCHCTL" flows count --target "unix:$WORK/control.sock" --port 81 --state established \
    -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)["flows"])'
}
received() { driver_count gateway ga '^rx_queue_[0-9]+_xdp_packets'; }

before=$(tell_client run 1)
opened=$(counted flows_opened)
asked=$(slot cookie)
began=$(date +%s)
start_attack
wait_until_flooded() {
  local from
  from=$(received)
  for _ in $(seq 100); do
    if (($(received) - from > 10000)); then return; fi
    sleep 0.1
  done
  fail "nothing floods"
}
wait_until_flooded
during=$(tell_client run 2)
expect "connections that stay, asked under attack" "$(of answered "$(tell_client ask)")" "$KEPT"

# try_as SOURCE HOST: what becomes of a connection of a client that nobody has seen.
try_as() {
  in_client curl -s -m 8 -o "$WORK/new" -w '%{http_code}' --interface "$1" "http://$2/" || true
}
# Sooner or later one meets a moment in which another may begin without a proof.
for family in 4 6; do
  for n in 1 2 3 4 5; do
    source=10.8.200.$n host=10.2.0.2
    if [[ $family == 6 ]]; then source=2001:db8:100:c$n::1 host='[2001:db8:2::2]'; fi
    first=$(try_as "$source" "$host")
    second=$(try_as "$source" "$host")
    if [[ $first != 200 ]]; then break; fi
  done
  expect "a new client's two tries, from $source" "$first $second" "000 200"
done
stop_attack
seconds=$(($(date +%s) - began + 1))

expect "transactions refused or given up under attack" \
  "$(of refused "$during") $(of late "$during")" "0 0"
(($(of transactions "$during") * 2 > $(of transactions "$before"))) ||
  fail "$(of transactions "$during") transactions in two seconds under attack"
echo "ok: $(of transactions "$during") transactions in two seconds under attack," \
  "$(of transactions "$before") in one second before"
# The two that were new and refused are two SYNs and two proofs.
asked=$(($(slot cookie) - asked))
passed=$(($(received) - asked))
expect "SYNs that came in, of those made" "$(received)" $((MADE - REFUSED))
((asked > 10000 && passed <= ABOVE * (seconds + 1) + 8)) ||
  fail "of $(received) SYNs, $asked were answered by the gateway and $passed passed, in $seconds s"
echo "ok: of $(received) SYNs the gateway answered $asked, and let $passed pass in $seconds s"
expect "connections evicted, established ones without room" \
  "$(counted flows_evicted) $(counted flows_no_room)" "0 0"
(($(counted flows_opened) > opened)) || fail "no connection was begun under attack"
expect "connections that stay, asked afterwards" "$(of answered "$(tell_client ask)")" "$KEPT"
expect "connections that stay, as marchd has them" "$(established)" "$KEPT"

# Without proofs all of the flood begins connections, and fights for room among its like.
kill "$MARCHD_PID"
wait "$MARCHD_PID" || fail "marchd ended with an error"
sed -i '/^abuse:/d' "$WORK/marchd.yaml"
start_marchd
start_attack
wait_until_flooded
expect "without proofs: asked under attack" "$(of answered "$(tell_client ask)")" "$KEPT"
sleep 1
stop_attack
(($(counted flows_evicted) > 1000)) || fail "$(counted flows_evicted) new connections made room"
echo "ok: $(counted flows_evicted) new connections made room for newer ones"
expect "connections that stay, as marchd has them" "$(established)" "$KEPT"
expect "connections that stay, asked afterwards" "$(of answered "$(tell_client ask)")" "$KEPT"
