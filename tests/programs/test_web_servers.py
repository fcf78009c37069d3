"""nginx, lighttpd and haproxy: event loops, alone in their process or with worker threads."""

from . import clients, endings, faults, load, origin
from .context import HOST, free_port, require

LIGHTTPD = """
server.document-root = "{root}"
server.bind = "{host}"
server.port = {port}
server.event-handler = "{handler}"
"""

HAPROXY = """
global
    nbthread {threads}
    maxconn 2000
defaults
    mode http
    timeout connect 10s
    timeout client 20s
    timeout server 20s
frontend web
    bind {host}:{port}
    default_backend origin
backend origin
    server one {to[0]}:{to[1]}
frontend tcp
    mode tcp
    bind {host}:{tcp_port}
    default_backend echo
backend echo
    mode tcp
    server two {echo[0]}:{echo[1]}
"""


def serve_files(ctx, server, files, address=None):
    with ctx.blame(server):
        load.http(clients.direct(address or server.address()), files, 20, 400)


def start_nginx(ctx, processes, extra):
    root, files = origin.make_files(ctx)
    argv, _ = origin.nginx_argv(ctx, root, processes, extra)
    return ctx.start(argv), files


def test_nginx_workers(ctx):
    """A master and two workers."""
    server, files = start_nginx(ctx, "worker_processes 2; user root;", "")
    serve_files(ctx, server, files)
    require(server.stop() == 0, "nginx did not end with 0")


def test_nginx_thread_pool(ctx):
    """Files are read by 32 threads that wait on a condition variable."""
    server, files = start_nginx(ctx, "master_process off;", "aio threads; sendfile off;")
    serve_files(ctx, server, files)
    ctx.check_threads(server.threads(), 32)
    require(server.stop() == 0, "nginx did not end with 0")


def lighttpd(ctx, handler):
    root, files = origin.make_files(ctx)
    config = LIGHTTPD.format(root=root, host=HOST, port=free_port(), handler=handler)
    server = ctx.start(["lighttpd", "-D", "-f", ctx.write("lighttpd.conf", config)])
    serve_files(ctx, server, files)
    require(server.stop() == 0, "lighttpd did not end with 0")


def test_lighttpd_epoll(ctx):
    lighttpd(ctx, "linux-sysepoll")


def test_lighttpd_poll(ctx):
    lighttpd(ctx, "poll")


def start_haproxy(ctx, launch, threads):
    to, files = origin.start(ctx)
    port, tcp_port = free_port(), free_port()
    config = HAPROXY.format(threads=threads, host=HOST, port=port, tcp_port=tcp_port, to=to, echo=ctx.echo_backend())
    server = launch(["haproxy", "-db", "-f", ctx.write(f"haproxy-{port}.cfg", config)])
    server.ports(2)
    return server, files, (HOST, port), (HOST, tcp_port)


def haproxy(ctx, threads):
    server, files, web, tcp = start_haproxy(ctx, ctx.start, threads)
    serve_files(ctx, server, files, web)
    with ctx.blame(server):
        load.echo(load.Echo(clients.direct(tcp), 100, 2000, depth=3))
    ctx.check_threads(server.threads(), threads)
    faults.bear(ctx, server, clients.direct(tcp))


def test_haproxy(ctx):
    haproxy(ctx, 1)


def test_haproxy_threads(ctx):
    """Each thread polls in an event loop of its own and they meet at barriers."""
    haproxy(ctx, 4)


def test_haproxy_endings(ctx):
    openers = {}

    def start(launch):
        server, _, _, tcp = start_haproxy(ctx, launch, 4)
        openers[server] = clients.direct(tcp)
        return server

    endings.same(ctx, start, lambda server: openers[server], connections=0)
