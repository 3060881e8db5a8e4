// The list of messages: each once, in the order of the stream.

import { counted, element, icon, timeElement, validTime } from '/assets/dom.js';

/** Messages of one person that are closer together than this stand under one name. */
const GROUP_MS = 5 * 60_000;
/** More than these are not kept on the page. */
const MAXIMUM_SHOWN = 500;

/** A picture's longer side, in pixels of the page. */
const LARGEST_PICTURE = 340;

const PICTURE = /^data:image\/(?:jpeg|png|webp|gif);base64,[A-Za-z0-9+/]+=*$/;
const SOUND = /^data:audio\/(?:webm|ogg|mp4)(?:;codecs=[\w.]+)?;base64,[A-Za-z0-9+/]+=*$/;
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/**
 * @typedef {object} Message
 * @property {string} id random; the same message has the same wherever it comes from
 * @property {string} user
 * @property {string} text
 * @property {number} [at] Unix milliseconds, as its writer says
 * @property {string} [picture] data URL
 * @property {string} [sound] data URL
 * @property {number} [seconds] length of the sound
 */

/** What a publication says, whoever made it: only what has the expected type and form is taken. */
export function messageOf({ data, info, offset }, epoch) {
  const said = data !== null && typeof data === 'object' && !Array.isArray(data) ? data : { text: data };
  const string = (value) => (typeof value === 'string' ? value : '');
  const isEmpty = !string(said.text) && !string(said.picture) && !string(said.sound);
  return {
    id: string(said.id).slice(0, 64) || `${epoch}/${offset}`,
    user: info?.user || string(said.user).slice(0, 40) || 'server',
    text: isEmpty ? JSON.stringify(data) : string(said.text),
    at: validTime(said.at),
    picture: PICTURE.test(said.picture) ? said.picture : undefined,
    size: Array.isArray(said.size) ? said.size : undefined,
    sound: SOUND.test(said.sound) ? said.sound : undefined,
    seconds: Number.isFinite(said.seconds) ? Math.min(Math.max(said.seconds, 0), 60) : undefined,
  };
}

/** The same user has the same colour everywhere. */
export function avatar(user) {
  let hash = 2166136261;
  for (const character of user) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  const made = element('span', { class: 'avatar', 'aria-hidden': 'true' }, [...user][0]?.toUpperCase() ?? '?');
  made.style.setProperty('--hue', String((hash >>> 8) % 360));
  return made;
}

export class MessageList {
  #list;
  #scroll;
  #newer;
  #onNewer;
  #user;
  /** Items by message id, in no order; the list element has the order. */
  #items = new Map();
  #unseen = 0;
  /** Whether the end is in view, and shall stay there. */
  #sticks = true;
  #awayDivider;
  #awayCount = 0;
  /** Rises when the server has lost its memory: offsets begin anew, what was there before stays above. */
  #generation = 0;

