# SPDX-License-Identifier: MIT
"""Writes a trace file as src/trace/format.h has it, of a program that never was: workers that run
tasks which wait for locks, queues and time.  The same words give the same bytes.

    usage: trace_make.py OUT [--events N] [--tasks N] [--alive N] [--workers N] [--seed N]
                             [--lost N] [--steps N] [--pauses N] [--names plain|evil] [--empty]
"""
import argparse
import collections
import heapq
import random
import struct

KINDS = ["mutex", "queue", "cond", "join", "sleep", "descriptor", "sem", "rwlock"]
TEXT, SPAWN, START, EXIT, PARK, HOLDER, READY, RESUME, YIELD = range(9)
TAKEN, GIVEN = 9, 10
STEAL, SLEEP, AWAKE, ERROR, BEGIN, END, COUNTER, MARK, NAME = 13, 14, 15, 18, 19, 20, 21, 22, 23
EVIL = ["<script>window.hacked=1</script>", "</script><img src=x onerror=window.hacked=1>",
        "\"'&amp;<b>bold", "@@trace@@", "\u202etxt.exe", "line\nbreak\x1b[31m", "<!--", "日本語 ünï"]
CODE = 0x555500001000


def event(when, kind, task=0, obj=0, value=0):
    return struct.pack("<QQQQ", when << 8 | kind, task, obj, value & (1 << 64) - 1)


class Lane:
    def __init__(self):
        self.events = []

    def add(self, when, kind, task=0, obj=0, value=0, text=None):
        self.events.append(event(when, kind, task, obj, value))
        if text is None:
            return
        data = text.encode()[:120]
        pieces = [data[i:i + 24] for i in range(0, len(data), 24)] or [b""]
        for i, piece in enumerate(pieces):
            left = len(pieces) - 1 - i
            self.events.append(struct.pack("<Q24s", left << 8 | TEXT, piece))


