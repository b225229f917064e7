# shellcheck shell=bash
# The hosts of tests/e2e/three_hosts.sh and one more, which floods, for scripts to source:
#
#   attacker a0 -- ga 192.0.2.1  2001:db8:a::1, and behind it all addresses that are nobody else's
#
# The client has more addresses, a source each: 10.8.0.0/16, and one in each /64 of
# 2001:db8:100::/48. The server answers on port 80, then closes, and on port 81, where it does not.
#
# MARCH_BIN names the directory of the programs.

. "$(dirname "${BASH_SOURCE[0]}")/../../tests/e2e/three_hosts.sh"

ATTACKER=march-e2e-$$-attacker
BENCH_FLOOD=$MARCH_BIN/march-bench-flood
ATTACK_PID=
in_attacker() { inside "$ATTACKER" "$@"; }

flood_hosts_down() {
  # Told to end twice, or by who reads what we say and is gone, it still comes to its own end.
  trap '' INT TERM PIPE
  ip netns del "$ATTACKER" 2>/dev/null
  hosts_down
}

# flood_hosts_up [TEXT]: as hosts_up, and marchd is to guard ga too.
flood_hosts_up() {
  command -v nginx >/dev/null || skip "there is no nginx"
  hosts_up "${1:-}"
  trap 'set +e; flood_hosts_down' EXIT
  namespace_up "$ATTACKER"
  attacker_link a0 ga
  in_gateway sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.ga.rp_filter=0
  address_up "$GATEWAY" ga 192.0.2.1/24 2001:db8:a::1/64
  for hop in 192.0.2.2 2001:db8:a::2; do
    ip -n "$GATEWAY" neighbour add "$hop" lladdr 02:00:00:00:00:66 dev ga
    ip -n "$GATEWAY" route add default via "$hop"
  done
  # The client must hear what the gateway answers by itself.
  take_by_program "$CLIENT" c0 pass
  ip -n "$CLIENT" route add local 10.8.0.0/16 dev lo
  ip -n "$CLIENT" route add local 2001:db8:100::/48 dev lo
  in_client sysctl -q -w net.ipv6.ip_nonlocal_bind=1
  ip -n "$GATEWAY" route add 10.8.0.0/16 via 10.1.0.2
  ip -n "$GATEWAY" route add 2001:db8:100::/48 via 2001:db8:1::2
  sed -i 's/^interfaces: .*/interfaces: [gc, gs, ga]/' "$WORK/marchd.yaml"
  cat >"$WORK/policy.yaml" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  server: { addresses: [10.2.0.2, "2001:db8:2::2"] }
mappings:
  web: { to: [server], protocols: [tcp], ports: [80, 81] }
POLICY
}

# shellcheck disable=SC2034
# serve_web [COMMAND...]: nginx as it is, behind COMMAND. Its queue of half-open connections has the
# length that nginx asks for by itself.
serve_web() {
  cat >"$WORK/nginx.conf" <<NGINX
user root;
daemon off;
master_process off;
error_log $WORK/nginx.log;
pid $WORK/nginx.pid;
events { worker_connections 8192; }
worker_rlimit_nofile 16384;
http {
  access_log off;
  default_type text/plain;
  client_body_temp_path $WORK/t1; proxy_temp_path $WORK/t2; fastcgi_temp_path $WORK/t3;
  uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
  keepalive_requests 1000000;
  server { listen 80; listen [::]:80 ipv6only=on; keepalive_timeout 0; return 200 "ok\n"; }
  server { listen 81; listen [::]:81 ipv6only=on; keepalive_timeout 600; return 200 "ok\n"; }
}
NGINX
  nsenter --net="/run/netns/$SERVER" "$@" nginx -c "$WORK/nginx.conf" -e "$WORK/nginx.log" &
  WEB_PID=$!
  for _ in $(seq 100); do
    if in_server curl -s -o "$WORK/probe" http://10.2.0.2:81/; then return; fi
    sleep 0.05
  done
  fail "nginx does not serve"
}

# shellcheck disable=SC2034
# start_client SOURCES KEPT [COMMAND...]: a client behind COMMAND, to which tell_client speaks.
start_client() {
  coproc CLIENT_TALK {
    exec nsenter --net="/run/netns/$CLIENT" "${@:3}" "$BENCH_FLOOD" client --server 10.2.0.2 \
      --server6 2001:db8:2::2 --sources "$1" --keep "$2"
  }
  # Kept apart: bash forgets them when the client ends.
  CLIENT_PID=$CLIENT_TALK_PID
  exec {to_client}>&"${CLIENT_TALK[1]}" {from_client}<&"${CLIENT_TALK[0]}"
  read -r -t 60 <&"$from_client" || fail "the client has not connected"
}

# tell_client WORDS...: prints its answer, a line of JSON.
tell_client() {
  local answer
  echo "$*" >&"$to_client"
  read -r -t 60 answer <&"$from_client" || fail "the client does not answer to $*"
  echo "$answer"
}

# take_by_program NAMESPACE INTERFACE drop|pass: what comes in meets that program first.
take_by_program() {
  nsenter --net="/run/netns/$1" "$BENCH_FLOOD" "$3" "$2" &
  for _ in $(seq 100); do
    if ip -n "$1" link show "$2" | grep -q xdp; then return; fi
    sleep 0.05
  done
  fail "there is no program on $2"
}

# attacker_link NAME AT_GATEWAY: a cable from the attacker to the gateway.
attacker_link() {
  ip -n "$ATTACKER" link add "$1" type veth peer name "$2" netns "$GATEWAY"
  in_attacker sysctl -q -w "net.ipv6.conf.$1.disable_ipv6=1"
  # Without XDP of ours, too, it takes what is redirected to it.
  in_gateway ethtool -K "$2" gro on
  ip -n "$ATTACKER" link set "$1" up
  ip -n "$GATEWAY" link set "$2" up
}

# start_attack [OPTION...], until stop_attack. ATTACK_LINK is "a0 ga" unless set.
start_attack() {
  local link at_gateway mac
  read -r link at_gateway <<<"${ATTACK_LINK:-a0 ga}"
  mac=$(ip -n "$GATEWAY" -brief link show "$at_gateway" | awk '{ print $3 }')
  nsenter --net="/run/netns/$ATTACKER" "$BENCH_FLOOD" attack "$link" --gateway "$mac" \
    --server 10.2.0.2 --server6 2001:db8:2::2 "$@" >"$WORK/made" &
  ATTACK_PID=$!
}

# MADE frames, of which ga's ring was too full for REFUSED, as in gateway.sh.
# shellcheck disable=SC2034
stop_attack() {
  kill "$ATTACK_PID"
  wait "$ATTACK_PID" || fail "the attack failed"
  ATTACK_PID=
  MADE=$(sed 's/[^0-9]//g' "$WORK/made")
  REFUSED=$(driver_count attacker a0 '^tx_queue_[0-9]+_xdp_xmit_errors')
}
