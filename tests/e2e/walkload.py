"""What the tests of load and faults share."""

from walk import OUTSIDE, World
from proxy import PAGE
from wire import Wire

PORT = 8000
SERVICE = f"""apiVersion: v1
kind: Service
metadata: {{name: load}}
spec: {{type: ExternalName, externalName: httpbin.org, ports: [{{name: http, port: {PORT}}}]}}
"""
MIB = 1 << 20
HOST = f"load:{PORT}"


def world_of(way, script=None, more=()):
    """The page's world with one Service more, `load`, whose origin does what `script` says."""
    world = World()
    world.register(PAGE.read_text() + "---\n" + SERVICE)
    if script:
        world.load = world.origin(script, "httpbin.org", PORT)
    world.start_way(way, *more)
    return world


def client(world, receive_buffer=None):
    return Wire(world.connect(OUTSIDE["httpbin.org"][world.family], PORT, receive_buffer=receive_buffer))


def memory(world):
    return sum(container.memory() for container in world.running())


def end(world):
    """Nothing is left open, and the ends are good ones."""
    world.settle()
    world.finish()
