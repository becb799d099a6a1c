# SPDX-License-Identifier: MIT
"""Drives pages of `hocket trace view` in a headless Chromium; trace_view_test.sh makes them.

    usage: trace_view.py test FOLDER      plain, evil, empty, lost, paused: .trace and .html
           trace_view.py measure PAGE     how long loading and a frame take
           trace_view.py shots PAGE FOLDER
"""
import collections
import json
import os
import struct
import sys

from browser import Browser

PARK, READY, LOADED = 4, 6, "!!window.timeline"
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAILED:", what)


def same(got, want, what):
    check(got == want, f"{what}: {got!r}, not {want!r}")


def read_waits(path):
    """What a trace says itself: how many waits of each kind, and those that a task ended."""
    with open(path, "rb") as file:
        data = file.read()
    at, events, kinds = 128, [], {}
    while True:
        kind, count, size = struct.unpack_from("<IIQ", data, at)
        at += 16
        if kind == 0:
            break
        if kind == 1:
            events += struct.iter_unpack("<QQQQ", data[at + 48:at + size])
        if kind == 2:
            kinds = {n: name.rstrip(b"\0").decode()
                     for n, name in struct.iter_unpack("<I28s", data[at:at + size])}
        at += size
    number, ended, open_ = collections.Counter(), [], {}
    for when, task, _, value in sorted(e for e in events if e[0] & 255 in (PARK, READY)):
        if when & 255 == PARK:
            number[kinds[value >> 48]] += 1
            open_[task] = (when >> 8, kinds[value >> 48])
        elif task in open_ and value != 0:
            since, kind = open_.pop(task)
            ended.append({"task": task, "since": since, "until": when >> 8, "kind": kind,
                          "waker": value})
    return number, ended


def load(browser, folder, name):
    page = browser.open("file://" + os.path.join(os.path.abspath(folder), name + ".html"))
    page.until(LOADED)
    return page


def seen(page):
    return page.value("[timeline.chart.t0, timeline.chart.t1]")


def text(page, selector):
    return page.value("document.querySelector(%s).innerText" % json.dumps(selector))


def test_numbers(page, number):
    same(page.value("document.title"), "synthetic – Hocket timeline", "title")
    check("60 tasks" in text(page, "#facts"), "facts: " + text(page, "#facts"))
    page.click_on('[data-by="kind"]')
    rows = page.value("""(() => { const t = timeline.page.totals;
        return t.table.rows.map((k) => [t.title(k), t.sums.get(k).count]); })()""")
    same(dict(rows), dict(number), "waits by kind")
    shown = page.value("""[...document.querySelectorAll('#totals-table .table-row')]
        .map((r) => r.innerText.split('\\n').slice(0, 2))""")
    same({a: int(b.replace(",", "")) for a, b in shown}, dict(number), "the same in the table")


def test_moving(page):
    whole = seen(page)
    page.wheel(700, 90, dy=-240)
    near = seen(page)
    check(near[1] - near[0] < (whole[1] - whole[0]) * 0.8, "the wheel over the axis zooms")
    page.wheel(700, 450, dy=-240, modifiers=2)
    check(seen(page)[1] - seen(page)[0] < near[1] - near[0], "the wheel with Ctrl zooms")
    before = seen(page)
    page.drag(700, 400, 500, 400)
    check(seen(page)[0] > before[0], "a drag to the left goes later")
    before = seen(page)
    page.drag(500, 400, 700, 400, modifiers=8)
    check(seen(page)[1] - seen(page)[0] < (before[1] - before[0]) * 0.3, "a drag with Shift zooms")
    for key, good, what in [
            ("w", lambda a, b: b[1] - b[0] < a[1] - a[0], "W zooms in"),
            ("s", lambda a, b: b[1] - b[0] > a[1] - a[0], "S zooms out"),
            ("d", lambda a, b: b[0] > a[0], "D goes later"),
            ("a", lambda a, b: b[0] < a[0], "A goes earlier"),
            ("ArrowRight", lambda a, b: b[0] > a[0], "the arrow goes later")]:
        before = seen(page)
        page.key(key)
        check(good(before, seen(page)), what)
    for y in range(58, 560, 6):
        page.mouse("mouseMoved", 700, y)
        page.mouse("mouseMoved", 100, y)
    page.click(1000, 75)
    there = page.value("(1000 - 216) / timeline.chart.plotWidth() * timeline.chart.whole()")
    check(seen(page)[0] < there < seen(page)[1], "a click on the map")
    page.key("0")
    check(seen(page)[0] <= 0 and seen(page)[1] >= page.value("timeline.chart.whole()"), "0 shows all")
    top = page.value("timeline.chart.scrollTop()")
    page.wheel(700, 450, dy=200)
    page.until("timeline.chart.scrollTop() > %g" % top, 10)
    page.value("timeline.chart.scrollTo(0)")


