// Limits of quantities, kept in the browser, and the alarms of values beyond them.

import { byId, counted, element, memory } from '/assets/dom.js';
import { decimal, QUANTITIES, quantityOf } from '/assets/monitor/quantities.js';

/** A value that swings about its limit is one alarm, not many. */
const HOLD_MS = 3_000;
const MAXIMUM_LISTED = 8;

/** @typedef {{low?: number, high?: number}} Limit */

export class Limits {
  /** @type {Record<string, Limit>} */
  #limits = {};
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
    const kept = memory.get('limits') ?? {};
    for (const [name, { low, high }] of Object.entries(QUANTITIES)) {
      const own = kept[name];
      this.#limits[name] = own ? { low: finite(own.low), high: finite(own.high) } : { low, high };
    }
    byId('reset').addEventListener('click', () => this.#reset());
    // The panel lies over the devices: a click beside it or Escape closes it.
    const panel = byId('limits');
    document.addEventListener('click', (event) => { if (!panel.contains(event.target)) panel.open = false; });
    panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      panel.open = false;
      panel.querySelector('summary').focus();
    });
    this.#show();
  }

  /** @returns {Limit} */
  of(name) { return Object.hasOwn(this.#limits, name) ? this.#limits[name] : {}; }

  #reset() {
    for (const [name, { low, high }] of Object.entries(QUANTITIES)) this.#limits[name] = { low, high };
    memory.set('limits', null);
    this.#show();
    this.#changed();
  }

  #show() {
    byId('limit-rows').replaceChildren(...Object.entries(QUANTITIES).map(([name, { label, unit }]) => element(
      'tr', {},
      element('th', { scope: 'row' }, `${label} `, element('small', {}, unit)),
      ...['low', 'high'].map((side) => element('td', {}, this.#input(name, side, `${label} ${side === 'low' ? 'below' : 'above'}`))))));
  }

  #input(name, side, label) {
    return element('input', {
      class: 'field', type: 'number', step: 'any', 'aria-label': label, id: `${name}-${side}`,
      value: this.#limits[name][side],
      input: ({ target }) => {
        // Not a number yet: "-" for instance.
        if (target.validity.badInput) return;
        this.#limits[name][side] = target.value === '' ? undefined : finite(target.valueAsNumber);
        memory.set('limits', this.#limits);
        this.#changed();
      },
    });
  }
}

const finite = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

export class Alarms {
  /** By device and quantity. */
  #alarms = new Map();
  #limits;
  #find;

  /** @param {Limits} limits @param {(device: string) => void} find shows the device's card */
  constructor(limits, find) {
    this.#limits = limits;
    this.#find = find;
  }

  get count() { return this.#alarms.size; }

  /**
   * Looks at a value.
   * @param {boolean} [isStrict] whether a value within the limits ends an alarm at once
   * @returns {boolean} whether it is an alarm
   */
  check(device, name, value, now, isStrict = false) {
    const { low, high } = this.#limits.of(name);
    const key = `${device}/${name}`;
    const alarm = this.#alarms.get(key);
    if ((low !== undefined && value < low) || (high !== undefined && value > high)) {
      const bound = low !== undefined && value < low ? `below ${decimal.format(low)}` : `above ${decimal.format(high)}`;
      if (alarm) Object.assign(alarm, { value, bound, lastBeyond: now });
      else this.#alarms.set(key, { device, name, value, bound, since: now, lastBeyond: now });
      return true;
    }
    if (!alarm) return false;
    if (!isStrict && now - alarm.lastBeyond < HOLD_MS) return true;
    this.#forget(key);
    return false;
  }

  /** The device is gone: its values are none any more. */
  clear(device) {
    for (const [key, alarm] of this.#alarms) if (alarm.device === device) this.#forget(key);
  }

  #forget(key) {
    this.#alarms.get(key).node?.remove();
    this.#alarms.delete(key);
  }

  /** Brings the list up to date; nodes stay, so that only what is new is read out. */
  show() {
    const list = byId('alarm-list');
    let listed = 0;
    for (const alarm of this.#alarms.values()) {
      if (listed >= MAXIMUM_LISTED) {
        alarm.node?.remove();
        alarm.node = undefined;
        continue;
      }
      listed += 1;
      const { label, unit } = quantityOf(alarm.name);
      const text = `${label} ${decimal.format(alarm.value)} ${unit}, ${alarm.bound}`;
      alarm.node ??= this.#item(alarm);
      const what = alarm.node.querySelector('.what');
      if (what.textContent !== text) what.textContent = text;
      if (!alarm.node.isConnected) list.append(alarm.node);
    }
    byId('alarms').hidden = this.count === 0;
    byId('alarm-more').hidden = this.count <= MAXIMUM_LISTED;
    byId('alarm-more').textContent = `and ${counted(this.count - MAXIMUM_LISTED, 'more alarm')}`;
    byId('alarm-count').textContent = String(this.count);
    byId('alarm-tile').classList.toggle('alarming', this.count > 0);
  }

  #item({ device, since }) {
    const date = new Date(since);
    return element(
      'li', {},
      element(
        'button', { type: 'button', click: () => this.#find(device) },
        element('strong', {}, device), element('span', { class: 'what' }),
        element('time', { datetime: date.toISOString() }, date.toLocaleTimeString())));
  }
}
