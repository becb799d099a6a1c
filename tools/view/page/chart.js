/* SPDX-License-Identifier: MIT */
/*
 * The chart: what part of the trace is seen, which rows there are, where things lie.
 * Lengths are in CSS pixels; times in nanoseconds since the trace began.
 */
const GUTTER = 216;
const OVERVIEW = 46, AXIS = 26, HEADING = 22;
const TASK_ROW = 22, SPAN_ROW = 14, COUNTER_ROW = 38;
const SCROLL_MAX = 12e6; /* browsers know no boxes much higher than this */

const ORDERS = [
  ['start', 'first seen'], ['run', 'most running'], ['ready', 'most ready'],
  ['wait', 'most waiting'], ['longest', 'longest wait'], ['name', 'name'],
];

class Chart {
  constructor(model, names) {
    this.model = model;
    this.names = names;
    this.head = new Raster(document.getElementById('head'));
    this.rows = new Raster(document.getElementById('rows'));
    this.scroller = document.getElementById('scroller');
    this.spacer = document.getElementById('spacer');
    this.t0 = 0;
    this.t1 = this.whole();
    this.order = 'start';
    this.only = null;      /* Uint8Array by task: show these alone */
    this.inView = false;   /* show only tasks that live in what is seen */
    this.arrows = 'auto';  /* or selected, none */
    this.selected = { task: -1, bar: -1 };
    this.focus = null;     /* what waits to point out: { test(bar), ... } */
    this.changed = () => {};
    this.pending = false;
    this.frames = { n: 0, total: 0, worst: 0 };
    this.colors = readColors();
    this.layRows();
    this.scroller.addEventListener('scroll', () => this.redraw());
    new ResizeObserver(() => this.resized()).observe(document.getElementById('chart'));
  }

  whole() { return this.model.facts.duration; }
  plotWidth() { return Math.max(1, this.rows.canvas.clientWidth - GUTTER); }
  timeAt(x) { return this.t0 + (x - GUTTER) / this.plotWidth() * (this.t1 - this.t0); }
  xOf(time) { return GUTTER + (time - this.t0) / (this.t1 - this.t0) * this.plotWidth(); }

  /* ---- what is seen */

  show(t0, t1) {
    const whole = this.whole(), margin = whole * 0.02;
    const length = Math.min(Math.max(t1 - t0, 50), whole * 1.04);
    const middle = (t0 + t1) / 2;
    t0 = Math.min(Math.max(middle - length / 2, -margin), whole + margin - length);
    this.t0 = t0;
    this.t1 = t0 + length;
    this.redraw();
    this.changed();
    if (this.inView) {
      clearTimeout(this.layTimer);
      this.layTimer = setTimeout(() => this.layRows(true), 150);
    }
  }
  zoom(factor, x) {
    const fixed = x === undefined ? (this.t0 + this.t1) / 2 : this.timeAt(x);
    this.show(fixed - (fixed - this.t0) * factor, fixed + (this.t1 - fixed) * factor);
  }
  pan(dx) {
    const dt = dx / this.plotWidth() * (this.t1 - this.t0);
    this.show(this.t0 + dt, this.t1 + dt);
  }
  fit() { this.show(-this.whole() * 0.01, this.whole() * 1.01); }

  /* Bring a bar into sight: in full if `close`, else moving as little as is needed. */
  reveal(bar, close = false) {
    const { bars } = this.model, start = bars.start[bar], end = bars.end[bar];
    const length = end - start, seen = this.t1 - this.t0;
    if (close || length > seen * 1.5 || (length > 0 && length < seen / 400))
      this.show(start - Math.max(length, 100) * 1.2, end + Math.max(length, 100) * 1.2);
    else if (end < this.t0 + seen * 0.05 || start > this.t1 - seen * 0.05)
      this.show((start + end - seen) / 2, (start + end + seen) / 2);
    this.revealTask(bars.task[bar]);
  }
  revealTask(task) {
    if (this.rowOf[task] < 0) {
      this.only = null;
      this.inView = false;
      this.layRows();
      this.filterChanged?.();
    }
    const row = this.rowOf[task], top = this.tops[row], height = this.rows.canvas.clientHeight;
    const seen = this.scrollTop();
    if (top < seen || this.tops[row + 1] > seen + height) this.scrollTo(top - height / 2);
    this.redraw();
  }

