# SPDX-License-Identifier: MIT
"""The table: medians, their ratios, goals, limits; Markdown for people, JSON for programs."""

import json


def number(value, unit="ns"):
    """Three significant digits in a unit that fits."""
    if value is None:
        return "-"
    if unit == "ns":
        for factor, name in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
            if value >= factor * 10 or (value >= factor and name != "us"):
                return f"{digits(value / factor)} {name}"
        return f"{digits(value)} ns"
    if unit == "us":
        return number(value * 1000)
    return f"{digits(value)} {unit}" if unit not in ("ratio", "count") else digits(value)


def digits(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    """A Markdown table whose columns also line up as plain text."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        return (
            "| "
            + " | ".join(
                c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))
            )
            + " |"
        )

    rule = (
        "|"
        + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths))
        + "|"
    )
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


def cell(results, question, case, contender):
    """`median (xR)`, R being the contender's time as a multiple of ours."""
    key = (question.name, case, contender.name)
    if key in results.failed:
        return "failed"
    value = results.median(*key)
    if value is None:
        return "-"
    ours = results.median(question.name, case, question.ours)
    text = number(value, results.unit(question.name, case))
    if ours and not contender.ours:
        text += f" (x{digits(value / ours)})"
    return text


def race(results, question):
    """Rows are cases, columns contenders; the cell is the median."""
    shown = [c for c in question.contenders if c.command]
    rows = [[case] + [cell(results, question, case, c) for c in shown] for case in question.cases]
    parts = [table(["case"] + [c.name for c in shown], rows)]
    extra = sorted(
        {
            f
            for case, values in results.values.get(question.name, {}).items()
            for v in values.values()
            for f in v
            if results.unit(question.name, case, f) != "same"
        }
        - {"time", "best"}
    )
    for figure in extra:
        rows = []
        for case in question.cases:
            row = [results.median(question.name, case, c.name, figure) for c in shown]
            if any(v is not None for v in row):
                unit = results.unit(question.name, case, figure)
                rows.append([case] + [number(v, unit) for v in row])
        parts.append(f"{figure}:\n\n" + table(["case"] + [c.name for c in shown], rows))
    return parts


def limit_table(results, question):
    rows = []
    for contenders in results.values.get(question.name, {}).values():
        for name, figures in contenders.items():
            for figure, values in figures.items():
                rows.append(
                    [figure, number(min(values)), number(sorted(values)[len(values) // 2]), name]
                )
    return [table(["limit", "least", "median", "program"], rows)]


def judge(results, question, goal):
    """One goal: (text, ratio, bound, verdict); ratio None when a side is missing."""
    case, bound = goal["case"], goal["at_most"]
    ours = goal.get("ours", question.ours)
    other_case = goal.get("against_case", case)
    peer = goal.get("peer", ours)
    mine = results.median(question.name, case, ours)
    theirs = results.median(question.name, other_case, peer)
    text = f"{case}: {ours} / {peer}" + (f" at {other_case}" if other_case != case else "")
    if not mine or not theirs:
        return text, None, bound, "not measured"
    ratio = mine / theirs
    return text, ratio, bound, "met" if ratio <= bound else "BEHIND"


def goals(results, question):
    if not question.goals:
        return []
    rows = []
    for goal in question.goals:
        text, ratio, bound, verdict = judge(results, question, goal)
        rows.append([text, "-" if ratio is None else digits(ratio), f"<= {bound:g}", verdict])
    return ["goals:\n\n" + table(["ratio of medians", "measured", "goal", "verdict"], rows)]


def limits_line(results, question):
    known = [(name, results.limit(name)) for name in question.limits]
    known = [f"{name} {number(value)}" for name, value in known if value is not None]
    return ["limits: " + ", ".join(known)] if known else []


def problems(results, question):
    lines = [f"- {c.name}: {c.problem}" for c in question.contenders if c.problem]
    lines += [
        f"- {k[2]} failed at {k[1]}: {text}"
        for k, text in results.failed.items()
        if k[0] == question.name
    ]
    return ["\n".join(lines)] if lines else []


def markdown(questions, results, facts, settings):
    parts = [
        "# Benchmarks",
        f"{settings['rounds']} rounds, every contender in turn, {settings['milliseconds']} ms each; "
        "medians over the rounds. (xN): the peer takes N times as long as ours. "
        "How to read this: doc/benchmarks.md.",
    ]
    if float(facts["load before"][0]) > 0.5:
        parts.append(
            f"**The machine was not quiet (load {facts['load before'][0]}): where two threads work "
            "together, these figures mean little.**"
        )
    if settings["quick"]:
        parts.append("**Quick run: it shows that everything works; its figures mean nothing.**")
    rows = []
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items())
        elif isinstance(value, list):
            value = " ".join(value)
        if value not in (None, ""):
            rows.append([key, value])
    for question in questions:
        parts += [f"## {question.title}", question.about]
        if question.kind == "limits":
            parts += limit_table(results, question)
        elif question.kind == "footprint":
            parts += question.report
        else:
            parts += (
                race(results, question) + goals(results, question) + limits_line(results, question)
            )
        parts += problems(results, question)
    parts += ["## Machine", "\n".join(f"- {key}: {value}" for key, value in rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(questions, results, facts, settings):
    judged = {
        q.name: [
            dict(zip(("text", "ratio", "bound", "verdict"), judge(results, q, g))) for g in q.goals
        ]
        for q in questions
    }
    data = {
        "facts": facts,
        "settings": settings,
        "units": [[*key, unit] for key, unit in results.units.items()],
        "values": results.values,
        "goals": judged,
        "problems": {
            q.name: {c.name: c.problem for c in q.contenders if c.problem} for q in questions
        },
        "failed": [[*k, text] for k, text in results.failed.items()],
        "footprint": next((q.data for q in questions if q.kind == "footprint"), None),
    }
    return json.dumps(data, indent=1) + "\n"
