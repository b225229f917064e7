#!/usr/bin/env bash
# kill -9 of marchd under live frames: enforcement goes on without it, and a restarted marchd takes
# over with every packet counted.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
write_policy "$WORK/one.yaml" allow deny 0
start_marchd
"$MARCHCTL" apply "$WORK/one.yaml" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
start_feed
sleep 0.5
before=$(rules "sum(x['packets'] for x in everything)")
kill_marchd
control http://march/healthz >/dev/null 2>&1 && fail "something still answers for marchd"
seen=$(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets')
sleep 1
((seen < $(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_packets'))) || fail "no XDP program ran while marchd was dead"
((0 < $(driver_count gateway g0 '^rx_queue_[0-9]+_xdp_drops'))) || fail "nothing was dropped while marchd was dead"
ls "$WORK/bpffs/march/links/g0" >/dev/null || fail "the link is not pinned"

program_before=$(in_gateway ip -j link show g0 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["xdp"]["prog"]["id"])')
start_marchd
program_after=$(in_gateway ip -j link show g0 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["xdp"]["prog"]["id"])')
expect "program on the interface, before and after the restart" "$program_after" "$program_before"
stop_feed
echo "ok: $before packets counted before the kill, $SENT sent in all"
((before > 0)) || fail "nothing was counted before the kill"
expect "packets counted after the restart" "$(rules "sum(x['packets'] for x in everything)")" "$SENT"
expect "health" "$(control http://march/healthz)" ok

# A clean stop leaves enforcement too; --detach-on-exit takes it away.
kill -TERM "$MARCHD_PID"
code=0
wait "$MARCHD_PID" || code=$?
MARCHD_PID=
expect "exit code on SIGTERM" "$code" 0
in_gateway ip link show g0 | grep -q xdp || fail "SIGTERM detached the program"
start_marchd --detach-on-exit
kill -TERM "$MARCHD_PID"
wait "$MARCHD_PID" || fail "marchd --detach-on-exit did not end well"
MARCHD_PID=
in_gateway ip link show g0 | grep -q xdp && fail "--detach-on-exit left the program attached"
echo "ok: SIGTERM leaves enforcement, --detach-on-exit takes it away"
