"""What the kernel says about a process: threads, memory, CPU time, descriptors, listening ports."""

import ctypes
import os
import time

LIBC = ctypes.CDLL(None, use_errno=True)


def status(pid):
    """The fields of /proc/PID/status; empty when the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def threads(pid):
    return int(status(pid).get("Threads", 0))


def peak_kb(pid):
    return int(status(pid).get("VmHWM", "0 kB").split()[0])


def cpu_seconds(pid):
    """User and system time of all threads, the finished ones included, from the process's own clock."""
    clock = ctypes.c_int()
    if LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(f"no process {pid}")
    return time.clock_gettime(clock.value)


def fd_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_alive(pid):
    """A zombie counts as gone: only its parent can still see it."""
    state = status(pid).get("State", "Z")
    return state[0] not in "ZX"


def listening_ports(pid):
    """TCP ports this process listens on; how tests learn what `port 0` became."""
    inodes = socket_inodes(pid)
    ports = []
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}") as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        ports += [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes]
    return ports


def backlog(port):
    """Connections that wait to be accepted on a port. The kernel lists listeners first: little is read."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp") as file:
        for line in file:
            fields = line.split()
            if fields[3] == "0A" and fields[1].endswith(wanted):
                return int(fields[4].partition(":")[2], 16)
    return 0


def connections(port):
    """Connections to a port that its server has not closed."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] in ("01", "08") for row in rows)  # established, close-wait


def socket_inodes(pid):
    inodes = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        pass
    return inodes


def members(session, mark=None):
    """Living processes of a session, or whose environment carries the mark (those that called setsid)."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and belongs(int(name), session, mark) and is_alive(name):
            found.append(int(name))
    return found


def belongs(pid, session, mark):
    try:
        if os.getsid(pid) == session:
            return True
        if mark is None:
            return False
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark.encode() in file.read().split(b"\0")
    except OSError:
        return False


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()[:200]
    except OSError:
        return "(gone)"
