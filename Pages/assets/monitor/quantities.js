// What devices measure: names, units, and when a value is a reason to look.

/**
 * @typedef {object} Quantity
 * @property {string} label
 * @property {string} unit
 * @property {number} span a plot shows at least this much, so that noise does not look like drama
 * @property {number} [low] default limit
 * @property {number} [high] default limit
 */
/** @type {Record<string, Quantity>} */
export const QUANTITIES = {
  temperature: { label: 'Temperature', unit: '°C', span: 2, low: 17, high: 26 },
  humidity: { label: 'Humidity', unit: '%', span: 4, low: 30, high: 60 },
  pressure: { label: 'Pressure', unit: 'hPa', span: 2, low: 980, high: 1040 },
  speed: { label: 'Speed', unit: 'km/h', span: 20, high: 125 },
  fuel: { label: 'Fuel', unit: '%', span: 4, low: 15 },
  cabin_temperature: { label: 'Cabin', unit: '°C', span: 2, low: 16, high: 28 },
};

/** A quantity that this page has not heard of is shown under its own name. */
export function quantityOf(name) {
  return Object.hasOwn(QUANTITIES, name) ? QUANTITIES[name] : { label: name.replaceAll('_', ' '), unit: '', span: 1 };
}

export const decimal = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false });