  /* ---- rows: the counters, then the tasks */

  taskMeasure(task) {
    const { bars } = this.model, lo = bars.first[task], hi = bars.first[task + 1];
    switch (this.order) {
    case 'run': return bars.run[hi] - bars.run[lo];
    case 'ready': return bars.ready[hi] - bars.ready[lo];
    case 'wait': return bars.wait[hi] - bars.wait[lo];
    case 'longest': {
      let most = 0;
      for (let i = lo; i < hi; i++)
        if (bars.state[i] === WAITING) most = Math.max(most, bars.end[i] - bars.start[i]);
      return most;
    }
    default: return lo < hi ? -bars.start[lo] : -Infinity;
    }
  }
  livesInView(task) {
    const { bars } = this.model, lo = bars.first[task], hi = bars.first[task + 1];
    return lo < hi && bars.start[lo] <= this.t1 && bars.end[hi - 1] >= this.t0;
  }
  sortTasks() {
    const n = this.model.tasks.n, order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    if (this.order === 'name') {
      const keys = Array.from(order, (t) => this.names.task(t));
      const collator = new Intl.Collator('en', { numeric: true });
      const distinct = [...new Set(keys)].sort(collator.compare);
      const rank = new Map(distinct.map((name, i) => [name, i]));
      const ranks = keys.map((k) => rank.get(k));
      return order.sort((a, b) => ranks[a] - ranks[b] || a - b);
    }
    const keys = Float64Array.from(order, (t) => this.taskMeasure(t));
    return order.sort((a, b) => keys[b] - keys[a] || a - b);
  }
  layRows(keepOrder = false) {
    const { tasks, spanRows, counters } = this.model;
    if (!keepOrder || this.sorted === undefined) this.sorted = this.sortTasks();
    const shown = this.sorted.filter((t) =>
      (this.only === null || this.only[t]) && (!this.inView || this.livesInView(t)));
    const n = counters.length + shown.length;
    this.rowItems = new Int32Array(n); /* a task, or -1 - a counter */
    this.tops = new Float64Array(n + 1);
    this.rowOf = new Int32Array(tasks.n).fill(-1);
    for (let row = 0, top = 0; row < n; row++) {
      const task = row < counters.length ? -1 - row : shown[row - counters.length];
      this.rowItems[row] = task;
      if (task >= 0) this.rowOf[task] = row;
      top += task < 0 ? COUNTER_ROW : TASK_ROW + spanRows.deepest[task] * SPAN_ROW;
      this.tops[row + 1] = top;
    }
    this.shownTasks = shown.length;
    this.spacer.style.height = Math.min(this.tops[n] + 8, SCROLL_MAX) + 'px';
    this.redraw();
    this.rowsLaid?.();
  }
  /* Of the rows, which may be more than the box that is scrolled. */
  scrollTop() {
    const height = this.scroller.clientHeight, box = Math.max(1, this.scroller.scrollHeight - height);
    const rows = this.tops[this.tops.length - 1] + 8 - height;
    return rows <= box ? this.scroller.scrollTop : this.scroller.scrollTop / box * rows;
  }
  scrollTo(top) {
    const height = this.scroller.clientHeight, box = Math.max(1, this.scroller.scrollHeight - height);
    const rows = this.tops[this.tops.length - 1] + 8 - height;
    this.scroller.scrollTop = rows <= box ? top : top / rows * box;
  }
  rowAt(y) {
    const at = y + this.scrollTop(), last = this.tops.length - 1;
    if (at < 0 || at >= this.tops[last]) return -1;
    return Math.min(lastBefore(this.tops, 0, last, at), last - 1);
  }

