"""Our own plain C server, compiled without libevy: a thread per connection."""

import resource
import time

from . import clients, endings, engine, faults, load
from .context import limit, require, until

SPARE_FDS = 100
MOST_CONNECTIONS = 25000  # client ports of one address; fewer where the descriptors end earlier
EMFILE_LIMIT = 64


def start(launch, ctx, **options):
    return launch([ctx.built("echo_threads")], **options)


def opener_of(server):
    return clients.direct(server.address())


def test_connections_1000(ctx):
    server = start(ctx.start, ctx)
    seen = []
    with ctx.blame(server):
        result = load.echo(load.Echo(opener_of(server), 1000, 20000, depth=3,
                                     at_open=lambda: seen.append(server.threads())))
        print(result)
    ctx.check_threads(seen[0], 1000)


def test_large_messages(ctx):
    """Far more than the socket buffers hold: both directions block, again and again."""
    server = start(ctx.start, ctx)
    with ctx.blame(server):
        load.echo(load.Echo(opener_of(server), 20, 200, sizes=(100000, 1000000)))


@limit(120)
def test_as_many_as_the_fd_limit(ctx):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = min(soft - SPARE_FDS, MOST_CONNECTIONS, native_thread_limit())
    server = start(ctx.start, ctx)
    seen = []
    with ctx.blame(server):
        load.echo(load.Echo(opener_of(server), connections, 2 * connections, window=256, processes=4, reset=True,
                            seconds=90, at_open=lambda: seen.append(server.threads())))
    print(f"{connections} connections")
    ctx.check_threads(seen[0], connections)


def native_thread_limit():
    """So that the native run, with which we compare, can work at all; some room for the rest of the system."""
    limits = []
    for path in ("/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max", "/proc/sys/vm/max_map_count"):
        with open(path) as file:
            limits.append(int(file.read()))
    return min(limits[0], limits[1], limits[2] // 2) - 2000


def test_many_short_connections(ctx):
    """Threads come and go: nothing of them may be left."""
    server = start(ctx.start, ctx)
    with ctx.blame(server):
        opener = opener_of(server)
        faults.ask(opener, 10)
        quiet = server.fds()
        engine.run([short(opener, i) for i in range(5000)], time.monotonic() + 50, 50)
    faults.settle(server, quiet)


def short(opener, number):
    sock = yield from opener()
    yield from load.checked(sock, load.NOISE[number:number + 100 + number % 1000], number)
    clients.reset(sock) if number % 3 == 0 else sock.close()


def test_emfile(ctx):
    """Out of descriptors the rest waits in the backlog, and is served when the first ones leave."""
    native = served_at_limit(ctx, start(ctx.start_native, ctx, nofile=EMFILE_LIMIT))
    print(f"natively {native} connections are served with {EMFILE_LIMIT} descriptors")
    if ctx.preloaded:
        served = served_at_limit(ctx, start(ctx.start, ctx, nofile=EMFILE_LIMIT))
        least = native - 4 * (ctx.hubs + 1)
        require(least <= served <= native, f"{served} connections are served at the limit, natively {native}")


def served_at_limit(ctx, server):
    with ctx.blame(server):
        opener = opener_of(server)
        answered = []
        asking = [ask_and_note(opener, i, answered) for i in range(EMFILE_LIMIT + 20)]
        try:
            engine.run(asking, time.monotonic() + 1.5)
        except engine.Stuck:
            pass
        server.check_alive()
        served = len(answered)
        for sock in answered:
            sock.close()
        until(lambda: server.fds() < EMFILE_LIMIT, 5, "no descriptor was freed")
        faults.ask(opener, 20)
    return served


def ask_and_note(opener, number, answered):
    sock = yield from opener()
    yield from load.checked(sock, b"are you there?", number)
    answered.append(sock)


def test_bad_clients(ctx):
    server = start(ctx.start, ctx)
    opener = opener_of(server)
    faults.bear(ctx, server, opener)
    faults.half_close_gets_everything(ctx, server, opener)


def test_endings(ctx):
    endings.same(ctx, lambda launch: start(launch, ctx), opener_of, connections=200)