class World:
    """Tasks on workers; locks with a holder and a line, queues with items and a line."""

    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.lanes = [Lane() for _ in range(args.workers)]
        self.ready = collections.deque()
        self.asleep = [False] * args.workers
        self.timers = []
        self.count = 0
        self.next_id = 1
        self.locks = [{"object": 0x7F0000001000 + i * 64, "holder": 0, "line": []} for i in range(5)]
        self.queues = [{"object": 0x7F0000100000 + i * 256, "items": 0, "line": []} for i in range(3)]
        self.tasks = {}

    def emit(self, lane, when, kind, *rest, **words):
        self.lanes[lane].add(when, kind, *rest, **words)
        self.count += 1

    def name_of(self, number):
        if self.args.names == "evil":
            return EVIL[number % len(EVIL)]
        return ["reader %d", "crawler %d", "writer %d", "fetch page %d", ""][number % 5].replace(
            "%d", str(number // 5))

    def spawn(self, lane, when, spawner):
        task, self.next_id = self.next_id, self.next_id + 1
        self.tasks[task] = {"steps": 0, "kind": task % 5, "resume": None, "lock": None, "span": False}
        self.emit(lane, when, SPAWN, task, CODE + 0x1000 + task % 5 * 0x100, spawner)
        name = self.name_of(task)
        if name:
            self.emit(lane, when, NAME, task, 2, text=name)
        self.ready.append((task, lane))

    def wake(self, lane, when, task, obj, waker):
        self.emit(lane, when, READY, task, obj, waker)
        self.ready.append((task, lane))

    def park(self, lane, when, task, kind, obj, site, holder=0):
        if holder:
            self.emit(lane, when, HOLDER, task, obj, holder)
        self.emit(lane, when, PARK, task, obj, KINDS.index(kind) << 48 | CODE + 0x2000 + site * 0x40)
        self.tasks[task]["resume"] = obj

    def release(self, lane, when, task):
        lock = self.tasks[task]["lock"]
        self.tasks[task]["lock"] = None
        self.emit(lane, when, GIVEN, task, lock["object"])
        if lock["line"]:
            lock["holder"] = lock["line"].pop(0)
            self.tasks[lock["holder"]]["lock"] = lock
            self.emit(lane, when, TAKEN, lock["holder"], lock["object"])
            self.wake(lane, when, lock["holder"], lock["object"], task)
        else:
            lock["holder"] = 0

    def act(self, lane, when, task):
        """One step at the end of a stretch of running; when the worker is free again."""
        state, dice = self.tasks[task], self.random.random()
        state["steps"] += 1
        if state["span"] and self.random.random() < 0.3:
            self.emit(lane, when, END, task)
            state["span"] = False
        if state["lock"] is not None:
            self.release(lane, when, task)
        if state["steps"] > self.args.steps and task != 1:
            if state["span"]:
                self.emit(lane, when, END, task)
            if dice < 0.02:
                self.emit(lane, when, ERROR, task, 0, -5, text="no luck: " + self.name_of(task))
            self.emit(lane, when, EXIT, task, 0, -5 if dice < 0.02 else 0, text=self.name_of(task))
            del self.tasks[task]
            return
        if not state["span"] and dice < 0.06:
            self.emit(lane, when, BEGIN, task, text=self.name_of(task + 1) or "parse")
            state["span"] = True
        self.choose(lane, when, task, self.random.random())

    def nap(self, lane, when, task, kind):
        self.park(lane, when, task, kind, 0 if kind == "sleep" else 7, 3 if kind == "sleep" else 4)
        long = 90000 if kind == "sleep" else 25000
        heapq.heappush(self.timers, (when + int(self.random.expovariate(1 / long)), task, kind))

    def choose(self, lane, when, task, dice):
        if dice < 0.35:
            lock = self.locks[min(int(self.random.expovariate(1)), len(self.locks) - 1)]
            if lock["holder"] == 0:
                lock["holder"] = task
                self.tasks[task]["lock"] = lock
                self.emit(lane, when, TAKEN, task, lock["object"])
                self.nap(lane, when, task, "sleep" if self.random.random() < 0.1 else "descriptor")
            else:
                lock["line"].append(task)
                self.park(lane, when, task, "mutex", lock["object"], 1, lock["holder"])
        elif dice < 0.7:
            queue = self.queues[task % len(self.queues)]
            if self.tasks[task]["kind"] % 2 == 0 or task == 1:
                if queue["line"]:
                    self.wake(lane, when, queue["line"].pop(0), queue["object"], task)
                else:
                    queue["items"] += 1
                self.emit(lane, when, YIELD, task)
                self.ready.append((task, lane))
            elif queue["items"]:
                queue["items"] -= 1
                self.emit(lane, when, YIELD, task)
                self.ready.append((task, lane))
            else:
                queue["line"].append(task)
                self.park(lane, when, task, "queue", queue["object"], 2)
            if self.random.random() < 0.05:
                self.emit(lane, when, COUNTER, task, 0,
                          struct.unpack("<Q", struct.pack("<d", queue["items"]))[0],
                          text="items of queue %d" % (task % len(self.queues)))
        elif dice < 0.9:
            self.nap(lane, when, task, "sleep" if dice < 0.8 else "descriptor")
        else:
            self.emit(lane, when, YIELD, task)
            self.ready.append((task, lane))

    def pick(self, lane, when):
        """The next task to run here, and when it will have run; or None."""
        if not self.ready:
            if not self.asleep[lane]:
                self.emit(lane, when, SLEEP)
                self.asleep[lane] = True
            return None, when + 700
        if self.asleep[lane]:
            self.emit(lane, when, AWAKE)
            self.asleep[lane] = False
        task, home = self.ready.popleft()
        when += 150
        if home != lane and self.random.random() < 0.7:
            self.emit(lane, when, STEAL, task, 0, home)
        state = self.tasks[task]
        if state["steps"] == 0:
            self.emit(lane, when, START, task, 0, CODE + 0x1000 + task % 5 * 0x100)
        else:
            late = state["resume"] is not None and self.random.random() < 0.01
            self.emit(lane, when, RESUME, task, state["resume"] or 0, -110 if late else 0)
        state["resume"] = None
        for _ in range(min(8, self.args.alive - len(self.tasks), self.args.tasks + 1 - self.next_id)):
            when += 120
            self.spawn(lane, when, task)
        return task, when + 200 + int(self.random.expovariate(1 / 4000))

    def run(self):
        moments = [(0, lane, None) for lane in range(self.args.workers)]
        self.spawn(0, 0, 0)
        while self.count < self.args.events:
            when, lane, task = heapq.heappop(moments)
            while self.timers and self.timers[0][0] <= when:
                _, sleeper, kind = heapq.heappop(self.timers)
                self.wake(lane, when, sleeper, 0 if kind == "sleep" else 7, 0)
            if task is not None:
                self.act(lane, when, task)
                heapq.heappush(moments, (when + 80, lane, None))
            else:
                task, until = self.pick(lane, when)
                heapq.heappush(moments, (until, lane, task))
        self.end = max(when for when, _, _ in moments) + 1000


def section(kind, count, payload):
    return struct.pack("<IIQ", kind, count, len(payload)) + payload


def trace(args):
    world = World(args)
    world.end = 1000
    if not args.empty:
        world.run()
    out = [struct.pack("<8sIIIIII2Q2qqIIII40s", b"HKTRACE\n", 2, 0x01020304, 128, 32, 8, 4711,
                       0, world.end, 0, world.end, 1700000000000000000, args.workers, 63, 0, 0,
                       (EVIL[0] if args.names == "evil" else "synthetic").encode()[:40])]
    for number, lane in enumerate(world.lanes):
        lost = min(args.lost, max(0, len(lane.events) - 1)) if number % 2 == 0 else 0
        kept = lane.events[lost:]
        head = struct.pack("<IiIIQQ16s", number, number, 100 + number, 0, lost, 0, b"worker")
        out.append(section(1, len(kept), head + b"".join(kept)))
    out.append(section(2, len(KINDS), b"".join(
        struct.pack("<I28s", i, k.encode()) for i, k in enumerate(KINDS))))
    functions = ["run_reader", "run_worker", "run_writer", "fetch_page", "main_task"]
    places = ["take_lock+0x1c", "next_item+0x44", "nap+0x10", "read_all+0x90"]
    symbols = [(CODE + 0x1000 + i * 0x100, f) for i, f in enumerate(functions)]
    symbols += [(CODE + 0x2040 + i * 0x40, p) for i, p in enumerate(places)]
    if args.names == "evil":
        symbols = [(a, EVIL[i % len(EVIL)]) for i, (a, _) in enumerate(symbols)]
    out.append(section(5, len(symbols), b"".join(
        struct.pack("<Q120s", a, s.encode()) for a, s in symbols)))
    if args.pauses:
        step = world.end // args.pauses
        out.append(section(6, args.pauses, b"".join(
            struct.pack("<QQ", i * step + step // 2, i * step + step // 10 * 9)
            for i in range(args.pauses))))
    size = sum(map(len, out)) + 24
    out.append(section(0, 1, struct.pack("<Q", size)))
    return b"".join(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--alive", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lost", type=int, default=0)
    parser.add_argument("--pauses", type=int, default=0)
    parser.add_argument("--names", choices=["plain", "evil"], default="plain")
    parser.add_argument("--empty", action="store_true")
    args = parser.parse_args()
    with open(args.out, "wb") as file:
        file.write(trace(args))


main()
