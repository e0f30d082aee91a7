"""Clients that ask all the time, and don't miss a thing: whatever is not a whole answer with 200 is a failure."""

import contextlib
import socket
import threading

from harness import pass_time, same, scope, true, until
from wire import Message, request


class Load:
    """`clients` threads on `port`: each sends GETs on one connection, up to `per_connection`, then on the next.

    A connection that the proxy has said it would close is done; one that it closes without saying so, before
    or in the middle of an answer, is a failure, and so is one that can't be made. With `stop_when_refused` the
    end of the listening is no failure, but the end of that client. `pause` seconds pass between two requests, so
    that what is tested gets some of the CPU as well.
    """

    def __init__(self, port, clients=8, per_connection=50, stop_when_refused=False, pause=0):
        self.port, self.per_connection, self.pause = port, per_connection, pause
        self.stop_when_refused, self.stopping = stop_when_refused, False
        self.answered, self.failures, self.closed = 0, [], 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.play, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()
        scope.rest.callback(self.end)

    def play(self):
        while not self.stopping:
            try:
                sock = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            except ConnectionRefusedError as e:
                if not self.stop_when_refused:
                    self.fail(f"connecting: {e}")
                return
            with contextlib.closing(sock):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self.use(sock)
                except OSError as e:
                    self.fail(repr(e))

    def use(self, sock):
        stream = sock.makefile("rb")
        for _ in range(self.per_connection):
            sock.sendall(request())
            head = read_head(stream)
            if not head.endswith(b"\r\n\r\n"):
                self.fail(f"no answer, only {head!r}")
                return
            message = Message(head)
            body = stream.read(int(message.get("content-length") or 0))
            if message.status != 200 or len(body) != int(message.get("content-length")):
                self.fail(f"{message.start} {message.reason} {len(body)} bytes")
                return
            with self.lock:
                self.answered += 1
            if message.get("connection") == "close":
                with self.lock:
                    self.closed += 1
                return
            if self.stopping:
                return
            if self.pause:
                pass_time(self.pause)

    def fail(self, why):
        with self.lock:
            self.failures.append(why)

    def more(self, count=200):
        """Waits until so many more requests have been answered."""
        goal = self.answered + count
        until(lambda: self.answered >= goal or self.failures, "the load goes on", 20)
        self.check()

    def check(self):
        same(self.failures[:3], [], f"failures ({len(self.failures)} of {self.answered})")

    def end(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(20)
        return self

    def wait(self):
        """Until the clients have ended by themselves."""
        for thread in self.threads:
            thread.join(30)
        true(not any(thread.is_alive() for thread in self.threads), "clients are left")
        self.check()


def read_head(stream):
    """Up to and with the empty line; less at the end of the stream."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and (line := stream.readline()):
        head += line
    return head
