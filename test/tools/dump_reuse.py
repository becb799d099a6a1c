#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A process ends while `hocket dump` waits for its answer, and another one gets its number.

Run as `unshare -Urpf --mount-proc dump_reuse.py HOCKET`: in a PID namespace of its own it can say
which number comes next. Exit status 1: the stranger was sent a signal; 77: no number can be chosen.
"""

import mmap
import os
import signal
import subprocess
import sys

LAST_PID = "/proc/sys/kernel/ns_last_pid"


def silent(tell):
    """A process that takes SIGQUIT for dumps, as far as anybody can see, and never answers."""
    child = os.fork()
    if child:
        return child
    mark = os.memfd_create(f"hocket-dump-1-{int(signal.SIGQUIT)}")
    os.ftruncate(mark, 4096)
    page = mmap.mmap(mark, 4096)
    signal.signal(signal.SIGQUIT, lambda *_: os.write(tell, b"asked"))
    os.write(tell, b"ready")
    while page:
        signal.pause()
    return 0


def end(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main(hocket):
    told, tell = os.pipe()
    first = silent(tell)
    os.read(told, 5)
    tool = subprocess.Popen([hocket, "dump", "--wait", "20s", str(first)], stderr=subprocess.PIPE)
    os.read(told, 5)
    tool.send_signal(signal.SIGSTOP)
    os.waitpid(tool.pid, os.WUNTRACED)
    end(first)
    try:
        with open(LAST_PID, "w", encoding="ascii") as file:
            file.write(str(first - 1))
    except OSError:
        tool.kill()
        return 77
    second = silent(tell)
    os.read(told, 5)
    tool.send_signal(signal.SIGCONT)
    _, complaint = tool.communicate()
    end(second)
    os.close(tell)
    asked = os.read(told, 5)
    if second != first:
        return 77
    print(complaint.decode(), end="")
    if asked or b"it has ended" not in complaint:
        print("FAILED: it was taken for the one before it", asked)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
