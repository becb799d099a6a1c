/* SPDX-License-Identifier: MIT */
/* What is selected: a task, one of its bars, or all waits for something. */
class Details {
  constructor(chart, select) {
    this.chart = chart;
    this.model = chart.model;
    this.names = chart.names;
    this.select = select; /* (task, bar, reveal) */
    this.nothing();
  }
  nothing() {
    byId('details-title').textContent = 'The longest waits';
    byId('details-facts').replaceChildren(make('p.soft', {},
      'Click a bar or a name for the waits of a task, a row on the left for the waits in it. ',
      make('kbd', {}, '?'), ' keys'));
    byId('details-shares').replaceChildren();
    if (this.longest === undefined) this.longest = this.findLongest(300);
    this.waitsTable(this.longest, 'Nothing waited.', true);
    this.shown = -1;
    this.list = 'longest';
  }
  findLongest(n) {
    const { bars, waits } = this.model;
    const lengths = Float64Array.from(waits, (b) => bars.end[b] - bars.start[b]).sort();
    const least = lengths.length > n ? lengths[lengths.length - n] : 0;
    const found = [];
    for (const bar of waits)
      if (bars.end[bar] - bars.start[bar] >= least && found.length < n) found.push(bar);
    return found;
  }
  taskLink(task) {
    if (task < 0) return make('span.soft', {}, '–');
    return make('button.link', {
      title: 'Select this task', onclick: (event) => {
        event.stopPropagation();
        this.select(task, -1, true);
      },
    }, taskWords(this.names, task));
  }
  stamp(ns) { return stamp(ns, this.model.facts.duration); }
  fact(label, ...value) {
    return make('div.fact', {}, make('dt', {}, label), make('dd', {}, ...value));
  }
  /* Who ended a wait: the next bar knows. */
  wakerOf(bar) {
    const { bars } = this.model, next = bar + 1;
    if (next >= bars.n || bars.task[next] !== bars.task[bar] || bars.state[next] !== READY) return -1;
    return bars.a[next] - 1;
  }
  resultOf(bar) {
    const { bars } = this.model;
    for (let i = bar + 1; i < bars.n && i <= bar + 2 && bars.task[i] === bars.task[bar]; i++)
      if (bars.state[i] === RUNNING) return bars.c[i];
    return 0;
  }
  isOpen(bar) {
    const { bars } = this.model;
    return bar + 1 >= bars.n || bars.task[bar + 1] !== bars.task[bar];
  }
  woken(bar) {
    const waker = this.wakerOf(bar), result = outcome(this.resultOf(bar));
    if (this.isOpen(bar)) return make('span.soft', {}, 'still waits');
    if (waker < 0 && CATEGORIES[this.model.objectCategory[this.model.bars.a[bar]]] === 'time' && result !== 'cancelled')
      return make('span.soft', {}, 'time');
    if (result !== '' && waker < 0) return make('span', {}, result);
    if (waker < 0)
      return make('span.soft', {}, CATEGORIES[this.model.objectCategory[this.model.bars.a[bar]]] === 'task' ?
        'its end' : 'time or outside');
    return make('span', {}, this.taskLink(waker), result === '' ? '' : `, ${result}`);
  }
  /* What a task did from t0 to t1: "waited 80 % (sleep 78 %), ran 20 %". */
  meanwhile(task, t0, t1) {
    const { bars } = this.model, lo = bars.first[task], hi = bars.first[task + 1];
    const sums = [0, 0, 0, 0, 0], objectsOf = new Map();
    for (let i = lo < hi ? lastBefore(bars.start, lo, hi, t0) : hi; i < hi && bars.start[i] < t1; i++) {
      const length = Math.min(bars.end[i], t1) - Math.max(bars.start[i], t0);
      if (length <= 0) continue;
      sums[bars.state[i]] += length;
      if (bars.state[i] === WAITING)
        objectsOf.set(bars.a[i], (objectsOf.get(bars.a[i]) || 0) + length);
    }
    const whole = t1 - t0, parts = [];
    const most = [...objectsOf].sort((x, y) => y[1] - x[1])[0];
    if (most !== undefined)
      parts.push([sums[WAITING], `waited ${percent(sums[WAITING], whole)} (most for ${this.names.object(most[0])}, ${percent(most[1], whole)})`]);
    if (sums[RUNNING] > 0) parts.push([sums[RUNNING], `ran ${percent(sums[RUNNING], whole)}`]);
    if (sums[READY] > 0) parts.push([sums[READY], `was ready ${percent(sums[READY], whole)}`]);
    return parts.sort((x, y) => y[0] - x[0]).map(([, words]) => words).join(', ');
  }
  objectCell(bar) {
    const { bars, objectCategory } = this.model, object = bars.a[bar];
    return make('span.with-swatch', {}, swatch('wait-' + CATEGORIES[objectCategory[object]]),
                make('span.name', { title: this.names.address(object) }, this.names.object(object)));
  }
  site(bar) {
    const name = this.names.site(this.model.bars.b[bar]);
    return make('span.name', { title: name }, name);
  }
  waitsTable(waits, empty, withTask, withObject = true) {
    const { bars } = this.model;
    const columns = [
      ...(withTask ? [{ name: 'task', width: 'minmax(0, 1.3fr)', sort: (b) => bars.task[b],
                        cell: (b) => taskWords(this.names, bars.task[b]) }] : []),
      ...(withObject ? [{ name: 'waited for', width: 'minmax(0, 1.1fr)', sort: (b) => bars.a[b],
                          cell: (b) => this.objectCell(b) }] : []),
      { name: 'since', width: '5.7rem', number: true, sort: (b) => bars.start[b],
        cell: (b) => this.stamp(bars.start[b]) },
      { name: 'how long', width: '4.4rem', number: true, sort: (b) => bars.end[b] - bars.start[b],
        cell: (b) => duration(bars.end[b] - bars.start[b]) },
      { name: 'woken by', width: 'minmax(0, 1.3fr)', sort: (b) => this.wakerOf(b),
        cell: (b) => this.woken(b) },
      { name: 'held by', width: 'minmax(0, 1.2fr)', sort: (b) => bars.c[b],
        cell: (b) => this.taskLink(bars.c[b] - 1) },
      { name: 'at', width: 'minmax(0, 1.3fr)', sort: (b) => this.names.site(bars.b[b]),
        cell: (b) => this.site(b) },
    ];
    this.table = new Table(byId('details-list'), {
      columns, empty, downwards: withTask,
      sortBy: columns.findIndex((c) => c.name === (withTask ? 'how long' : 'since')),
      onPick: (bar) => this.select(bars.task[bar], bar, true, true),
    });
    this.table.set(waits);
  }
  waitsOf(task) {
    const { bars } = this.model, out = [];
    for (let i = bars.first[task]; i < bars.first[task + 1]; i++)
      if (bars.state[i] === WAITING) out.push(i);
    return out;
  }
  shares(run, ready, wait) {
    const whole = run + ready + wait;
    const part = (what, value, label) => {
      const piece = make('span.' + what, { title: `${label}: ${duration(value)}` });
      piece.style.width = whole > 0 ? (value / whole * 100).toFixed(2) + '%' : '0';
      return piece;
    };
    const words = (what, value, label) => make('span.legend-item', {}, swatch(what), `${label} `,
                                               make('b', {}, duration(value)), ` ${percent(value, whole)}`);
    byId('details-shares').replaceChildren(
      words('running', run, 'running'), words('ready', ready, 'ready'), words('waiting', wait, 'waiting'));
    return make('div.shares-bar', {}, part('running', run, 'running'), part('ready', ready, 'ready'),
                part('waiting', wait, 'waiting'));
  }
  task(task, bar) {
    const { model, names } = this, { bars, tasks } = model;
    const lo = bars.first[task], hi = bars.first[task + 1];
    if (this.shown !== task || this.table === null || this.list !== 'task') {
      byId('details-title').textContent = names.taskFull(task);
      this.waitsTable(this.waitsOf(task), 'This task never waited.', false);
      this.shown = task;
      this.list = 'task';
    }
    const sum = (sums) => sums[hi] - sums[lo];
    const gone = hi > lo && bars.state[hi - 1] === GONE;
    const begun = (tasks.flags[task] & 1) === 0;
    const facts = [
      this.fact('is a', PLACEMENTS[tasks.placement[task]] || 'task'),
      this.fact('spawned by', this.taskLink(tasks.parent[task] - 1)),
      this.fact(begun ? 'from' : 'seen from', hi > lo ? this.stamp(bars.start[lo]) : '–'),
      this.fact('to', gone ? this.stamp(bars.end[hi - 1]) : 'the end of the trace'),
      this.fact('function', names.string(tasks.start[task]) || '–'),
      ...(tasks.flags[task] & 2 ? [this.fact('result', quantity(tasks.result[task]))] : []),
    ];
    byId('details-facts').replaceChildren(
      this.shares(sum(bars.run), sum(bars.ready), sum(bars.wait)),
      make('dl.facts', {}, ...facts), ...this.barFacts(bar));
    if (bar >= 0 && bars.state[bar] === WAITING) this.table.point(bar);
    else if (this.table.picked >= 0) {
      this.table.picked = -1;
      this.table.render();
    }
  }
  barFacts(bar) {
    if (bar < 0) return [];
    const { model, names } = this, { bars } = model, state = bars.state[bar];
    const facts = [this.fact('since', this.stamp(bars.start[bar])),
                   this.fact('for', duration(bars.end[bar] - bars.start[bar]))];
    let title = 'not known', look = 'unknown';
    if (state === RUNNING) {
      title = bars.a[bar] > 0 ? `running on ${names.worker(bars.a[bar] - 1)}` : 'running';
      look = 'running';
      if (bars.b[bar] > 0) facts.push(this.fact('taken from', `worker ${bars.b[bar] - 1}`));
    } else if (state === READY) {
      title = 'ready, and nobody runs it';
      look = 'ready';
      facts.push(this.fact('made ready by', this.taskLink(bars.a[bar] - 1)));
    } else if (state === WAITING) {
      title = `waiting for ${names.object(bars.a[bar])}`;
      look = 'wait-' + CATEGORIES[model.objectCategory[bars.a[bar]]];
      facts.push(this.fact('object', names.address(bars.a[bar]) || '–'),
                 this.fact('held by', this.taskLink(bars.c[bar] - 1)),
                 this.fact('woken by', this.woken(bar)), this.fact('at', this.site(bar)));
      const holder = bars.c[bar] - 1;
      const meanwhile = holder < 0 ? '' : this.meanwhile(holder, bars.start[bar], bars.end[bar]);
      if (meanwhile !== '') facts.push(this.fact(`meanwhile ${names.taskFull(holder)}`, meanwhile));
    }
    return [make('div.bar-facts', {}, make('h3', {}, swatch(look), title), make('dl.facts', {}, ...facts))];
  }
  focus(focus) {
    byId('details-title').textContent = focus.type === 'name' ? `Waits of ${focus.title}` :
      focus.type === 'site' ? `Waits at ${focus.title}` :
      focus.type === 'holder' ? `Waits for what ${focus.title} held` : `Waits for ${focus.title}`;
    const { model } = this, waits = [...model.waits.filter((b) => focus.test(b))];
    let total = 0;
    for (const bar of waits) total += model.bars.end[bar] - model.bars.start[bar];
    const tasks = new Set(waits.map((b) => model.bars.task[b])).size;
    byId('details-facts').replaceChildren(make('dl.facts', {},
      this.fact('waits', count(waits.length)), this.fact('in total', duration(total)),
      this.fact('by', plural(tasks, 'task')),
      ...(focus.type === 'object' && this.names.address(focus.key) !== '' ?
        [this.fact('address', this.names.address(focus.key))] : [])));
    byId('details-shares').replaceChildren();
    this.waitsTable(waits, 'No waits.', true, focus.type !== 'object');
    this.shown = -1;
    this.list = 'focus';
  }
}
