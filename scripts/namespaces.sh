# shellcheck shell=bash
# Hosts in network namespaces, and cables between them, for scripts and end-to-end tests. To be
# sourced.

# inside NAMESPACE COMMAND...: in its network, and nothing else of it: `ip netns exec` would also
# remount /sys and so hide /sys/fs/bpf.
inside() {
  local namespace="$1"
  shift
  nsenter --net="/run/netns/$namespace" -- "$@"
}

# start_inside NAMESPACE LOG COMMAND...: in the background; its pid, which is the command's own, is
# added to PIDS.
start_inside() {
  local namespace="$1" log="$2"
  shift 2
  nsenter --net="/run/netns/$namespace" -- "$@" >"$log" 2>"$log.err" </dev/null &
  PIDS+=($!)
}

# net_setting NAMESPACE KEY VALUE: a file below /proc/sys/net.
net_setting() {
  # shellcheck disable=SC2016
  inside "$1" sh -c 'echo "$2" >"/proc/sys/net/$1"' sh "$2" "$3"
}

# namespace_up NAME: with loopback, and without the waits and surprises of address autoconfiguration:
# what a host says of its own accord (which multicast it listens to) it says at once, not for seconds.
namespace_up() {
  ip netns add "$1" || return
  local key
  for key in ipv6/conf/{all,default}/accept_ra ipv6/conf/{all,default}/accept_dad \
    ipv6/conf/default/router_solicitations; do
    net_setting "$1" "$key" 0
  done
  net_setting "$1" ipv6/conf/default/mldv2_unsolicited_report_interval 1 # ms
  ip -n "$1" link set lo up
}

# veth_up NAMESPACE INTERFACE PEER_NAMESPACE PEER: a cable. Checksums and segments are made by the
# sender, as on a wire, and not left to a network card that is not there.
veth_up() {
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
  local end
  for end in "$1 $2" "$3 $4"; do
    inside "${end% *}" ethtool -K "${end#* }" tx off tso off gso off >/dev/null
    ip -n "${end% *}" link set "${end#* }" up
  done
}

# address_up NAMESPACE INTERFACE ADDRESS/LENGTH...
address_up() {
  local namespace="$1" interface="$2" address
  shift 2
  for address in "$@"; do
    local -a flags=()
    if [[ "$address" == *:* ]]; then flags=(nodad); fi
    ip -n "$namespace" address add "$address" dev "$interface" "${flags[@]}"
  done
}

# namespace_down NAME: with whatever still runs in it.
namespace_down() {
  local pid
  [[ -e "/run/netns/$1" ]] || return 0
  for pid in $(ip netns pids "$1" 2>/dev/null); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  ip netns delete "$1" 2>/dev/null || true
}
