"""gdb commands for processes, live or core files, that run under libevy.

    info evy           the green threads: id, name, state, where they wait
    evy bt ID|all      backtraces
    evy frame ID       bt, up, print and the like go on in that green thread's frames
    evy frame off      back to the kernel thread's own

What is read is the library's own description (libevy/api/description.h): no debug information is needed.
A suspended green thread is shown as the caller of the selected kernel thread's innermost frame: nothing is
written, and so core files work too.
"""

import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder

HEADER = struct.Struct("<8s2I8Q9I32H4xQ")
PARKED, STRANDED, THREAD_DONE, GREEN_LIGHT = 1, 2, 1, 128
MACHINES = {  # the names of DWARF's register numbers, the stack pointer, the program counter
    7: ({3: "rbx", 6: "rbp", 12: "r12", 13: "r13", 14: "r14", 15: "r15"}, "rsp", "rip"),
    31: ({n: f"x{n}" for n in range(19, 31)}, "sp", "pc"),
}


def memory(at, size):
    return bytes(gdb.selected_inferior().read_memory(at, size))


def number(at, size=8):
    return int.from_bytes(memory(at, size), "little")


def text(at, most):
    return memory(at, most).split(b"\0")[0].decode(errors="replace")


def address(value):
    """gdb's registers are signed."""
    return int(value) & (1 << 64) - 1


class Description:
    """The structures of this process's libevy."""

    def __init__(self):
        try:
            at = int(gdb.parse_and_eval("(long)&evy_description"))
        except gdb.error:
            raise gdb.GdbError("evy: this process does not run under libevy")
        values = HEADER.unpack(memory(at, HEADER.size))
        if values[0] != b"libevy1\0" or values[1] != 2:
            raise gdb.GdbError("evy: another version of libevy than these commands know")
        self.hubs, self.hub_count, self.main, self.bodies = values[3:7]
        self.tid_offset, self.hub_size = values[9], values[11]
        self.frame_size, self.stack_pointer, count = values[17:20]
        registers = values[20:52]
        self.registers = list(zip(registers[0:2 * count:2], registers[1:2 * count:2]))
        names = text(values[52], 4000).split()
        fields = struct.iter_unpack("<2H", memory(at + HEADER.size, 4 * len(names)))
        self.fields = dict(zip(names, fields))

    def get(self, structure, name):
        offset, size = self.fields[name]
        return number(structure + offset, size)

    def place(self, structure, name):
        return structure + self.fields[name][0]


class Green:
    """A green thread."""

    def __init__(self, description, green):
        d = self.description = description
        thread = d.get(green, "green.thread")
        light = d.get(green, "green.flags") & GREEN_LIGHT  # these share a thread control block
        self.id = green >> 12 & 0x7FFFFFFF if light else number(thread + number(d.tid_offset), 4)
        self.name = text(d.place(green, "green.name"), 16) or "-"
        self.hub = d.get(green, "green.hub")
        self.sp = d.get(green, "green.ctx")
        self.kernel_thread = None
        if d.get(green, "green.stranded") == STRANDED:
            self.state = "alone"
            self.kernel_thread = d.get(d.get(green, "green.stranded_on"), "carrier.tid")
        elif d.get(self.hub, "hub.current") == green:
            self.state = "running"
            self.kernel_thread = d.get(d.get(self.hub, "hub.carrier"), "carrier.tid")
        else:
            self.state = "waiting" if d.get(green, "green.wake") == PARKED else "ready"

    def registers(self):
        """Where it is suspended: name to value, and the names of stack pointer and program counter."""
        d = self.description
        names, sp, pc = MACHINES[d.stack_pointer]
        values = {sp: self.sp + d.frame_size}
        for dwarf, offset in d.registers:
            values[names.get(dwarf, pc)] = number(self.sp + offset)
        values[pc] = number(self.sp + d.registers[-1][1])
        return values, sp, pc


def living(description):
    d = description
    if not number(d.hub_count, 4):
        return
    if not d.get(d.main, "green.done") & THREAD_DONE:
        yield Green(d, d.main)
    hubs = [d.hubs + i * d.hub_size for i in range(number(d.hub_count, 4))]
    for head in [d.bodies] + [d.place(d.place(hub, "hub.lights"), "lights.bodies") for hub in hubs]:
        yield from living_in(d, head)


