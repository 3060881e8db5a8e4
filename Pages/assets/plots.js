// Live line plots on canvases: one animation frame draws all of them, and only those that can be seen.

/** What a plot shows, in milliseconds. */
export const WINDOW_MS = 120_000;
const GRID_MS = 30_000;
/** A line is broken where a device was silent for longer. */
const GAP_MS = 5_000;
/** The newest value is a little inside, with room for its dot and the scale's figures. */
const RIGHT = 34;
const TOP = 8;
const BOTTOM = 8;
/** A plot moves by two pixels a second: more frames than these would only cost. */
const FRAME_MS = 33;
const CALM_FRAME_MS = 500;

/**
 * @typedef {object} Series
 * @property {import('./monitor/ring.js').Ring} ring
 * @property {string} colour name of a custom property: `--plot-speed`
 * @property {number} span least height, in units
 * @property {number} shift what to add to its times
 * @property {boolean} isAlarming
 * @property {{low?: number, high?: number}} limits
 */

export class PlotBoard {
  /** Series by canvas. */
  #plots = new Map();
  #visible = new Set();
  #observer;
  #colours = new Map();
  #figures = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, useGrouping: false });
  #lastFrame = 0;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #now;

  /** @param {() => number} now Unix milliseconds */
  constructor(now = Date.now) {
    this.#now = now;
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#see(target, isIntersecting);
    }, { rootMargin: '80px' });
    const forgetColours = () => this.#colours.clear();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', forgetColours);
    const frame = (time) => {
      requestAnimationFrame(frame);
      // A little early is better than a whole frame late.
      if (time - this.#lastFrame < (this.#calm.matches ? CALM_FRAME_MS : FRAME_MS) - 4) return;
      this.#lastFrame = time;
      const now = this.#now();
      for (const canvas of this.#visible) this.#draw(canvas, this.#plots.get(canvas), now);
    };
    requestAnimationFrame(frame);
  }

  /** How many are drawn, for those who measure. */
  get visibleCount() { return this.#visible.size; }

  /** @param {HTMLCanvasElement} canvas @param {Series} series */
  add(canvas, series) {
    this.#plots.set(canvas, series);
    this.#observer.observe(canvas);
  }

  /** @param {HTMLCanvasElement} canvas */
  remove(canvas) {
    this.#observer.unobserve(canvas);
    this.#visible.delete(canvas);
    this.#plots.delete(canvas);
  }

  #see(canvas, isVisible) {
    if (!this.#plots.has(canvas)) return;
    if (isVisible) {
      this.#visible.add(canvas);
    } else {
      this.#visible.delete(canvas);
      // A canvas without a size holds no memory.
      canvas.width = 0;
    }
  }

  #colour(name) {
    let colour = this.#colours.get(name);
    if (!colour) {
      const style = getComputedStyle(document.documentElement);
      colour = style.getPropertyValue(name).trim() || style.getPropertyValue('--plot-other').trim();
      this.#colours.set(name, colour);
    }
    return colour;
  }

  /** @param {HTMLCanvasElement} canvas @param {Series} series @param {number} now */
  #draw(canvas, series, now) {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const scale = Math.min(devicePixelRatio, 3);
    const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
      [canvas.width, canvas.height] = [pixelWidth, pixelHeight];
    }
    const context = canvas.getContext('2d');
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);

    const end = now - series.shift;
    const inner = width - RIGHT;
    const x = (time) => inner - ((end - time) / WINDOW_MS) * inner;
    this.#drawGrid(context, x, end, height);
    const { ring } = series;
    const first = Math.max(0, ring.firstSince(end - WINDOW_MS) - 1);
    if (ring.count === 0 || first >= ring.count) return;

    const { low, high } = extent(ring, first, series.span);
    const y = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - TOP - BOTTOM);
    this.#drawLimits(context, series.limits, { low, high, y, inner });
    const colour = this.#colour(series.isAlarming ? '--bad' : series.colour);
    this.#drawLine(context, ring, first, { x, y, height, colour });
    this.#drawScale(context, low, high, width, height);
  }

  #drawGrid(context, x, end, height) {
    context.strokeStyle = this.#colour('--line');
    context.lineWidth = 1;
    context.beginPath();
    for (let time = Math.floor(end / GRID_MS) * GRID_MS; time > end - WINDOW_MS; time -= GRID_MS) {
      const at = Math.round(x(time)) + 0.5;
      context.moveTo(at, 0);
      context.lineTo(at, height);
    }
    context.stroke();
  }

  #drawLimits(context, limits, { low, high, y, inner }) {
    context.strokeStyle = this.#colour('--bad');
    context.globalAlpha = 0.6;
    context.setLineDash([3, 3]);
    context.beginPath();
    for (const limit of [limits.low, limits.high]) {
      if (limit === undefined || limit < low || limit > high) continue;
      const at = Math.round(y(limit)) + 0.5;
      context.moveTo(0, at);
      context.lineTo(inner, at);
    }
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #drawLine(context, ring, first, { x, y, height, colour }) {
    const path = new Path2D();
    const area = new Path2D();
    let previous = -Infinity;
    let lastX = 0;
    for (let index = first; index < ring.count; index += 1) {
      const time = ring.time(index);
      const [atX, atY] = [x(time), y(ring.value(index))];
      if (time - previous > GAP_MS) {
        if (index > first) closeArea(area, lastX, height);
        path.moveTo(atX, atY);
        area.moveTo(atX, height);
      } else {
        path.lineTo(atX, atY);
      }
      area.lineTo(atX, atY);
      [previous, lastX] = [time, atX];
    }
    closeArea(area, lastX, height);
    context.fillStyle = colour;
    context.globalAlpha = 0.1;
    context.fill(area);
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.stroke(path);
    context.beginPath();
    context.arc(lastX, y(ring.value(ring.count - 1)), 2.5, 0, 2 * Math.PI);
    context.fill();
  }

  #drawScale(context, low, high, width, height) {
    context.fillStyle = this.#colour('--ink-faint');
    context.font = '10px ui-sans-serif, system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'top';
    context.fillText(this.#figures.format(high), width, 1);
    context.textBaseline = 'bottom';
    context.fillText(this.#figures.format(low), width, height - 1);
  }
}

function closeArea(area, x, height) {
  area.lineTo(x, height);
  area.closePath();
}

/** The least and the greatest value from `first` on, at least `span` apart. */
function extent(ring, first, span) {
  let low = Infinity;
  let high = -Infinity;
  for (let index = first; index < ring.count; index += 1) {
    const value = ring.value(index);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const missing = span - (high - low);
  if (missing <= 0) return { low, high };
  // What is never negative gets no negative scale.
  const isPositive = low >= 0;
  low -= missing / 2;
  high += missing / 2;
  return isPositive && low < 0 ? { low: 0, high: high - low } : { low, high };
}
