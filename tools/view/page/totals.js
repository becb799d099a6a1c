/* SPDX-License-Identifier: MIT */
/*
 * "Where did the time go": the waits summed up by object, call site, holder, kind or task's name, of the
 * whole trace or of the part that is seen (then each wait counts with its part in it).
 */
const TOTALS = [
  { id: 'object', label: 'Objects', column: 'waited for' },
  { id: 'site', label: 'Call sites', column: 'waited at' },
  { id: 'holder', label: 'Holders', column: 'held by' },
  { id: 'kind', label: 'Kinds', column: 'kind of wait' },
  { id: 'name', label: 'Tasks', column: 'tasks called' },
  { id: 'span', label: 'Spans', column: 'span' },
  { id: 'held', label: 'Held', column: 'lock that was held' },
];

class Totals {
  constructor(chart, onFocus) {
    this.chart = chart;
    this.model = chart.model;
    this.names = chart.names;
    this.onFocus = onFocus;
    this.groups = [];           /* of tasks by name: { title } */
    this.groupOf = new Map();   /* a name's string: its group */
    this.patterns = new Map();  /* a name without its numbers: its group */
    this.by = 'object';
    this.part = false;
    /* Locks that nobody waits for are in a trace only if it was asked for. */
    const shown = TOTALS.filter(({ id }) => id !== 'held' || this.model.helds.n > 0);
    byId('totals-tabs').replaceChildren(...shown.map(({ id, label }) => make('button.tab', {
      role: 'tab', 'data-by': id, onclick: () => this.choose(id),
    }, label)));
    byId('totals-part').addEventListener('change', (event) => {
      this.part = event.target.checked;
      this.update();
    });
    this.choose('object');
  }
  choose(by) {
    this.by = by;
    for (const tab of byId('totals-tabs').children)
      tab.setAttribute('aria-selected', String(tab.dataset.by === by));
    this.makeTable();
    this.update();
  }
  /* What a wait is counted under; a number. */
  keyOf(bar) {
    const { bars, objects, tasks } = this.model;
    switch (this.by) {
    case 'object': return bars.a[bar];
    case 'site': return bars.b[bar];
    case 'holder': return bars.c[bar];
    case 'kind': return objects.kind[bars.a[bar]];
    default: return this.nameKey(bars.task[bar]);
    }
  }
  /* Tasks whose names differ in numbers alone are counted together: those without one by function. */
  nameKey(task) {
    const { tasks, strings } = this.model;
    const name = strings[tasks.name[task]] !== '' ? tasks.name[task] : tasks.start[task];
    let group = this.groupOf.get(name);
    if (group === undefined) {
      const words = this.names.clean(strings[name]).replace(/\+0x[0-9a-f]+$/, '') || 'without a name';
      const pattern = /^0x/.test(words) ? words : words.replace(/\d+/g, '*');
      if (this.patterns.has(pattern)) {
        group = this.patterns.get(pattern);
        this.groups[group].title = pattern;
      } else {
        group = this.groups.push({ title: words }) - 1;
        this.patterns.set(pattern, group);
      }
      this.groupOf.set(name, group);
    }
    return group;
  }
  title(key) {
    const { names } = this;
    switch (this.by) {
    case 'object':
    case 'held': return names.object(key);
    case 'site': return names.site(key);
    case 'holder': return names.taskFull(key - 1);
    case 'kind': return names.string(key);
    case 'name': return this.groups[key].title;
    default: return names.string(key);
    }
  }
  category(key) {
    const { model, by } = this;
    if (by === 'object' || by === 'held') return CATEGORIES[model.objectCategory[key]];
    if (by === 'kind') return CATEGORIES[categoryOf(model.strings[key])];
    return null;
  }
  sum() {
    const { model, chart } = this, { bars, waits, spans, helds } = model;
    const t0 = this.part ? chart.t0 : 0, t1 = this.part ? chart.t1 : Infinity;
    const sums = new Map();
    const add = (key, start, end, what) => {
      const length = Math.min(end, t1) - Math.max(start, t0);
      if (length < 0) return;
      let s = sums.get(key);
      if (s === undefined) sums.set(key, s = { count: 0, total: 0, most: 0, longest: what });
      s.count++;
      s.total += length;
      if (length > s.most) {
        s.most = length;
        s.longest = what;
      }
    };
    if (this.by === 'name') return this.sumTasks(t0, t1);
    if (this.by === 'span')
      for (let i = 0; i < spans.n; i++) add(spans.name[i], spans.start[i], spans.start[i] + spans.length[i], i);
    else if (this.by === 'held')
      for (let i = 0; i < helds.n; i++) add(helds.object[i], helds.start[i], helds.start[i] + helds.length[i], i);
    else
      for (const bar of waits) {
        const key = this.keyOf(bar);
        if (key > 0 || this.by !== 'holder') add(key, bars.start[bar], bars.end[bar], bar);
      }
    return sums;
  }
  /* By name, what tasks did: not only waits. */
  sumTasks(t0, t1) {
    const { bars, tasks } = this.model, sums = new Map();
    t1 = Math.min(t1, this.model.facts.duration);
    for (let task = 0; task < tasks.n; task++) {
      const lo = bars.first[task], hi = bars.first[task + 1];
      if (lo === hi || bars.start[lo] > t1 || bars.end[hi - 1] < t0) continue;
      const a = lastBefore(bars.start, lo, hi, t0), b = lastBefore(bars.start, lo, hi, t1);
      const within = (part, state, bar, time) => part[bar] + (bars.state[bar] === state ?
        Math.min(Math.max(time - bars.start[bar], 0), bars.end[bar] - bars.start[bar]) : 0);
      const between = (part, state) => within(part, state, b, t1) - within(part, state, a, t0);
      const key = this.nameKey(task);
      let s = sums.get(key);
      if (s === undefined) sums.set(key, s = { count: 0, total: 0, run: 0, ready: 0, wait: 0 });
      const run = between(bars.run, RUNNING), ready = between(bars.ready, READY);
      const wait = between(bars.wait, WAITING);
      s.count++;
      s.run += run;
      s.ready += ready;
      s.wait += wait;
      s.total += run + ready + wait;
    }
    return sums;
  }
  taskColumns() {
    const of = (key) => this.sums.get(key);
    const time = (name, what) => ({ name, width: '4.7rem', number: true, sort: (key) => of(key)[what],
                                    cell: (key) => duration(of(key)[what]) });
    const shares = (key) => {
      const piece = (look, value) => {
        const span = make('span.' + look);
        span.style.width = (value / Math.max(of(key).total, 1e-9) * 100).toFixed(2) + '%';
        return span;
      };
      return make('div.shares-bar', {}, piece('running', of(key).run), piece('ready', of(key).ready));
    };
    return [
      { name: 'tasks called', width: 'minmax(5rem, 2fr)', sort: (key) => this.title(key).toLowerCase(),
        cell: (key) => make('span.name', { title: this.title(key) }, this.title(key)) },
      { name: 'tasks', width: '4rem', number: true, cell: (key) => count(of(key).count),
        sort: (key) => of(key).count },
      time('running', 'run'), time('ready', 'ready'), time('waiting', 'wait'),
      { name: 'share of each', width: 'minmax(4.4rem, 1fr)', cell: shares },
    ];
  }
  makeTable() {
    const { by } = this, of = (key) => this.sums.get(key);
    const share = (key) => {
      const part = this.total > 0 ? of(key).total / this.total : 0;
      const bar = make('span.share-bar');
      bar.style.width = Math.max(part * 100, 1).toFixed(1) + '%';
      const category = this.category(key);
      if (category !== null) bar.classList.add('wait-' + category);
      return make('span.share', {}, bar, make('span.share-text', {}, percent(part, 1)));
    };
    const title = (key) => {
      const category = this.category(key), text = make('span.name', { title: this.title(key) }, this.title(key));
      return category === null ? text : make('span.with-swatch', {}, swatch('wait-' + category), text);
    };
    const columns = [
      { name: TOTALS.find((t) => t.id === by).column, width: 'minmax(5rem, 2fr)', cell: title,
        sort: (key) => this.title(key).toLowerCase() },
      { name: by === 'span' || by === 'held' ? 'times' : 'waits', width: '4rem', number: true,
        cell: (key) => count(of(key).count), sort: (key) => of(key).count },
      { name: 'total', width: '4.7rem', number: true, cell: (key) => duration(of(key).total),
        sort: (key) => of(key).total, title: 'Summed over all tasks, so it may be more than the trace is long' },
      { name: 'mean', width: '4.7rem', number: true, sort: (key) => of(key).total / of(key).count,
        cell: (key) => duration(of(key).total / of(key).count) },
      { name: 'longest', width: '4.7rem', number: true, cell: (key) => duration(of(key).most),
        sort: (key) => of(key).most },
      { name: 'share', width: 'minmax(4.4rem, 1fr)', cell: share, sort: (key) => of(key).total },
    ];
    const empty = '';
    this.table = new Table(byId('totals-table'), {
      columns: by === 'name' ? this.taskColumns() : columns, empty, sortBy: 2, onPick: (key) => this.pick(key),
    });
    this.table.element.dataset.by = by;
  }
  update() {
    this.sums = this.sum();
    this.total = 0;
    for (const s of this.sums.values()) this.total += s.total;
    this.table.empty = this.part ? 'Nothing of this kind in what is seen.' :
      this.by === 'span' ? 'The program marked no spans.' :
      this.by === 'holder' ? 'Of no wait is it known who held what it was for.' :
      this.by === 'name' ? 'The trace has no tasks.' : 'Nothing waited.';
    this.table.set(this.sums.keys(), true);
    byId('totals-title').title = this.sums.size === 0 ? '' :
      `${plural(this.sums.size, 'row')}, ${duration(this.total)} in all`;
  }
  pick(key) {
    const by = this.by === 'held' ? 'object' : this.by; /* the waits for it */
    if (by === 'span') {
      this.onFocus({ type: 'span', key, title: this.title(key), longest: this.sums.get(key).longest });
      return;
    }
    /* The tests of a focus outlive the choice of a table. */
    const then = Object.assign(Object.create(this), { by }), keyOf = (bar) => then.keyOf(bar);
    this.onFocus({ type: by, key, title: this.title(key), category: this.category(key),
                   test: (bar) => this.model.bars.state[bar] === WAITING && keyOf(bar) === key });
  }
}
