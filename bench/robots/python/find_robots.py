# SPDX-License-Identifier: MIT
"""The hosts that asked for /robots.txt, by a pool of two processes over gzip files."""

import glob
import gzip
import sys
from concurrent.futures import ProcessPoolExecutor


def find_robots(path):
    hosts = set()
    with gzip.open(path, "rb") as log:
        for line in log:
            fields = line.split(None, 7)
            if len(fields) > 6 and fields[6] == b"/robots.txt":
                hosts.add(fields[0])
    return hosts


def main():
    found = set()
    with ProcessPoolExecutor(2) as pool:
        for hosts in pool.map(find_robots, sorted(glob.glob(f"{sys.argv[1]}/*.gz"))):
            found |= hosts
    for host in sorted(found):
        sys.stdout.buffer.write(host + b"\n")


if __name__ == "__main__":
    main()
