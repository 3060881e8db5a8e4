// A WebSocket for browsers and networks that have none: what the class of the browser does, over the browser's own where
// that works, else through a tunnel of requests to the same route of the same server.
//
//   import { FallbackWebSocket } from '/websocket-shim.js';
//   const socket = new FallbackWebSocket('wss://example.com/feed');      // or: globalThis.WebSocket = FallbackWebSocket
//
// The tunnel is `POST /tunnel/<path>` (docs/transports.md, “Tunnel”): a response that goes on where the network lets it, else
// polls. What worked is remembered for the page.

const OPENING_TIMEOUT_MS = 5_000;
/** The server says something every 25 s. */
const SILENCE_MS = 40_000;
const RESEND_MS = 500;
const MAXIMUM_RESENDS = 3;
/** What one post brings at most, unless a message alone is larger. */
const MAXIMUM_POST_BYTES = 1 << 18;
/** How long, and up to how much, the server waits to hear what has arrived by a stream. */
const SEEN_MS = 500;
const MAXIMUM_UNSEEN = 1 << 18;
const MAXIMUM_REASON_BYTES = 123;
const ABNORMAL = 1006;
const NO_STATUS = 1005;

const encoder = new TextEncoder();

const toBase64 = (bytes) => {
  let text = '';
  // Not all at once: arguments of a call are limited.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
};
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;

const problem = (message, name) => new DOMException(message, name);

/** What is injected for tests. */
const surroundings = {
  WebSocket: globalThis.WebSocket,
  fetch: (...request) => globalThis.fetch(...request),
  setTimeout: (f, milliseconds) => globalThis.setTimeout(f, milliseconds),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/** The browser's own, told apart by what it reports. */
class Direct {
  #socket;

  constructor(url, protocols, owner, { WebSocket }) {
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => owner.opened(this.#socket.protocol, this.#socket.extensions);
    this.#socket.onmessage = ({ data }) => owner.received(data);
    this.#socket.onclose = ({ code, reason, wasClean }) => owner.ended(code, reason, wasClean);
    this.#socket.onerror = () => {};
  }

  get bufferedAmount() { return this.#socket.bufferedAmount; }
  send(data) { this.#socket.send(data); }
  close(...end) { this.#socket.close(...(end[0] === undefined ? [] : end)); }
  abort() {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }
}

/** Posts up, and down a response that goes on or the answers of polls. */
class Tunnel {
  #owner;
  #with;
  #path;
  #base;
  #abort = new AbortController();
  #session = '';
  #isOver = false;
  #outbox = [];
  #next = 1;
  #isPosting = false;
  #silence = null;
  /** How many messages have come. */
  #count = 0;
  /** Whether polls can go on where the stream breaks; the server keeps its messages until it hears that they have come. */
  #resumes = false;
  #reader = null;
  /** The size of what it has not heard of yet. */
  #unseen = 0;
  #seenTimer = null;
  #owesSeen = false;
  bufferedAmount = 0;

  constructor(url, protocols, owner, surroundings, streams) {
    const { origin, pathname, search } = new URL(url.replace(/^ws/, 'http'));
    this.#owner = owner;
    this.#with = surroundings;
    this.#base = origin;
    this.#path = `/tunnel${pathname}${search}`;
    this.#open(protocols, streams).catch(() => this.#end(ABNORMAL, '', false));
  }

  async #fetch(path, body) {
    const response = await this.#with.fetch(this.#base + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
      signal: this.#abort.signal,
    });
    if (!response.ok) throw Object.assign(new Error(String(response.status)), { isFinal: true });
    return response;
  }

  /** Sends what the network loses again: messages are numbered. */
  async #insist(path, body) {
    for (let resends = 0; ; resends++) {
      try {
        return await this.#fetch(path, body);
      } catch (error) {
        if (error.isFinal || this.#isOver || resends === MAXIMUM_RESENDS) throw error;
      }
      await new Promise((resolve) => this.#with.setTimeout(resolve, RESEND_MS));
    }
  }

  async #open(protocols, streams) {
    const response = await this.#fetch(this.#path, { protocols, stream: streams, resume: streams || undefined });
    if (streams) {
      this.#reader = response.body.getReader();
      await this.#read().catch(() => {});
      this.#reader = null;
      if (!this.#resumes || this.#isOver) return this.#end(ABNORMAL, '', false);
    } else {
      this.#opened(await response.json());
    }
    await this.#poll();
  }

  async #poll() {
    while (!this.#isOver) {
      const ack = this.#count;
      const { from, replies } = await (await this.#insist('/tunnel', { session: this.#session, ack })).json();
      this.#heard();
      for (const message of replies.slice(Math.max(0, ack + 1 - from))) this.#take(message);
    }
  }

  async #read() {
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.#heard();
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line === '') continue;
        this.#take(JSON.parse(line));
        if (this.#resumes) this.#hasSeen(line.length);
      }
    }
  }

  #hasSeen(size) {
    this.#unseen += size;
    if (this.#unseen > MAXIMUM_UNSEEN) return this.#tellSeen();
    this.#seenTimer ??= this.#with.setTimeout(() => this.#tellSeen(), SEEN_MS);
  }

  #tellSeen() {
    this.#with.clearTimeout(this.#seenTimer);
    this.#seenTimer = null;
    this.#unseen = 0;
    this.#owesSeen = this.#reader !== null && !this.#isOver;
    if (this.#owesSeen) this.#startPosting();
  }

  #opened({ session, protocol, resume = false }) {
    this.#session = session;
    this.#resumes = resume;
    this.#heard();
    this.#owner.opened(protocol, '');
  }

  #take(message) {
    if (this.#isOver) return;
    if (message.session) return this.#opened(message);
    this.#count++;
    if ('text' in message) this.#owner.received(message.text);
    else if ('binary' in message) this.#owner.received(fromBase64(message.binary));
    else if ('close' in message) this.#end(message.close, message.reason, message.close !== ABNORMAL);
  }

  #heard() {
    this.#with.clearTimeout(this.#silence);
    if (!this.#isOver) this.#silence = this.#with.setTimeout(() => this.#fellSilent(), SILENCE_MS);
  }

  #fellSilent() {
    if (!this.#resumes || !this.#reader) return this.#end(ABNORMAL, '', false);
    this.#heard();
    this.#reader.cancel().catch(() => {});
  }

  #end(code, reason, wasClean) {
    if (this.#isOver) return;
    this.abort();
    this.#owner.ended(code, reason, wasClean);
  }

  send(data) {
    const size = typeof data === 'string' ? encoder.encode(data).length : data.byteLength;
    this.#push(typeof data === 'string' ? { text: data } : { binary: toBase64(new Uint8Array(data)) }, size);
  }

  close(code, reason) { this.#push({ close: code ?? NO_STATUS, reason }, 0); }

  abort() {
    this.#isOver = true;
    this.#with.clearTimeout(this.#silence);
    this.#with.clearTimeout(this.#seenTimer);
    this.#abort.abort();
  }

  #push(message, size) {
    this.bufferedAmount += size;
    this.#outbox.push({ message, size });
    this.#startPosting();
  }

  #startPosting() {
    if (!this.#isPosting) this.#post().catch(() => this.#end(ABNORMAL, '', false));
  }

  /** One post at a time: the answer says that the route has taken it. */
  async #post() {
    this.#isPosting = true;
    // What is sent together goes together.
    await null;
    while ((this.#outbox.length > 0 || this.#owesSeen) && !this.#isOver) {
      let bytes = 0;
      let count = 0;
      while (count < this.#outbox.length && (count === 0 || bytes + this.#outbox[count].size <= MAXIMUM_POST_BYTES)) {
        bytes += this.#outbox[count++].size;
      }
      const seen = this.#resumes && this.#reader ? this.#count : undefined;
      this.#owesSeen = false;
      const batch = this.#outbox.splice(0, count);
      const messages = batch.map(({ message }) => message);
      await this.#insist('/tunnel', { session: this.#session, from: this.#next, messages, seen });
      this.#next += count;
      this.bufferedAmount -= bytes;
    }
    this.#isPosting = false;
  }
}

