#!/usr/bin/env bash
# The block list under live frames: it is in force when the command returns, it survives a change of
# policy, a crash and a restart, it expires, and 100,000 prefixes are put on it at once. No packet is
# lost or counted twice.
#
# MARCH_BLOCKED (default 100000) prefixes, no fewer than 1000.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

entries=${MARCH_BLOCKED:-100000}
in_words=$(sed -E ':again; s/([0-9])([0-9]{3})($|,| )/\1,\2\3/; t again' <<<"$entries $((entries - 2))")
gateway_up
echo 'abuse: { block_list: 100000 }' >>"$WORK/marchd.yaml"
write_policy "$WORK/one.yaml" allow deny 0
write_policy "$WORK/two.yaml" allow deny 3
target=unix:$WORK/control.sock
start_marchd

block() { "$MARCHCTL" block "$1" "${@:2}" --target "$target"; }
apply() { "$MARCHCTL" apply "$1" --target "$target" --key "$WORK/key" >/dev/null; }
# Packets that were counted for the flows from FIRST to LAST.
counted() {
  rules "sum(x['packets'] for x in everything
             if x.get('name') in ['flow%d' % n for n in range($1, $2 + 1)])"
}
blocked() { rules "sum(x['packets'] for x in r['slots'] if x['name'] == 'blocked')"; }
# Flows 0 to 7 count no more packets, while others do and blocked ones are counted.
expect_blocked() {
  local few others drops
  few=$(counted 0 7)
  others=$(counted 8 63)
  drops=$(blocked)
  sleep 0.3
  expect "packets that passed $1" "$(($(counted 0 7) - few))" 0
  (($(counted 8 63) > others)) || fail "nothing passes $1"
  (($(blocked) > drops)) || fail "nothing is blocked $1"
}
expect_open() {
  local few
  few=$(counted 0 7)
  sleep 0.3
  (($(counted 0 7) > few)) || fail "nothing passes $1"
  echo "ok: packets pass $1"
}

apply "$WORK/one.yaml"
start_feed
sleep 0.3
expect_open "without an entry"
expect "answer" "$(block add 10.1.0.0/29 2001:db8:1::/125 --comment 'seen scanning')" \
  "2 prefixes added; 2 on the block list"
expect_blocked "when the command has returned"
expect "what holds an address" "$(block list 10.1.0.7 | tail -n +2 | tr -s ' ')" "10.1.0.0/29 seen scanning"
apply "$WORK/two.yaml"
expect_blocked "after a change of policy"

# As many as there are said to be, in both families, while frames come in.
python3 - "$entries" >"$WORK/list" <<'PYTHON'
import sys
entries = int(sys.argv[1])
v4 = entries * 3 // 5
for i in range(v4):
    print("172.%d.%d.%d/32 # %d" % (16 + i // 65536, i // 256 % 256, i % 256, i))
for i in range(entries - 2 - v4):
    print("2001:db8:%x:%x::/64" % (0x1000 + i // 65536, i % 65536))
PYTHON
began=$(date +%s%N)
answer=$(block import "$WORK/list" --for 1h)
took=$((($(date +%s%N) - began) / 1000000))
expect "answer" "$answer" "${in_words#* } prefixes added; ${in_words% *} on the block list"
# How fast it is, bench/stateful shows; here it must not hang.
((took < 10000)) || fail "the import took $took ms"
echo "ok: ${in_words% *} entries in $took ms, the command's own start among them"
expect_blocked "with ${in_words% *} entries"

kill_marchd
sleep 0.2
start_marchd
expect "entries after a crash" "$(block list | tail -n +2 | wc -l)" "$entries"
expect_blocked "after a crash"

began=$(date +%s%N)
block add 10.1.0.0/29 2001:db8:1::/125 --for 2s >/dev/null
expect_blocked "until it expires"
while (($(block list | tail -n +2 | wc -l) == entries)); do
  (($(date +%s%N) - began < 10000000000)) || fail "nothing expired within 10 s"
  sleep 0.1
done
took=$((($(date +%s%N) - began) / 1000000))
((took >= 2000)) || fail "expired after $took ms"
echo "ok: expired after $took ms"
expect_open "when it has expired"

block add 10.1.0.3 >/dev/null
if block del 10.1.0.2 10.1.0.3 2>"$WORK/said"; then fail "what is not on the list was removed"; fi
grep -q "10.1.0.2 is not on the list" "$WORK/said" || fail "nothing was said: $(cat "$WORK/said")"
block del --all >/dev/null
expect "entries at last" "$(block list | tail -n +2 | wc -l)" 0
sleep 0.5
stop_feed
expect "frames that the driver lost" "$(driver_count gateway g0 '^rx_queue_[0-9]+_drops')" 0
expect "packets counted" "$(rules "sum(x['packets'] for x in everything)")" "$SENT"
