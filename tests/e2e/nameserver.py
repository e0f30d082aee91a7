"""A name server of our own, for what dnsmasq does not do."""

import socket
import struct
import threading


A, CNAME, AAAA = 1, 5, 28


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


def name_of(packet):
    """The name asked for, in lower case."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode().lower())
        at += 1 + packet[at]
    return ".".join(labels)


def wire_name(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def record(kind, data, ttl, owner=b"\xc0\x0c"):
    """A resource record; its owner is the name asked for unless told."""
    return owner + struct.pack("!2HIH", kind, 1, ttl, len(data)) + data


def address_record(address, ttl, owner=b"\xc0\x0c"):
    family, kind = (socket.AF_INET6, AAAA) if ":" in address else (socket.AF_INET, A)
    return kind, record(kind, socket.inet_pton(family, address), ttl, owner)


def packet_with(packet, records, code=0, ident=None):
    """A packet that answers with these records."""
    header = struct.pack("!2s5H", ident or packet[:2], 0x8180 | code, 1, len(records), 0, 0)
    return header + question(packet)[0] + b"".join(records)


def reply_to(packet, *addresses, ttl=60, code=0, ident=None):
    """A packet that answers: A records for A questions, AAAA for AAAA."""
    made = [address_record(address, ttl) for address in addresses]
    return packet_with(packet, [r for kind, r in made if kind == question(packet)[1]], code, ident)
