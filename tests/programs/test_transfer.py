"""git daemon, rsync daemon and sshd: servers that fork a process per client and move trees of files."""

import getpass
import os
import subprocess

from . import load
from .context import HOST, find_program, free_port, native_environment, require

RSYNC = """
port = {port}
address = {host}
use chroot = no
pid file =
log file = {dir}/rsyncd.log
[tree]
path = {tree}
read only = no
uid = {user}
gid = {group}
"""

SSHD = """
Port {port}
ListenAddress {host}
HostKey {dir}/host
PidFile none
AuthorizedKeysFile {dir}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
"""


def make_tree(ctx):
    """A few directories of random files."""
    tree = ctx.make_directory("tree")
    for number in range(60):
        directory = os.path.join(tree, f"d{number % 7}")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f"f{number}"), "wb") as file:
            file.write(load.NOISE[number:number + number * number * 100])
    return tree


def contents(root):
    found = {}
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if name != ".git"]
        for name in files:
            with open(os.path.join(directory, name), "rb") as file:
                found[os.path.relpath(file.name, root)] = file.read()
    return found


def same_tree(ctx, copy, tree):
    require(contents(ctx.path(copy)) == contents(tree), f"{copy} is not the tree that was sent")


def git_settings():
    who = {"NAME": "a", "EMAIL": "a@localhost"}
    return {"GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent", **{f"GIT_AUTHOR_{k}": v for k, v in who.items()},
            **{f"GIT_COMMITTER_{k}": v for k, v in who.items()}}


def test_git(ctx):
    """A clone packs and indexes with threads on both sides; the push goes the other way."""
    tree, extra = make_tree(ctx), git_settings()
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "all"],
                    ["config", "receive.denyCurrentBranch", "ignore"]):
        ctx.run(["git", *command], launch=ctx.start_native, cwd=tree, extra=extra)
    port = free_port()
    daemon = os.path.join(ctx.run(["git", "--exec-path"], launch=ctx.start_native).decode().strip(), "git-daemon")
    server = ctx.start([daemon, "--export-all", "--reuseaddr", "--enable=receive-pack", f"--listen={HOST}",
                        f"--port={port}", f"--base-path={ctx.directory}"], extra={**extra, **{
                            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}})
    with ctx.blame(server):
        server.port()
        ctx.run(["git", "clone", "-q", f"git://{HOST}:{port}/tree", ctx.path("clone")], extra=extra)
        same_tree(ctx, "clone", tree)
        with open(os.path.join(ctx.path("clone"), "more"), "wb") as file:
            file.write(load.NOISE)
        for command in (["add", "."], ["commit", "-q", "-m", "more"], ["push", "-q"], ["gc", "-q"], ["fsck", "--full"]):
            ctx.run(["git", *command], cwd=ctx.path("clone"), extra=extra)
    heads = [ctx.run(["git", "rev-parse", "main"], launch=ctx.start_native, cwd=path, extra=extra)
             for path in (tree, ctx.path("clone"))]
    require(heads[0] == heads[1], f"the push left {heads}")


def test_rsync(ctx):
    tree, port = make_tree(ctx), free_port()
    config = ctx.write("rsyncd.conf", RSYNC.format(port=port, host=HOST, dir=ctx.directory, tree=tree,
                                                   user=os.getuid(), group=os.getgid()))
    server = ctx.start(["rsync", "--daemon", "--no-detach", f"--config={config}"])
    with ctx.blame(server):
        server.port()
        ctx.run(["rsync", "-az", f"rsync://{HOST}:{port}/tree/", ctx.path("copy")])
        same_tree(ctx, "copy", tree)
        with open(ctx.path("copy/d1/f8"), "r+b") as file:
            file.write(b"changed")
        ctx.run(["rsync", "-acz", ctx.path("copy") + "/", f"rsync://{HOST}:{port}/tree/"])
        same_tree(ctx, "copy", tree)


def test_ssh(ctx):
    """Keys, a command with its status, and bytes both ways through the encrypted channel."""
    server, ssh = start_sshd(ctx)
    with ctx.blame(server):
        require(ctx.run([*ssh, "echo hello; exit 7"], status=7) == b"hello\n", "the command said something else")
        with open(ctx.write("input", load.NOISE), "rb") as source:
            got = ctx.run([*ssh, "cat"], stdin=source)
        require(got == load.NOISE, f"{len(got)} bytes came back, {len(load.NOISE)} were sent")


def start_sshd(ctx):
    port = free_port()
    for name in ("host", "user"):
        subprocess.run([find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", ctx.path(name)],
                       check=True, env=native_environment())
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # sshd insists when it may become other users
    config = ctx.write("sshd.conf", SSHD.format(port=port, host=HOST, dir=ctx.directory))
    server = ctx.start([find_program("sshd"), "-D", "-e", "-f", config])
    server.port()
    ssh = ["ssh", "-F", "none", "-q", "-i", ctx.path("user"), "-p", str(port), "-o", "StrictHostKeyChecking=no",
           "-o", "UserKnownHostsFile=/dev/null", f"{getpass.getuser()}@{HOST}"]
    return server, ssh

