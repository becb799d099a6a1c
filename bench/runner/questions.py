# SPDX-License-Identifier: MIT
"""What is asked: one folder a question, one file a contender.

A folder with a `question.toml` is a question. Every other file in it whose suffix a builder knows
is a contender, named after the file; what several of them share is listed under `parts`. The first
15 lines of a contender may hold directives:

    bench-include: HEADER...        C, C++: without these headers the contender is absent
    bench-flags: FLAG...            C, C++: for the compiler, after the source
    bench-crate: NAME [FEATURE...]  Rust: a crate that it uses; may be repeated
    bench-tool: PROGRAM...          scripts: without these programs the contender is absent
    bench-package: NAME             the Debian package that brings what is missing
    bench-hocket: library|program   it is ours and needs the library or the hocket program
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = {".c", ".cpp", ".go", ".rs", ".sh", ".py"}


@dataclass
class Contender:
    name: str
    source: Path
    directives: dict
    command: list = None  # how to start it, once it is built
    problem: str = ""  # why it is not: 'absent: ...' or 'broken: ...'

    @property
    def ours(self):
        return "hocket" in self.directives

    def words(self, directive):
        return [word for line in self.directives.get(directive, []) for word in line.split()]


@dataclass
class Question:
    name: str
    folder: Path
    title: str
    about: str
    kind: str = "race"
    cases: list = field(default_factory=list)
    limits: list = field(default_factory=list)
    goals: list = field(default_factory=list)
    prepare: str = ""  # a program of the folder that makes the input, run once before all
    contenders: list = field(default_factory=list)

    @property
    def ours(self):
        """The contender that goals are about when they name none."""
        return next((c.name for c in self.contenders if c.ours), "hocket")


def read_directives(source):
    directives = {}
    with open(source, encoding="utf-8") as lines:
        for _, line in zip(range(15), lines):
            text = line.strip().lstrip("/*#; ").removesuffix("*/").strip()
            if text.startswith("bench-") and ":" in text:
                key, value = text.removeprefix("bench-").split(":", 1)
                directives.setdefault(key.strip(), []).append(value.strip())
    return directives


def read_question(folder):
    data = tomllib.loads((folder / "question.toml").read_text(encoding="utf-8"))
    parts = set(data.get("parts", []))
    sources = sorted(s for s in folder.iterdir() if s.suffix in SUFFIXES and s.name not in parts)
    contenders = [Contender(s.stem, s, read_directives(s)) for s in sources]
    contenders.sort(key=lambda c: (not c.ours, c.name))
    names = [c.name for c in contenders]
    if len(set(names)) != len(names):
        raise SystemExit(f"{folder}: two contenders of one name")
    return Question(
        folder.name,
        folder,
        data["title"],
        data.get("about", "").strip(),
        data.get("kind", "race"),
        data.get("cases", []),
        data.get("limits", []),
        data.get("goal", []),
        data.get("prepare", ""),
        contenders,
    )


def read_questions(root):
    """All of them, in the order of their numbers; those without one come last."""
    questions = [read_question(f.parent) for f in sorted(root.glob("*/question.toml"))]

    def rank(question):
        number = re.match(r"B(\d+)", question.title)
        return (int(number.group(1)) if number else 1000, question.title)

    return sorted(questions, key=rank)
