"""SIGTERM ends a server with clients, whose threads wait, in the time it takes natively."""

import time

from . import clients, origin
from . import test_echo, test_microsocks, test_names, test_python, test_stores, test_stunnel, test_tinyproxy
from . import test_web_servers
from .context import STOP_FACTOR, limit, require

CONNECTIONS = 20
NOISE = 0.05  # seconds a busy machine takes from one
ROUNDS = 8  # the quickest of so many count, natively and preloaded in turns


def nginx(ctx, launch):
    root, _ = origin.make_files(ctx)
    return launch(origin.nginx_argv(ctx, root, "worker_processes 2; user root;")[0])


def python_http(ctx, launch):
    root, _ = origin.make_files(ctx)
    return test_python.start_http(launch, root)


def seconds(ctx, start, launch):
    server = start(ctx, launch)
    with ctx.blame(server):
        socks = clients.paced(server.address(), CONNECTIONS)
        time.sleep(0.1)  # they are served
        began = time.monotonic()
        server.stop()
        took = time.monotonic() - began
    for sock in socks:
        sock.close()
    return took


def compare(ctx, start):
    natives = [seconds(ctx, start, ctx.start_native)]
    if not ctx.preloaded:
        return
    got = [seconds(ctx, start, ctx.start)]
    while min(got) > (most := min(natives) * STOP_FACTOR + NOISE):
        require(len(got) < ROUNDS, f"ends in {min(got):.3f} s, {most:.3f} are allowed")
        natives.append(seconds(ctx, start, ctx.start_native))
        got.append(seconds(ctx, start, ctx.start))
    print(f"natively {min(natives):.4f} s, preloaded {min(got):.4f} s")


def test_echo_threads(ctx):
    compare(ctx, lambda ctx, launch: test_echo.start(launch, ctx))


def test_socks(ctx):
    compare(ctx, lambda ctx, launch: test_microsocks.start(launch))


def test_http_proxy(ctx):
    compare(ctx, test_tinyproxy.start)


def test_tls(ctx):
    pem, backend = test_stunnel.certificate(ctx), ctx.echo_backend()
    compare(ctx, lambda ctx, launch: test_stunnel.start_server(launch, ctx, pem, backend))


def test_haproxy(ctx):
    compare(ctx, lambda ctx, launch: test_web_servers.start_haproxy(ctx, launch, 4)[0])


def test_nginx(ctx):
    compare(ctx, nginx)


def test_python_http(ctx):
    compare(ctx, python_http)


def test_python_threads(ctx):
    compare(ctx, lambda ctx, launch: test_python.start_echo(launch))


def test_unbound(ctx):
    compare(ctx, lambda ctx, launch: test_names.unbound(ctx, 4, launch)[0])


def test_memcached(ctx):
    compare(ctx, lambda ctx, launch: test_stores.start_memcached(launch))


@limit(90)
def test_redis(ctx):
    """Looks for the end ten times a second."""
    compare(ctx, lambda ctx, launch: test_stores.start_redis(ctx, launch=launch)[0])
