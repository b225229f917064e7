# shellcheck shell=bash
# Two policies that agree on which mapping decides each flow of march-live-feed and differ in all the
# rest: actions, order of names, classes, tables. A packet judged by a mix of both (classes of one,
# tables of the other) would end in `poison` or in another flow's mapping.

# write_policy FILE EVEN_ACTION ODD_ACTION DECOYS
write_policy() {
  local file=$1 even=$2 odd=$3 decoys=$4 i
  {
    printf 'apiVersion: march/v1\nkind: Policy\nservices:\n'
    for i in $(seq 0 63); do
      printf '  s%d: { addresses: [10.1.0.%d, "2001:db8:1::%x"] }\n' "$i" "$i" "$i"
      printf '  d%d: { addresses: [10.2.0.%d, "2001:db8:2::%x"] }\n' "$i" "$i" "$i"
    done
    for i in $(seq "$decoys"); do
      printf '  decoy%d: { addresses: [9.%d.0.0/16, "2001:db8:0:%x::/64"] }\n' "$i" "$i" "$i"
    done
    printf 'mappings:\n'
    printf '  poison: { priority: -1000, action: deny }\n'
    for i in $(seq 0 63); do
      printf '  flow%d: { from: [s%d], to: [d%d], action: %s }\n' "$i" "$i" "$i" \
        "$( ((i % 2)) && echo "$odd" || echo "$even")"
    done
    for i in $(seq "$decoys"); do
      printf '  a-decoy%d: { from: [decoy%d], to: [decoy%d], priority: 5 }\n' "$i" "$i" "$i"
    done
  } >"$file"
}
