/* SPDX-License-Identifier: MIT */
/*
 * The trace as it is embedded: base64 of columns of varints, deflated where the program that made the page
 * had zlib.  tools/view/pack.c writes what is read here, in the same order.  Everything that a
 * trace names is in these bytes and nowhere in the page's text, and it leaves them only as
 * text nodes and as text drawn on a canvas.
 */
const GONE = 0, READY = 1, RUNNING = 2, WAITING = 3, UNKNOWN = 4;

class Columns {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  /* An unsigned number of up to 53 bits. */
  number() {
    const bytes = this.bytes;
    let byte = bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127, scale = 128;
    do {
      byte = bytes[this.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    return value;
  }
  /* A signed one: 0, -1, 1, -2, ... */
  signed() {
    const n = this.number();
    return n % 2 ? -(n + 1) / 2 : n / 2;
  }
  /* `n` numbers into `out`; there are millions of them, so the short ones are read right here. */
  fill(out, n) {
    const bytes = this.bytes;
    let at = this.at;
    for (let i = 0; i < n; i++) {
      const byte = bytes[at];
      if (byte < 128) {
        out[i] = byte;
        at++;
      } else if (bytes[at + 1] < 128) {
        out[i] = byte - 128 + bytes[at + 1] * 128;
        at += 2;
      } else {
        this.at = at;
        out[i] = this.number();
        at = this.at;
      }
    }
    this.at = at;
    return out;
  }
  column(n, type) { return this.fill(new type(n), n); }
  signedColumn(n, type) {
    const out = new type(n);
    for (let i = 0; i < n; i++) out[i] = this.signed();
    return out;
  }
  /* Differences, unsigned or signed, to a sum that runs. */
  rising(n) {
    const out = this.fill(new Float64Array(n), n);
    for (let i = 0, sum = 0; i < n; i++) out[i] = sum += out[i];
    return out;
  }
  wandering(n, type) {
    const folded = this.fill(new Float64Array(n), n), out = new type(n);
    for (let i = 0, sum = 0; i < n; i++) {
      const f = folded[i];
      out[i] = sum += f % 2 ? -(f + 1) / 2 : f / 2;
    }
    return out;
  }
  doubles(n) {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset);
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++, this.at += 8) out[i] = view.getFloat64(this.at, true);
    return out;
  }
  strings() {
    const n = this.number(), lengths = this.column(n, Uint32Array), text = new TextDecoder();
    const out = new Array(n);
    for (let i = 0; i < n; i++) {
      out[i] = text.decode(this.bytes.subarray(this.at, this.at + lengths[i]));
      this.at += lengths[i];
    }
    return out;
  }
}

/* Four characters are three bytes; atob takes them a million at a time. */
function unbase64(text) {
  text = text.trim();
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const out = new Uint8Array(text.length / 4 * 3 - padding);
  const STEP = 1 << 20;
  for (let from = 0, at = 0; from < text.length; from += STEP) {
    const piece = atob(text.slice(from, from + STEP));
    for (let i = 0; i < piece.length; i++) out[at++] = piece.charCodeAt(i);
  }
  return out;
}

async function embeddedBytes() {
  const element = document.getElementById('trace');
  const bytes = unbase64(element.textContent);
  const coding = element.dataset.coding;
  element.remove(); /* it is large, and not needed again */
  if (coding !== 'deflate') return bytes;
  if (typeof DecompressionStream === 'undefined')
    throw new Error('this browser cannot unpack deflate (DecompressionStream); ' +
                    'make the page with: hocket trace view --plain');
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function decodeChanges(c) {
  const n = c.number();
  const changes = {
    n, time: c.rising(n), task: c.wandering(n, Uint32Array), state: c.column(n, Uint8Array),
    a: new Uint32Array(n), b: new Uint32Array(n), c: new Uint32Array(n),
  };
  /*
   *            a                b                     c
   * READY      waker + 1        -                     -
   * RUNNING    worker + 1       worker taken from + 1 result of the wait, as errno
   * WAITING    object           call site             holder + 1
   */
  for (let i = 0; i < n; i++) {
    const state = changes.state[i];
    if (state === GONE || state === UNKNOWN) continue;
    changes.a[i] = c.number();
    if (state === READY) continue;
    changes.b[i] = c.number();
    changes.c[i] = c.number();
  }
  return changes;
}

function decode(bytes) {
  const c = new Columns(bytes);
  const facts = {
    pid: c.number(), wallMs: c.number(), duration: c.number(), events: c.number(),
    flags: c.number(), lost: c.number(), missed: c.number(), lanesDenied: c.number(),
    classes: c.number(),
  };
  const strings = c.strings();
  facts.program = strings[c.number()];
  let n = c.number();
  const workers = {
    n, number: c.column(n, Uint32Array) /* + 1, 0: none */, tid: c.column(n, Uint32Array),
    lost: c.column(n, Float64Array), begins: c.column(n, Float64Array),
  };
  n = c.number();
  const objects = {
    n, kind: c.column(n, Uint32Array), low: c.column(n, Uint32Array),
    high: c.column(n, Uint32Array),
  };
  n = c.number();
  const sites = { n, name: c.column(n, Uint32Array) };
  n = c.number();
  const tasks = {
    n, id: c.wandering(n, Float64Array), name: c.column(n, Uint32Array),
    placement: c.column(n, Uint8Array), parent: c.column(n, Uint32Array),
    start: c.column(n, Uint32Array), result: c.signedColumn(n, Float64Array),
    flags: c.column(n, Uint8Array),
  };
  const changes = decodeChanges(c);
  n = c.number();
  const spans = {
    n, task: c.column(n, Uint32Array), start: c.rising(n), length: c.column(n, Float64Array),
    name: c.column(n, Uint32Array),
  };
  n = c.number();
  const helds = {
    n, task: c.column(n, Uint32Array), start: c.rising(n), length: c.column(n, Float64Array),
    object: c.column(n, Uint32Array),
  };
  n = c.number();
  const pauses = { n, start: c.rising(n), length: c.column(n, Float64Array) };
  const counters = [];
  for (let left = c.number(); left > 0; left--) {
    const name = strings[c.number()], points = c.number();
    counters.push({ name, n: points, time: c.rising(points), value: c.doubles(points) });
  }
  n = c.number();
  const marks = {
    n, time: c.rising(n), task: c.column(n, Uint32Array), kind: c.column(n, Uint8Array),
    text: c.column(n, Uint32Array), value: c.signedColumn(n, Float64Array),
  };
  if (c.at !== bytes.length) throw new Error('the embedded trace is damaged');
  return { facts, strings, workers, objects, sites, tasks, changes, spans, helds, pauses, counters, marks };
}
