/* SPDX-License-Identifier: MIT */
/*
 * A canvas whose rectangles are written into memory and shown at once.  Many thousand of them a frame, each
 * perhaps one pixel wide, cost less so than by fillRect, and their edges are sharp.
 */
class Raster {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { alpha: false });
    this.width = this.height = 0;
  }
  /* To the size that the page gives the canvas; false if it has none. */
  fit() {
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * scale);
    const height = Math.round(this.canvas.clientHeight * scale);
    this.scale = scale;
    if (width < 1 || height < 1) return false;
    if (width !== this.width || height !== this.height) {
      this.canvas.width = this.width = width;
      this.canvas.height = this.height = height;
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    return true;
  }
  clear(color) { this.pixels.fill(color); }
  /* From x0, y0 to before x1, y1, in pixels of the screen. */
  rect(x0, y0, x1, y1, color) {
    const { width, pixels } = this;
    if (x0 < 0) x0 = 0;
    if (y0 < 0) y0 = 0;
    if (x1 > width) x1 = width;
    if (y1 > this.height) y1 = this.height;
    if (x0 >= x1) return;
    if (x1 - x0 === 1) {
      for (let at = y0 * width + x0, end = y1 * width + x0; at < end; at += width) pixels[at] = color;
      return;
    }
    for (let y = y0; y < y1; y++) pixels.fill(color, y * width + x0, y * width + x1);
  }
  show() { this.context.putImageData(this.image, 0, 0); }
}

/* "#rrggbb" to the pixels of an ImageData (little-endian, as all that browsers run on is). */
function pixel(css) {
  const n = parseInt(css.trim().slice(1), 16);
  return (255 << 24 | (n & 255) << 16 | (n >> 8 & 255) << 8 | n >> 16) >>> 0;
}

function mix(a, b, part) {
  const blend = (shift) =>
    Math.round((a >> shift & 255) * (1 - part) + (b >> shift & 255) * part) << shift;
  return (255 << 24 | blend(16) | blend(8) | blend(0)) >>> 0;
}

const cssOf = (p) => `rgb(${p & 255} ${p >> 8 & 255} ${p >> 16 & 255})`;

/* Black or white, whichever is read better on it. */
function inkOn(p) {
  const linear = (v) => (v / 255) ** 2.2;
  const light = 0.2126 * linear(p & 255) + 0.7152 * linear(p >> 8 & 255) + 0.0722 * linear(p >> 16 & 255);
  return light > 0.3 ? '#10151c' : '#ffffff';
}

/* The colours of the style sheet, as pixels; read again when the theme changes. */
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const css = (name) => style.getPropertyValue('--' + name).trim();
  const colors = { css: {} };
  for (const name of ['plot', 'row', 'line', 'running', 'ready', 'unknown', 'accent', 'ink', 'soft',
                      'error', 'panel', ...CATEGORIES.map((c) => 'wait-' + c)]) {
    colors.css[name] = css(name);
    colors[name] = pixel(css(name));
  }
  colors.wait = CATEGORIES.map((c) => colors['wait-' + c]);
  colors.waitSoft = colors.wait.map((c) => mix(colors.plot, c, 0.45));
  colors.waitFaint = colors.wait.map((c) => mix(colors.plot, c, 0.18));
  colors.runs = [0, 0.08, 0.16, 0.24].map((part) => mix(colors.running, colors.plot, part));
  colors.runFaint = mix(colors.plot, colors.running, 0.3);
  colors.readyFaint = mix(colors.plot, colors.ready, 0.25);
  return colors;
}
