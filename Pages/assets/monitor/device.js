// A device: what it reported, whether it is there, and its card.

import { element, icon } from '/assets/dom.js';
import { decimal, quantityOf } from '/assets/monitor/quantities.js';
import { Ring } from '/assets/monitor/ring.js';

/** Two minutes at five reports a second. */
const RING_CAPACITY = 600;
const MAXIMUM_QUANTITIES = 6;
/** A device that reports twice a second and has not done so for this long is silent. */
const SILENT_MS = 3_000;
/** A clock that is further away from ours than this is corrected for in plots. */
const TRUSTED_SKEW_MS = 2_000;

const ICONS = { home: 'home', car: 'car' };

export class Device {
  name;
  kind;
  /** Whether presence says that it is connected; undefined while that is not known. */
  isPresent;
  isAlarming = false;
  card;
  #series = new Map();
  #board;
  #limits;
  #lastAt = -Infinity;
  #lastArrival = 0;
  #shift = 0;
  #state;
  #rows;
  #stateText;
  #isDirty = true;

  constructor(name, { board, limits, remove }) {
    this.name = name;
    this.kind = name.match(/^(home|car)-/)?.[1] ?? 'device';
    this.#board = board;
    this.#limits = limits;
    this.#stateText = element('span', { class: 'state' });
    this.#rows = element('dl', {}, element('p', { class: 'waiting' }, 'Has not reported yet'));
    const titleId = `device-${Device.#number++}`;
    this.card = element(
      'article', { class: 'card device', tabindex: '-1', 'aria-labelledby': titleId },
      element(
        'header', {}, icon(ICONS[this.kind] ?? 'device'), element('h2', { id: titleId }, name), this.#stateText,
        element(
          'button', { class: 'button small plain remove', type: 'button', title: `Remove ${name} from this page`, click: remove },
          icon('close'), element('span', { class: 'visually-hidden' }, `Remove ${name}`))),
      this.#rows);
  }

  static #number = 0;

  get state() { return this.#state; }
  /** Unix milliseconds of the last report, by this page's clock. */
  get lastArrival() { return this.#lastArrival; }

  /**
   * Takes a report; one that is not newer than the last is left out.
   * @param {Record<string, unknown>} report
   * @param {number} now
   * @param {boolean} isLive whether it has just been made
   */
  take(report, now, isLive) {
    const at = Number.isFinite(report.at) ? report.at : now;
    if (at <= this.#lastAt) return;
    this.#lastAt = at;
    if (isLive && Math.abs(now - at - this.#shift) > TRUSTED_SKEW_MS) this.#setShift(now - at);
    this.#lastArrival = isLive ? now : Math.min(now, at + this.#shift);
    for (const [name, value] of Object.entries(report)) {
      if (name === 'at' || typeof value !== 'number' || !Number.isFinite(value)) continue;
      const series = this.#series.get(name) ?? this.#addSeries(name);
      series?.ring.push(at, value);
      if (series) series.value = value;
    }
    this.#isDirty = true;
  }

  #setShift(shift) {
    this.#shift = shift;
    for (const series of this.#series.values()) series.shift = shift;
  }

  #addSeries(name) {
    if (this.#series.size >= MAXIMUM_QUANTITIES) return undefined;
    const { label, unit, span } = quantityOf(name);
    const canvas = element('canvas', { role: 'img', 'aria-label': `${label}, the last two minutes` });
    const figure = document.createTextNode('');
    const row = element(
      'div', { class: 'quantity' },
      element('div', {}, element('dt', {}, label), element('dd', {}, figure, element('small', {}, unit))), canvas);
    row.dataset.quantity = name;
    const series = {
      ring: new Ring(RING_CAPACITY), colour: `--plot-${name}`, span, shift: this.#shift, isAlarming: false,
      limits: this.#limits.of(name), value: undefined, figure, row, canvas,
    };
    if (this.#series.size === 0) this.#rows.replaceChildren();
    this.#series.set(name, series);
    this.#rows.append(row);
    this.#board.add(canvas, series);
    return series;
  }

  /** Compares the last values with the limits. */
  check(alarms, now, isStrict) {
    this.isAlarming = false;
    for (const [name, series] of this.#series) {
      series.limits = this.#limits.of(name);
      const isAlarming = this.isPresent !== false && series.value !== undefined
        && alarms.check(this.name, name, series.value, now, isStrict);
      if (isAlarming !== series.isAlarming) {
        series.isAlarming = isAlarming;
        series.row.classList.toggle('alarming', isAlarming);
      }
      this.isAlarming ||= isAlarming;
    }
    this.card.classList.toggle('alarming', this.isAlarming);
  }

  /** Brings the card's words up to date. */
  show(now, isConnected) {
    if (this.#isDirty) {
      this.#isDirty = false;
      for (const series of this.#series.values()) series.figure.data = decimal.format(series.value);
    }
    const silence = now - this.#lastArrival;
    if (!isConnected) this.#setState('unknown', 'not known');
    else if (this.isPresent === false) this.#setState('offline', 'offline');
    else if (this.#series.size > 0 && silence > SILENT_MS) {
      this.#setState('silent', `silent for ${duration(silence)}`);
    } else this.#setState('online', 'online');
  }

  #setState(state, text) {
    if (this.#state !== state) this.card.dataset.state = this.#state = state;
    if (this.#stateText.textContent !== text) this.#stateText.textContent = text;
  }

  remove() {
    for (const { canvas } of this.#series.values()) this.#board.remove(canvas);
    this.card.remove();
  }
}

function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h`;
}
