"""A name server of our own, for what dnsmasq does not do."""

import socket
import struct
import threading


class Stub:
    """A name server in our hands: `reply(query) -> packets`, asked in a thread of its own for each query."""

    def __init__(self, reply):
        self.reply, self.queries = reply, []
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            packet, peer = self.sock.recvfrom(4096)
            self.queries.append(packet)
            threading.Thread(target=self.send, args=(packet, peer), daemon=True).start()

    def send(self, packet, peer):
        for reply in self.reply(packet):
            self.sock.sendto(reply, peer)


def question(packet):
    """The question section's bytes, and its type."""
    end = packet.index(b"\0", 12) + 5
    return packet[12:end], struct.unpack("!H", packet[end - 4 : end - 2])[0]


def reply_to(packet, *addresses, ttl=60, code=0, ident=None):
    """A packet that answers: A records for A questions, none for others."""
    asked, kind = question(packet)
    records = [b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, ttl, 4) + socket.inet_aton(a) for a in addresses if kind == 1]
    header = struct.pack("!2s5H", ident or packet[:2], 0x8180 | code, 1, len(records), 0, 0)
    return header + asked + b"".join(records)
