"""HTTP as bytes on sockets: strict, and no cleverer than a test needs."""

import contextlib
import re
import socket

from harness import CERTAINLY, same, scope, shown, true

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Cut(EOFError):
    """The peer closed in the middle; `partial` has what came before."""

    def __init__(self, what, partial=b""):
        super().__init__(f"closed {what}, after {shown(partial)}")
        self.partial = partial


class Message:
    def __init__(self, head):
        text = head.decode("latin-1")
        self.raw, self.body, self.trailers, self.chunks = head, b"", [], []
        self.start, *lines = text[:-4].split("\r\n")
        true(
            "\n" not in text.replace("\r\n", "") and "\r" not in text.replace("\r\n", ""), f"bare CR or LF in {head!r}"
        )
        self.fields = [field(line) for line in lines]

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name):
        """The one value of a field, None when it is not there."""
        values = self.all(name)
        true(len(values) < 2, f"{name} twice in {self.raw!r}")
        return values[0] if values else None

    def names(self):
        return [n.lower() for n, _ in self.fields]

    @property
    def status(self):
        true(re.fullmatch(r"HTTP/1\.1 [1-5]\d\d [ -~]*", self.start), f"status line is {self.start!r}")
        return int(self.start[9:12])

    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    @property
    def reason(self):
        """The name of the failure when the proxy itself answered."""
        return self.get("x-egressbox-error")


def field(line):
    match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", line)
    true(match, f"{line!r} is no header field")
    return match.group(1), match.group(2)


class Wire:
    """One side of a connection; `received` has every byte that ever came."""

    def __init__(self, sock):
        self.sock, self.received, self.at, self.ended = sock, bytearray(), 0, False
        sock.settimeout(CERTAINLY)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.sock.sendall(data)
        return self

    def fill(self):
        """Receives something; False at the end."""
        data = b"" if self.ended else self.sock.recv(65536)
        self.ended = not data
        self.received += data
        return not self.ended

    def rest(self):
        return bytes(self.received[self.at :])

    def take(self, end):
        data = bytes(self.received[self.at : end])
        self.at = end
        return data

    def through(self, mark):
        """The bytes up to and with `mark`."""
        searched = self.at
        while (found := self.received.find(mark, searched)) < 0:
            searched = max(self.at, len(self.received) - len(mark) + 1)
            if not self.fill():
                raise Cut(f"before {mark!r}", self.rest())
        return self.take(found + len(mark))

    def exactly(self, count):
        while len(self.received) - self.at < count:
            if not self.fill():
                raise Cut(f"before {count} bytes", self.rest())
        return self.take(self.at + count)

    def to_end(self):
        while self.fill():
            pass
        return self.take(len(self.received))

    def message(self, no_body=False):
        """The next message; `no_body` when it is the answer to HEAD. Raises Cut when it is incomplete."""
        first = self.at
        head = Message(self.through(b"\r\n\r\n"))
        is_response = head.start.startswith("HTTP/")
        coding, length = head.get("transfer-encoding"), head.get("content-length")
        true(not (coding and length), f"Transfer-Encoding and Content-Length in {head.raw!r}")
        if no_body or (is_response and (head.status < 200 or head.status in (204, 304))):
            pass
        elif coding:
            same(coding, "chunked", "Transfer-Encoding")
            self.chunked(head)
        elif length is not None:
            head.body = self.exactly(int(length))
        elif is_response:
            head.body = self.to_end()
        head.raw = bytes(self.received[first : self.at])
        return head

    def chunked(self, head):
        body = bytearray()
        while True:
            line = self.through(b"\r\n")
            true(re.fullmatch(rb"[0-9a-fA-F]{1,16}\r\n", line), f"chunk size line {line!r}")
            size = int(line, 16)
            head.chunks.append(size)
            if size == 0:
                break
            body += self.exactly(size)
            same(self.exactly(2), b"\r\n", "end of chunk data")
        head.body = bytes(body)
        while (line := self.through(b"\r\n")) != b"\r\n":
            head.trailers.append(field(line[:-2].decode("latin-1")))

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def is_closed(self):
        """True at the peer's FIN or RST, False when bytes come instead."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            return self.ended or not self.fill()
        return True

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Client(Wire):
    """A raw client of a proxy, or of any port."""

    def __init__(self, port, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(("127.0.0.1", getattr(port, "port", port)))
        super().__init__(sock)
        scope.clients.append(self)

    def ask(self, target="/", *lines, host="origin", method="GET", body=b""):
        """Sends a request made of good parts and returns the answer."""
        self.send(request(target, *lines, host=host, method=method, body=body))
        return self.message(no_body=method == "HEAD")


def request(target="/", *lines, host="origin", method="GET", body=b""):
    if body:
        lines = (*lines, f"Content-Length: {len(body)}")
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode("latin-1") + body
