"""TCP that comes back as it was sent.

  echo.py serve PORT          over IPv4 and IPv6, until it is killed; says "ready"
  echo.py send HOST PORT N    sends N bytes and checks that they come back; says how many did
"""

import hashlib
import socket
import socketserver
import sys
import threading

TIMEOUT = 20


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while chunk := self.request.recv(65536):
            self.request.sendall(chunk)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


def serve(port: int) -> None:
    with Server(("::", port), Echo) as server:
        print("ready", flush=True)
        server.serve_forever()


def send(host: str, port: int, count: int) -> int:
    """Returns how many bytes came back as they were."""
    data = hashlib.shake_128(b"march").digest(count)
    with socket.create_connection((host, port), timeout=TIMEOUT) as connection:

        def push() -> None:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

        pusher = threading.Thread(target=push, daemon=True)
        pusher.start()
        received = bytearray()
        while chunk := connection.recv(65536):
            received += chunk
        pusher.join(TIMEOUT)
    return len(received) if received == data else -1


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        print(send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
