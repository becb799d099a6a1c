/* SPDX-License-Identifier: MIT */
/*
 * What is drawn and counted, made once from the changes of state.
 *
 * A bar is the time from one change of a task to its next.  Bars lie task by task, each task's in the
 * order of time: `first[task]` to `first[task + 1]`.  Sums that run over them (of running and of being
 * ready) make the look of any stretch of a row a matter of two look-ups, however many bars are in it.
 */
const KINDS = [
  /* category, label, the kinds of waits in it */
  ['lock', 'lock', ['mutex', 'rmutex', 'rwlock', 'guarded', 'lock']],
  ['queue', 'queue', ['queue', 'broadcast', 'delay queue', 'select']],
  ['signal', 'signal', ['cond', 'event', 'sem', 'barrier', 'latch', 'once', 'word']],
  ['task', 'other tasks', ['join', 'future', 'futures', 'scope', 'map', 'branch', 'executor',
                           'stop', 'timer', 'promise']],
  ['time', 'time', ['sleep', 'timers', 'idle', 'ticker']],
  ['io', 'outside', ['blocking', 'blocking call', 'descriptor', 'poll', 'process', 'io']],
];
const CATEGORIES = [...KINDS.map(([name]) => name), 'other'];
const CATEGORY_LABELS = [...KINDS.map(([, label]) => label), 'something else'];

function categoryOf(kind) {
  const known = KINDS.findIndex(([, , kinds]) => kinds.includes(kind));
  if (known >= 0) return known;
  const begins = KINDS.findIndex(([, , kinds]) => kinds.some((k) => kind.startsWith(k + ' ')));
  return begins >= 0 ? begins : KINDS.length;
}

/* Places of things sorted by a small number each, keeping their order: first[k] .. first[k + 1]. */
function countingSort(n, buckets, keyOf) {
  const first = new Uint32Array(buckets + 1);
  for (let i = 0; i < n; i++) first[keyOf(i) + 1]++;
  for (let k = 0; k < buckets; k++) first[k + 1] += first[k];
  const next = first.slice(0, buckets), place = new Uint32Array(n);
  for (let i = 0; i < n; i++) place[i] = next[keyOf(i)]++;
  return { first, place };
}

function makeBars(raw) {
  const { changes, tasks, facts } = raw, n = changes.n;
  const { first, place } = countingSort(n, tasks.n, (i) => changes.task[i]);
  const bars = {
    n, first, start: new Float64Array(n), task: new Uint32Array(n), state: new Uint8Array(n),
    a: new Uint32Array(n), b: new Uint32Array(n), c: new Uint32Array(n),
    end: new Float64Array(n), run: new Float64Array(n + 1), ready: new Float64Array(n + 1),
    wait: new Float64Array(n + 1),
  };
  for (let i = 0; i < n; i++) {
    const at = place[i];
    bars.start[at] = changes.time[i];
    bars.task[at] = changes.task[i];
    bars.state[at] = changes.state[i];
    bars.a[at] = changes.a[i];
    bars.b[at] = changes.b[i];
    bars.c[at] = changes.c[i];
  }
  for (let i = 0, run = 0, ready = 0, wait = 0; i < n; i++) {
    const last = i + 1 === n || bars.task[i + 1] !== bars.task[i];
    const state = bars.state[i];
    const end = bars.end[i] = !last ? bars.start[i + 1] :
      state === GONE ? bars.start[i] : facts.duration;
    const length = end - bars.start[i];
    if (state === RUNNING) run += length;
    else if (state === READY) ready += length;
    else if (state === WAITING) wait += length;
    bars.run[i + 1] = run;
    bars.ready[i + 1] = ready;
    bars.wait[i + 1] = wait;
  }
  return { bars, place };
}

/* What each worker ran, in order; `bar` leads to the bar of the task. */
function makeLanes(raw, bars, place) {
  const { changes, workers } = raw, ran = [];
  for (let i = 0; i < changes.n; i++)
    if (changes.state[i] === RUNNING && changes.a[i] > 0) ran.push(i);
  const sorted = countingSort(ran.length, workers.n, (i) => changes.a[ran[i]] - 1);
  const bar = new Uint32Array(ran.length), start = new Float64Array(ran.length);
  const busy = new Float64Array(ran.length + 1);
  ran.forEach((change, i) => { bar[sorted.place[i]] = place[change]; });
  for (let i = 0; i < bar.length; i++) {
    start[i] = bars.start[bar[i]];
    busy[i + 1] = busy[i] + bars.end[bar[i]] - start[i];
  }
  /* Rows for those that ran anything: a spare that never did is only counted. */
  const shown = [];
  for (let lane = 0; lane < workers.n; lane++)
    if (sorted.first[lane + 1] > sorted.first[lane] || workers.lost[lane] > 0) shown.push(lane);
  const rank = (lane) => workers.number[lane] || Infinity;
  shown.sort((x, y) => rank(x) === rank(y) ? x - y : rank(x) - rank(y));
  return { first: sorted.first, bar, start, busy, shown };
}

