/* SPDX-License-Identifier: MIT */
/* The search: tasks by name or id, objects by kind, number or address, kinds, call sites, spans. */
const SEARCH_SHOWN = 40;

class Search {
  constructor(chart, actions) {
    this.chart = chart;
    this.model = chart.model;
    this.names = chart.names;
    this.actions = actions; /* task(t), focus(f), only(tasks, words) */
    this.input = byId('search');
    this.list = byId('search-results');
    this.waitedAt = new Uint8Array(this.model.sites.n);
    for (const bar of this.model.waits) this.waitedAt[this.model.bars.b[bar]] = 1;
    this.at = -1;
    this.input.addEventListener('input', () => this.update());
    this.input.addEventListener('focus', () => this.update());
    this.input.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('pointerdown', (event) => {
      if (!byId('search-box').contains(event.target)) this.close();
    });
  }
  close() {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
  }
  /* Everything that fits, in groups. */
  find(words) {
    const { model, names } = this, { tasks, objects, sites, spans } = model;
    const lower = names.lowered(), hits = lower.map((s) => s.includes(words));
    const id = /^#?\d+$/.test(words) ? Number(words.replace('#', '')) : -1;
    const groups = { tasks: [], kinds: [], objects: [], sites: [], spans: [] };
    for (let t = 0; t < tasks.n; t++) {
      if (tasks.id[t] === id) groups.tasks.unshift(t);
      else if (model.strings[tasks.name[t]] !== '' ? hits[tasks.name[t]] :
        hits[tasks.start[t]] || names.task(t).includes(words)) groups.tasks.push(t);
    }
    const address = words.startsWith('0x') ? words : null;
    const kinds = new Set();
    for (let o = 0; o < objects.n; o++) {
      if (hits[objects.kind[o]]) kinds.add(objects.kind[o]);
      if (address !== null ? names.address(o).startsWith(address) :
        hits[objects.kind[o]] || names.object(o) === words || names.object(o).startsWith(words + ' '))
        groups.objects.push(o);
    }
    groups.kinds = [...kinds];
    for (let s = 0; s < sites.n; s++)
      if (hits[sites.name[s]] && this.waitedAt[s]) groups.sites.push(s);
    const seen = new Set();
    for (let s = 0; s < spans.n; s++)
      if (hits[spans.name[s]] && !seen.has(spans.name[s])) {
        seen.add(spans.name[s]);
        groups.spans.push(s);
      }
    return groups;
  }
  update() {
    const words = this.input.value.trim().toLowerCase();
    this.at = -1;
    if (words === '') {
      this.close();
      return;
    }
    const groups = this.find(words), { names, model, actions } = this;
    const found = Object.values(groups).some((g) => g.length > 0);
    const waitsFor = (type, key, title, category, keyOf) => actions.focus({
      type, key, title, category,
      test: (bar) => model.bars.state[bar] === WAITING && keyOf(bar) === key,
    });
    const option = (look, text, note, act) => make('div.option', {
      role: 'option', onclick: () => {
        this.close();
        act();
      },
    }, look === null ? make('span.swatch.none') : swatch(look), make('span.name', {}, text),
    make('span.soft', {}, note));
    const group = (title, items, toOption, button = null) => items.length === 0 ? [] : [
      make('div.option-group', {}, make('span', {}, `${title} (${count(items.length)})`), button),
      ...items.slice(0, SEARCH_SHOWN).map(toOption),
      ...(items.length > SEARCH_SHOWN ?
        [make('div.option-more', {}, `and ${count(items.length - SEARCH_SHOWN)} more`)] : []),
    ];
    const only = make('button.small', {
      id: 'search-only', onclick: () => {
        this.close();
        actions.only(groups.tasks);
      },
    }, 'show only these');
    this.list.replaceChildren(...(found ? [
      ...group('Tasks', groups.tasks, (t) => option(null, names.task(t), names.taskId(t),
                                                    () => actions.task(t)), only),
      ...group('Kinds of waits', groups.kinds, (k) => option(
        'wait-' + CATEGORIES[categoryOf(model.strings[k])], names.string(k), '',
        () => waitsFor('kind', k, names.string(k), CATEGORIES[categoryOf(model.strings[k])],
                       (bar) => model.objects.kind[model.bars.a[bar]]))),
      ...group('Objects', groups.objects, (o) => option(
        'wait-' + CATEGORIES[model.objectCategory[o]], names.object(o), names.address(o),
        () => waitsFor('object', o, names.object(o), CATEGORIES[model.objectCategory[o]],
                       (bar) => model.bars.a[bar]))),
      ...group('Call sites', groups.sites, (s) => option(null, names.site(s), '', () => waitsFor(
        'site', s, names.site(s), null, (bar) => model.bars.b[bar]))),
      ...group('Spans', groups.spans, (s) => option(null, names.string(model.spans.name[s]), 'the first',
                                                    () => actions.span(s))),
    ] : [make('div.empty', {}, `Nothing is called “${this.input.value.trim()}”.`)]));
    this.list.hidden = false;
    this.list.scrollTop = 0;
    this.input.setAttribute('aria-expanded', 'true');
  }
  key(event) {
    const options = [...this.list.querySelectorAll('.option')];
    if (event.key === 'Escape') {
      this.input.value = '';
      this.close();
      this.input.blur();
      this.actions.clear();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      this.at = Math.max(0, Math.min(options.length - 1, this.at + (event.key === 'ArrowDown' ? 1 : -1)));
      options.forEach((o, i) => o.classList.toggle('picked', i === this.at));
      options[this.at]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && options.length > 0) {
      options[Math.max(0, this.at)].click();
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
