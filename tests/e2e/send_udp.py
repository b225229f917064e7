"""send_udp.py INTERFACE DESTINATION_MAC COUNT SOURCE...: UDP frames from any IPv4 addresses.

To 10.2.0.2 port 53, COUNT from each source, written to the interface as they are."""

import socket
import struct
import sys


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(mac: str, source: str) -> bytes:
    payload = struct.pack("!HHHH", 4000, 53, 8, 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, 17, 0,
                         socket.inet_aton(source), socket.inet_aton("10.2.0.2"))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    ethernet = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x01" + b"\x08\0"
    return ethernet + header + payload


def main() -> None:
    interface, mac, count = sys.argv[1:4]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    for source in sys.argv[4:]:
        for _ in range(int(count)):
            link.send(frame(mac, source))


if __name__ == "__main__":
    main()
