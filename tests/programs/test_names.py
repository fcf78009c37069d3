"""unbound and dnsmasq with dig: name servers over UDP and TCP."""

from . import procfs
from .context import HOST, free_port, require, until

COUNT = 50

UNBOUND = """
server:
    num-threads: {threads}
    interface: {host}
    port: {port}
    do-daemonize: no
    use-syslog: no
    username: ""
    chroot: ""
    directory: "{dir}"
    pidfile: ""
    local-zone: "test." static
{data}
"""


def records():
    return {f"name{n}.test": f"10.1.{n // 250}.{n % 250}" for n in range(COUNT)}


def ask_all(ctx, server, port):
    """One dig asks for all names, over UDP and over TCP; then for one that does not exist."""
    with ctx.blame(server):
        until(lambda: port in procfs.listening_ports(server.pid), 20, f"{server.name} does not listen")
        questions = ctx.write("questions", "".join(f"{name} A\n" for name in records()))
        for options in ([], ["+tcp"]):
            got = ctx.run(dig(port, "-f", questions, "+short", *options)).decode().split()
            require(got == list(records().values()), f"dig {options} printed {got[:5]} and so on")
        require(b"NXDOMAIN" in ctx.run(dig(port, "other.test", "A")), "a name that does not exist does")
    require(server.stop() == 0, f"{server.name} did not end with 0")


def dig(port, *arguments):
    return ["dig", "-r", f"@{HOST}", "-p", str(port), "+tries=1", *arguments]


def unbound(ctx, threads, launch=None):
    port = free_port()
    data = "\n".join(f'    local-data: "{name}. A {address}"' for name, address in records().items())
    config = UNBOUND.format(threads=threads, host=HOST, port=port, dir=ctx.directory, data=data)
    return (launch or ctx.start)(["unbound", "-d", "-c", ctx.write("unbound.conf", config)]), port


def test_unbound(ctx):
    ask_all(ctx, *unbound(ctx, 1))


def test_unbound_threads(ctx):
    """Four threads with a libevent loop each, on sockets of their own."""
    server, port = unbound(ctx, 4)
    until(lambda: port in procfs.listening_ports(server.pid), 20, "unbound does not listen")
    ctx.check_threads(server.threads(), 4)
    ask_all(ctx, server, port)


def test_dnsmasq(ctx):
    port = free_port()
    hosts = ctx.write("hosts", "".join(f"{address} {name}\n" for name, address in records().items()))
    server = ctx.start(["dnsmasq", "--keep-in-foreground", f"--port={port}", f"--listen-address={HOST}", "--no-resolv",
                        "--bind-interfaces", "--no-hosts", f"--addn-hosts={hosts}", "--local=/test/", "--pid-file",
                        "--conf-file=/dev/null", "--user=root"])
    ask_all(ctx, server, port)
