"""Alone means native: programs that never start a thread make the system calls they make without libevy."""

import difflib
import itertools
import os
import time

from . import clients, engine, origin, strace
from .context import HOST, Failure, free_port, limit, require

ATTEMPTS = 5  # signals and short reads make even two native runs differ now and then
MOST_EXTRA = 48  # calls of libevy's constructor
MOST_BEFORE = 24  # calls of other libraries' constructors, which may come before it
FORBIDDEN = {"epoll_create", "epoll_create1", "eventfd2", "timerfd_create", "timer_create", "clone", "clone3", "fork",
             "vfork", "socket", "socketpair", "pipe", "pipe2", "io_uring_setup", "signalfd4", "execve", "futex"}

numbers = itertools.count()


def compare(ctx, argv, work=None):
    """`work(program)` drives the program; without it the program ends by itself."""
    natives = [traced(ctx, argv, work, preloaded=False) for _ in range(2)]
    if not ctx.preloaded:
        natives_agree(ctx, argv, work, natives)
        return
    for _ in range(ATTEMPTS):
        got = traced(ctx, argv, work, preloaded=True)
        complaints = [difference(native, got) for native in natives]
        if "" in complaints:
            print(f"start-up calls added: {added(natives[complaints.index('')], got)}")
            return
        natives.append(traced(ctx, argv, work, preloaded=False))
    raise Failure(min(complaints, key=len))


def natives_agree(ctx, argv, work, runs):
    """Two native runs look the same, or the comparison would be worth nothing."""
    for _ in range(ATTEMPTS):
        if any(a == b for a, b in itertools.combinations(runs, 2)):
            return
        runs.append(traced(ctx, argv, work, preloaded=False))
    raise Failure("no two native runs agree:\n" + text_difference(*map(flat, runs[:2])))


def traced(ctx, argv, work, preloaded):
    output = ctx.path(f"strace-{next(numbers)}")
    variables = {}
    if preloaded:
        variables = {"LD_PRELOAD": ctx.library, "EVY_HUBS": str(ctx.hubs)}
    program = ctx.start_native(strace.command(output, argv, variables))
    if work:
        work(program)
    else:
        status = program.wait(30)
        require(status == 0, str(program.failure(f"ended with {status}")))
    return strace.processes(output)


def difference(native, got):
    """Empty when the run under the preload is the native one with start-up calls inserted after each execve."""
    if [len(process) for process in native] != [len(process) for process in got]:
        return f"other processes: natively {shape(native)}, got {shape(got)}"
    for expected, process in zip(native, got):
        for number, (calls, seen) in enumerate(zip(expected, process)):
            block = inserted(calls, seen)
            if block is None or (block and number == 0) or not harmless(block):
                return text_difference(calls, seen)
    return ""


def shape(processes):
    return [[len(segment) for segment in process] for process in processes]


def inserted(calls, seen):
    """The one block by which `seen` is longer than `calls`; None when they differ otherwise."""
    same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(calls, seen))))
    extra = len(seen) - len(calls)
    if extra == 0 and same == len(calls):
        return []
    if extra <= 0 or seen[same + extra:] != calls[same:]:
        return None
    return seen[same:same + extra] if same <= MOST_BEFORE else None


def harmless(block):
    return len(block) <= MOST_EXTRA and not FORBIDDEN & {call.partition("(")[0] for call in block}


def added(native, got):
    blocks = [inserted(c, s) for e, p in zip(native, got) for c, s in zip(e, p)]
    return [[call.partition("(")[0] for call in block] for block in blocks if block]


def flat(processes):
    return [call for process in processes for segment in process for call in segment]


def text_difference(calls, seen):
    lines = difflib.unified_diff(calls, seen, "natively", "got", lineterm="", n=2)
    return "other system calls:\n" + "\n".join(itertools.islice(lines, 24))


def test_ls(ctx):
    compare(ctx, ["ls", "-l", "/usr"])


def test_bash(ctx):
    compare(ctx, ["bash", "-c", "echo $((1+2)); ls / | wc -l"])


def test_python(ctx):
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    compare(ctx, ["/usr/bin/python3", "-c", "print(1)"])


@limit(90)
def test_nginx(ctx):
    root, files = origin.make_files(ctx)
    argv, address = origin.nginx_argv(ctx, root)

    def work(program):
        program.port()
        for target in ("/one", "/page", "/empty"):
            time.sleep(0.05)
            answer = engine.run([clients.http_get(clients.direct(address), target)], time.monotonic() + 10)[0]
            require(answer == (200, files[target]), f"nginx answers {answer[0]}, {len(answer[1])} bytes")
        time.sleep(0.05)
        status = program.stop()
        require(status == 0, str(program.failure(f"ended with {status}")))

    compare(ctx, argv, work)


def test_redis_cli(ctx):
    port = free_port()
    server = ctx.start_native(["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--daemonize", "no",
                               "--dir", ctx.directory])
    server.port()
    compare(ctx, ["redis-cli", "-h", HOST, "-p", str(port), "SET", "key", "value"])
    compare(ctx, ["redis-cli", "-h", HOST, "-p", str(port), "GET", "key"])
