"""curl and wget: clients that fetch many files at once, or look a name up in a thread."""

import os
import re

from . import origin
from .context import require

TIMES = 12  # how often each file is fetched


def check(directory, wanted):
    """The directory holds exactly these files: {name: content}."""
    require(sorted(os.listdir(directory)) == sorted(wanted), f"fetched {sorted(os.listdir(directory))}")
    for name, content in wanted.items():
        with open(os.path.join(directory, name), "rb") as file:
            require(file.read() == content, f"{name} is not what the server has")


def test_curl_parallel(ctx):
    (_, port), files = origin.start(ctx)
    directory = ctx.make_directory("fetched")
    wanted = {f"{target[1:]}{n}": files[target] for target in files for n in range(TIMES)}
    lines = [f'url = "http://localhost:{port}/{name.rstrip("0123456789")}"\noutput = "{directory}/{name}"'
             for name in wanted]
    ctx.run(["curl", "-sS", "-Z", "--parallel-max", "20", "-K", ctx.write("curlrc", "\n".join(lines))])
    check(directory, wanted)


def test_curl_one_by_one(ctx):
    """A command for each file."""
    (_, port), files = origin.start(ctx)
    for target, content in files.items():
        got = ctx.run(["curl", "-sS", f"http://localhost:{port}{target}"])
        require(got == content, f"{target}: {len(got)} bytes, {len(content)} wanted")


def test_curl_fails(ctx):
    """The lookup of a name that no resolver knows is done by a thread."""
    address, _ = origin.start(ctx)
    for command in (["curl", "-sS", "http://localhost:1/"], ["curl", "-sS", "http://no.such.host.invalid/"],
                    ["curl", "-sS", "-f", "http://{}:{}/missing".format(*address)]):
        native, got = (ended(launch(command)) for launch in (ctx.start_native, ctx.start))
        require(got == native, f"{got}, natively {native}")


def ended(program):
    return program.wait(30), re.sub(rb"after \d+ ms", b"", program.errors())


def test_wget(ctx):
    (_, port), files = origin.start(ctx)
    directory = ctx.make_directory("fetched")
    urls = ctx.write("urls", "".join(f"http://localhost:{port}{target}\n" for target in files))
    ctx.run(["wget", "-q", "--no-proxy", "-P", directory, "-i", urls])
    check(directory, {target[1:]: content for target, content in files.items()})
