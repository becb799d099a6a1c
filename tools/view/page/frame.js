/* SPDX-License-Identifier: MIT */
/* A frame: the head (overview, axis, workers) and the rows that are in sight, labels and arrows. */

function ticks(t0, t1, room) {
  const rough = (t1 - t0) / Math.max(1, room / 110), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const out = [];
  for (let k = Math.ceil(t0 / step); k * step <= t1; k++) out.push(k * step);
  return { step, at: out };
}

/* Where the trace paused: stripes, the fainter the less of a pixel's time it was. */
function drawPauses(chart, raster, y0, y1) {
  const { left, width, step, t0 } = geometry(chart, raster), { pauses } = chart.model;
  if (width <= 0 || pauses.n === 0) return;
  const parts = new Float32Array(width);
  for (let i = 0; i < pauses.n; i++) {
    const from = (pauses.start[i] - t0) / step, to = from + pauses.length[i] / step;
    if (from >= width) break;
    for (let x = Math.max(0, Math.floor(from)); x < to && x < width; x++)
      parts[x] += Math.min(to, x + 1) - Math.max(from, x);
  }
  const period = Math.max(4, Math.round(8 * raster.scale));
  for (let x = 0; x < width; x++) {
    if (parts[x] < 0.02) continue;
    const part = Math.min(1, parts[x]) * 0.45, color = mix(chart.colors.plot, chart.colors.unknown, part);
    for (let y = y0 - (x + y0) % period; y < y1; y += period)
      raster.rect(left + x, Math.max(y, y0), left + x + 1, Math.min(y + (period >> 1), y1), color);
  }
}

function gridLines(chart, raster, y0, y1) {
  const { left, step, t0 } = geometry(chart, raster);
  drawPauses(chart, raster, y0, y1);
  for (const time of chart.grid.at)
    raster.rect(left + Math.round((time - t0) / step), y0,
                left + Math.round((time - t0) / step) + 1, y1, chart.colors.line);
  /* What lies outside the trace. */
  const outside = mix(chart.colors.plot, chart.colors.panel, 0.8);
  const from = Math.round((0 - t0) / step), to = Math.round((chart.whole() - t0) / step);
  if (from > 0) raster.rect(left, y0, left + from, y1, outside);
  if (to < raster.width - left) raster.rect(left + to, y0, raster.width, y1, outside);
}

function drawOverview(chart, raster) {
  const { colors, model } = chart, { scale } = raster, over = model.overview;
  const left = Math.round(GUTTER * scale), width = raster.width - left;
  const bottom = Math.round((OVERVIEW - 4) * scale), top = Math.round(6 * scale);
  const height = bottom - top;
  raster.rect(left, 0, raster.width, Math.round(OVERVIEW * scale), colors.panel);
  for (let x = 0; x < width; x++) {
    const bin = Math.min(over.bins - 1, Math.floor(x / width * over.bins));
    const run = Math.min(height, Math.round(over.run[bin] / over.scale * height));
    const ready = Math.min(height - run, Math.round(over.ready[bin] / over.scale * height));
    raster.rect(left + x, bottom - run, left + x + 1, bottom, colors.running);
    raster.rect(left + x, bottom - run - ready, left + x + 1, bottom - run, colors.ready);
  }
}

/* What is seen of the whole: the rest is dimmed. */
function drawBrush(chart, context) {
  const width = chart.plotWidth(), whole = chart.whole();
  const x0 = GUTTER + Math.max(0, chart.t0 / whole) * width;
  const x1 = GUTTER + Math.min(1, chart.t1 / whole) * width;
  context.fillStyle = chart.colors.css.panel;
  context.globalAlpha = 0.72;
  context.fillRect(GUTTER, 0, x0 - GUTTER, OVERVIEW);
  context.fillRect(x1, 0, GUTTER + width - x1, OVERVIEW);
  context.globalAlpha = 1;
  context.strokeStyle = chart.colors.css.accent;
  context.lineWidth = 1.5;
  context.strokeRect(x0 + 0.75, 1.5, Math.max(2, x1 - x0 - 1.5), OVERVIEW - 3);
}

