"""Calls that fail, and peers that are slow. strace makes the kernel refuse what the server or libevy asks for, counted
from its first call on; a library behind libevy refuses memory.

The server is our thread-per-connection echo. While calls fail a client may be sent away, as natively when a thread
cannot be made; what is answered is right, nobody waits for ever, and afterwards all are served.
"""

import os
import time

from . import clients, engine, load
from .context import find_program, limit, require

WAVES = 3
CLIENTS = 40
REFUSALS_LEFT = 40
LARGE = load.NOISE * 16


def start(ctx, *faults):
    """The server under strace, which is told what to refuse: CALL:error=ERRNO:when=FIRST..LAST."""
    injected = [part for fault in faults for part in ("-e", f"inject={fault}")]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    preload = [part for key in ("LD_PRELOAD", "EVY_HUBS", "EVY_HUB_METHOD") if key in ctx.environment()
               for part in ("-E", f"{key}={ctx.environment()[key]}")]
    return ctx.start_native([find_program("strace"), "-D", "-f", "-q", "--seccomp-bpf", "-o", ctx.path("calls"),
                             "-e", f"trace={calls}", *injected, *preload, ctx.built("echo_threads")])


def attempt(opener, number):
    """The connection when it was served, else None: being sent away is borne, a wrong answer or none is not."""
    try:
        sock = yield from opener()
        yield from load.checked(sock, load.NOISE[number:number + 100 + number * 500], number)
        return sock
    except ConnectionError:
        return None
    except engine.WrongAnswer as error:
        if "closed the connection" not in str(error):
            raise
        return None


def bear(ctx, *faults, served=0):
    """Waves of clients until the faults are over. At least `served` of each get their answers."""
    server = start(ctx, *faults)
    serve_waves(ctx, server, served)
    with open(ctx.path("calls")) as calls:
        injected = calls.read().count("(INJECTED)")
    print(f"{injected} calls refused")
    require(injected or not ctx.preloaded, "nothing was refused: the test tests nothing")


def serve_waves(ctx, server, served):
    opener = clients.direct(server.address())
    with ctx.blame(server):
        for wave in range(WAVES):
            good = [s for s in engine.run([attempt(opener, n) for n in range(CLIENTS)], time.monotonic() + 10) if s]
            print(f"wave {wave}: {len(good)} of {CLIENTS} served")
            require(len(good) >= served, f"only {len(good)} clients were served, {served} expected")
            for sock in good:
                sock.close()
        # strace counts refusals for each kernel thread: some may be left, each for one connection.
        for left in reversed(range(REFUSALS_LEFT)):
            try:
                load.echo(load.Echo(opener, 50, 500, depth=2, seconds=10))
                break
            except load.LoadFailed:
                require(left, "the server is not well again")
        server.check_alive()


def test_epoll_ctl_without_memory(ctx):
    bear(ctx, "epoll_ctl:error=ENOMEM:when=3..20", served=CLIENTS - 18)


def test_epoll_ctl_without_watches(ctx):
    bear(ctx, "epoll_ctl:error=ENOSPC:when=2..30+3", served=CLIENTS - 10)


@limit(90)
def test_malloc_without_memory(ctx):
    """From the very first allocations on, and in the middle of the work."""
    refused = 0
    for first in (1, 3, 6, 10, 14, 20, 25):
        server = ctx.start([ctx.built("echo_threads")], extra={
            "LD_PRELOAD": ":".join(filter(None, [ctx.environment().get("LD_PRELOAD"), starving(ctx)])),
            "STARVE": f"{first}-{first + 12}"})
        serve_waves(ctx, server, 0)
        refused += server.errors().count(b"starved")
        server.kill()
    print(f"{refused} allocations refused")
    require(refused, "nothing was refused: the test tests nothing")


def starving(ctx):
    return os.path.join(ctx.build, "tests/preload/lib/starve.so")


def loaders_mmaps(ctx):
    """How many mmap calls there are before the first client comes."""
    server = start(ctx, "mmap:error=ENOMEM:when=10000")
    server.port()
    server.kill()
    with open(ctx.path("calls")) as calls:
        return calls.read().count("mmap(")


def test_mmap_without_memory(ctx):
    first = loaders_mmaps(ctx) + 1
    bear(ctx, f"mmap:error=ENOMEM:when={first}..{first + 11}")


def test_mmap_now_and_then(ctx):
    first = loaders_mmaps(ctx) + 2
    bear(ctx, f"mmap:error=ENOMEM:when={first}..{first + 20}+2")


def test_no_kernel_threads(ctx):
    bear(ctx, "clone3:error=EAGAIN:when=1..3")


def test_accept_without_descriptors(ctx):
    bear(ctx, "accept:error=EMFILE:when=2..9", "accept4:error=ENFILE:when=2..9", served=CLIENTS)


def test_accept_without_memory(ctx):
    bear(ctx, "accept:error=ENOMEM:when=2..9", "accept4:error=ENOBUFS:when=2..9", served=CLIENTS)


def test_connections_that_were_aborted(ctx):
    bear(ctx, "accept:error=ECONNABORTED:when=2..9", "accept4:error=ECONNABORTED:when=2..9", served=CLIENTS)


def test_reads_and_writes_interrupted(ctx):
    bear(ctx, "recvfrom:error=EINTR:when=3+3", "sendto:error=EINTR:when=2+3", served=CLIENTS)


def test_start_without_descriptors(ctx):
    """The first threads cannot be made: neither epoll instance nor eventfd is to be had."""
    bear(ctx, "epoll_create1:error=EMFILE:when=1", "eventfd2:error=EMFILE:when=2")


def test_old_kernel(ctx):
    """What an older kernel does not know has a substitute."""
    bear(ctx, "epoll_pwait2:error=ENOSYS:when=1+", "madvise:error=EINVAL:when=1+", "membarrier:error=ENOSYS:when=1+",
         "pidfd_open:error=ENOSYS:when=1+", "futex_waitv:error=ENOSYS:when=1+", served=CLIENTS)



def test_bytes_one_by_one(ctx):
    """Each byte is a segment of its own, and answered before the next one is sent."""
    def client(number):
        sock = yield from opener()
        for byte in load.NOISE[number:number + 300]:
            yield from load.checked(sock, bytes([byte]), number)
        sock.close()

    server = ctx.start([ctx.built("echo_threads")])
    opener = clients.direct(server.address())
    with ctx.blame(server):
        engine.run([client(number) for number in range(50)], time.monotonic() + 20)


def test_stalled_peers(ctx):
    """The server's sends to peers that do not read block; others are served, and later these get all of it."""
    def fill():
        sock = yield from opener()
        sent, end = 0, time.monotonic() + 0.3
        while time.monotonic() < end:
            try:
                sent += sock.send(LARGE[sent:sent + 65536])
            except engine.BLOCKED:
                time.sleep(0.01)
        return sock, sent

    def drain(sock, sent):
        got = yield from engine.recv_exactly(sock, sent)
        sock.close()
        return got

    server = ctx.start([ctx.built("echo_threads")])
    opener = clients.direct(server.address())
    with ctx.blame(server):
        stalled = engine.run([fill() for _ in range(8)], time.monotonic() + 20)
        load.echo(load.Echo(opener, 50, 1000, seconds=10))
        answers = engine.run([drain(sock, sent) for sock, sent in stalled], time.monotonic() + 20)
        require(all(answer == LARGE[:len(answer)] for answer in answers), "a stalled peer got something else")
    print(f"{min(map(len, answers))} to {max(map(len, answers))} bytes were under way")