  /** @param {{list: HTMLElement, scroll: HTMLElement, newer: HTMLElement, newerText: HTMLElement, user: string}} parts */
  constructor({ list, scroll, newer, newerText, user }) {
    this.#list = list;
    this.#scroll = scroll;
    this.#newer = newer;
    this.#onNewer = newerText;
    this.#user = user;
    newer.addEventListener('click', () => this.scrollToEnd());
    scroll.addEventListener('scroll', () => {
      this.#sticks = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
      if (this.#sticks) this.#seen();
    }, { passive: true });
    // A picture that is laid out late, or a keyboard that takes room, must not hide the last message.
    const observer = new ResizeObserver(() => { if (this.#sticks) this.scrollToEnd(); });
    observer.observe(scroll);
    observer.observe(list);
  }

  get isEmpty() { return this.#items.size === 0; }
  has(id) { return this.#items.has(id); }

  scrollToEnd() {
    this.#sticks = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#seen();
  }

  #seen() {
    this.#unseen = 0;
    this.#newer.hidden = true;
  }

  /**
   * Shows a message of the stream; one that is there already takes its place and is no longer pending.
   * @returns {boolean} whether it is new to this page
   */
  add(message, offset) {
    const known = this.#items.get(message.id);
    if (known && !known.isPending) {
      // The server has it (again): it is no memory of this page alone.
      known.node.classList.remove('forgotten');
      return false;
    }
    if (known) {
      known.isPending = false;
      known.node.classList.remove('pending', 'failed');
      known.status.replaceChildren();
      known.order = [this.#generation, offset ?? Infinity];
      this.#place(known);
    } else {
      this.#insert(message, [this.#generation, offset ?? Infinity], false);
      if (!this.#sticks && message.user !== this.#user) this.#tellNewer();
    }
    if (this.#sticks) this.scrollToEnd();
    return !known;
  }

  /** Shows a message that the server has not got yet. */
  addPending(message) {
    this.#insert(message, [Infinity, Infinity], true);
    this.scrollToEnd();
  }

  /** Says what becomes of a pending message; with `retry`, offers another try. */
  setStatus(id, text, retry) {
    const item = this.#items.get(id);
    if (!item?.isPending) return;
    item.node.classList.toggle('failed', retry !== undefined);
    const button = retry
      && element('button', { class: 'button small', type: 'button', click: retry }, 'Send again');
    item.status.replaceChildren(text, ...(button ? [button] : []));
  }

  /** The server's stream begins anew. What is shown stays. */
  startGeneration() {
    if (this.isEmpty) return;
    this.#generation += 1;
    for (const item of this.#items.values()) if (!item.isPending) item.node.classList.add('forgotten');
    this.#append(element(
      'li', { class: 'divider' }, 'The server has forgotten what is above'));
  }

  /** What comes until `endAway` was missed. The divider appears with the first message. */
  startAway() {
    this.#awayCount = 0;
    this.#awayDivider = undefined;
  }

  /** Counts a message as missed; call it before the message is added. */
  countAway() {
    this.#awayCount += 1;
    if (!this.#awayDivider) {
      this.#awayDivider = element('li', { class: 'divider away' });
      this.#append(this.#awayDivider);
    }
    this.#awayDivider.textContent = `While you were away: ${counted(this.#awayCount, 'message')}`;
  }

  /** Appends after everything but what is pending. */
  #append(node) {
    this.#list.insertBefore(node, this.#firstPending);
    if (this.#sticks) this.scrollToEnd();
  }

  get #firstPending() { return this.#list.querySelector('.pending'); }

  #tellNewer() {
    this.#unseen += 1;
    this.#onNewer.textContent = counted(this.#unseen, 'new message');
    this.#newer.hidden = false;
  }

  #insert(message, order, isPending) {
    const isOwn = message.user === this.#user;
    const at = message.at;
    const status = element('div', { class: 'status' });
    const node = element(
      'li', { class: `message${isOwn ? ' own' : ''}${isPending ? ' pending' : ''}` },
      avatar(message.user),
      element(
        'div', { class: 'by' }, element('span', { class: 'name' }, isOwn ? 'You' : message.user),
        at ? timeElement(at) : null),
      element('div', { class: 'bubble' }, ...content(message)),
      status);
    const item = { node, status, order, isPending, user: message.user, at: at ?? 0 };
    this.#items.set(message.id, item);
    itemsByNode.set(node, item);
    this.#place(item);
    this.#prune();
  }

  /** Puts the item behind the last one that is before it in order: nearly always the last. */
  #place(item) {
    const wasBefore = item.node.nextElementSibling;
    item.node.remove();
    if (wasBefore) this.#group(wasBefore);
    let before = this.#list.lastElementChild;
    let after = null;
    while (before) {
      const other = itemsByNode.get(before);
      if (other ? isOrdered(other.order, item.order) : !this.#isDividerPassed(before, item)) break;
      after = before;
      before = before.previousElementSibling;
    }
    this.#list.insertBefore(item.node, after);
    this.#group(item.node);
    if (item.node.nextElementSibling) this.#group(item.node.nextElementSibling);
  }

  /** Whether an item belongs before this divider: it does if it belongs before the message that precedes it. */
  #isDividerPassed(divider, item) {
    let node = divider.previousElementSibling;
    while (node && !itemsByNode.has(node)) node = node.previousElementSibling;
    return node !== null && !isOrdered(itemsByNode.get(node).order, item.order);
  }

  /** Hides the name where the one above is by the same person, a moment earlier. */
  #group(node) {
    const item = itemsByNode.get(node);
    if (!item) return;
    const above = node.previousElementSibling && itemsByNode.get(node.previousElementSibling);
    node.classList.toggle(
      'follows', above !== undefined && above !== null && above.user === item.user
        && Math.abs(item.at - above.at) < GROUP_MS);
  }

  #prune() {
    if (this.#items.size <= MAXIMUM_SHOWN) return;
    const [id, item] = [...this.#items].find(([, { node }]) => node === this.#list.querySelector('.message'));
    this.#items.delete(id);
    item.node.remove();
  }
}

/** @type {WeakMap<Element, {order: [number, number], user: string, at: number}>} */
const itemsByNode = new WeakMap();

const isOrdered = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]);

function content({ picture, size, sound, seconds, text, user }) {
  const parts = [];
  if (picture) parts.push(pictureOf(picture, size, text || `Picture from ${user}`));
  if (sound) parts.push(soundPlayer(sound, seconds));
  if (text) parts.push(element('p', {}, ...withLinks(text)));
  return parts;
}

function pictureOf(source, size, description) {
  const [width, height] = (size ?? []).map((n) => (Number.isInteger(n) && n > 0 && n < 10_000 ? n : undefined));
  // The browser knows the room that it takes before it is decoded: the list does not jump.
  const shrink = width && height ? Math.min(1, LARGEST_PICTURE / width, LARGEST_PICTURE / height) : 1;
  return element('img', {
    src: source, alt: description, decoding: 'async',
    width: width && Math.round(width * shrink), height: height && Math.round(height * shrink),
  });
}

function withLinks(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(
      text.slice(end, match.index),
      element('a', { href: match[0], target: '_blank', rel: 'noopener noreferrer' }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

/** A play button and how far it is; a recording's own length is often missing, so the message says it. */
export function soundPlayer(source, seconds) {
  const audio = new Audio();
  const bar = element('span');
  const label = element('span', { class: 'visually-hidden' }, 'Play the recording');
  const button = element('button', { type: 'button' }, icon('play'), label);
  const time = element('span', { class: 'number' }, seconds ? `${Math.max(1, Math.round(seconds))} s` : '');
  function show(isPlaying) {
    button.replaceChildren(icon(isPlaying ? 'pause' : 'play'), label);
    label.textContent = isPlaying ? 'Pause the recording' : 'Play the recording';
  }
  button.addEventListener('click', () => {
    if (!audio.src) audio.src = source;
    if (audio.paused) audio.play().catch(() => { time.textContent = 'cannot be played'; });
    else audio.pause();
  });
  audio.addEventListener('play', () => show(true));
  audio.addEventListener('pause', () => show(false));
  audio.addEventListener('timeupdate', () => {
    const length = Number.isFinite(audio.duration) ? audio.duration : seconds;
    if (length) bar.style.transform = `scaleX(${Math.min(1, audio.currentTime / length)})`;
  });
  audio.addEventListener('ended', () => { bar.style.transform = 'scaleX(0)'; show(false); });
  return element('div', { class: 'sound' }, button, element('span', { class: 'track' }, bar), time);
}
