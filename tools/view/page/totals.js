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
];

class Totals {
  constructor(chart, onFocus) {
    this.chart = chart;
    this.model = chart.model;
    this.names = chart.names;
    this.onFocus = onFocus;
    this.by = 'object';
    this.part = false;
    byId('totals-tabs').replaceChildren(...TOTALS.map(({ id, label }) => make('button.tab', {
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
  /* Tasks of one name, or without one of one function. */
  nameKey(task) {
    const { tasks } = this.model;
    return this.model.strings[tasks.name[task]] !== '' ? tasks.name[task] : tasks.start[task];
  }
  title(key) {
    const { names } = this;
    switch (this.by) {
    case 'object': return names.object(key);
    case 'site': return names.site(key);
    case 'holder': return key > 0 ? names.taskFull(key - 1) : 'nobody, or unknown';
    case 'kind': return names.string(key);
    default: return names.string(key).replace(/\+0x[0-9a-f]+$/, '') || 'without a name';
    }
  }
  category(key) {
    const { model, by } = this;
    if (by === 'object') return CATEGORIES[model.objectCategory[key]];
    if (by === 'kind') return CATEGORIES[categoryOf(model.strings[key])];
    return null;
  }
  sum() {
    const { model, chart } = this, { bars, waits, spans } = model;
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
    if (this.by === 'span')
      for (let i = 0; i < spans.n; i++) add(spans.name[i], spans.start[i], spans.start[i] + spans.length[i], i);
    else
      for (const bar of waits) add(this.keyOf(bar), bars.start[bar], bars.end[bar], bar);
    return sums;
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
      { name: TOTALS.find((t) => t.id === by).column, width: 'minmax(7rem, 2fr)', cell: title,
        sort: (key) => this.title(key).toLowerCase() },
      { name: by === 'span' ? 'count' : 'waits', width: '4.6rem', number: true,
        cell: (key) => count(of(key).count), sort: (key) => of(key).count },
      { name: 'total', width: '5.2rem', number: true, cell: (key) => duration(of(key).total),
        sort: (key) => of(key).total, title: 'Summed over all tasks, so it may be more than the trace is long' },
      { name: 'mean', width: '5.2rem', number: true, sort: (key) => of(key).total / of(key).count,
        cell: (key) => duration(of(key).total / of(key).count) },
      { name: 'longest', width: '5.2rem', number: true, cell: (key) => duration(of(key).most),
        sort: (key) => of(key).most },
      { name: 'share', width: 'minmax(5rem, 1fr)', cell: share, sort: (key) => of(key).total },
    ];
    const empty = by === 'span' ? 'The program marked no spans.' : 'Nothing waited.';
    this.table = new Table(byId('totals-table'), {
      columns, empty, sortBy: 2, onPick: (key) => this.pick(key),
    });
    this.table.element.dataset.by = by;
  }
  update() {
    this.sums = this.sum();
    this.total = 0;
    for (const s of this.sums.values()) this.total += s.total;
    this.table.empty = this.part ? 'Nothing of this kind in what is seen.' :
      this.by === 'span' ? 'The program marked no spans.' : 'Nothing waited.';
    this.table.set(this.sums.keys(), true);
    byId('totals-title').title = this.sums.size === 0 ? '' :
      `${plural(this.sums.size, 'row')}, ${duration(this.total)} in all`;
  }
  pick(key) {
    const { by } = this;
    if (by === 'span') {
      this.onFocus({ type: 'span', key, title: this.title(key), longest: this.sums.get(key).longest });
      return;
    }
    /* The tests of a focus outlive the choice of a table. */
    const keyOf = Totals.prototype.keyOf.bind({ by, model: this.model, nameKey: this.nameKey });
    this.onFocus({ type: by, key, title: this.title(key), category: this.category(key),
                   test: (bar) => this.model.bars.state[bar] === WAITING && keyOf(bar) === key });
  }
}