  /* Workers with a row: all that ran anything, or as many as leave the tasks room. */
  lanesShown() {
    return this.model.lanes.shown.slice(0, Math.max(8, Math.floor(window.innerHeight * 0.2 / 3)));
  }
  laneHeight() {
    const n = this.model.lanes.shown.length;
    return n === 0 ? 0 : Math.max(3, Math.min(18, Math.floor(window.innerHeight * 0.2 / n)));
  }
  headHeight() {
    const n = this.lanesShown().length;
    return OVERVIEW + AXIS + (n > 0 ? HEADING + n * this.laneHeight() + 6 : 0);
  }

  /* ---- what lies at a point */

  /* In the rows: { task, bar, span, counter, mark }. */
  hitRows(x, y) {
    const row = this.rowAt(y);
    if (row < 0) return null;
    const item = this.rowItems[row];
    if (item < 0) return { counter: -1 - item, time: this.timeAt(x) };
    if (x < GUTTER) return { task: item, bar: -1 };
    const { bars } = this.model, time = this.timeAt(x);
    const within = y + this.scrollTop() - this.tops[row];
    if (within >= TASK_ROW) return { task: item, bar: -1, span: this.spanAt(item, time,
      Math.floor((within - TASK_ROW) / SPAN_ROW)), time };
    const lo = bars.first[item], hi = bars.first[item + 1];
    let bar = lastBefore(bars.start, lo, hi, time);
    if (lo === hi || time < bars.start[bar] || time > bars.end[bar] || bars.state[bar] === GONE)
      bar = -1;
    return { task: item, bar, mark: this.markAt(item, x), time };
  }
  spanAt(task, time, depth) {
    const { spans, spanRows } = this.model;
    for (let at = spanRows.first[task + 1]; at < spanRows.first[task + 2]; at++) {
      const span = spanRows.order[at];
      if (spans.start[span] > time) break;
      if (spanRows.depth[span] === depth && spans.start[span] + spans.length[span] >= time) return span;
    }
    return -1;
  }
  markAt(task, x) {
    const { marks, marksOf, markOrder } = this.model;
    for (let at = marksOf.first[task + 1]; at < marksOf.first[task + 2]; at++)
      if (Math.abs(this.xOf(marks.time[markOrder[at]]) - x) < 5) return markOrder[at];
    return -1;
  }
  /* In the head: { lane, task, bar } or { overview: time }. */
  hitHead(x, y) {
    if (y < OVERVIEW) return { overview: (x - GUTTER) / this.plotWidth() * this.whole() };
    const row = Math.floor((y - OVERVIEW - AXIS - HEADING) / this.laneHeight());
    const { lanes, bars } = this.model, shown = this.lanesShown();
    if (y < OVERVIEW + AXIS + HEADING || row >= shown.length) return null;
    const lane = shown[row];
    if (x < GUTTER) return { lane, task: -1, bar: -1 };
    const lo = lanes.first[lane], hi = lanes.first[lane + 1], time = this.timeAt(x);
    if (lo === hi) return { lane, task: -1, bar: -1, time };
    const bar = lanes.bar[lastBefore(lanes.start, lo, hi, time)];
    if (time < bars.start[bar] || time > bars.end[bar]) return { lane, task: -1, bar: -1, time };
    return { lane, task: bars.task[bar], bar, time };
  }

  /* ---- when */

  resized() {
    const head = document.getElementById('head');
    head.style.height = this.headHeight() + 'px';
    head.style.width = this.scroller.clientWidth + 'px'; /* as wide as the rows, beside their scroll bar */
    this.redraw();
  }
  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const start = performance.now();
      drawHead(this);
      drawRows(this);
      const took = performance.now() - start;
      this.frames.n++;
      this.frames.total += took;
      this.frames.worst = Math.max(this.frames.worst, took);
    });
  }
  recolor() {
    this.colors = readColors();
    this.redraw();
  }
}
