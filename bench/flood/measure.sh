#!/usr/bin/env bash
# One measurement under a flood of SYNs: how many transactions a client makes through a gateway,
# without a flood, with one that is dropped where it comes in, and with one that the gateway has to
# judge. flood.py repeats it and reckons.
#
#   MARCH_BIN=DIRECTORY bench/flood/measure.sh GATEWAY SERVER RATE SOURCES SECONDS
#
#   GATEWAY  forward        the kernel forwards, and nobody filters
#            nft-conntrack  nftables lets through what it knows, and the port
#            stateless      marchd judges each packet by itself
#            connections    marchd remembers connections
#            cookies-N      and lets N a second begin from sources that have proved nothing
#            rate-N         or N a second from each source
#   SERVER   bare or cookies: whether the server gives SYN cookies itself
#   RATE     of the flood, in frames a second; max is all there can be
#   SOURCES  of the flood, of either family; any is all there can be
#
# What floods has CPU 1, with all that receiving it takes, marchd included. Client, server and what
# reaches either have CPU 0. Prints for each phase (none, dropped, flood) "PHASE run" with what the
# client says, and counters "PHASE before" and "PHASE after"; for gateways that protect the server,
# also of the phase "turns", in which the flood is dropped and judged by turns; at last what became
# of the connections that the client has kept.
here=$(dirname "$0")
. "$here/hosts.sh"

gateway=$1 server=$2 rate=$3 sources=$4 seconds=$5
readonly SOURCES=64 KEPT=1000
LINK_PID=

config() {
  case "$gateway" in
    stateless) echo 'connections: { established: 0 }' ;;
    cookies-*) echo "abuse: { syn_cookies: { above: ${gateway#cookies-} } }" ;;
    rate-*) echo "abuse: { syn_per_source: { rate: ${gateway#rate-} } }" ;;
  esac
}

filter_by_nft() {
  command -v nft >/dev/null || skip "nft is not installed"
  in_gateway nft -f - <<'NFT'
table inet march {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    tcp dport { 80, 81 } ct state new accept
    meta l4proto ipv6-icmp accept
  }
}
NFT
}

start_gateway() {
  case "$gateway" in
    forward) return ;;
    nft-conntrack) filter_by_nft && return ;;
    stateless) echo '  answers: { from: [server], protocols: [tcp] }' >>"$WORK/policy.yaml" ;;
  esac
  start_marchd
  enforce "$WORK/policy.yaml"
}

# What reaches the server is taken in by its own CPU, whichever sent it.
take_in_on_cpu0() {
  local comm
  # Without it, veth hands frames on as they come, on the CPU that they come from.
  in_gateway ethtool -K gs tso off
  in_server unshare -m sh -c 'mount -t sysfs sysfs /sys && echo 1 >/sys/class/net/s0/threaded'
  for comm in /proc/[0-9]*/comm; do
    if [[ $(cat "$comm" 2>/dev/null) == napi/s0-* ]]; then LINK_PID=$(basename "$(dirname "$comm")"); fi
  done
  [[ -n $LINK_PID ]] || fail "the kernel serves no link by a thread"
  taskset -pc 0 "$LINK_PID" >/dev/null
  renice -n -20 "$LINK_PID" >/dev/null
}

has_marchd() { [[ -n $MARCHD_PID ]]; }

# What client, server and the server's link have had of CPU 0, in ticks, without softirqs.
use_of_ours() {
  local process
  for process in "$CLIENT_PID" "$WEB_PID" "$LINK_PID"; do
    sed 's/^.*) //' "/proc/$process/stat"
  done | awk '{ sum += $12 + $13 } END { print sum }'
}

# counters PHASE WHEN: what everybody has counted so far, "PHASE WHEN NAME VALUE".
counters() {
  {
    date +'nanoseconds %s%N'
    echo "ours $(use_of_ours)"
    awk '/^cpu[01] / { print $1 "_work", $2 + $3 + $4; print $1 "_softirq", $8
      print $1 "_stolen", $9; print $1 "_idle", $5 + $6 }' /proc/stat
    for link in a0 b0; do
      echo "$link $(driver_count attacker "$link" '^tx_queue_[0-9]+_xdp_xmit:')"
      echo "${link}_refused $(driver_count attacker "$link" '^tx_queue_[0-9]+_xdp_xmit_errors')"
    done
    # shellcheck disable=SC2016
    in_gateway awk '$1 ~ /^g[ab]:/ { print substr($1, 1, 2), $3 }' /proc/net/dev
    echo "forwarded $(in_server cat /proc/net/dev | awk '$1 == "s0:" { print $3 }')"
    # shellcheck disable=SC2016
    in_server awk '$1 == "TcpExt:" { if (!head) { head = $0; next }
      split(head, names); for (i = 2; i <= NF; ++i) print "server_" names[i], $i }' \
      /proc/net/netstat
    if has_marchd; then
      control http://march/metrics | awk '!/^#/ && NF == 2 && $2 ~ /^[0-9]+$/'
    fi
  } | sed "s/^/$1 $2 /"
}

established() {
  "$MARCHCTL" flows count --target "unix:$WORK/control.sock" --port 81 --state established -o json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["flows"])'
}

# Whether what the gateway lets through leaves room in the server's queue, where it stays a minute.
protects() {
  [[ $gateway == cookies-* ]] && { [[ $server == cookies ]] || ((${gateway#cookies-} <= 8)); }
}

# phase NAME SECONDS [HOW]: what the client does in it, after the first second. HOW is run or turns.
phase() {
  local answer
  tell_client run 1 >/dev/null
  counters "$1" before
  answer=$(tell_client "${3:-run}" "$2")
  counters "$1" after
  echo "$1 run $answer"
}

taskset -pc 1 $$ >/dev/null
# Before all others, who are asked for little; among ourselves all is as ever.
renice -n -20 $$ >/dev/null
flood_hosts_up "$(config)"
in_server sysctl -q -w "net.ipv4.tcp_syncookies=$([[ $server == cookies ]] && echo 1 || echo 0)"
attacker_link b0 gb
# shellcheck disable=SC2153
take_by_program "$GATEWAY" gb drop
serve_web taskset -c 0
take_in_on_cpu0
start_gateway
start_client "$SOURCES" "$KEPT" taskset -c 0
options=(--cpu 1)
if [[ $rate != max ]]; then options+=(--rate "$rate"); fi
if [[ $sources != any ]]; then options+=(--sources "$sources"); fi

# All sources have shown that they are real before anybody attacks.
phase none "$seconds"
ATTACK_LINK="b0 gb" start_attack "${options[@]}"
phase dropped "$seconds"
stop_attack
if protects; then
  start_attack "${options[@]}" --and b0
  phase turns $((5 * seconds)) turns
  stop_attack
fi
start_attack "${options[@]}"
phase flood "$seconds"
echo "all asked $(tell_client ask)"
stop_attack
echo "all asked_again $(tell_client ask)"
if has_marchd && [[ $gateway != stateless ]]; then echo "all established $(established)"; fi
