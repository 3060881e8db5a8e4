// A server that is spoken to by requests, for the tests of martlet-fallbacks.js: the test answers them one by one.

import { World, settle } from './fakes.js';

/** One request, and what the test's server does about it. */
export class FakeRequest {
  #resolve;
  #reject;
  #stream = null;
  isAborted = false;

  constructor(url, { method, headers, body, signal }) {
    Object.assign(this, { url, method, headers, text: body });
    this.path = new URL(url).pathname;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener('abort', () => {
      this.isAborted = true;
      this.fail();
      this.#stream?.error(new Error('aborted'));
    });
  }

  get json() { return JSON.parse(this.text); }
  /** Commands of a post or a poll. */
  get commands() { return this.json.data === '' ? [] : this.json.data.split('\n').map((line) => JSON.parse(line)); }

  answer(status, json) {
    this.#resolve({ ok: status < 300, status, statusText: String(status), json: async () => json });
  }
  /** The network loses it. */
  fail() { this.#reject(new TypeError('network error')); }

  /** The response begins. */
  stream() {
    const body = new ReadableStream({ start: (controller) => { this.#stream = controller; } });
    this.#resolve({ ok: true, status: 200, body });
  }
  /** Bytes of the body come. */
  bytes(...bytes) { this.#stream.enqueue(new Uint8Array(bytes)); }
  text8(text) { this.bytes(...new TextEncoder().encode(text)); }
  lines(...replies) { this.text8(replies.map((reply) => `${JSON.stringify(reply)}\n`).join('')); }
  end() { this.#stream.close(); }
  cut() { this.#stream.error(new TypeError('network error')); }
}

class FakeSource {
  isClosed = false;

  constructor(url) { this.url = url; }
  close() { this.isClosed = true; }
  event(reply) { this.onmessage({ data: JSON.stringify(reply) }); }
}

/** A client whose server has no WebSockets. */
export class HTTPWorld extends World {
  requests = [];
  sources = [];

  constructor(options = {}) {
    const requests = [];
    const sources = [];
    super({
      fetch: (url, init) => {
        const request = new FakeRequest(url, init);
        requests.push(request);
        return request.response;
      },
      EventSource: class extends FakeSource {
        constructor(url) {
          super(url);
          sources.push(this);
        }
      },
      storage: null,
      ...options,
    });
    Object.assign(this, { requests, sources });
  }

  get request() { return this.requests.at(-1); }
  to(path) { return this.requests.filter((request) => request.path === path); }

  /** The first request is on its way. */
  async begin() {
    this.client.connect();
    // The module with the fallbacks is loaded, which takes real time.
    for (let i = 0; i < 20 && this.requests.length + this.sources.length === 0; i++) {
      await this.clock.advance(0);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await settle();
  }
}

/** The answer to a connect command. */
export const connected = (id, more) => ({ id, connect: { client: 'c', session: '0-s', node: 'n', ...more } });

export class FakeStorage {
  items = new Map();
  getItem(key) { return this.items.get(key) ?? null; }
  setItem(key, value) { this.items.set(key, value); }
}
