/* SPDX-License-Identifier: MIT */
/*
 * Drawing.  Bars go through the raster, words and arrows over it.
 *
 * A bar that reaches into another pixel is drawn as it is.  Where bars are narrower, the pixel's column is
 * split, from the bottom up, in the parts of its time that were running, ready and waiting: one
 * search and two subtractions, so a frame costs what the screen has pixels, not what the trace has bars.
 */
const FONT = '11px system-ui, sans-serif', FONT_BOLD = '600 11px system-ui, sans-serif';
const FONT_SMALL = '10px system-ui, sans-serif';

/* Widths of words, which are asked for again and again. */
const widths = new Map();
function widthOf(context, font, text) {
  const key = font + text;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20000) widths.clear();
    context.font = font;
    widths.set(key, width = context.measureText(text).width);
  }
  return width;
}

/* As much of `text` as fits, with dots where something is missing; '' if that would be next to nothing. */
function fitting(context, font, text, room) {
  const width = widthOf(context, font, text);
  if (width <= room) return text;
  const n = Math.floor(text.length * room / width) - 1;
  return n < 4 ? '' : text.slice(0, n).trimEnd() + '…';
}

/* Words of bars, collected while the bars are drawn. */
class Labels {
  constructor() { this.items = []; }
  add(text, x0, x1, y, ink, font = FONT) {
    if (x1 - x0 < 26) return;
    this.items.push([text, x0, x1, y, ink, font]);
  }
  draw(context) {
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (const [text, x0, x1, y, ink, font] of this.items) {
      const shown = fitting(context, font, text, x1 - x0 - 6);
      if (shown === '') continue;
      context.font = font;
      context.fillStyle = ink;
      context.fillText(shown, x0 + 4, y);
    }
    this.items = [];
  }
}

/* The screen's pixels of a row and of the plot. */
function geometry(chart, raster) {
  const { scale } = raster, left = Math.round(GUTTER * scale);
  return { scale, left, width: raster.width - left, t0: chart.t0,
           step: (chart.t1 - chart.t0) / (raster.width - left) };
}

function waitColors(chart, bar) {
  const { colors, model, focus } = chart, category = model.objectCategory[model.bars.a[bar]];
  if (focus !== null && focus.test !== undefined)
    return focus.test(bar) ? [colors.wait[category], colors.wait[category]] :
      [colors.plot, colors.waitFaint[category]];
  return [colors.waitFaint[category], colors.wait[category]];
}

/* What is not known. */
function drawDots(raster, x0, x1, y, height, color) {
  const thin = Math.max(1, Math.round(raster.scale)), middle = y + (height >> 1);
  x1 = Math.min(x1, raster.width);
  for (let x = x0 - x0 % (6 * thin); x < x1; x += 6 * thin)
    raster.rect(Math.max(x, x0), middle, Math.min(x + 3 * thin, x1), middle + thin, color);
}

function drawBar(chart, raster, bar, x0, x1, y, height) {
  const { colors, model, focus } = chart, state = model.bars.state[bar];
  const faint = focus !== null && focus.test !== undefined;
  const thin = Math.max(1, Math.round(raster.scale));
  if (state === RUNNING) {
    raster.rect(x0, y, x1, y + height, faint ? colors.runFaint : colors.running);
  } else if (state === READY) {
    raster.rect(x0, y, x1, y + height, faint ? colors.readyFaint : colors.ready);
  } else if (state === WAITING) {
    const [body, line] = waitColors(chart, bar);
    raster.rect(x0, y, x1, y + height, body);
    raster.rect(x0, y + height - 3 * thin, x1, y + height, line);
  } else if (state === UNKNOWN) {
    drawDots(raster, x0, x1, y, height, colors.unknown);
  }
}

