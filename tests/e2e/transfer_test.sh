#!/usr/bin/env bash
# Downloads through a gateway, IPv4 and IPv6, while its policy changes: changes that do not concern
# them do nothing to them, and one that forbids them ends them at once.
#
# MARCH_SWAPS / 4 (default 50) changes.
here=$(dirname "$0")
. "$here/three_hosts.sh"

changes=$((${MARCH_SWAPS:-200} / 4))
((changes >= 5)) || changes=5
command -v nginx >/dev/null || skip "there is no nginx"
hosts_up

# policy N PORT: N % 4 mappings in front of the one that the downloads have, so that its slot moves.
policy() {
  local more
  cat <<POLICY
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
  others: { addresses: [10.9.$1.0/24] }
mappings:
$(for ((more = 0; more < $1 % 4; ++more)); do
    echo "  a-$1-$more: { from: [others], to: [servers], protocols: [udp], ports: [$((1000 + $1 + more))] }"
  done)
  web: { from: [clients], to: [servers], protocols: [tcp], ports: [$2] }
POLICY
}

mkdir "$WORK/www"
chmod 755 "$WORK" "$WORK/www"
head -c 40000000 /dev/urandom >"$WORK/www/file"
cat >"$WORK/nginx.conf" <<NGINX
user root;
daemon off;
error_log $WORK/nginx.log;
pid $WORK/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path $WORK/t1; proxy_temp_path $WORK/t2; fastcgi_temp_path $WORK/t3;
  uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
  server { listen 80; listen [::]:80 ipv6only=on; root $WORK/www; limit_rate 1m; }
}
NGINX
nsenter --net="/run/netns/$SERVER" nginx -c "$WORK/nginx.conf" -e "$WORK/nginx.log" &

policy 0 80 >"$WORK/policy.yaml"
start_marchd
enforce "$WORK/policy.yaml"
for _ in $(seq 100); do
  in_client curl -s -o "$WORK/probe" -r 0-9 http://10.2.0.2/file && break
  sleep 0.1
done

# Bundles beforehand, so that the loop is swaps and nothing else. A serial may stay the same.
for n in 0 1 2 3; do
  policy $((n * 51)) 80 >"$WORK/policy.yaml"
  "$MARCHCTL" compile "$WORK/policy.yaml" --serial 2 --key "$WORK/key" -o "$WORK/$n.march"
done
swap() {
  control --fail --data-binary "@$WORK/$1.march" -H 'Expect:' -o "$WORK/answer" http://march/v1/bundles ||
    fail "swap to $1: $(cat "$WORK/answer")"
}

# download NAME HOST
download() {
  nsenter --net="/run/netns/$CLIENT" curl -s -S -m 120 -o "$WORK/$1" "http://$2/file" &
  printf -v "$1" '%s' "$!"
}
in_progress() { kill -0 "$1" 2>/dev/null; }
size() { stat -c %s "$WORK/$1" 2>/dev/null || echo 0; }

download v4 10.2.0.2
download v6 '[2001:db8:2::2]'
sleep 0.3
made=0
while ((made < changes)); do
  in_progress "$v4" && in_progress "$v6" || break
  made=$((made + 1))
  swap "$((made % 4))"
done
expect "changes while both downloads went on" "$made" "$changes"
wait "$v4" || fail "the download over IPv4 ended with $?"
wait "$v6" || fail "the download over IPv6 ended with $?"
for name in v4 v6; do
  cmp "$WORK/$name" "$WORK/www/file" || fail "what came over $name is not what is there"
done
echo "ok: both files are as they are on the server"
expect "packets that were dropped" "$("$MARCHCTL" monitor --target "unix:$WORK/control.sock" --drops --last 9 --no-follow)" ""
expect "packets that were counted as dropped" "$(rules "r['defaults'][0]['packets']")" 0
expect "replies count for the mapping" "$(rules "[m['packets'] > 20000 for m in r['mappings'] if m['name'] == 'web']")" "[True]"

# What is forbidden ends within a second of the change.
rm "$WORK/v4" "$WORK/v6"
download v4 10.2.0.2
download v6 '[2001:db8:2::2]'
sleep 1
(($(size v4) > 250000 && $(size v6) > 250000)) || fail "the downloads do not go on"
policy 0 81 >"$WORK/policy.yaml"
"$MARCHCTL" compile "$WORK/policy.yaml" --serial 3 --key "$WORK/key" -o "$WORK/forbids.march"
swap forbids
sleep 1
had4=$(size v4) had6=$(size v6)
sleep 2
expect "bytes that came later than a second after the change" "$(($(size v4) - had4)) $(($(size v6) - had6))" "0 0"
in_progress "$v4" && in_progress "$v6" || fail "the downloads had ended"
(($(rules "r['defaults'][0]['packets']") > 0)) || fail "nothing was dropped"
kill "$v4" "$v6"
