"""siege: a client with a thread per user, whose main thread lives in sigwait."""

import json
import signal
import time

from . import origin
from .context import limit, require

CONFIG = """
limit = 1000
verbose = false
quiet = false
json_output = true
show-logfile = false
logging = false
protocol = HTTP/1.1
connection = {connection}
parser = false
benchmark = {benchmark}
delay = {delay}
timeout = 60
failures = 10000
"""


def start(ctx, launch, url, *options, connection="close", delay=0):
    """Without a delay the users ask as fast as they can; with one they mostly sleep."""
    benchmark = "false" if delay else "true"
    config = ctx.write("siege.conf", CONFIG.format(connection=connection, delay=delay, benchmark=benchmark))
    return launch(["siege", "-R", config, "-c", "300", *options, url], extra={"HOME": ctx.directory})


def siege(ctx, connection):
    address, files = origin.start(ctx)
    rounds = 20
    program = start(ctx, ctx.start, "http://{}:{}/page".format(*address), "-r", str(rounds), connection=connection)
    with ctx.watch_threads(program) as watch:
        status = program.wait(80)
    require(status == 0, str(program.failure(f"ended with {status}")))
    report = summary(program)
    wanted = 300 * rounds
    require(report["transactions"] == wanted and report["failed_transactions"] == 0
            and report["successful_transactions"] == wanted, f"siege counts {report}, wanted {wanted}")
    megabytes = wanted * len(files["/page"]) / (1 << 20)
    require(abs(report["data_transferred"] - megabytes) < 0.1, f"siege counts {report}, wanted {megabytes:.2f} MB")
    ctx.check_threads(watch.most, 300)


def summary(program):
    text = program.output().decode()
    return json.loads(text[text.index("{"):text.rindex("}") + 1])


@limit(90)
def test_300_users(ctx):
    siege(ctx, "close")


@limit(90)
def test_300_users_keep_alive(ctx):
    siege(ctx, "keep-alive")


def test_endings(ctx):
    """Interrupted by a signal it stops its users (it cancels them) and still reports.

    The users sleep meanwhile: siege cancels asynchronously, and natively too it now and then hangs when
    that hits a user inside malloc.
    """
    address, _ = origin.start(ctx)
    url = "http://{}:{}/small".format(*address)
    for signum in (signal.SIGINT, signal.SIGTERM):
        native = interrupted(start(ctx, ctx.start_native, url, "-t", "60S", delay=3), signum)
        print(f"{signum.name} natively: {native}")
        if ctx.preloaded:
            got = interrupted(start(ctx, ctx.start, url, "-t", "60S", delay=3), signum)
            require(got == native, f"{signum.name} ends siege with {got}, natively with {native}")


def interrupted(program, signum):
    """The exit status, and whether there was a report that counts."""
    time.sleep(1.5)
    status = program.stop(signum)
    try:
        return status, summary(program)["transactions"] > 0
    except ValueError:
        return status, "no report"