/* One pixel's column, from bar i on, that ends before bar j does. */
function drawColumn(chart, raster, i, j, x, from, step, y, height) {
  const { colors, model, focus } = chart, { bars } = model, to = from + step;
  const until = (sums, state, bar, time) =>
    sums[bar] + (bars.state[bar] === state ? Math.min(Math.max(time - bars.start[bar], 0),
                                                      bars.end[bar] - bars.start[bar]) : 0);
  const part = (sums, state) => (until(sums, state, j, to) - until(sums, state, i, from)) / step;
  const run = part(bars.run, RUNNING), ready = part(bars.ready, READY);
  const wait = part(bars.wait, WAITING);
  let bottom = y + height, faint = focus !== null && focus.test !== undefined;
  const stack = (share, color) => {
    if (share <= 0) return;
    const top = Math.max(y, bottom - Math.max(1, Math.round(share * height)));
    raster.rect(x, top, x + 1, bottom, color);
    bottom = top;
  };
  let waiting = -1, matches = false;
  for (let k = i; k <= j && k < i + 16; k++) {
    if (bars.state[k] !== WAITING) continue;
    if (waiting < 0) waiting = k;
    if (faint && focus.test(k)) {
      waiting = k;
      matches = true;
      break;
    }
  }
  stack(run, faint ? colors.runFaint : colors.running);
  stack(ready, faint ? colors.readyFaint : colors.ready);
  if (waiting >= 0) {
    const category = model.objectCategory[bars.a[waiting]];
    stack(Math.max(wait, 1e-9),
          matches ? colors.wait[category] : faint ? colors.waitFaint[category] :
            colors.waitSoft[category]);
  }
}

function barLabel(chart, bar) {
  const { model, names, focus } = chart, { bars } = model;
  if (focus !== null && focus.test !== undefined && !focus.test(bar)) return '';
  switch (bars.state[bar]) {
  case RUNNING: return bars.a[bar] > 0 ? `on ${names.worker(bars.a[bar] - 1)}` : 'running';
  case READY: return 'ready';
  case WAITING: return names.object(bars.a[bar]);
  default: return '';
  }
}

function labelInk(chart, bar) {
  const { model, colors, focus } = chart, { bars } = model;
  switch (bars.state[bar]) {
  case RUNNING: return inkOn(colors.running);
  case READY: return inkOn(colors.ready);
  default: return focus !== null ? inkOn(colors.wait[model.objectCategory[bars.a[bar]]]) : colors.css.ink;
  }
}

function drawTask(chart, raster, task, y, height, labels) {
  const { model, colors } = chart, { bars } = model;
  const { left, width, step, t0, scale } = geometry(chart, raster);
  const lo = bars.first[task], hi = bars.first[task + 1];
  if (lo === hi) return;
  let i = lastBefore(bars.start, lo, hi, t0), free = 0;
  while (i < hi) {
    const x0 = Math.floor((bars.start[i] - t0) / step), from = Math.max(x0, free);
    if (x0 >= width) break;
    const x1 = Math.min(Math.floor((bars.end[i] - t0) / step), width);
    if (x1 > from) {
      drawBar(chart, raster, i, left + from, left + x1, y, height);
      /* A hair between two of the same kind, where there is room. */
      if (x1 - from > 4 * scale && x0 === from && bars.state[i] !== UNKNOWN)
        raster.rect(left + from, y, left + from + 1, y + height, colors.plot);
      if (x1 - from > 26 * scale)
        labels.add(barLabel(chart, i), (left + from) / scale, (left + x1) / scale,
                   (y + height / 2) / scale - (bars.state[i] === WAITING ? 1 : 0), labelInk(chart, i));
      free = x1;
      i++;
      continue;
    }
    if (x1 < from) {
      i++;
      continue;
    }
    const start = t0 + from * step;
    const j = Math.min(firstFrom(bars.end, i, hi, start + step), hi - 1);
    drawColumn(chart, raster, i, j, left + from, start, step, y, height);
    free = from + 1;
    i = bars.end[j] >= start + step ? j : hi;
  }
}

