"""tinyproxy: an HTTP proxy, a thread per client, timeouts by SO_RCVTIMEO."""

from . import clients, endings, faults, load, origin
from .context import HOST, free_port, limit

CONFIG = """
Port {port}
Listen {host}
Timeout 60
MaxClients 1000
LogLevel Error
DisableViaHeader Yes
"""


def start(ctx, launch):
    port = free_port()
    config = ctx.write(f"tinyproxy-{port}.conf", CONFIG.format(port=port, host=HOST))
    return launch(["tinyproxy", "-d", "-c", config])


def get_through(proxy, address, files, connections, requests):
    host = "http://{}:{}".format(*address)
    proxied = {host + target: content for target, content in files.items()}
    return load.http(clients.direct(proxy), proxied, connections, requests)


@limit(90)
def test_get(ctx):
    address, files = origin.start(ctx)
    proxy = start(ctx, ctx.start)
    with ctx.blame(proxy), ctx.watch_threads(proxy) as watch:
        print(get_through(proxy.address(), address, files, 300, 3000))
    ctx.check_threads(watch.most, 20)


@limit(90)
def test_connect(ctx):
    backend = ctx.echo_backend()
    proxy = start(ctx, ctx.start)
    seen = []
    with ctx.blame(proxy):
        print(load.echo(load.Echo(clients.http_connect(proxy.address(), backend), 500, 10000, depth=2,
                                  at_open=lambda: seen.append(proxy.threads()))))
    ctx.check_threads(seen[0], 500)


def test_bad_clients(ctx):
    address, files = origin.start(ctx)
    proxy = start(ctx, ctx.start)
    large = "GET http://{}:{}/large HTTP/1.0\r\n\r\n".format(*address).encode()
    faults.bear_requests(ctx, proxy, clients.direct(proxy.address()),
                         lambda: get_through(proxy.address(), address, files, 10, 50), large)


def test_bad_clients_of_connect(ctx):
    backend = ctx.echo_backend()
    proxy = start(ctx, ctx.start)
    faults.bear(ctx, proxy, clients.http_connect(proxy.address(), backend))


def test_endings(ctx):
    backend = ctx.echo_backend()
    endings.same(ctx, lambda launch: start(ctx, launch),
                 lambda proxy: clients.http_connect(proxy.address(), backend))
