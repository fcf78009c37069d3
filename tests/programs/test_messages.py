"""mosquitto with mosquitto_pub and mosquitto_sub: a broker, and clients with a network thread."""

from . import load
from .context import HOST, free_port, require, until

CONFIG = """
listener {port} {host}
allow_anonymous true
persistence false
log_dest stderr
log_type subscribe
"""

SUBSCRIBERS = 5
MESSAGES = 200


def client(name, port, *arguments):
    return [name, "-h", HOST, "-p", str(port), *arguments]


def test_mosquitto(ctx):
    """Every subscriber gets every message in order, with each quality of service."""
    port = free_port()
    broker = ctx.start(["mosquitto", "-c", ctx.write("mosquitto.conf", CONFIG.format(port=port, host=HOST))])
    broker.port()
    lines = "".join(f"message {n} {load.NOISE[n:n + n].hex()}\n" for n in range(MESSAGES))
    with ctx.blame(broker):
        for quality in "012":
            topic = ["-t", f"topic{quality}", "-q", quality]
            subscribers = [ctx.start(client("mosquitto_sub", port, *topic, "-C", str(MESSAGES)))
                           for _ in range(SUBSCRIBERS)]
            until(lambda: broker.errors().count(topic[1].encode()) == SUBSCRIBERS, 10, "not all have subscribed")
            with open(ctx.write("lines", lines), "rb") as source:
                ctx.run(client("mosquitto_pub", port, *topic, "-l"), stdin=source)
            for subscriber in subscribers:
                require(subscriber.wait(20) == 0, str(subscriber.failure("failed")))
                require(subscriber.output().decode() == lines, "other messages arrived than were sent")
    require(broker.stop() == 0, "mosquitto did not end with 0")