function drawAxis(chart, context) {
  const { css } = chart.colors;
  context.fillStyle = css.panel;
  context.fillRect(0, OVERVIEW, GUTTER + chart.plotWidth(), AXIS);
  context.textBaseline = 'middle';
  context.font = FONT;
  context.textAlign = 'left';
  for (const time of chart.grid.at) {
    const x = chart.xOf(time);
    context.fillStyle = css.line;
    context.fillRect(Math.round(x), OVERVIEW + AXIS - 6, 1, 6);
    context.fillStyle = css.soft;
    context.fillText(moment(time, chart.grid.step), x + 4, OVERVIEW + AXIS / 2 + 1);
  }
  context.fillStyle = css.panel;
  context.fillRect(0, 0, GUTTER, OVERVIEW + AXIS);
  context.fillStyle = css.soft;
  context.fillText('all of it', 14, OVERVIEW / 2 - 7);
  context.fillText('seen', 14, OVERVIEW + AXIS / 2 + 1);
  context.textAlign = 'right';
  context.font = FONT_BOLD;
  context.fillStyle = css.ink;
  context.fillText(duration(chart.whole()), GUTTER - 12, OVERVIEW / 2 - 7);
  context.fillText(duration(chart.t1 - chart.t0), GUTTER - 12, OVERVIEW + AXIS / 2 + 1);
  context.font = FONT_SMALL;
  context.fillStyle = css.soft;
  context.fillText(`at most ${quantity(Math.round(chart.model.overview.most))} running or ready`,
                   GUTTER - 12, OVERVIEW / 2 + 9);
  context.textAlign = 'left';
}

function busyShare(chart, lane) {
  const { lanes, bars } = chart.model, lo = lanes.first[lane], hi = lanes.first[lane + 1];
  if (lo === hi) return 0;
  const upTo = (time) => {
    const k = lastBefore(lanes.start, lo, hi, time);
    return lanes.busy[k] +
      Math.min(Math.max(time - lanes.start[k], 0), bars.end[lanes.bar[k]] - lanes.start[k]);
  };
  const t0 = Math.max(0, chart.t0), t1 = Math.min(chart.whole(), chart.t1);
  return t1 > t0 ? (upTo(t1) - upTo(t0)) / (t1 - t0) : 0;
}

function drawHead(chart) {
  const raster = chart.head, { colors, model, names } = chart, { css } = colors;
  chart.grid = ticks(chart.t0, chart.t1, chart.plotWidth());
  if (!raster.fit()) return;
  const { scale } = raster, labels = new Labels(), height = chart.laneHeight();
  const first = OVERVIEW + AXIS + HEADING;
  raster.clear(colors.plot);
  drawOverview(chart, raster);
  gridLines(chart, raster, Math.round((OVERVIEW + AXIS) * scale), raster.height);
  const gap = height > 8 ? 2 : 1;
  const shown = chart.lanesShown();
  shown.forEach((lane, row) => {
    const y = Math.round((first + row * height) * scale);
    drawLane(chart, raster, lane, y, Math.round((height - gap) * scale), labels);
  });
  raster.rect(0, Math.round((OVERVIEW + AXIS) * scale), Math.round(GUTTER * scale), raster.height,
              colors.panel);
  raster.show();
  const context = raster.context;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  drawBrush(chart, context);
  drawAxis(chart, context);
  if (shown.length > 0) {
    const ran = model.lanes.shown.length, hidden = ran - shown.length, idle = model.workers.n - ran;
    const rest = [...(hidden > 0 ? [`${count(hidden)} more`] : []),
                  ...(idle > 0 ? [`${count(idle)} that ran nothing`] : [])].join(', ');
    context.fillStyle = css.panel;
    context.fillRect(0, OVERVIEW + AXIS, GUTTER + chart.plotWidth(), HEADING);
    context.fillStyle = css.ink;
    context.font = FONT_BOLD;
    context.fillText(plural(shown.length, 'worker'), 14, OVERVIEW + AXIS + HEADING / 2 + 1);
    if (rest !== '') {
      context.font = FONT;
      context.fillStyle = css.soft;
      context.fillText(`and ${rest}`, 92, OVERVIEW + AXIS + HEADING / 2 + 1);
    }
    context.fillStyle = css.line;
    context.fillRect(0, OVERVIEW + AXIS, GUTTER + chart.plotWidth(), 1);
  }
  const every = Math.ceil(12 / height);
  for (let row = 0; row < shown.length; row += every) {
    const lane = shown[row], y = first + row * height + Math.max(6, (height - gap) / 2 + 0.5);
    context.font = FONT;
    context.fillStyle = css.ink;
    context.textAlign = 'left';
    context.fillText(names.worker(lane), 22, y);
    context.textAlign = 'right';
    context.fillStyle = css.soft;
    context.fillText(percent(busyShare(chart, lane), 1), GUTTER - 12, y);
  }
  context.textAlign = 'left';
  labels.draw(context);
}

