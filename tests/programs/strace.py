"""System calls of a program as strace sees them, cut and masked so that two runs can be compared.

Dropped: what the dynamic loader does between execve and the unmapping of ld.so.cache, the calls of
malloc, whose moment depends on what else was allocated, and futex wake-ups that woke nobody. Masked: addresses, process ids, times, ports.
A program is a list of processes in order of their birth, each a list of segments: the first begins at
its fork, the others at an execve.
"""

import glob
import os
import re

from .context import find_program, until

MEMORY = {"brk", "mmap", "munmap", "mprotect", "mremap", "madvise"}
LINE = re.compile(r"(\w+)\((.*)\)\s+= (.*)$")
MASKS = [
    (re.compile(r"0x[0-9a-f]+"), "ADDR"),
    (re.compile(r"u32=\d+, u64=\d+"), "DATA"),
    (re.compile(r"tv_n?u?sec=-?\d+"), "TIME"),
    (re.compile(r"htons\(\d+\)"), "PORT"),
    (re.compile(r"uptime=.*"), "SYSINFO"),
]


def command(output, argv, variables):
    """The strace command line. -D keeps the program our direct child; -E sets variables for it alone."""
    settings = [part for key, value in variables.items() for part in ("-E", f"{key}={value}")]
    return [find_program("strace"), "-D", "-q", "-ff", "-s", "20", "-e", "signal=none", "-o", output, *settings,
            find_program(argv[0]) if "/" not in argv[0] else argv[0], *argv[1:]]


def processes(output):
    """Reads the files strace wrote, once the last process has ended."""
    def complete():
        return all(last_line(path).startswith("+++") for path in glob.glob(output + ".*"))

    until(complete, 10, "strace does not finish its output")
    paths = sorted(glob.glob(output + ".*"), key=lambda path: int(path.rpartition(".")[2]))
    pids = {path.rpartition(".")[2]: f"PID{i}" for i, path in enumerate(paths)}
    result = []
    for path in paths:
        with open(path, errors="replace") as file:
            result.append(segments(file.read().splitlines(), pids))
        os.unlink(path)
    return result


def last_line(path):
    with open(path, errors="replace") as file:
        return ([""] + file.read().splitlines())[-1]


def segments(lines, pids):
    parts, cache = [[]], None
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        name, arguments, result = match.groups()
        if name == "execve" and result == "0":
            parts.append([])
            cache = "to be opened"
        elif cache:
            cache = loading(cache, name, arguments, result)
        elif name not in MEMORY and not is_mallocs(name, arguments) and not woke_nobody(name, arguments, result):
            parts[-1].append(mask(name, arguments, result, pids))
    return parts


def loading(cache, name, arguments, result):
    """Follows ld.so.cache through the loader: opened, mapped at an address, unmapped, then None."""
    if cache == "to be opened" and name == "openat" and "/etc/ld.so.cache" in arguments:
        return "to be mapped"
    if cache == "to be mapped" and name == "mmap":
        return result
    if name == "munmap" and arguments.startswith(cache):
        return None
    return cache


def is_mallocs(name, arguments):
    """glibc's malloc asks for eight random bytes when it is first used."""
    return name == "getrandom" and arguments.endswith(", 8, GRND_NONBLOCK")


def woke_nobody(name, arguments, result):
    """glibc's pthread_once ends with a wake-up for waiters it cannot know of; libevy knows that there are none."""
    return name == "futex" and "FUTEX_WAKE" in arguments and result == "0"


def mask(name, arguments, result, pids):
    if name == "getrandom":
        arguments = re.sub(r'".*"(\.\.\.)?', "RANDOM", arguments)
    if name in ("epoll_wait", "epoll_pwait", "poll", "ppoll"):
        arguments = re.sub(r", [1-9]\d{2,}(?=$|, NULL)", ", TIMEOUT", arguments)
    text = f"{name}({arguments}) = {result}"
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return re.sub(r"\b\d+\b", lambda number: pids.get(number[0], number[0]), text)
