#!/usr/bin/env bash
# A mapping under audit: its count is what it would have decided, and nothing else changes. Real
# frames, then the same mapping enforced.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
write_policy "$WORK/one.yaml" allow deny 0
cat >>"$WORK/one.yaml" <<'POLICY'
  # What flows 0 to 7 do, they would not; what nobody does, it would not either.
  try: { to: [d0, d1, d2, d3, d4, d5, d6, d7], action: deny, priority: 7, audit: true }
  try-elsewhere: { to: [d8], from: [d9], action: deny, priority: 7, audit: true }
POLICY
start_marchd
"$MARCHCTL" apply "$WORK/one.yaml" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
start_feed
sleep 1
stop_feed
((SENT > 10000)) || fail "only $SENT frames were sent"

count() { # MAPPING: packets counted
  rules "sum(m['packets'] for m in r['mappings'] if m['name'] == '$1')"
}
actions() { # MAPPING: under which its packets count
  rules "[m['action'] for m in r['mappings'] + r['retired'] if m['name'] == '$1']"
}
expect "packets judged" "$(rules "sum(m['packets'] for m in everything
                                      if not m.get('action', '').startswith('audit-'))")" "$SENT"
first=0
for i in $(seq 0 7); do first=$((first + $(count "flow$i"))); done
expect "packets that the audit would have decided" "$(count try)" "$first"
((first > 0)) || fail "no packet of the flows under audit"
expect "packets that an audit of nothing would have decided" "$(count try-elsewhere)" 0
expect "what is only watched" "$(actions try)" "['audit-deny']"

sed -i 's/, audit: true//' "$WORK/one.yaml"
before=$(count flow0)
"$MARCHCTL" apply "$WORK/one.yaml" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
start_feed
sleep 0.3
stop_feed
expect "packets of a flow that is denied now" "$(count flow0)" "$before"
expect "what was watched is kept apart" "$(actions try)" "['deny', 'audit-deny']"
(($(count try) > 0)) || fail "nothing was denied"