def living_in(d, head):
    node = number(head)
    while node != head:
        if not node:
            raise gdb.GdbError("evy: the rest lies in memory that this core file lacks")
        green = node - d.fields["green.siblings"][0]
        if d.get(green, "green.hub") and not d.get(green, "green.done") & THREAD_DONE:
            yield Green(d, green)
        node = number(node)


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Suspended(Unwinder):
    """While `registers` is set, the frame whose stack pointer is `below` has them as its caller's."""

    def __init__(self):
        super().__init__("evy")
        self.registers = self.below = self.sp = self.pc = None

    def __call__(self, frame):
        if not self.registers:
            return None
        sp = frame.read_register(self.sp)
        if address(sp) != self.below:
            return None
        # As if its stack were the lowest of all: gdb takes a caller's stack that lies lower for a corrupt one.
        lowest = gdb.Value(16).cast(sp.type)
        info = frame.create_unwind_info(FrameId(lowest, frame.read_register(self.pc)))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(frame.read_register(name).type))
        return info

    def show(self, green):
        self.hide()
        registers, self.sp, self.pc = green.registers()
        self.below = address(gdb.newest_frame().read_register(self.sp))
        self.registers = registers
        gdb.invalidate_cached_frames()

    def first(self):
        """The frame where it is suspended, and how many of the kernel thread's own are above it."""
        frame, above = gdb.newest_frame(), 0
        while frame.type() == gdb.INLINE_FRAME or frame.pc() != self.registers[self.pc]:
            frame, above = frame.older(), above + 1
        return frame, above

    def hide(self):
        self.registers = None
        gdb.invalidate_cached_frames()


suspended = Suspended()
register_unwinder(None, suspended, replace=True)


def select_kernel_thread(tid):
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == tid:
            thread.switch()
            return True
    return False


def backtrace_of(green):
    """gdb's backtrace, without the frame that a suspended one is hung up on."""
    before = gdb.selected_thread()
    try:
        if green.kernel_thread:
            suspended.hide()
            if not select_kernel_thread(green.kernel_thread):
                return f"kernel thread {green.kernel_thread} is not here\n"
            return gdb.execute("bt", to_string=True)
        suspended.show(green)
        above = suspended.first()[1]
        lines = gdb.execute("bt", to_string=True).splitlines(keepends=True)
        return "".join(lines[above:])
    finally:
        suspended.hide()
        before.switch()


def find(text_of_id):
    for green in living(Description()):
        if str(green.id) == text_of_id:
            return green
    raise gdb.GdbError(f"evy: no green thread {text_of_id}; info evy lists them")


class InfoEvy(gdb.Command):
    """List the green threads of a process that runs under libevy."""

    def __init__(self):
        super().__init__("info evy", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        d = Description()
        print(f"{'ID':>8}  {'NAME':15}  {'STATE':7}  HUB")
        for green in living(d):
            print(f"{green.id:8}  {green.name:15}  {green.state:7}  {(green.hub - d.hubs) // d.hub_size:3}")


class Evy(gdb.Command):
    """Look at green threads: evy bt ID|all, evy frame ID|off."""

    def __init__(self):
        super().__init__("evy", gdb.COMMAND_STACK, prefix=True)


class EvyBt(gdb.Command):
    """Print the backtrace of a green thread, or of all: evy bt ID|all"""

    def __init__(self):
        super().__init__("evy bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for green in living(Description()) if argument in ("", "all") else [find(argument)]:
            print(f"\n{green.id} {green.name}: {green.state}")
            print(backtrace_of(green), end="")


class EvyFrame(gdb.Command):
    """Go on in the frames of a green thread: evy frame ID, evy frame off"""

    def __init__(self):
        super().__init__("evy frame", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        suspended.hide()
        if argument == "off":
            return
        green = find(argument)
        if green.kernel_thread:
            select_kernel_thread(green.kernel_thread)
            return
        suspended.show(green)
        suspended.first()[0].select()
        gdb.execute("frame")


InfoEvy()
Evy()
EvyBt()
EvyFrame()
