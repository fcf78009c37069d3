"""A program that gets SIGTERM or SIGINT in the middle of its work ends as it does natively."""

import signal
import time

from . import engine, load
from .context import require

SIGNALS = (signal.SIGTERM, signal.SIGINT)


MORE_NATIVE_RUNS = 5  # some programs end in more than one way


def same(ctx, start, opener_of, connections=20, ready=load.greet):
    """`start(launch)` starts the program with ctx.start or ctx.start_native; each run gets its clients, who
    open their connections and then do `ready`: by default an echo, so that they are known to be served."""
    def ending(launch, signum):
        return ending_of(ctx, start(launch), opener_of, connections, ready, signum)

    for signum in SIGNALS:
        natives = [ending(ctx.start_native, signum)]
        print(f"{signum.name} natively: {natives[0]}")
        if not ctx.preloaded:
            continue
        got = ending(ctx.start, signum)
        while got not in natives and len(natives) <= MORE_NATIVE_RUNS:
            natives.append(ending(ctx.start_native, signum))
        require(got in natives, f"ends with {got} after {signum.name}, natively with {natives[0]}")


def ending_of(ctx, program, opener_of, connections, ready, signum):
    with ctx.blame(program):
        opener = opener_of(program)
        opening = [prepared(opener, ready, number) for number in range(connections)]
        socks = engine.run(opening, time.monotonic() + 20, 4)
        time.sleep(0.05)
        status = program.stop(signum)
    for sock in socks:
        sock.close()
    return status


def prepared(opener, ready, number):
    sock = yield from opener()
    if ready:
        yield from ready(sock, number)
    return sock
