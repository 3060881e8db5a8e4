// Small pieces of page building that all pages use. What people wrote only ever becomes text nodes.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. Attributes that are false, null or undefined are left out; functions become event listeners
 * (`{click: f}`).
 * @param {string} name
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

/** An icon of icons.svg; decoration, so it is hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/assets/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** The element with this id, which the page has. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, {
  month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
});

/** A `<time>`: the hour today, with the date otherwise. */
export function timeElement(milliseconds) {
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  return element(
    'time', { datetime: date.toISOString(), title: date.toLocaleString() },
    (isToday ? clock : calendar).format(date));
}

/** A time in Unix milliseconds that a Date can hold, or undefined. */
export function validTime(value) {
  return Number.isFinite(value) && Math.abs(value) <= 8.64e15 ? value : undefined;
}

/** "1 message", "2 messages". */
export function counted(count, singular, plural = singular + 's') {
  return `${count.toLocaleString()} ${count === 1 ? singular : plural}`;
}

/** Something random that no other message has. */
export function randomIdentifier() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Makes a button copy the text of an element, and say so for a moment. */
export function copyOnClick(button, source) {
  const label = button.querySelector('.label');
  const before = label.textContent;
  let timer;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      label.textContent = 'Copied';
    } catch {
      // Without https there is no clipboard: what to copy is selected instead.
      getSelection().selectAllChildren(source);
      label.textContent = 'Selected';
    }
    clearTimeout(timer);
    timer = setTimeout(() => { label.textContent = before; }, 2000);
  });
}

/** localStorage that is read and written where the browser allows it. */
export const memory = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(`martlet.${key}`) ?? 'null');
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`martlet.${key}`, JSON.stringify(value));
    } catch {
      // Storage is full or forbidden: the page works, it only forgets.
    }
  },
};
