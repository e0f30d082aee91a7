"""Everything at once, at random but the same each time: nothing may be left over, and nothing may be wrong."""

import hashlib
import random
import threading

from harness import Failed, main, same, test
from wire import Client, request
from origins import Lab, Origin
from proxy import gateway

CLIENTS, TURNS = 24, 25


def body_for(seed, size):
    """What the origin must send for `/SEED-SIZE`: the client can tell."""
    return random.Random(seed).randbytes(size)


def moody(wire):
    """An origin with moods; the target's third part chooses one."""
    while True:
        message = wire.message()
        seed, size, mood = message.target[1:].split("-")
        body = body_for(int(seed), int(size))
        if mood == "silent":
            return
        if mood == "chunked":
            wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for i in range(0, len(body), 5000):
                wire.send(b"%x\r\n%s\r\n" % (len(body[i : i + 5000]), body[i : i + 5000]))
            wire.send(b"0\r\n\r\n")
            continue
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        if mood == "cut":
            wire.send(body[: len(body) // 2])
            return
        if mood == "reset":
            wire.send(body[: len(body) // 2])
            wire.reset()
            return
        wire.send(body)
        if mood == "leave":
            return


def one_request(chance, host, seed):
    size = chance.choice([0, 1, 100, 16384, 70000, 300000])
    mood = chance.choice(["fine", "fine", "fine", "chunked", "leave", "silent", "cut", "reset"])
    upload = chance.randbytes(chance.choice([0, 0, 10, 30000, 200000]))
    method = "POST" if upload else "GET"
    return size, mood, request(f"/{seed}-{size}-{mood}", host=host, method=method, body=upload)


def turn(proxy, chance, host, seed, wrong):
    """One client's turn: asks, and now and then misbehaves."""
    size, mood, data = one_request(chance, host, seed)
    client = Client(proxy, receive_buffer=chance.choice([None, 4096]))
    manner = chance.choice(["polite", "polite", "polite", "leaves", "resets", "half", "stops"])
    if manner == "stops":
        data = data[: chance.randrange(1, len(data))]
    for at in range(0, len(data), 20000):
        client.send(data[at : at + 20000])
    if manner in ("half", "stops"):
        client.half_close()
    if manner in ("leaves", "resets"):
        client.sock.recv(chance.choice([1, 1000]))
        client.reset() if manner == "resets" else client.close()
        return
    answer = client.message()
    expected = body_for(seed, size)
    if answer.status == 200 and hashlib.sha256(answer.body).digest() != hashlib.sha256(expected).digest():
        wrong.append(f"{host} /{seed}-{size}-{mood} {manner}: {len(answer.body)} bytes that are not the origin's")
    if answer.status != 200 and mood in ("fine", "chunked", "leave") and manner in ("polite", "half"):
        # A POST may meet a connection that the origin is just closing; it must not be repeated.
        if not (answer.status == 502 and data.startswith(b"POST")):
            wrong.append(f"{host} /{seed}-{size}-{mood} {manner}: {answer.status} {answer.reason}")
    client.close()


@test(deadline=40)
def whatever_clients_and_origins_do_answers_are_right_and_nothing_is_left_over():
    lab, wrong = Lab(), []
    plain, tls = Origin(moody), Origin(moody, tls=lab.context())
    proxy = gateway(plain, "--ca-file", lab.ca, secure=tls, workers=2)

    def play(number):
        chance = random.Random(number)
        for i in range(TURNS):
            host = chance.choice(["origin", "secure:443"])
            try:
                turn(proxy, chance, host, number * 1000 + i, wrong)
            except (OSError, EOFError):
                pass
            except Failed as e:
                wrong.append(str(e))

    threads = [threading.Thread(target=play, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(wrong[:5], [], f"what went wrong ({len(wrong)})")
    same(proxy.get("/7-100-fine").body, body_for(7, 100), "the answer after all that")


main()
