# SPDX-License-Identifier: MIT
"""Run the contenders in turn.

Machines change their speed from second to second, so no contender is run for long and then the
next: every round runs each case with all contenders one after the other, and the next round begins
with another one. The figure of a contender is the median over the rounds, and only figures of one
run are divided by each other."""

import os
import statistics
import subprocess
import sys

SKIP = 77
TIMEOUT = 120


class Results:
    """values[question][case][contender][figure] = [value of each round]; unit() of each figure."""

    def __init__(self):
        self.values = {}
        self.units = {}
        self.failed = {}

    def add(self, question, case, contender, figure, value, unit):
        place = self.values.setdefault(question, {}).setdefault(case, {}).setdefault(contender, {})
        place.setdefault(figure, []).append(value)
        self.units[question, case, figure] = unit

    def unit(self, question, case, figure="time"):
        return self.units.get((question, case, figure), "ns")

    def figures(self, question, case, contender):
        return self.values.get(question, {}).get(case, {}).get(contender, {})

    def median(self, question, case, contender, figure="time"):
        values = self.figures(question, case, contender).get(figure)
        return statistics.median(values) if values else None

    def limit(self, name):
        """The median of a row of the question 'limits', whichever program printed it."""
        for contenders in self.values.get("limits", {}).values():
            for figures in contenders.values():
                if name in figures:
                    return statistics.median(figures[name])
        return None


def parse(output):
    rows = []
    for line in output.splitlines():
        words = line.split()
        if len(words) == 3:
            rows.append((words[0], float(words[1]), words[2]))
    return rows


def start(question, case, contender, milliseconds, env):
    """The rows of one run; None if the case is not for it. RuntimeError if it fails."""
    try:
        done = subprocess.run(
            [*contender.command, case, str(milliseconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            env=env,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took longer than {TIMEOUT} s") from None
    if done.returncode == SKIP:
        return None
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise RuntimeError(words[-1] if words else f"ended with {done.returncode}")
    return parse(done.stdout)


def prepare(questions, environment):
    """Make the inputs. Without its input a question cannot be asked: all are absent."""
    for question in questions:
        if not question.prepare or not any(c.command for c in question.contenders):
            continue
        done = subprocess.run(
            [str(question.folder / question.prepare)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(os.environ, **environment),
        )
        if done.returncode != 0:
            words = done.stdout.strip().splitlines()
            for contender in question.contenders:
                contender.command = None
                contender.problem = (
                    contender.problem
                    or f"absent: no input ({words[-1] if words else question.prepare})"
                )


def same_answers(results):
    """A figure of unit `same` is an answer: whoever gave another than most did has failed."""
    for question, cases in results.values.items():
        for case, contenders in cases.items():
            figures = {figure for values in contenders.values() for figure in values}
            for figure in sorted(figures):
                unit = results.unit(question, case, figure)
                given = (
                    {n: f[figure] for n, f in contenders.items() if figure in f}
                    if unit == "same"
                    else {}
                )
                every = [value for values in given.values() for value in values]
                for name, values in given.items():
                    if any(value != statistics.mode(every) for value in values):
                        results.failed[
                            (question, case, name)
                        ] = f"{figure} differs from that of the others"


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(questions, rounds, milliseconds, environment):
    """Run all of it. `environment` is added to every contender's own."""
    results = Results()
    env = dict(os.environ, **environment)
    out = set()  # (question, case, contender) that is not to be asked again
    for turn in range(rounds):
        for question in questions:
            contenders = [c for c in question.contenders if c.command]
            first = turn % max(len(contenders), 1)
            for case in question.cases or ["all"]:
                for contender in contenders[first:] + contenders[:first]:
                    key = (question.name, case, contender.name)
                    if key in out:
                        continue
                    progress(f"round {turn + 1}/{rounds}: {question.name} {case} {contender.name}")
                    try:
                        rows = start(question, case, contender, milliseconds, env)
                    except RuntimeError as error:
                        results.failed[key] = str(error)
                        rows = None
                    if rows is None:
                        out.add(key)
                        continue
                    for figure, value, unit in rows:
                        results.add(*key, figure, value, unit)
    progress("")
    same_answers(results)
    return results
