/* SPDX-License-Identifier: MIT */
/* Elements, always with their words as text nodes; and a table that has elements only for the rows in sight. */
const byId = (id) => document.getElementById(id);

/* make('div.row.odd', { title: '...', onclick }, 'text', element, ...) */
function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

/* The name of a task may be cut, its id may not. */
const taskWords = (names, task) => make('span.task', { title: names.taskFull(task) },
  make('span.name', {}, names.task(task)), make('span.task-id', {}, names.taskId(task)));

const swatch = (kind) => make('span.swatch.' + kind);

/*
 * columns: { name, width, number, sort(i), cell(i): text or element }.  `rows` are numbers that mean
 * something to the columns.
 */
class Table {
  constructor(place, { columns, empty, onPick, sortBy = -1, downwards = true }) {
    this.columns = columns;
    this.empty = empty;
    this.onPick = onPick;
    this.sortBy = sortBy;
    this.downwards = downwards;
    this.rows = [];
    this.picked = -1;
    this.template = columns.map((c) => c.width).join(' ');
    this.head = make('div.table-head', { role: 'row' });
    this.body = make('div.table-space');
    this.view = make('div.table-body', { tabindex: 0, role: 'rowgroup' }, this.body);
    this.element = make('div.table', { role: 'table' }, this.head, this.view);
    place.replaceChildren(this.element);
    this.view.addEventListener('scroll', () => this.render());
    /* By place: the row's element may have been made anew since the button went down. */
    this.view.addEventListener('click', (event) => {
      const at = Math.floor((event.clientY - this.body.getBoundingClientRect().top) / Table.ROW);
      if (at >= 0 && at < this.rows.length && event.target.closest('button') === null) this.pick(at);
    });
    this.view.addEventListener('keydown', (event) => this.key(event));
    /* The one that was here before is looked at no more. */
    Table.observers.get(place)?.disconnect();
    const observer = new ResizeObserver(() => this.render());
    Table.observers.set(place, observer);
    observer.observe(this.view);
    this.renderHead();
  }
  renderHead() {
    this.head.style.gridTemplateColumns = this.template;
    this.head.replaceChildren(...this.columns.map((column, i) => make(
      'button.column' + (column.number ? '.number' : ''), {
        role: 'columnheader', title: column.title, disabled: !column.sort,
        'aria-sort': this.sortBy === i ? (this.downwards ? 'descending' : 'ascending') : 'none',
        onclick: () => {
          this.downwards = this.sortBy === i ? !this.downwards : column.number === true;
          this.sortBy = i;
          this.renderHead();
          this.set(this.rows, true);
        },
      }, column.name)));
  }
  set(rows, keep = false) {
    const column = this.columns[this.sortBy];
    this.rows = Array.from(rows);
    if (column !== undefined && this.rows.length > 1) {
      const { rows } = this, sign = this.downwards ? -1 : 1;
      let keys = rows.map((row) => column.sort(row));
      if (typeof keys[0] === 'number') keys = Float64Array.from(keys); /* there may be very many */
      const order = Uint32Array.from(rows, (_, i) => i).sort((a, b) =>
        (keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : 0) || rows[a] - rows[b]);
      this.rows = Array.from(order, (i) => rows[i]);
    }
    this.body.style.height = this.rows.length * Table.ROW + 'px';
    if (!keep) this.view.scrollTop = 0;
    this.render();
  }
  render() {
    if (this.rows.length === 0) {
      this.body.replaceChildren(make('div.empty', {}, this.empty));
      return;
    }
    const from = Math.max(0, Math.floor(this.view.scrollTop / Table.ROW) - 4);
    const to = Math.min(this.rows.length, from + Math.ceil(this.view.clientHeight / Table.ROW) + 9);
    const shown = [];
    for (let at = from; at < to; at++) {
      const row = this.rows[at];
      const element = make('div.table-row' + (at % 2 ? '.odd' : '') + (row === this.picked ? '.picked' : ''), {
        role: 'row', 'aria-rowindex': at + 1,
      }, ...this.columns.map((column) => make(
        'div.cell' + (column.number ? '.number' : ''), { role: 'cell' }, column.cell(row))));
      element.style.cssText = `top:${at * Table.ROW}px`;
      element.style.gridTemplateColumns = this.template;
      shown.push(element);
    }
    this.body.replaceChildren(...shown);
  }
  pick(at) {
    this.picked = this.rows[at];
    this.render();
    this.onPick?.(this.picked);
  }
  /* Into sight. */
  point(row) {
    this.picked = row;
    const at = this.rows.indexOf(row), top = at * Table.ROW, height = this.view.clientHeight;
    if (at >= 0 && (top < this.view.scrollTop || top + Table.ROW > this.view.scrollTop + height))
      this.view.scrollTop = top - height / 2;
    this.render();
  }
  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step === undefined || this.rows.length === 0) return;
    const at = this.rows.indexOf(this.picked);
    const next = Math.max(0, Math.min(this.rows.length - 1, at < 0 ? 0 : at + step));
    this.point(this.rows[next]);
    this.onPick?.(this.picked);
    event.preventDefault();
    event.stopPropagation();
  }
}
Table.ROW = 24;
Table.observers = new WeakMap();