def test_wait(page, ended):
    """Zoom to a wait that a task ended, click it, and read what the page says of it."""
    wait = max(ended, key=lambda w: w["until"] - w["since"])
    place = page.value("""(() => { const { chart, model } = timeline;
        const task = model.tasks.id.indexOf(%d), margin = %d;
        chart.show(%d - margin, %d + margin);
        chart.revealTask(task);
        return task; })()""" % (wait["task"], wait["until"] - wait["since"], wait["since"], wait["until"]))
    page.settle()
    x, y = page.value("""(() => { const { chart } = timeline;
        const box = chart.rows.canvas.getBoundingClientRect();
        return [box.x + chart.xOf(%g), box.y + chart.tops[chart.rowOf[%d]] - chart.scrollTop() + 10];
        })()""" % ((wait["since"] + wait["until"]) / 2, place))
    page.mouse("mouseMoved", x, y)
    page.settle()
    check(f"for {wait['kind']}" in text(page, "#tip"), "the tip: " + text(page, "#tip"))
    page.click(x, y)
    title = text(page, "#details-title")
    check(title.endswith("#%d" % wait["task"]), "clicked " + title)
    words = page.value("""(() => { const t = timeline.page.details, b = timeline.chart.selected.bar;
        const { bars, tasks } = timeline.model;
        return { since: bars.start[b], until: bars.end[b], waker: tasks.id[t.wakerOf(b)] }; })()""")
    same(words, {k: wait[k] for k in words}, "the selected wait")
    row = text(page, "#details-list .table-row.picked")
    check(wait["kind"] in row and "#%d" % wait["waker"] in row, "its row: " + row)
    check("#%d" % wait["waker"] in text(page, ".bar-facts"), "its facts: " + text(page, ".bar-facts"))
    page.key("]")
    page.key("[")
    same(page.value("timeline.chart.selected.bar >= 0"), True, "the bar before the next one")
    page.key("Enter")
    check(text(page, "#details-title").endswith("#%d" % wait["waker"]), "Enter leads to the waker")
    page.key("Escape")
    same(text(page, "#details-title"), "The longest waits", "Esc clears")


def test_search(page):
    page.key("/")
    page.type("fetch")
    options = page.value("document.querySelectorAll('#search-results .option').length")
    check(options > 3, "%d found" % options)
    page.click_on("#search-only")
    shown = page.value("timeline.chart.shownTasks")
    check(0 < shown < 60, "%d of the tasks shown" % shown)
    page.click_on("#only")
    same(page.value("timeline.chart.shownTasks"), 60, "all of them again")
    page.value("(() => { document.querySelector('#search').value = ''; })()")
    page.key("/")
    page.type("#17")
    page.key("Enter", "\r")
    check(text(page, "#details-title").endswith("#17"), "by its id: " + text(page, "#details-title"))
    page.key("/")
    page.type("mutex 1")
    page.key("Enter", "\r")
    check("mutex 1" in text(page, "#focus"), "the focus: " + text(page, "#focus"))
    check("mutex 1" in text(page, "#details-title"), "its waits")
    page.key("/")
    page.type("no such thing")
    check("Nothing is called" in text(page, "#search-results"), "nothing found")
    page.key("Escape")
    check(page.value("document.querySelector('#focus').hidden"), "Esc takes the focus away")


