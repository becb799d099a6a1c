/* SPDX-License-Identifier: MIT */
/* Mouse and wheel over the chart, the tip at the pointer, and keys. */

/* Wheel: rows; with Ctrl (a pinch) or over the head: zoom; with Shift or sideways: pan. */
function onWheel(chart, event, inHead) {
  const unit = event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 400 : 1;
  const dx = (event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX) * unit;
  const dy = event.deltaY * unit, box = chart.rows.canvas.getBoundingClientRect();
  if (event.ctrlKey || event.metaKey || (inHead && Math.abs(dy) >= Math.abs(event.deltaX))) {
    chart.zoom(Math.exp(Math.max(-200, Math.min(200, dy)) * (event.ctrlKey ? 0.004 : 0.002)),
               Math.max(GUTTER, event.clientX - box.left));
    event.preventDefault();
  } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
    chart.pan(dx);
    event.preventDefault();
  }
}

function tipFor(chart, hit) {
  const { model, names } = chart, { bars } = model;
  if (hit === null || hit.overview !== undefined) return null;
  if (hit.counter !== undefined) {
    const { time, value, n, name } = model.counters[hit.counter];
    const i = firstFrom(time, 0, n, hit.time + 1e-9) - 1;
    return [names.clean(name), i >= 0 ? quantity(value[i]) : 'not set yet'];
  }
  if (hit.mark >= 0)
    return [names.string(model.marks.text[hit.mark]) || (model.marks.kind[hit.mark] === 1 ? 'error' : 'mark'),
            `${model.marks.kind[hit.mark] === 1 ? `error ${model.marks.value[hit.mark]}` : 'mark'} at ${moment(model.marks.time[hit.mark], 1)}`];
  if (hit.span >= 0)
    return [names.string(model.spans.name[hit.span]),
            `span of ${names.taskFull(hit.task)}, ${duration(model.spans.length[hit.span])}`];
  if (hit.lane !== undefined && hit.task < 0) return [names.worker(hit.lane), 'runs no task'];
  if (hit.bar === undefined || hit.bar < 0) return [names.taskFull(hit.task), ''];
  const { bar } = hit, length = duration(bars.end[bar] - bars.start[bar]);
  switch (bars.state[bar]) {
  case RUNNING:
    return [names.taskFull(hit.task), `${bars.a[bar] > 0 ? `ran on ${names.worker(bars.a[bar] - 1)}` : 'ran'} for ${length}`];
  case READY: return [names.taskFull(hit.task), `ready for ${length}, until somebody ran it`];
  case WAITING:
    return [names.taskFull(hit.task), `waited ${length} for ${names.object(bars.a[bar])}`,
            bars.c[bar] > 0 ? `held by ${names.taskFull(bars.c[bar] - 1)}` : '', `at ${names.site(bars.b[bar])}`];
  default: return [names.taskFull(hit.task), `not known for ${length}: older events were dropped`];
  }
}

