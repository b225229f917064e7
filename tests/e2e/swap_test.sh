#!/usr/bin/env bash
# Swaps bundles under live frames: every packet that was sent is counted, by the mapping of its flow,
# and none is judged by a mix of two policies.
#
# At least MARCH_SWAPS (default 200) swaps, and as many more as two million frames take.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

swaps=${MARCH_SWAPS:-200}
gateway_up
write_policy "$WORK/one.yaml" allow deny 0
write_policy "$WORK/two.yaml" deny allow 90
start_marchd
target=unix:$WORK/control.sock
"$MARCHCTL" apply "$WORK/one.yaml" --target "$target" --key "$WORK/key" >/dev/null

# Bundles beforehand, so that the loop is swaps and nothing else. A serial may stay the same.
for policy in one two; do
  "$MARCHCTL" compile "$WORK/$policy.yaml" --serial 2 --key "$WORK/key" -o "$WORK/$policy.march"
done

start_feed
sleep 0.5
began=$(date +%s%N)
swapped=0
while ((swapped < swaps || $(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets') < 2000000)); do
  swapped=$((swapped + 1))
  policy=$( ((swapped % 2)) && echo two || echo one)
  control --fail --data-binary "@$WORK/$policy.march" -H 'Expect:' -o "$WORK/answer" http://march/v1/bundles ||
    fail "swap $swapped: $(cat "$WORK/answer")"
  ((swapped < 5000)) || fail "5000 swaps, and not two million frames"
done
took=$((($(date +%s%N) - began) / 1000000))
sleep 0.5
stop_feed

expect "swaps" "$(control http://march/v1/status | python3 -c 'import json,sys; print(json.load(sys.stdin)["swaps"])')" $((swapped + 1))
echo "ok: $swapped swaps in $took ms under $SENT frames ($REFUSED more found a full ring)"
((SENT >= 2000000)) || fail "only $SENT frames were sent"
expect "frames that the driver lost" "$(driver_count gateway g0 '^rx_queue_[0-9]+_drops')" 0
expect "packets counted" "$(rules "sum(x['packets'] for x in everything)")" "$SENT"
expect "packets judged by no flow's mapping" \
  "$(rules "sum(x['packets'] for x in everything if not x.get('name', '').startswith('flow'))")" 0
# The feed goes round the flows, so each has its 64th, give or take the last round and what the ring
# refused.
expect "flows with another count than they were sent" "$(rules "[n for n in range(64)
  if abs(sum(x['packets'] for x in everything if x.get('name') == 'flow%d' % n) - $SENT / 64) >= 1 + $REFUSED]")" '[]'
expect "flows that only one policy judged" "$(rules "[n for n in range(64)
  if len([x for x in everything if x.get('name') == 'flow%d' % n and x['packets'] > 0]) != 2]")" '[]'