/* The name of a task, its id, and in which shares its life went: run, ready, wait. */
function drawTaskLabel(chart, context, task, y) {
  const { colors, names, model, selected } = chart, { css } = colors, { bars } = model;
  const lo = bars.first[task], hi = bars.first[task + 1], id = names.taskId(task);
  context.font = selected.task === task ? FONT_BOLD : FONT;
  context.fillStyle = css.soft;
  context.textAlign = 'right';
  context.fillText(id, GUTTER - 56, y);
  const idWidth = context.measureText(id).width;
  context.textAlign = 'left';
  context.fillStyle = css.ink;
  context.fillText(fitting(context, context.font, names.task(task), GUTTER - 56 - 14 - idWidth - 8), 14, y);
  const shares = [bars.run[hi] - bars.run[lo], bars.ready[hi] - bars.ready[lo],
                  bars.wait[hi] - bars.wait[lo]];
  const sum = shares[0] + shares[1] + shares[2];
  let x = GUTTER - 50;
  [css.running, css.ready, css.line].forEach((color, i) => {
    const width = sum > 0 ? shares[i] / sum * 38 : 0;
    context.fillStyle = color;
    context.fillRect(x, y - 2, width, 5);
    x += width;
  });
}

function drawMarks(chart, context, task, y) {
  const { marks, marksOf, markOrder } = chart.model, { css } = chart.colors;
  let last = -Infinity;
  for (let at = marksOf.first[task + 1]; at < marksOf.first[task + 2]; at++) {
    const mark = markOrder[at], x = chart.xOf(marks.time[mark]);
    if (x < GUTTER || x - last < 3) continue;
    if (x > GUTTER + chart.plotWidth()) break;
    last = x;
    context.fillStyle = marks.kind[mark] === 1 ? css.error : css.ink;
    context.strokeStyle = css.plot;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x - 4.5, y - 1);
    context.lineTo(x + 4.5, y - 1);
    context.lineTo(x, y + 7);
    context.closePath();
    context.fill();
    context.stroke();
  }
}

function arrow(context, x, y0, y1, color, alpha) {
  const down = y1 > y0 ? 1 : -1, bow = Math.min(14, Math.abs(y1 - y0) / 4);
  context.globalAlpha = alpha;
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.25;
  context.beginPath();
  context.moveTo(x, y0);
  context.bezierCurveTo(x - bow, y0 + down * bow, x - bow, y1 - down * (bow + 6), x, y1 - down * 4);
  context.stroke();
  context.beginPath();
  context.moveTo(x, y1);
  context.lineTo(x - 3.5, y1 - down * 6.5);
  context.lineTo(x + 3.5, y1 - down * 6.5);
  context.closePath();
  context.fill();
  context.globalAlpha = 1;
}

/* Wakers to woken, both in sight: all if they are few, those of the selected task in any case. */
function drawArrows(chart, context, y) {
  const { model, selected, colors } = chart, { wakes, bars } = model;
  if (chart.arrows === 'none') return;
  const lo = firstFrom(wakes.time, 0, wakes.n, chart.t0);
  const hi = firstFrom(wakes.time, lo, wakes.n, chart.t1);
  const all = chart.arrows === 'auto' && hi - lo <= 120;
  let left = 600;
  const draw = (at) => {
    const woken = bars.task[wakes.bar[at]], waker = bars.a[wakes.bar[at]] - 1;
    const mine = woken === selected.task || waker === selected.task;
    if ((!all && !mine) || chart.rowOf[woken] < 0 || chart.rowOf[waker] < 0 || woken === waker) return;
    const y0 = y(waker), y1 = y(woken), height = chart.rows.canvas.clientHeight;
    if ((y0 < 0 && y1 < 0) || (y0 > height && y1 > height)) return;
    const direction = y1 > y0 ? 1 : -1;
    arrow(context, chart.xOf(wakes.time[at]), y0 + direction * 8, y1 - direction * 9,
          mine ? colors.css.accent : colors.css.ink, mine ? 1 : 0.4);
    left--;
  };
  if (!all && selected.task < 0) return;
  for (let at = lo; at < hi && left > 0; at++) draw(at);
}

