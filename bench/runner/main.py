# SPDX-License-Identifier: MIT
"""The command line of bench/run."""

import argparse
import sys
import time
from pathlib import Path

from . import facts, footprint, measure, report
from .build import Builder, say
from .questions import read_questions

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT.parent


def arguments(argv):
    p = argparse.ArgumentParser(
        prog="bench/run",
        description="Run the benches; the table goes to standard output and to bench/results/.",
    )
    p.add_argument(
        "--build",
        type=Path,
        default=PROJECT / "build/release",
        help="where Hocket was built (build/release)",
    )
    p.add_argument(
        "--work",
        type=Path,
        default=PROJECT / "build/bench",
        help="where contenders are built (build/bench)",
    )
    p.add_argument(
        "--results",
        type=Path,
        default=ROOT / "results",
        help="where the table goes (bench/results)",
    )
    p.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME[/CASE]",
        help="only this question, or case of it; may be repeated",
    )
    p.add_argument(
        "--contender",
        action="append",
        default=[],
        metavar="NAME",
        help="only this contender; may be repeated",
    )
    p.add_argument("--rounds", type=int, default=5, help="how often each contender is asked (5)")
    p.add_argument(
        "--milliseconds", type=int, default=60, help="how long a contender measures each time (60)"
    )
    p.add_argument(
        "--quick",
        action="store_true",
        help="one short round: shows that all works, its figures mean nothing",
    )
    p.add_argument(
        "--build-only", action="store_true", help="build the contenders and say which there are"
    )
    p.add_argument("--no-write", action="store_true", help="print the table, keep no file")
    args = p.parse_args(argv)
    if args.quick:
        args.rounds, args.milliseconds = 1, 10
    if args.rounds < 1 or args.milliseconds < 1:
        p.error("--rounds and --milliseconds must be at least 1")
    return args


def find_hocket(build):
    """Where our library, headers and program are, or None: then only the peers run."""
    library = build / "libhocket.a"
    if not library.exists():
        return None
    program = build / "hocket"
    return {
        "library": library,
        "include": PROJECT / "include",
        "program": program if program.exists() else None,
    }


def select(questions, only, names):
    """What was asked for with --only and --contender."""
    known = {q.name for q in questions}
    wanted = {}
    for word in only:
        name, _, case = word.partition("/")
        if name not in known:
            raise SystemExit(
                f"bench/run: no question {name} (there are: {', '.join(sorted(known))})"
            )
        wanted.setdefault(name, set()).add(case)
    kept = []
    for question in questions:
        if wanted and question.name not in wanted:
            continue
        cases = wanted.get(question.name, {""})
        if "" not in cases:
            question.cases = [c for c in question.cases if c in cases]
            question.goals = [g for g in question.goals if g["case"] in cases]
        if names and question.kind == "race":
            question.contenders = [c for c in question.contenders if c.name in names]
        kept.append(question)
    return kept


def write(args, text, data, kind):
    args.results.mkdir(parents=True, exist_ok=True)
    stem = f"{time.strftime('%Y-%m-%d', time.gmtime())}-{kind}" + ("-quick" if args.quick else "")
    for suffix, content in ((".md", text), (".json", data)):
        path = args.results / (stem + suffix)
        path.write_text(content, encoding="utf-8")
        say(f"wrote {path}")


def main(argv):
    args = arguments(argv)
    questions = select(read_questions(ROOT), args.only, args.contender)
    builder = Builder(ROOT, args.work.resolve(), find_hocket(args.build.resolve()))
    builder.build(questions)
    contenders = [(q, c) for q in questions for c in q.contenders]
    broken = any(c.problem.startswith("broken") for _, c in contenders)
    if args.build_only:
        for question, contender in contenders:
            print(f"{question.name}/{contender.name}: {contender.problem or 'built'}")
        return 1 if broken else 0

    packages = [p for _, c in contenders for p in c.directives.get("package", [])]
    machine = facts.collect(PROJECT, builder, packages)
    begin = time.monotonic()
    environment = {
        "HOCKET_BENCH_WORK": str(args.work.resolve()),
        "HOCKET_BENCH_BUILD": str(args.build.resolve()),
        "HOCKET_BENCH_LOGS": str(PROJECT / "build/logs"),
    }
    measure.prepare(questions, environment)
    races = [q for q in questions if q.kind != "footprint"]
    results = measure.measure(races, args.rounds, args.milliseconds, environment)
    for question in questions:
        if question.kind == "footprint":
            footprint.measure(question, 3 if args.quick else 8 * args.rounds, results)
    machine["load after"] = facts.load()
    machine["seconds"] = round(time.monotonic() - begin)

    settings = {"rounds": args.rounds, "milliseconds": args.milliseconds, "quick": args.quick}
    text = report.markdown(questions, results, machine, settings)
    print(text)
    if not args.no_write and not args.only and not args.contender:
        write(args, text, report.as_json(questions, results, machine, settings), facts.host_kind())
    return 1 if broken or results.failed else 0
