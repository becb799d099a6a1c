/* SPDX-License-Identifier: MIT */
/* The page: unpack, build, connect. */

class Page {
  constructor(model) {
    this.model = model;
    this.names = new Names(model);
    this.chart = new Chart(model, this.names);
    this.details = new Details(this.chart, (...what) => this.select(...what));
    this.totals = new Totals(this.chart, (focus) => this.point(focus));
    const actions = {
      select: (...what) => this.select(...what), clear: () => this.clear(),
      task: (task) => this.select(task, -1, true), focus: (focus) => this.point(focus),
      only: (tasks) => this.only(tasks), span: (span) => this.goToSpan(span),
    };
    this.search = new Search(this.chart, actions);
    this.pointer = new Pointer(this.chart, actions);
    this.chart.changed = () => this.viewChanged();
    this.chart.rowsLaid = () => this.toolbar();
    this.chart.filterChanged = () => this.toolbar();
    document.addEventListener('keydown', (event) => this.key(event));
    this.makeToolbar();
    this.makeHelp();
    this.makeSplitter();
    this.header();
    this.chart.fit();
    this.toolbar();
  }

  header() {
    const { facts, tasks, workers } = this.model;
    document.title = `${this.names.clean(facts.program) || 'trace'} – Hocket timeline`;
    byId('program').textContent = this.names.clean(facts.program) || 'a program';
    const when = facts.wallMs > 0 ? new Date(facts.wallMs).toLocaleString('en-GB') : '';
    byId('facts').textContent = [
      `process ${facts.pid}`, duration(facts.duration), plural(tasks.n, 'task'),
      plural(workers.n, 'worker'), plural(facts.events, 'event'), when,
    ].filter((f) => f !== '').join('  ·  ');
    const notices = [];
    if (facts.lost > 0)
      notices.push(`${plural(facts.lost, 'older event')} ${facts.lost === 1 ? 'was' : 'were'} dropped to keep the newest: dotted lines are what is not known.`);
    const { pauses } = this.model;
    if (pauses.n > 0)
      notices.push(`The trace paused ${pauses.n === 1 ? 'once' : `${count(pauses.n)} times`} to take no more than its share of the time: ${percent(pauses.length.reduce((a, b) => a + b, 0), facts.duration)} of it is striped, and what tasks did there is not known.`);
    if (facts.missed > 0) notices.push(`${plural(facts.missed, 'event')} could not be recorded.`);
    if (facts.lanesDenied > 0) notices.push(`${plural(facts.lanesDenied, 'thread')} had no room to record anything.`);
    if (facts.flags & 1) notices.push('The program was about to die when this was written.');
    byId('notice').hidden = notices.length === 0;
    byId('notice-text').textContent = notices.join(' ');
    byId('notice-close').addEventListener('click', () => { byId('notice').hidden = true; });
  }

  /* ---- selecting */

  select(task, bar, reveal = false, keepList = false) {
    const { chart } = this;
    chart.selected = { task, bar };
    if (reveal && bar >= 0) chart.reveal(bar);
    else if (reveal) {
      const { bars } = this.model, lo = bars.first[task], hi = bars.first[task + 1];
      if (lo < hi && (bars.end[hi - 1] < chart.t0 || bars.start[lo] > chart.t1)) {
        const margin = Math.max(100, (bars.end[hi - 1] - bars.start[lo]) * 0.1);
        chart.show(bars.start[lo] - margin, bars.end[hi - 1] + margin);
      }
      chart.revealTask(task);
    }
    if (!keepList || this.details.list === 'task') {
      if (!keepList) this.unfocus();
      this.details.task(task, bar);
    }
    this.said(bar >= 0 ? tipFor(chart, { task, bar }).join(', ') : this.names.taskFull(task));
    chart.redraw();
  }
  clear() {
    this.chart.selected = { task: -1, bar: -1 };
    this.unfocus();
    this.details.nothing();
    this.totals.table.picked = -1;
    this.totals.table.render();
    this.chart.redraw();
  }
  unfocus() {
    this.chart.focus = null;
    byId('focus').hidden = true;
  }
  point(focus) {
    if (focus.type === 'span') {
      this.goToSpan(focus.longest);
      return;
    }
    this.chart.focus = focus;
    this.chart.selected = { task: -1, bar: -1 };
    byId('focus').hidden = false;
    byId('focus-text').replaceChildren(
      ...(focus.category ? [swatch('wait-' + focus.category)] : []), `only ${focus.title}`);
    this.details.focus(focus);
    this.said(byId('details-title').textContent);
    this.chart.redraw();
  }
  goToSpan(span) {
    const { spans } = this.model, start = spans.start[span], length = Math.max(spans.length[span], 100);
    this.chart.show(start - length * 0.5, start + length * 1.5);
    if (spans.task[span] > 0) this.select(spans.task[span] - 1, -1, true);
  }
  only(tasks) {
    const { chart } = this;
    chart.only = new Uint8Array(this.model.tasks.n);
    for (const task of tasks) chart.only[task] = 1;
    chart.layRows(true);
    chart.scrollTo(0);
  }
  said(text) { byId('said').textContent = text; }
  viewChanged() {
    if (!this.totals.part) return;
    clearTimeout(this.totalsTimer);
    this.totalsTimer = setTimeout(() => this.totals.update(), 180);
  }