const WAYS = ['direct', 'stream', 'poll'];
/** By the server's origin. */
const remembered = new Map();

/** The interface of the WHATWG's WebSockets standard. */
export class FallbackWebSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  CONNECTING = 0;
  OPEN = 1;
  CLOSING = 2;
  CLOSED = 3;

  binaryType = 'blob';
  #url;
  #protocols;
  #protocol = '';
  #extensions = '';
  #state = 0;
  #carrier = null;
  #way = 0;
  #timer = null;
  #with;
  #handlers = {};
  /** Blobs are read one after the other, so that messages keep their order. */
  #sending = null;
  #pendingBytes = 0;

  constructor(url, protocols = [], injected = {}) {
    super();
    this.#with = { ...surroundings, ...injected };
    const absolute = new URL(url, globalThis.location?.href);
    absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
    if (!/^wss?:$/.test(absolute.protocol)) throw problem(`The scheme ${absolute.protocol} is not ws or wss.`, 'SyntaxError');
    if (absolute.hash) throw problem('The URL has a fragment.', 'SyntaxError');
    this.#protocols = [protocols].flat().map(String);
    const isToken = (text) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
    if (!this.#protocols.every(isToken) || new Set(this.#protocols).size < this.#protocols.length) {
      throw problem('The subprotocols are not different tokens.', 'SyntaxError');
    }
    this.#url = absolute.href;
    this.#way = Math.max(this.#with.WebSocket ? 0 : 1, remembered.get(absolute.origin) ?? 0);
    this.#attempt();
  }

  get url() { return this.#url; }
  get protocol() { return this.#protocol; }
  get extensions() { return this.#extensions; }
  get readyState() { return this.#state; }
  get bufferedAmount() { return this.#pendingBytes + (this.#carrier?.bufferedAmount ?? 0); }
  /** How it is carried: `direct`, `stream` or `poll`. */
  get way() { return WAYS[this.#way]; }

  send(data) {
    if (this.#state === 0) throw problem('The WebSocket is not open yet.', 'InvalidStateError');
    if (this.#state !== 1) return;
    if (data instanceof Blob || this.#sending) return this.#sendLater(data);
    this.#carrier.send(this.#plain(data));
  }

  close(code, reason = '') {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw problem('The code is neither 1000 nor between 3000 and 4999.', 'InvalidAccessError');
    }
    if (encoder.encode(reason).length > MAXIMUM_REASON_BYTES) throw problem('The reason is too long.', 'SyntaxError');
    if (this.#state >= 2) return;
    const wasOpen = this.#state === 1;
    this.#state = 2;
    if (!wasOpen) {
      this.#carrier.abort();
      return queueMicrotask(() => this.#finish(ABNORMAL, '', false, true));
    }
    const close = () => this.#carrier?.close(code, reason);
    if (this.#sending) this.#sending.then(close);
    else close();
  }

  #plain(data) {
    if (data instanceof ArrayBuffer) return data.slice(0);
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    return String(data);
  }

  #sendLater(data) {
    const plain = data instanceof Blob ? data : this.#plain(data);
    const size = plain.size ?? plain.byteLength ?? encoder.encode(plain).length;
    this.#pendingBytes += size;
    const sending = (this.#sending ?? Promise.resolve())
      .then(() => (plain instanceof Blob ? plain.arrayBuffer() : plain))
      .then((bytes) => {
        this.#pendingBytes -= size;
        if (this.#sending === sending) this.#sending = null;
        this.#carrier?.send(bytes);
      });
    this.#sending = sending;
  }

  // What carries it.

  #attempt() {
    const owner = {
      opened: (...chosen) => { if (this.#carrier === carrier || !carrier) this.#opened(...chosen); },
      received: (data) => { if (this.#carrier === carrier) this.#received(data); },
      ended: (...end) => { if (this.#carrier === carrier) this.#ended(...end); },
    };
    const carrier = this.way === 'direct'
      ? new Direct(this.#url, this.#protocols, owner, this.#with)
      : new Tunnel(this.#url, this.#protocols, owner, this.#with, this.way === 'stream');
    this.#carrier = carrier;
    this.#timer = this.#with.setTimeout(() => {
      carrier.abort();
      this.#ended(ABNORMAL, '', false);
    }, OPENING_TIMEOUT_MS);
  }

  #opened(protocol, extensions) {
    if (this.#state !== 0) return;
    this.#with.clearTimeout(this.#timer);
    remembered.set(new URL(this.#url).origin, this.#way);
    this.#state = 1;
    this.#protocol = protocol;
    this.#extensions = extensions;
    this.#tell(new Event('open'));
  }

  #received(data) {
    if (this.#state !== 1) return;
    const isBlob = typeof data !== 'string' && this.binaryType === 'blob';
    this.#tell(new MessageEvent('message', { data: isBlob ? new Blob([data]) : data, origin: new URL(this.#url).origin }));
  }

  #ended(code, reason, wasClean) {
    this.#with.clearTimeout(this.#timer);
    // Whether the network or the server does not want it cannot be told: the next way may get through.
    if (this.#state === 0 && this.#way < WAYS.length - 1) {
      this.#way++;
      return this.#attempt();
    }
    if (this.#state === 0) remembered.delete(new URL(this.#url).origin);
    this.#finish(code, reason, wasClean, this.#state === 0 || !wasClean);
  }

  #finish(code, reason, wasClean, hasFailed) {
    if (this.#state === 3) return;
    this.#with.clearTimeout(this.#timer);
    this.#state = 3;
    this.#carrier = null;
    if (hasFailed) this.#tell(new Event('error'));
    this.#tell(Object.assign(new Event('close'), { code, reason, wasClean }));
  }

  #tell(event) { this.dispatchEvent(event); }

  // onopen and its like.

  #setHandler(type, handler) {
    this.removeEventListener(type, this.#handlers[type]);
    this.#handlers[type] = typeof handler === 'function' ? handler : null;
    if (this.#handlers[type]) this.addEventListener(type, this.#handlers[type]);
  }

  get onopen() { return this.#handlers.open ?? null; }
  set onopen(handler) { this.#setHandler('open', handler); }
  get onmessage() { return this.#handlers.message ?? null; }
  set onmessage(handler) { this.#setHandler('message', handler); }
  get onerror() { return this.#handlers.error ?? null; }
  set onerror(handler) { this.#setHandler('error', handler); }
  get onclose() { return this.#handlers.close ?? null; }
  set onclose(handler) { this.#setHandler('close', handler); }
}
