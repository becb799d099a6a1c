# SPDX-License-Identifier: MIT
"""What machine and versions a table was measured with. Nothing that names a person or a network."""

import datetime
import os
import platform
import re
import shutil
import subprocess


def first_line(command):
    if not shutil.which(command[0]):
        return None
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def cpu():
    info = read("/proc/cpuinfo")
    for key in ("model name", "Processor", "CPU part"):
        found = re.search(rf"^{key}\s*:\s*(.+)$", info, re.M)
        if found:
            return re.sub(r"\s+", " ", found.group(1)).strip()
    return platform.machine()


def cpu_kind():
    info = read("/proc/cpuinfo")
    part = [re.search(rf"^{key}\s*:\s*(.+)$", info, re.M) for key in ("cpu family", "model")]
    return "family %s model %s" % tuple(p.group(1) for p in part) if all(part) else ""


def host_kind():
    """Short and the same on machines of one kind: it names the result file."""
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)$", read("/proc/cpuinfo"), re.M)
    vendor = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}.get(
        vendor.group(1) if vendor else "", "other"
    )
    return f"{platform.machine()}-{vendor}-{len(os.sched_getaffinity(0))}cpu"


def package_versions(names):
    versions = {}
    if not shutil.which("dpkg-query"):
        return versions
    for name in sorted(set(names)):
        done = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if done.returncode == 0 and done.stdout:
            versions[name] = done.stdout
    return versions


def load():
    return read("/proc/loadavg").split()[:3]


def memory_gib():
    found = re.search(r"^MemTotal:\s*(\d+)", read("/proc/meminfo"), re.M)
    return round(int(found.group(1)) / 2**20, 1) if found else None


def collect(root, builder, packages):
    commit = first_line(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=10"])
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "cpu": f"{cpu()} ({cpu_kind()})",
        "cpus": len(os.sched_getaffinity(0)),
        "virtual": "hypervisor" in read("/proc/cpuinfo"),
        "memory GiB": memory_gib(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "compiler": first_line([builder.cc, "--version"]) if builder.cc else None,
        "go": first_line([builder.go, "version"]) if builder.go else None,
        "rust": first_line(
            ["/usr/bin/rustc" if builder.cargo == "/usr/bin/cargo" else "rustc", "--version"]
        ),
        "packages": package_versions(packages),
        "load before": load(),
    }