def test_tables(page):
    for tab in ("object", "site", "holder", "kind", "name", "span", "held"):
        page.click_on(f'[data-by="{tab}"]')
        check(page.value("document.querySelectorAll('#totals-table .table-row').length") > 0,
              "rows by " + tab)
    page.click_on('[data-by="object"]')
    column = "timeline.page.totals.table.rows.map((k) => timeline.page.totals.sums.get(k).%s)"
    for place, what in ((2, "count"), (3, "total"), (5, "most")):
        page.click_on(f"#totals-table .column:nth-child({place})")
        if what == "total": # it was sorted so already
            page.click_on(f"#totals-table .column:nth-child({place})")
        values = page.value(column % what)
        check(values == sorted(values, reverse=True) or values == sorted(values), "sorted by " + what)
    everything = page.value("timeline.page.totals.total")
    page.click_on("#totals-part")
    page.key("w")
    page.until("timeline.page.totals.total < %g * 0.95" % everything, 10)
    page.click_on("#totals-part")
    page.key("0")
    page.click_on("#totals-table .table-row")
    check(page.value("timeline.chart.focus !== null"), "a row points out its waits")
    waits = page.value("timeline.page.details.table.rows.length")
    same(waits, page.value("timeline.page.totals.sums.get(timeline.page.totals.table.picked).count"),
         "its list")
    page.key("Escape")


def test_rest(page):
    page.key("?")
    check(page.value("document.querySelector('#help').open"), "help opens")
    page.click_on("#help-close")
    check(not page.value("document.querySelector('#help').open"), "help closes")
    color = "getComputedStyle(document.body).backgroundColor"
    before = page.value(color)
    page.key("t")
    check(page.value(color) != before, "T changes the theme")
    page.key("b")
    check(page.value("document.querySelector('#panels').hidden"), "B hides the tables")
    page.key("b")
    for order in page.value("[...document.querySelectorAll('#order option')].map((o) => o.value)"):
        page.value("(() => { const o = document.querySelector('#order'); o.value = '%s';"
                   "o.dispatchEvent(new Event('change')); })()" % order)
        same(page.value("timeline.chart.shownTasks"), 60, "ordered by " + order)
    for width, height, scale in ((700, 500, 1), (320, 240, 1), (1600, 1000, 2)):
        page.resize(width, height, scale)
        page.settle()
        page.key("w")
        page.key("0")


def test_pauses(page):
    """Two fifths of the trace were not recorded: no bar lies there but what is unknown."""
    check("The trace paused 5 times" in text(page, "#notice"), "the notice of pauses")
    check("40 % of it" in text(page, "#notice"), "their part: " + text(page, "#notice"))
    same(page.value("""(() => { const { bars, pauses } = timeline.model; let wrong = 0;
        for (let i = 0; i < bars.n; i++)
          for (let k = 0; k < pauses.n; k++) {
            const from = pauses.start[k], to = from + pauses.length[k];
            if (bars.state[i] !== 4 && bars.start[i] < to - 1 && bars.end[i] > from + 1) wrong++;
          }
        return [pauses.n, wrong]; })()"""), [5, 0], "bars in pauses")
    page.value("timeline.chart.show(timeline.model.pauses.start[1] - 1e4, timeline.model.pauses.start[1] + 1e4)")
    page.settle()
    same(page.complaints(), [], "console of paused")


