"""What a hung process was doing, written down before it is killed."""

import os
import shutil
import subprocess

from . import procfs

MAX_TASKS = 64
GDB_SECONDS = 30
GDB_BYTES = 512 * 1024


def write(path, pids, reason):
    """Appends the state of the processes to a log file; never raises, the test's own failure matters more."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as log:
        log.write(f"==== {reason}\n")
        for pid in pids:
            log.write(f"\n== process {pid}: {procfs.command(pid)}\n")
            log.write(kernel_view(pid))
            log.write(gdb_view(pid))


def kernel_view(pid):
    """Where the kernel has each thread: needs no debugger and never disturbs the process."""
    try:
        tasks = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    except OSError:
        return "gone\n"
    lines = [f"{len(tasks)} kernel threads, {fd_count(pid)} descriptors\n"]
    for task in tasks[:MAX_TASKS]:
        view = [read(f"/proc/{pid}/task/{task}/{name}") for name in ("comm", "wchan", "syscall")]
        lines.append(f"  task {task}: comm={view[0]} wchan={view[1]} syscall={view[2]}\n")
    return "".join(lines)


def fd_count(pid):
    try:
        return procfs.fd_count(pid)
    except OSError:
        return "?"


def gdb_view(pid):
    gdb = shutil.which("gdb")
    if gdb is None:
        return "no gdb on this machine\n"
    command = [gdb, "-batch", "-nx", "-p", str(pid), "-ex", "set pagination off", "-ex", "thread apply all bt 40"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=GDB_SECONDS, env=clean_environment())
    except subprocess.TimeoutExpired:
        return f"gdb did not finish in {GDB_SECONDS} s\n"
    return done.stdout[-GDB_BYTES:].decode(errors="replace")


def clean_environment():
    """Helpers never run under the preload."""
    return {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError as error:
        return f"({error.strerror})"