function drawRows(chart) {
  const raster = chart.rows, { colors, model, selected } = chart, { css } = colors;
  if (!raster.fit()) return;
  const { scale } = raster, labels = new Labels(), scroll = chart.scrollTop();
  const n = chart.rowItems.length, height = raster.canvas.clientHeight, numbers = [];
  raster.clear(colors.plot);
  const first = n > 0 ? lastBefore(chart.tops, 0, n, scroll) : 0;
  const yOf = (row) => chart.tops[row] - scroll;
  let after = first;
  while (after < n && yOf(after) < height) after++;
  for (let row = first; row < after; row++) {
    const y0 = Math.round(yOf(row) * scale), y1 = Math.round(yOf(row + 1) * scale);
    if (selected.task >= 0 && chart.rowItems[row] === selected.task)
      raster.rect(0, y0, raster.width, y1, mix(colors.plot, colors.accent, 0.1));
    else if (row % 2 === 1) raster.rect(0, y0, raster.width, y1, colors.row);
  }
  if (n > 0) gridLines(chart, raster, 0, raster.height);
  for (let row = first; row < after; row++) {
    const item = chart.rowItems[row], y = Math.round((yOf(row) + 3) * scale);
    if (item < 0) {
      drawCounter(chart, raster, -1 - item, y, Math.round((COUNTER_ROW - 8) * scale), numbers);
      continue;
    }
    drawTask(chart, raster, item, y, Math.round((TASK_ROW - 6) * scale), labels);
    if (model.spanRows.deepest[item] > 0)
      drawSpans(chart, raster, item, Math.round((yOf(row) + TASK_ROW - 1) * scale), labels);
  }
  for (let row = first; row < after; row++)
    raster.rect(0, Math.round(yOf(row) * scale), Math.round(GUTTER * scale),
                Math.round(yOf(row + 1) * scale),
                selected.task >= 0 && chart.rowItems[row] === selected.task ? mix(colors.panel, colors.accent, 0.16) :
                  colors.panel);
  if (n === 0 || yOf(n) < height)
    raster.rect(0, Math.round((n > 0 ? yOf(n) : 0) * scale), Math.round(GUTTER * scale),
                raster.height, colors.panel);
  raster.show();

  const context = raster.context;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  labels.draw(context);
  for (let row = first; row < after; row++) {
    const item = chart.rowItems[row];
    if (item >= 0) drawTaskLabel(chart, context, item, yOf(row) + TASK_ROW / 2);
    else {
      context.font = FONT_BOLD;
      context.fillStyle = css.ink;
      context.fillText(fitting(context, FONT_BOLD, chart.names.clean(model.counters[-1 - item].name), GUTTER - 80), 14,
                       yOf(row) + COUNTER_ROW / 2);
    }
  }
  context.font = FONT_SMALL;
  context.textAlign = 'right';
  context.fillStyle = css.soft;
  for (const [value, y] of numbers) context.fillText(quantity(value), GUTTER - 12, y);
  context.textAlign = 'left';
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, chart.plotWidth(), height);
  context.clip();
  for (let row = first; row < after; row++)
    if (chart.rowItems[row] >= 0) drawMarks(chart, context, chart.rowItems[row], yOf(row) + 1);
  drawArrows(chart, context, (task) => yOf(chart.rowOf[task]) + TASK_ROW / 2);
  if (selected.bar >= 0 && chart.rowOf[selected.task] >= 0) {
    const { bars } = model, y = yOf(chart.rowOf[selected.task]);
    const x0 = Math.max(chart.xOf(bars.start[selected.bar]), GUTTER - 4);
    const x1 = Math.min(chart.xOf(bars.end[selected.bar]), GUTTER + chart.plotWidth() + 4);
    context.strokeStyle = css.accent;
    context.lineWidth = 2;
    context.strokeRect(x0, y + 2, Math.max(3, x1 - x0), TASK_ROW - 4);
  }
  context.restore();
}
