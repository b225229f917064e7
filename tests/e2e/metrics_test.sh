#!/usr/bin/env bash
# A metrics address that cannot be bound keeps no policy from being enforced, and is tried again.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
write_policy "$WORK/one.yaml" allow deny 0
echo "metrics: 127.0.0.1:9477" >>"$WORK/marchd.yaml"
nsenter --net="/run/netns/$GATEWAY" python3 -m http.server --bind 127.0.0.1 9477 >/dev/null 2>&1 &
holder=$!
for _ in $(seq 100); do
  in_gateway curl --silent --max-time 1 http://127.0.0.1:9477/ >/dev/null && break
  sleep 0.1
done
start_marchd
"$MARCHCTL" apply "$WORK/one.yaml" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
in_gateway ip link show g0 | grep -q xdp || fail "the policy is not enforced"

kill "$holder"
wait "$holder" 2>/dev/null || true
fetch() { in_gateway curl --silent --show-error --max-time 5 "http://127.0.0.1:9477$1"; }
for _ in $(seq 100); do
  fetch /healthz >/dev/null 2>&1 && break
  sleep 0.1
done
expect "health, over TCP" "$(fetch /healthz)" ok
expect "generations in the metrics" "$(fetch /metrics | grep -c '^march_generation 1$')" 1
expect "status asked for over TCP" \
  "$(fetch /v1/status | python3 -c 'import json,sys; print(json.load(sys.stdin)["error"]["message"])')" \
  "there is nothing at this path"
expect "errors about the address" "$(grep -c 'level=error event=metrics_not_ready' "$WORK/marchd.log")" 1