class Pointer {
  constructor(chart, actions) {
    this.chart = chart;
    this.actions = actions;
    this.tip = byId('tip');
    this.line = byId('cursor');
    this.range = byId('range');
    this.drag = null;
    this.follow(byId('head'), true);
    this.follow(byId('rows'), false);
    document.addEventListener('pointermove', (event) => this.move(event));
    document.addEventListener('pointerup', (event) => this.up(event));
    byId('chart').addEventListener('pointerleave', () => this.hide());
  }
  follow(canvas, inHead) {
    const target = inHead ? canvas : byId('scroller');
    target.addEventListener('wheel', (event) => {
      onWheel(this.chart, event, inHead);
      this.hide();
    }, { passive: false });
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      this.drag = { canvas, inHead, x, y, lastX: event.clientX, lastY: event.clientY, moved: false,
                    overview: inHead && y < OVERVIEW && x >= GUTTER, range: event.shiftKey };
      if (this.drag.overview) this.overview(x);
      this.hide();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.drag === null) this.hover(canvas, inHead, event);
    });
    canvas.addEventListener('dblclick', (event) => {
      const hit = this.hit(canvas, inHead, event);
      if (hit !== null && hit.bar >= 0) this.chart.reveal(hit.bar, true);
    });
  }
  hit(canvas, inHead, event) {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    return inHead ? this.chart.hitHead(x, y) : this.chart.hitRows(x, y);
  }
  overview(x) {
    const { chart } = this, middle = (x - GUTTER) / chart.plotWidth() * chart.whole();
    const half = (chart.t1 - chart.t0) / 2;
    chart.show(middle - half, middle + half);
  }
  move(event) {
    const { drag, chart } = this;
    if (drag === null) return;
    const dx = event.clientX - drag.lastX, dy = event.clientY - drag.lastY;
    const box = drag.canvas.getBoundingClientRect(), x = event.clientX - box.left;
    if (!drag.moved && Math.abs(x - drag.x) + Math.abs(event.clientY - box.top - drag.y) < 4) return;
    drag.moved = true;
    byId('chart').classList.add('dragging');
    if (drag.overview) this.overview(x);
    else if (drag.range) {
      const from = Math.max(GUTTER, Math.min(drag.x, x)), to = Math.max(GUTTER, drag.x, x);
      this.range.hidden = false;
      this.range.style.left = from + 'px';
      this.range.style.width = to - from + 'px';
      this.range.textContent = duration(chart.timeAt(to) - chart.timeAt(from));
    } else {
      chart.pan(-dx);
      if (!drag.inHead) chart.scroller.scrollTop -= dy;
    }
    drag.lastX = event.clientX;
    drag.lastY = event.clientY;
  }
  up(event) {
    const { drag, chart } = this;
    if (drag === null) return;
    this.drag = null;
    byId('chart').classList.remove('dragging');
    if (drag.range && drag.moved) {
      this.range.hidden = true;
      const x = event.clientX - drag.canvas.getBoundingClientRect().left;
      const from = Math.max(GUTTER, Math.min(drag.x, x)), to = Math.max(GUTTER, drag.x, x);
      if (to - from > 3) chart.show(chart.timeAt(from), chart.timeAt(to));
    } else if (!drag.moved && !drag.overview) {
      const hit = this.hit(drag.canvas, drag.inHead, event);
      if (hit !== null && hit.task >= 0)
        this.actions.select(hit.task, hit.bar ?? -1, drag.inHead && hit.bar >= 0);
      else this.actions.clear();
    }
  }
  hover(canvas, inHead, event) {
    const { chart } = this, stage = byId('chart').getBoundingClientRect();
    const x = event.clientX - stage.left, lines = tipFor(chart, this.hit(canvas, inHead, event));
    if (x < GUTTER || (inHead && event.clientY - stage.top < OVERVIEW)) this.line.hidden = true;
    else {
      this.line.hidden = false;
      this.line.style.transform = `translateX(${Math.round(x)}px)`;
      this.line.firstElementChild.textContent = moment(chart.timeAt(x), (chart.t1 - chart.t0) / 2000);
    }
    if (lines === null) {
      this.tip.hidden = true;
      return;
    }
    this.tip.hidden = false;
    this.tip.replaceChildren(...lines.filter((l) => l !== '').map((l, i) => make(i === 0 ? 'b' : 'div', {}, l)));
    const width = this.tip.offsetWidth, height = this.tip.offsetHeight;
    const left = event.clientX + 16 + width > window.innerWidth ? event.clientX - 12 - width : event.clientX + 16;
    const top = event.clientY + 18 + height > window.innerHeight ? event.clientY - 12 - height : event.clientY + 18;
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }
  hide() {
    this.tip.hidden = true;
    this.line.hidden = true;
  }
}

const KEYS = [
  ['W  S', 'zoom in and out, also + and −'], ['A  D', 'go earlier and later, also ← →'],
  ['↑  ↓', 'the task above, below'], ['[  ]', 'the bar before, after the selected one'],
  ['{  }', 'the wait before, after'], ['Z', 'zoom to what is selected'], ['0', 'show all of it'],
  ['Enter', 'go to whoever woke the selected wait'], ['/', 'search'],
  ['R', 'arrows: few, the selected task’s, none'], ['V', 'only tasks that live in what is seen'],
  ['B', 'show or hide the tables'], ['T', 'light, dark'], ['Esc', 'clear'], ['?', 'these keys'],
  ['wheel', 'rows; over the axis or with Ctrl: zoom; with Shift: pan'],
  ['drag', 'move; with Shift: zoom into a range'], ['double click', 'zoom to a bar'],
];
