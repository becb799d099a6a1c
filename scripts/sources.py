# SPDX-License-Identifier: MIT
"""What the checks share: the list of our files and a printer of complaints."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(*suffixes, under=("",)):
    """Tracked and new files (not ignored ones) that end so and lie under one of these folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(
        f for f in set(listed)
        if (not suffixes or f.endswith(suffixes))
        and any(f.startswith(folder) for folder in under)
        and os.path.isfile(os.path.join(ROOT, f)))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


class Complaints:
    def __init__(self):
        self.count = 0

    def add(self, where, what):
        print(f"{where}: {what}")
        self.count += 1

    def finish(self, summary):
        """Print the summary and end the program: 1 when there was a complaint."""
        print(f"{self.count} complaints" if self.count else summary)
        sys.exit(1 if self.count else 0)
