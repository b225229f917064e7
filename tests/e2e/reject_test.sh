#!/usr/bin/env bash
# What is rejected is told so at once: real clients, through a program in the driver and through one
# in the kernel's generic hook.
here=$(dirname "$0")
. "$here/three_hosts.sh"

cat >"${POLICY:=$(mktemp)}" <<'POLICY'
apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
  echo: { from: [clients], to: [servers], protocols: [tcp], ports: [7] }
POLICY
trap 'rm -f "$POLICY"' EXIT

# connects ADDRESS PORT: how a connection ends, and after how many whole seconds.
connects() {
  in_client python3 - "$1" "$2" <<'PYTHON'
import errno, socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    result = "connected"
except TimeoutError:
    result = "silence"
except OSError as error:
    result = errno.errorcode[error.errno]
print(result, int(time.monotonic() - began))
PYTHON
}
# sends ADDRESS: what becomes of a datagram.
sends() {
  in_client python3 - "$1" <<'PYTHON'
import errno, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as client:
    client.settimeout(3)
    client.connect((sys.argv[1], 53))
    client.send(b"x" * 1300)
    try:
        client.recv(10)
        print("an answer")
    except TimeoutError:
        print("silence")
    except OSError as error:
        print(errno.errorcode[error.errno])
PYTHON
}
said() { # WHAT TEXT PATTERN
  grep -q "$3" <<<"$2" || fail "$1: $2"
  echo "ok: $1: $(grep -m 1 "$3" <<<"$2")"
}
