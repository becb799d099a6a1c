/* SPDX-License-Identifier: MIT */
/* How things are called and numbers written. Names come from the trace: they end in text nodes only. */
const UNITS = [['s', 1e9], ['ms', 1e6], ['µs', 1e3], ['ns', 1]];

/* Three digits or so: "12.3 µs". */
function duration(ns) {
  if (!(ns > 0)) return ns < 0 ? '−' + duration(-ns) : '0';
  const [unit, size] = UNITS.find(([, s]) => ns >= s * 0.9995) || UNITS[3];
  const value = ns / size;
  return value.toFixed(unit === 'ns' || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2) + ' ' + unit;
}

/* A moment, as finely as `step` asks for. */
function moment(ns, step = 1) {
  if (ns === 0) return '0';
  const [unit, size] = UNITS.find(([, s]) => Math.abs(ns) >= s || step >= s) || UNITS[3];
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / size) - 1e-9)));
  return (ns / size).toFixed(digits) + ' ' + unit;
}

/* The same for a column of moments in a trace of `whole`: one unit, as many digits everywhere. */
function stamp(ns, whole) {
  const [unit, size] = UNITS.find(([, s]) => whole >= s) || UNITS[3];
  const digits = unit === 'ns' ? 0 : Math.min(6, Math.max(3, 5 - Math.floor(Math.log10(whole / size))));
  return (ns / size).toFixed(digits) + ' ' + unit;
}

const grouped = new Intl.NumberFormat('en-US');
const count = (n) => grouped.format(n);
const percent = (part, whole) =>
  whole > 0 ? (part / whole * 100).toFixed(part / whole < 0.0995 ? 1 : 0) + ' %' : '–';
const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

function quantity(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return count(value);
  return Math.abs(value) >= 1e15 || Math.abs(value) < 1e-3 ? value.toExponential(3) :
    value.toPrecision(4);
}

const ERRNO = { 4: 'EINTR', 11: 'EAGAIN', 12: 'ENOMEM', 22: 'EINVAL', 32: 'EPIPE', 35: 'EDEADLK',
                110: 'timed out', 125: 'cancelled' };
const outcome = (errno) => errno === 0 ? '' : ERRNO[errno] || `error ${errno}`;

const PLACEMENTS = ['thread of the program', 'thread', 'fiber'];

class Names {
  constructor(model) {
    this.model = model;
    this.lower = null;
  }
  /* Names may hold anything; what would break a line or turn the text round is shown as a dot. */
  clean(text) {
    return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '·');
  }
  string(i) { return this.clean(this.model.strings[i]); }
  task(t) {
    const { tasks } = this.model;
    const name = this.string(tasks.name[t]) || this.string(tasks.start[t]).replace(/\+0x[0-9a-f]+$/, '');
    return name || (tasks.placement[t] === 0 ? 'thread' : 'task');
  }
  taskId(t) { return '#' + this.model.tasks.id[t]; }
  taskFull(t) { return `${this.task(t)} ${this.taskId(t)}`; }
  kind(object) { return this.string(this.model.objects.kind[object]) || 'wait'; }
  address(object) {
    const { low, high } = this.model.objects;
    if (high[object] === 0 && low[object] === 0) return '';
    return '0x' + (high[object] ? high[object].toString(16) + low[object].toString(16).padStart(8, '0') :
      low[object].toString(16));
  }
  object(object) {
    return this.address(object) === '' ? this.kind(object) :
      `${this.kind(object)} ${this.model.objectNumber[object]}`;
  }
  site(site) { return this.string(this.model.sites.name[site]) || 'unknown place'; }
  worker(w) {
    const { number, tid } = this.model.workers;
    return number[w] > 0 ? `worker ${number[w] - 1}` : `thread ${tid[w]}`;
  }
  /* Of every string, for the search. */
  lowered() {
    if (this.lower === null) this.lower = this.model.strings.map((s) => s.toLowerCase());
    return this.lower;
  }
}
