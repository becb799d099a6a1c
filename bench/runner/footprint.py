# SPDX-License-Identifier: MIT
"""What a hello program weighs: text size, memory and threads while idle, time from start to end.

A contender takes `exit` (start the runtime, run one task, end) or `idle` (the same, but the task
prints "ready" and waits for the end of its standard input)."""

import os
import re
import shutil
import statistics
import subprocess
import time

from .report import number, table


def text_size(path):
    if not shutil.which("size"):
        return None
    done = subprocess.run(
        ["size", "-B", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    lines = done.stdout.splitlines()
    return int(lines[1].split()[0]) if len(lines) > 1 else None


def field(text, name):
    found = re.search(rf"^{name}:\s+(\d+)", text, re.M)
    return int(found.group(1)) if found else None


def idle(command):
    """(resident KiB, of it anonymous KiB, threads) of the program while it waits."""
    with subprocess.Popen(
        [*command, "idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            process.stdout.readline()
            time.sleep(0.1)  # let idle workers fall asleep: what they weigh then is what is asked
            with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as file:
                status = file.read()
        finally:
            process.stdin.close()
            process.wait(timeout=20)
    return field(status, "VmRSS"), field(status, "RssAnon"), field(status, "Threads")


def start_up(command):
    """Seconds from spawn to reaped, once."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1)]
    try:
        before = time.perf_counter()
        pid = os.posix_spawn(command[0], [*command, "exit"], os.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        passed = time.perf_counter() - before
    finally:
        os.close(null)
    if status != 0:
        raise RuntimeError(f"ended with status {status}")
    return passed


def measure(question, starts, results):
    """Fill question.data and question.report."""
    contenders = [c for c in question.contenders if c.command]
    times = {c.name: [] for c in contenders}
    for _ in range(starts):
        for contender in contenders:
            try:
                times[contender.name].append(start_up(contender.command))
            except (OSError, RuntimeError) as error:
                results.failed[(question.name, "exit", contender.name)] = str(error)
    question.data = {}
    rows = []
    for contender in contenders:
        if not times[contender.name]:
            continue
        rss, anonymous, threads = idle(contender.command)
        took = statistics.median(times[contender.name]) * 1e9
        text = text_size(contender.command[0])
        question.data[contender.name] = {
            "text": text,
            "file": os.path.getsize(contender.command[0]),
            "rss_kib": rss,
            "anonymous_kib": anonymous,
            "threads": threads,
            "start_ns": took,
        }
        rows.append(
            [
                contender.name,
                f"{text / 1024:.0f} KiB" if text else "-",
                f"{rss} KiB",
                f"{anonymous} KiB",
                threads,
                number(took),
            ]
        )
    head = ["program", "text", "memory idle", "of it its own", "threads", "start to end"]
    question.report = [table(head, rows)]
