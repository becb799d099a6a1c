# SPDX-License-Identifier: MIT
"""gdb commands for programs that use Hocket: live ones and core files.

    info hocket                 every task: id, name, what runs it, state, what it waits for
    hocket bt ID|NAME [full]    the calls on the stack of a fiber that does not run
    hocket bt all               of all of them

gdb loads this by itself for an installed libhocket.so; otherwise, and for programs that are linked
with libhocket.a:

    (gdb) source /usr/share/hocket/hocket-gdb.py

It needs the debug information of the library (-g).  Nothing in the program is called or changed.
"""
import gdb
import gdb.types
import gdb.unwinder

KINDS = ("foreign thread", "thread", "fiber")
IDLE, CLAIMED_PARKED = 0, 6
SLAB_RECORDS = 1024
FOREVER = (1 << 63) - 1

# How sys/switch_*.S leaves a context: registers by offset from the stack pointer, and its size.
FRAMES = {
    "i386:x86-64": (
        {"r15": 0, "r14": 8, "r13": 16, "r12": 24, "rbx": 32, "rbp": 40, "rip": 48}, 56, "rsp",
        "rip"),
    "aarch64": (
        dict({"x29": 0, "pc": 8, "x30": 8},
             **{"x%d" % n: 16 + 8 * (n - 19) for n in range(19, 29)}), 160, "sp", "pc"),
}


def number(value):
    """An integer or an address, atomic or not."""
    return int(value.cast(gdb.lookup_type("unsigned long")))


def variable(name, file):
    """A variable of the library, also a static one."""
    try:
        return gdb.parse_and_eval("'%s'::%s" % (file, name))
    except gdb.error:
        return gdb.parse_and_eval(name)


def text(pointer):
    return pointer.string(errors="replace") if number(pointer) else "?"


class Task:
    def __init__(self, record, held):
        self.record = record
        self.id = number(record["id"])
        self.kind = number(record["kind"])
        self.held = held
        self.wait = number(record["wait_state"])
        self.stack = number(record["stack"])
        cls = number(record["wait_class"])
        self.kind_of_wait = None
        if cls:
            kind = gdb.lookup_type("struct hocket__wait_class").pointer()
            self.kind_of_wait = text(gdb.Value(cls).cast(kind)["name"])
        self.object = number(record["wait_object"])
        self.name = "task-%d" % self.id
        if number(record["named"]):
            raw = gdb.selected_inferior().read_memory(number(record["name"].address), 32)
            self.name = bytes(raw).split(b"\0")[0].decode(errors="replace") or self.name

    def state(self, running):
        if self.held:
            return "held"
        waiting = self.kind_of_wait is not None
        if waiting and (self.kind != 2 or self.wait <= CLAIMED_PARKED):
            words = "waits for " + self.kind_of_wait
            if self.object:
                words += " 0x%x" % self.object
            return words
        if self.kind != 2 or number(self.record.address) in running:
            return "running"
        return "running" if waiting and not self.stack else "ready"


def tasks():
    """All that have not ended, by id."""
    pointer = gdb.lookup_type("struct hocket_task").pointer()
    slabs = variable("slabs", "src/park/record.c")
    bits = gdb.types.make_enum_dict(gdb.lookup_type("enum hocket__life"))
    held, done = bits["HOCKET__LIFE_HELD"], bits["HOCKET__LIFE_DONE"]
    found = []
    for i in range(number(variable("slab_count", "src/park/record.c"))):
        slab = gdb.Value(number(slabs[i])).cast(pointer)
        for k in range(SLAB_RECORDS):
            record = (slab + k).dereference()
            if not number(record["id"]):
                continue
            life = number(record["life"])
            # As hocket__life: who ended quietly says so in queued_on.
            if not (life | number(record["queued_on"])) & done:
                found.append(Task(record, bool(life & held)))
    return sorted(found, key=lambda t: t.id)


def running_tasks():
    """What the workers are at: record -> index of the worker."""
    found = {}
    try:
        runtime = variable("hocket__rt", "src/sched/idle.c")
        pointer = gdb.lookup_type("struct hocket__worker").pointer()
    except gdb.error:
        return found  # a program without a scheduler
    for i in range(number(runtime["count"])):
        worker = number(runtime["workers"][i])
        if worker:
            record = number(gdb.Value(worker).cast(pointer)["running"])
            if record:
                found[record] = i
    return found