function drawLane(chart, raster, lane, y, height, labels) {
  const { model, colors, names, selected } = chart, { bars, lanes } = model;
  const { left, width, step, t0, scale } = geometry(chart, raster);
  const lo = lanes.first[lane], hi = lanes.first[lane + 1];
  if (model.workers.lost[lane] > 0)
    drawDots(raster, left + Math.max(0, Math.round(-t0 / step)),
             left + Math.round((model.workers.begins[lane] - t0) / step), y, height, colors.unknown);
  let i = lastBefore(lanes.start, lo, hi, t0), free = 0;
  const ends = (k) => bars.end[lanes.bar[k]];
  const busy = (time) => {
    const k = lastBefore(lanes.start, lo, hi, time);
    return lanes.busy[k] + Math.min(Math.max(time - lanes.start[k], 0), ends(k) - lanes.start[k]);
  };
  while (i < hi) {
    const x0 = Math.floor((lanes.start[i] - t0) / step), from = Math.max(x0, free);
    if (x0 >= width) break;
    const x1 = Math.min(Math.floor((ends(i) - t0) / step), width), task = bars.task[lanes.bar[i]];
    if (x1 > from) {
      const color = task === selected.task ? colors.accent : colors.runs[task & 3];
      raster.rect(left + from, y, left + x1, y + height, color);
      if (x1 - from > 26 * scale && height > 11 * scale)
        labels.add(names.task(task), (left + from) / scale, (left + x1) / scale,
                   (y + height / 2) / scale, inkOn(task === selected.task ? color : colors.running));
      free = x1;
      i++;
    } else if (x1 < from) {
      i++;
    } else {
      const start = t0 + from * step, share = (busy(start + step) - busy(start)) / step;
      /* Seen also where hardly anything ran. */
      const top = y + height - Math.max(Math.min(height, 3), Math.round(share * height));
      raster.rect(left + from, top, left + from + 1, y + height, colors.running);
      free = from + 1;
      /* The first that ends in a later pixel. */
      const next = firstFrom(lanes.start, i + 1, hi, start + step);
      i = ends(next - 1) >= start + step ? next - 1 : next;
    }
  }
}

function drawSpans(chart, raster, task, y, labels) {
  const { model, colors, names } = chart, { spans, spanRows } = model;
  const { left, width, step, t0, scale } = geometry(chart, raster);
  const lo = spanRows.first[task + 1], hi = spanRows.first[task + 2], free = [-1, -1, -1, -1];
  const body = mix(colors.plot, colors.ink, 0.16);
  for (let at = lo; at < hi; at++) {
    const span = spanRows.order[at], depth = spanRows.depth[span];
    const x0 = Math.floor((spans.start[span] - t0) / step);
    if (x0 >= width) break;
    const x1 = Math.min(Math.max(Math.floor((spans.start[span] + spans.length[span] - t0) / step),
                                 x0 + 1), width);
    const from = Math.max(x0, 0, free[depth]);
    if (x1 <= from) continue;
    free[depth] = x1;
    const top = y + Math.round(depth * SPAN_ROW * scale);
    raster.rect(left + from, top, left + x1, top + Math.round((SPAN_ROW - 2) * scale), body);
    raster.rect(left + from, top, left + from + 1, top + Math.round((SPAN_ROW - 2) * scale),
                colors.soft);
    labels.add(names.string(spans.name[span]), (left + from) / scale, (left + x1) / scale,
               top / scale + SPAN_ROW / 2 - 1, colors.css.ink, FONT_SMALL);
  }
}

function drawCounter(chart, raster, counter, y, height, texts) {
  const { model, colors } = chart, { n, time, value } = model.counters[counter];
  const { left, width, step, t0, scale } = geometry(chart, raster);
  let low = 0, high = 0;
  for (let i = 0; i < n; i++) {
    low = Math.min(low, value[i]);
    high = Math.max(high, value[i]);
  }
  const yOf = (v) => y + Math.round((height - 1) * (1 - (v - low) / (high - low || 1)));
  const fill = mix(colors.plot, colors.accent, 0.22), thin = Math.max(1, Math.round(scale));
  for (let x = 0, i = -1, k = 0; x < width; x++) {
    const end = t0 + (x + 1) * step;
    k = firstFrom(time, k, n, t0 + x * step);
    i = k - 1;
    let least = i >= 0 ? value[i] : NaN, most = least;
    for (; k < n && time[k] < end; k++) {
      least = Math.min(Number.isNaN(least) ? value[k] : least, value[k]);
      most = Math.max(Number.isNaN(most) ? value[k] : most, value[k]);
    }
    if (Number.isNaN(most)) continue;
    const top = yOf(most), base = yOf(0);
    raster.rect(left + x, Math.min(top, base), left + x + 1, Math.max(base, top), fill);
    raster.rect(left + x, top, left + x + 1, Math.max(yOf(least), top + thin), colors.accent);
  }
  texts.push([high, y / scale + 5], [low, (y + height) / scale - 6]);
}