/* Every wake by a task, in order of time. */
function makeWakes(raw, place) {
  const { changes } = raw, at = [];
  for (let i = 0; i < changes.n; i++)
    if (changes.state[i] === READY && changes.a[i] > 0) at.push(i);
  const bar = new Uint32Array(at.length), time = new Float64Array(at.length);
  at.forEach((change, i) => {
    bar[i] = place[change];
    time[i] = changes.time[change];
  });
  return { n: at.length, bar, time };
}

/* Spans by task, with how deep each lies in others; those of no task are left to the table. */
function makeSpans(raw, bars) {
  const { spans, tasks } = raw;
  const { first, place } = countingSort(spans.n, tasks.n + 1, (i) => spans.task[i]);
  const order = new Uint32Array(spans.n), depth = new Uint8Array(spans.n);
  const deepest = new Uint8Array(tasks.n);
  for (let i = 0; i < spans.n; i++) order[place[i]] = i;
  for (let task = 0; task < tasks.n; task++) {
    const open = [];
    for (let at = first[task + 1]; at < first[task + 2]; at++) {
      const span = order[at], start = spans.start[span];
      while (open.length > 0 && open[open.length - 1] <= start) open.pop();
      depth[span] = Math.min(open.length, 3);
      open.push(start + spans.length[span]);
      deepest[task] = Math.max(deepest[task], depth[span] + 1);
    }
  }
  return { first, order, depth, deepest };
}

/* How many tasks run, are ready and wait, for each of `bins` stretches of the whole: the map on top. */
function makeOverview(bars, duration, bins) {
  const over = { bins, run: new Float64Array(bins + 2), ready: new Float64Array(bins + 2),
                 wait: new Float64Array(bins + 2) };
  const width = duration / bins;
  const add = (sums, start, end) => {
    const s = Math.min(start / width, bins - 1e-9), e = Math.min(end / width, bins - 1e-9);
    const sb = Math.floor(s), eb = Math.floor(e);
    /* The part of each bin: 1 - (s - sb) in the first, 1 in those between, e - eb in the last. */
    sums[sb] += sb + 1 - s;
    sums[sb + 1] += s - sb;
    sums[eb] -= eb + 1 - e;
    sums[eb + 1] -= e - eb;
  };
  for (let i = 0; i < bars.n; i++) {
    const state = bars.state[i];
    const sums = state === RUNNING ? over.run : state === READY ? over.ready :
      state === WAITING ? over.wait : null;
    if (sums !== null) add(sums, bars.start[i], bars.end[i]);
  }
  for (const sums of [over.run, over.ready, over.wait])
    for (let i = 1; i < sums.length; i++) sums[i] += sums[i - 1];
  /* A short peak is cut off, so that it does not flatten all the rest. */
  const heights = over.run.slice(0, bins).map((r, i) => r + over.ready[i]).sort();
  over.most = heights[bins - 1];
  over.scale = Math.max(1e-9, Math.min(over.most, heights[Math.floor(bins * 0.97)] * 1.25));
  return over;
}

function makeModel(raw) {
  const model = { ...raw };
  if (raw.facts.duration <= 0) raw.facts.duration = 1;
  const { bars, place } = makeBars(raw);
  model.bars = bars;
  model.lanes = makeLanes(raw, bars, place);
  model.wakes = makeWakes(raw, place);
  model.spanRows = makeSpans(raw, bars);
  model.overview = makeOverview(bars, raw.facts.duration, 1000);
  model.changes = null; /* the bars have it all */

  const { objects, strings } = raw;
  model.objectCategory = new Uint8Array(objects.n);
  model.objectNumber = new Uint32Array(objects.n); /* the n-th of its kind, in order of appearance */
  const categories = strings.map(categoryOf), seen = new Map();
  for (let i = 0; i < objects.n; i++) {
    const kind = objects.kind[i], number = (seen.get(kind) || 0) + 1;
    model.objectCategory[i] = categories[kind];
    model.objectNumber[i] = number;
    seen.set(kind, number);
  }
  const waits = [];
  for (let i = 0; i < bars.n; i++) if (bars.state[i] === WAITING) waits.push(i);
  model.waits = Uint32Array.from(waits);
  model.marksOf = countingSort(raw.marks.n, raw.tasks.n + 1, (i) => raw.marks.task[i]);
  model.markOrder = new Uint32Array(raw.marks.n);
  for (let i = 0; i < raw.marks.n; i++) model.markOrder[model.marksOf.place[i]] = i;
  return model;
}

/* The last of bars lo .. hi-1 that begins at or before `time`; lo if none does. */
function lastBefore(starts, lo, hi, time) {
  let left = lo, right = hi;
  while (left < right) {
    const middle = (left + right) >>> 1;
    if (starts[middle] <= time) left = middle + 1;
    else right = middle;
  }
  return Math.max(lo, left - 1);
}

/* The first index of lo .. hi-1 whose value is `value` or more, hi if none is: near ones are found fast. */
function firstFrom(values, lo, hi, value) {
  let step = 1, right = lo;
  while (right < hi && values[right] < value) {
    lo = right + 1;
    right += step;
    step *= 2;
  }
  right = Math.min(right, hi);
  while (lo < right) {
    const middle = (lo + right) >>> 1;
    if (values[middle] < value) lo = middle + 1;
    else right = middle;
  }
  return lo;
}