def test_strange(browser, folder):
    page = load(browser, folder, "evil")
    same(page.value("typeof window.hacked"), "undefined", "a name became a script")
    same(page.value("document.querySelectorAll('img, b > script').length"), 0, "a name became HTML")
    check("<script>" in page.value("document.title"), "its title")
    page.key("/")
    page.type("<script")
    page.key("Enter", "\r")
    check("<script>window.hacked=1</script>" in text(page, "#details-title"), "shown as it is")
    for tab in ("site", "name", "span"):
        page.click_on(f'[data-by="{tab}"]')
    page.mouse("mouseMoved", 700, 450)
    same(page.value("typeof window.hacked"), "undefined", "a name became a script later")
    same(page.complaints(), [], "console of evil")
    page = load(browser, folder, "empty")
    same(text(page, "#no-rows"), "The trace has no tasks.", "an empty trace")
    for key in ("w", "0", "ArrowDown", "]", "?"):
        page.key(key)
    same(page.complaints(), [], "console of empty")
    page = load(browser, folder, "lost")
    check("1,000 older events were dropped" in text(page, "#notice"), "the notice")
    same(page.complaints(), [], "console of lost")
    test_pauses(load(browser, folder, "paused"))
    with open(os.path.join(folder, "plain.html"), encoding="utf-8") as file:
        whole = file.read()
    middle = whole.index('data-coding="') + 2000
    with open(os.path.join(folder, "damaged.html"), "w", encoding="utf-8") as file:
        file.write(whole[:middle] + "AAAA" * 50 + whole[middle + 200:])
    page = browser.open("file://" + os.path.join(os.path.abspath(folder), "damaged.html"))
    page.until("document.querySelector('#loading p') !== null", 20)
    check("cannot be shown" in text(page, "#loading"), "a damaged page says so")
    page = load(browser, folder, "raw")
    same(page.value("timeline.model.tasks.n"), 60, "the page without compression")


def test(folder):
    number, ended = read_waits(os.path.join(folder, "plain.trace"))
    with Browser() as browser:
        page = load(browser, folder, "plain")
        test_numbers(page, number)
        test_moving(page)
        test_wait(page, ended)
        test_search(page)
        test_tables(page)
        test_rest(page)
        same(page.complaints(), [], "console of plain")
        test_strange(browser, folder)


def measure(path):
    with Browser() as browser:
        page = browser.open("file://" + os.path.abspath(path))
        page.until(LOADED, 300)
        took = page.value("timeline.took")
        print("%s events, %s tasks" % (f"{page.value('timeline.model.facts.events'):,}",
                                       f"{page.value('timeline.model.tasks.n'):,}"))
        print("to load: %(all).0f ms (unpack %(unpack).0f, decode %(decode).0f, model %(model).0f, "
              "page %(build).0f)" % took)
        page.value("timeline.chart.frames = { n: 0, total: 0, worst: 0 }")
        for dy in [-120] * 40 + [120] * 40:
            page.wheel(800, 90, dy=dy)
        for top in range(0, 4000, 100):
            page.value("timeline.chart.scrollTo(%d)" % top)
            page.settle()
        frames = page.value("timeline.chart.frames")
        print("a frame: %.1f ms, the worst %.1f ms, of %d at %dx%d without a GPU" %
              (frames["total"] / frames["n"], frames["worst"], frames["n"], *browser.size[:2]))


def shots(path, folder):
    os.makedirs(folder, exist_ok=True)
    with Browser() as browser:
        page = browser.open("file://" + os.path.abspath(path))
        page.until(LOADED, 300)
        page.screenshot(os.path.join(folder, "whole.png"))
        page.value("""(() => { const { model, chart } = timeline, { bars } = model;
            const bar = model.waits[model.waits.length >> 1];
            chart.show(bars.start[bar] - 2e5, bars.start[bar] + 4e5);
            timeline.page.select(bars.task[bar], bar, true); })()""")
        page.screenshot(os.path.join(folder, "wait.png"))
        page.key("Escape")
        page.click_on("#totals-table .table-row")
        page.key("t")
        page.screenshot(os.path.join(folder, "focus-dark.png"))
        page.key("?")
        page.screenshot(os.path.join(folder, "help-dark.png"))


def main():
    if Browser.path() is None:
        print("no Chromium here")
        sys.exit(77)
    {"test": test, "measure": measure, "shots": shots}[sys.argv[1]](*sys.argv[2:])
    sys.exit(failures > 0)


main()