def all_tasks():
    try:
        return tasks()
    except gdb.error as error:
        raise gdb.GdbError("no Hocket, or no debug information of it, in this program: %s" % error)


class InfoHocket(gdb.Command):
    """All tasks of a program that uses Hocket."""

    def __init__(self):
        super().__init__("info hocket", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        found = all_tasks()
        running = running_tasks()
        print("%6s  %-20s %-14s %s" % ("ID", "NAME", "KIND", "STATE"))
        for t in found:
            state = t.state(running)
            worker = running.get(number(t.record.address))
            if worker is not None:
                state += " on worker %d" % worker
            print("%6d  %-20s %-14s %s" % (t.id, t.name, KINDS[t.kind % 3], state))


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Unwinder(gdb.unwinder.Unwinder):
    """While a fiber is shown, its calls stand in for the callers of the innermost frame."""

    def __init__(self):
        super().__init__("hocket")
        self.sp = None

    def __call__(self, frame):
        if self.sp is None:
            return None
        layout = FRAMES.get(frame.architecture().name())
        if layout is None:
            return None
        offsets, size, sp_name, pc_name = layout
        sp, pc = frame.read_register(sp_name), frame.read_register(pc_name)
        if number(sp) != self.own_sp or number(pc) != self.own_pc:
            return None
        info = frame.create_unwind_info(FrameId(sp, pc))
        word = gdb.lookup_type("unsigned long")
        for register, offset in offsets.items():
            at = gdb.Value(self.sp + offset).cast(word.pointer())
            info.add_saved_register(register, at.dereference())
        info.add_saved_register(sp_name, gdb.Value(self.sp + size).cast(word))
        return info

    def show(self, sp, more):
        newest = gdb.newest_frame()
        layout = FRAMES.get(newest.architecture().name())
        if layout is None:
            raise gdb.GdbError("fibers of this architecture cannot be shown")
        self.own_sp = number(newest.read_register(layout[2]))
        self.own_pc = number(newest.read_register(layout[3]))
        selected = gdb.selected_frame().level()
        self.sp = sp
        gdb.invalidate_cached_frames()
        try:
            lines = gdb.execute("bt" + more, to_string=True).splitlines()
        finally:
            self.sp = None
            gdb.invalidate_cached_frames()
            gdb.execute("frame %d" % selected, to_string=True)
        shown = False
        for line in lines:
            shown = shown or line.startswith("#1 ")  # 0 is where the thread stands
            if shown:
                print(line)


UNWINDER = Unwinder()
gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)


class Hocket(gdb.Command):
    """Commands for programs that use Hocket; see also 'info hocket'."""

    def __init__(self):
        super().__init__("hocket", gdb.COMMAND_STACK, prefix=True)


class HocketBt(gdb.Command):
    """The calls on the stack of a fiber that does not run: hocket bt ID|NAME|all [full]"""

    def __init__(self):
        super().__init__("hocket bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words or len(words) > 2 or (len(words) == 2 and words[1] != "full"):
            raise gdb.GdbError("usage: hocket bt ID|NAME|all [full]")
        running = running_tasks()
        chosen = [t for t in all_tasks()
                  if words[0] == "all" or words[0] == t.name or words[0] == str(t.id)]
        if not chosen:
            raise gdb.GdbError("there is no task '%s'" % words[0])
        for t in chosen:
            state = t.state(running)
            if words[0] == "all" and not t.stack:
                continue
            print("%s [%d] %s, %s" % (t.name, t.id, KINDS[t.kind % 3], state))
            if t.kind != 2:
                print("    an OS thread: see 'info threads' and 'thread apply all bt'")
            elif not t.stack:
                print("    it runs, or has not begun: see 'info threads'"
                      if t.kind_of_wait is None else "    its child runs on top of it, on its stack")
            else:
                pointer = gdb.lookup_type("struct hocket__stack").pointer()
                stack = gdb.Value(t.stack).cast(pointer)
                UNWINDER.show(number(stack["sp"]), " full" if len(words) == 2 else "")


InfoHocket()
Hocket()
HocketBt()