  /* ---- around the chart */

  makeToolbar() {
    const { chart } = this, order = byId('order');
    order.replaceChildren(...ORDERS.map(([id, label]) => make('option', { value: id }, label)));
    order.addEventListener('change', () => {
      chart.order = order.value;
      chart.layRows();
      chart.scrollTo(0);
      order.blur();
    });
    byId('in-view').addEventListener('change', (event) => {
      chart.inView = event.target.checked;
      chart.layRows(true);
    });
    byId('only').addEventListener('click', () => {
      chart.only = null;
      chart.layRows(true);
    });
    byId('focus').addEventListener('click', () => this.clear());
    byId('theme').addEventListener('click', () => this.theme());
    byId('help-button').addEventListener('click', () => this.help(true));
    byId('fit').addEventListener('click', () => chart.fit());
    byId('zoom-in').addEventListener('click', () => chart.zoom(0.5));
    byId('zoom-out').addEventListener('click', () => chart.zoom(2));
    byId('tables').addEventListener('click', () => this.panels());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => chart.recolor());
    const used = new Set(Array.from(this.model.waits, (bar) => this.model.objectCategory[this.model.bars.a[bar]]));
    byId('legend').replaceChildren(
      make('span.legend-item', {}, swatch('running'), 'running'),
      make('span.legend-item', {}, swatch('ready'), 'ready'),
      ...(used.size > 0 ? [make('span.legend-item.soft', {}, 'waiting for')] : []),
      ...CATEGORIES.flatMap((category, i) => used.has(i) ?
        [make('span.legend-item', {}, swatch('wait-' + category), CATEGORY_LABELS[i])] : []));
  }
  toolbar() {
    const { chart } = this, n = this.model.tasks.n;
    byId('task-count').textContent = chart.shownTasks === n ? plural(n, 'task') :
      `${count(chart.shownTasks)} of ${plural(n, 'task')}`;
    byId('only').hidden = chart.only === null;
    byId('in-view').checked = chart.inView;
    byId('no-rows').hidden = chart.shownTasks > 0;
    byId('no-rows').textContent = n === 0 ? 'The trace has no tasks.' : 'No task fits what is asked for.';
  }
  theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' :
      matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    this.chart.recolor();
  }
  makeHelp() {
    byId('keys').replaceChildren(...KEYS.flatMap(([keys, what]) => [
      make('dt', {}, ...keys.split('  ').map((k) => make('kbd', {}, k))), make('dd', {}, what)]));
    byId('help').addEventListener('click', (event) => {
      if (event.target === byId('help') || event.target.id === 'help-close') this.help(false);
    });
  }
  help(shown) {
    if (shown) byId('help').showModal();
    else byId('help').close();
  }
  panels(shown = byId('panels').hidden) {
    byId('panels').hidden = byId('splitter').hidden = !shown;
    byId('tables').setAttribute('aria-pressed', String(shown));
    this.chart.redraw();
  }
  makeSplitter() {
    const splitter = byId('splitter'), panels = byId('panels');
    const resize = (height) => {
      panels.style.height = Math.max(90, Math.min(window.innerHeight - 260, height)) + 'px';
      this.chart.redraw();
    };
    splitter.addEventListener('pointerdown', (event) => {
      splitter.setPointerCapture(event.pointerId);
      const move = (e) => resize(window.innerHeight - e.clientY - 4);
      splitter.addEventListener('pointermove', move);
      splitter.addEventListener('pointerup', () => splitter.removeEventListener('pointermove', move),
                                { once: true });
      event.preventDefault();
    });
    splitter.addEventListener('keydown', (event) => {
      const step = { ArrowUp: 24, ArrowDown: -24 }[event.key];
      if (step === undefined) return;
      resize(panels.clientHeight + step);
      event.stopPropagation();
    });
  }

  /* ---- keys */

  nextBar(step, waits) {
    const { bars } = this.model, { task, bar } = this.chart.selected;
    if (task < 0) return;
    let at = bar >= 0 ? bar + step : step > 0 ? bars.first[task] : bars.first[task + 1] - 1;
    while (at >= bars.first[task] && at < bars.first[task + 1]) {
      if (bars.state[at] !== GONE && (!waits || bars.state[at] === WAITING)) {
        this.select(task, at, true);
        return;
      }
      at += step;
    }
  }
  nextTask(step) {
    const { chart } = this, counters = this.model.counters.length, last = chart.rowItems.length - 1;
    const row = chart.selected.task >= 0 ? chart.rowOf[chart.selected.task] + step : counters;
    if (row < counters || row > last) return;
    this.select(chart.rowItems[row], -1);
    chart.revealTask(chart.rowItems[row]);
  }
  toWaker() {
    const { bar } = this.chart.selected, { bars } = this.model;
    if (bar < 0) return;
    const waker = bars.state[bar] === READY ? bars.a[bar] - 1 :
      bars.state[bar] === WAITING ? this.details.wakerOf(bar) : -1;
    if (waker < 0) return;
    const time = bars.state[bar] === READY ? bars.start[bar] : bars.end[bar];
    const lo = bars.first[waker], hi = bars.first[waker + 1];
    this.select(waker, lo < hi ? lastBefore(bars.start, lo, hi, time) : -1, true);
  }
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'checkbox') return;
    if (byId('help').open) return;
    const { chart } = this, step = chart.plotWidth() * 0.15;
    const does = {
      w: () => chart.zoom(0.7), '+': () => chart.zoom(0.7), '=': () => chart.zoom(0.7),
      s: () => chart.zoom(1 / 0.7), '-': () => chart.zoom(1 / 0.7),
      a: () => chart.pan(-step), ArrowLeft: () => chart.pan(-step),
      d: () => chart.pan(step), ArrowRight: () => chart.pan(step),
      ArrowUp: () => this.nextTask(-1), ArrowDown: () => this.nextTask(1),
      PageUp: () => chart.scrollTo(chart.scrollTop() - 300),
      PageDown: () => chart.scrollTo(chart.scrollTop() + 300),
      '[': () => this.nextBar(-1, false), ']': () => this.nextBar(1, false),
      '{': () => this.nextBar(-1, true), '}': () => this.nextBar(1, true),
      z: () => { if (chart.selected.bar >= 0) chart.reveal(chart.selected.bar, true); },
      0: () => chart.fit(), Enter: () => this.toWaker(),
      '/': () => { byId('search').focus(); byId('search').select(); },
      r: () => {
        chart.arrows = { auto: 'selected', selected: 'none', none: 'auto' }[chart.arrows];
        this.said(`arrows: ${chart.arrows}`);
        chart.redraw();
      },
      v: () => { chart.inView = !chart.inView; chart.layRows(true); },
      b: () => this.panels(), t: () => this.theme(), '?': () => this.help(true),
      Escape: () => this.clear(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (does === undefined) return;
    if (event.key === 'Enter' && event.target.tagName === 'BUTTON') return;
    does();
    event.preventDefault();
  }
}

function failed(error) {
  byId('loading').hidden = false;
  byId('loading').replaceChildren(make('h2', {}, 'This trace cannot be shown'),
                                  make('p', {}, String(error && error.message || error)));
  throw error;
}

async function start() {
  const begun = performance.now();
  const bytes = await embeddedBytes(), unpacked = performance.now();
  const raw = decode(bytes), decoded = performance.now();
  const model = makeModel(raw), modelled = performance.now();
  byId('app').hidden = false;
  const page = new Page(model);
  byId('loading').hidden = true;
  const done = performance.now();
  /* For the console and for tests. */
  window.timeline = {
    page, chart: page.chart, model, names: page.names,
    took: { unpack: unpacked - begun, decode: decoded - unpacked, model: modelled - decoded,
            build: done - modelled, all: done - begun },
  };
}

/* The page is drawn once, with its "Reading", before the work begins. */
requestAnimationFrame(() => setTimeout(() => start().catch(failed)));
