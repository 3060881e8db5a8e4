// A network, a clock and a random source for the tests of martlet.js: nothing waits, everything is repeatable.

import { Client } from './martlet.js';

/** Lets everything happen that waits for promises only. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Time that passes when it is told to. */
export class FakeClock {
  time = 1_000_000;
  #lastTimer = 0;
  #timers = new Map();

  now = () => this.time;
  clearTimeout = (timer) => this.#timers.delete(timer);
  setTimeout = (f, milliseconds) => {
    // As in browsers: what does not fit 31 bits is no delay at all.
    if (milliseconds >= 2 ** 31) milliseconds = 0;
    const timer = ++this.#lastTimer;
    this.#timers.set(timer, { due: this.time + milliseconds, f });
    return timer;
  };

  get timerCount() { return this.#timers.size; }

  async advance(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      await settle();
      const [timer, { due, f } = {}] = [...this.#timers]
        .filter(([, { due }]) => due <= end)
        .sort(([, a], [, b]) => a.due - b.due)[0] ?? [];
      if (timer === undefined) break;
      this.#timers.delete(timer);
      this.time = Math.max(this.time, due);
      f();
    }
    this.time = end;
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export const seededRandom = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/** The client's end of a connection, with what the test's server does to it. */
class FakeSocket {
  sent = [];
  isClosedByClient = false;

  constructor(url) { this.url = url; }
  send(text) { this.sent.push(text); }
  close() { this.isClosedByClient = true; }

  /** The server accepts. */
  open() { this.onopen({}); }
  /** The server sends one message of these replies. */
  reply(...replies) { this.onmessage({ data: replies.map((reply) => JSON.stringify(reply)).join('\n') }); }
  push(channel, push) { this.reply({ push: { channel, ...push } }); }
  /** The connection ends from the server's side. */
  drop(code = 1006, reason = '') { this.onclose({ code, reason }); }

  /** The last command sent, or the last one of a method. */
  command(method) {
    return this.sent.map((text) => JSON.parse(text)).findLast((command) => !method || method in command);
  }
  count(method) { return this.sent.filter((text) => method in JSON.parse(text)).length; }
  /** Answers the last command of a method. */
  answer(method, result = {}) { this.reply({ id: this.command(method).id, [method]: result }); }
  refuse(method, code, message, temporary) {
    this.reply({ id: this.command(method).id, error: { code, message, temporary } });
  }
}

/** A client in a world of its own. */
export class World {
  clock = new FakeClock();
  sockets = [];
  /** What the client told, in order: [type, event]. */
  events = [];

  constructor({ url = 'ws://martlet.test/connection/websocket', ...options } = {}) {
    const { sockets, clock } = this;
    this.client = new Client(url, {
      WebSocket: class extends FakeSocket {
        constructor(url) {
          super(url);
          sockets.push(this);
        }
      },
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      now: clock.now,
      random: seededRandom(1),
      transports: ['websocket'],
      ...options,
    });
    this.record(this.client, ['connecting', 'connected', 'disconnected', 'error']);
  }

  record(emitter, types, events = this.events) {
    for (const type of types) emitter.on(type, (event) => events.push([type, event]));
    return events;
  }

  recordAll(subscription) {
    const types = ['subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'error'];
    return this.record(subscription, types, []);
  }

  /** The newest connection. */
  get socket() { return this.sockets.at(-1); }
  get types() { return this.events.map(([type]) => type); }
  last(type) { return this.events.findLast(([t]) => t === type)?.[1]; }

  /** Connects, and answers the connect command. */
  async connect(reply = {}) {
    this.client.connect();
    await this.clock.advance(0);
    await this.accept(reply);
  }

  /** The server accepts the newest connection and answers the connect command. */
  async accept(reply = {}) {
    this.socket.open();
    this.socket.answer('connect', { client: 'c1', version: '1', ...reply });
    await settle();
  }

  /** Waits out the delay that was told last. */
  async nextAttempt() { await this.clock.advance(this.last('connecting').delay); }

  /** A subscription that the server has answered. */
  async subscribe(channel, options, reply = {}) {
    const subscription = this.client.subscription(channel, options);
    subscription.subscribe();
    await settle();
    this.socket.answer('subscribe', reply);
    await settle();
    return subscription;
  }
}
