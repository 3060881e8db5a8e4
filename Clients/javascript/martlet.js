// A client of Martlet for browsers: real-time messages over one connection that comes back by itself: a WebSocket, or,
// where the network has none, HTTP streaming, server-sent events or long-polling.
//
//   import { Client } from '/martlet.js';
//   const client = new Client();
//   const news = client.subscription('news:1');
//   news.on('publication', ({ data }) => console.log(data));
//   news.subscribe();
//   client.connect();
//
// It speaks Centrifugo's JSON protocol: https://centrifugal.dev/docs/transports/client_protocol
// Members whose names begin with an underscore are for this module only.

/**
 * A place in a channel's stream of publications.
 * @typedef {{ epoch: string, offset: number }} StreamPosition
 */
/**
 * Who published, joined or left.
 * @typedef {{ user: string, client: string, conn_info?: unknown, chan_info?: unknown }} ClientInfo
 */
/**
 * @typedef {object} Publication
 * @property {any} data
 * @property {number} [offset] its place in the channel's stream, if the channel has one
 * @property {ClientInfo} [info] who published it, if it was a client
 * @property {Record<string, string>} tags
 * @property {boolean} recovered whether it was missed while there was no connection
 */
/**
 * @typedef {{ publications: Publication[], offset: number, epoch: string }} History
 * @typedef {{ limit?: number, since?: StreamPosition, reverse?: boolean }} HistoryOptions
 */
/**
 * `getToken` is called when there is no token yet and whenever a fresh one is needed; a promise of an empty value means
 * that there is none to be had.
 * @typedef {object} SubscriptionOptions
 * @property {string} [token]
 * @property {(context: { channel: string }) => string | Promise<string>} [getToken]
 * @property {boolean} [recoverable] whether to ask for what was missed after a reconnect; true when not said
 * @property {boolean} [joinLeave] whether to be told who comes and goes
 * @property {StreamPosition} [since] the first subscribe asks for what came after this
 * @property {string} [consumer] acknowledge publications under this name when their listeners are done with them
 */
/**
 * @typedef {'websocket' | 'http_stream' | 'sse' | 'poll'} TransportName
 */
/**
 * The last eight replace what the browser has, for tests.
 * @typedef {object} ClientOptions
 * @property {string} [token]
 * @property {() => string | Promise<string>} [getToken] like that of a subscription
 * @property {unknown} [data] goes to the server with the connect command
 * @property {string} [name] what the server is told that this client is
 * @property {TransportName[]} [transports] what may be tried, best first; all four when not said
 * @property {number} [queue] so many commands may wait for a connection, however long; else no longer than for a reply
 * @property {boolean} [persist] whether positions outlive the page: after a reload subscriptions go on where they were
 * @property {typeof globalThis.WebSocket} [WebSocket]
 * @property {typeof globalThis.fetch} [fetch]
 * @property {typeof globalThis.EventSource} [EventSource]
 * @property {Pick<Storage, 'getItem' | 'setItem'>} [storage]
 * @property {(f: () => void, milliseconds: number) => any} [setTimeout]
 * @property {(timer: any) => void} [clearTimeout]
 * @property {() => number} [random] from 0 up to, not including, 1
 * @property {() => number} [now] milliseconds
 */

const OPENING_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 5_000;
/** What has worked is given up after so many failures in a row. */
const PATIENCE = 3;
/** How much later than announced a ping may come. */
const PING_SLACK_MS = 10_000;
const BACKOFF_FLOOR_MS = 50;
const BACKOFF_START_MS = 500;
const BACKOFF_CEILING_MS = 20_000;
/** A token is renewed this long before it ends. */
const RENEWAL_MARGIN_MS = 10_000;
/** Longer timers fire at once in browsers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The codes of errors that arise here; those of the server begin at 100. */
const TIMEOUT = 1;
const CLIENT_DISCONNECTED = 3;
const NO_TOKEN = 5;
const UNSUBSCRIBED = 7;
const CONNECTION_CLOSED = 11;
const BAD_PROTOCOL = 12;
const QUEUE_FULL = 13;
const LISTENER_FAILED = 14;
const TOKEN_EXPIRED = 109;

/** Why there is no connection, or no subscription. Closed by the server: its code, from 2000 on. */
const CALLED = 0;
const TRANSPORT_CLOSED = 1;
const UNAUTHORIZED = 1;
const NO_PING = 2;
const CANNOT_OPEN = 2;
const SUBSCRIBE_TIMEOUT = 3;
const UNSUBSCRIBE_ERROR = 4;
const NOT_DEALT_WITH = 5;

/** After these close codes the server does not want to see this client again. */
const isTerminal = (code) => (code >= 3500 && code <= 3999) || (code >= 4500 && code <= 4999);

/** From this code on, an unsubscribe push means: come again. */
const FIRST_RESUBSCRIBE_CODE = 2500;

/** What a command, or the client, failed with. */
export class MartletError extends Error {
  /**
   * @param {number} code from 100 on the server's, below that the client's own
   * @param {string} message
   * @param {boolean} [temporary] whether the same may succeed later
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, temporary = false, options = undefined) {
    super(message, options);
    this.name = 'MartletError';
    this.code = code;
    this.temporary = temporary;
  }
}

const timeoutError = () => new MartletError(TIMEOUT, 'timeout', true);
const disconnectedError = () => new MartletError(CLIENT_DISCONNECTED, 'client disconnected');
const unsubscribedError = () => new MartletError(UNSUBSCRIBED, 'not subscribed');

class Emitter {
  /** @type {Map<string, Set<Function>>} */
  #listeners = new Map();

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   * @returns {() => void} takes the listener off
   */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.off(type, listener);
  }

  /** @param {string} type @param {(event: any) => void} listener */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /** A listener that throws is reported as uncaught; it keeps neither the others nor the protocol from going on. */
  _emit(type, event) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }

  /** Waits for what the listeners promise; fails if one of them does. */
  async _emitted(type, event) {
    const listeners = [...(this.#listeners.get(type) ?? [])];
    const outcomes = await Promise.allSettled(listeners.map(async (listener) => listener(event)));
    for (const { status, reason } of outcomes) if (status === 'rejected') throw reason;
  }
}

/** How far a channel's stream has been shown. */
class Position {
  epoch = '';
  offset = 0;
  /** Whether the server can tell what comes after this. */
  isRecoverable = false;

  /** @param {StreamPosition} [since] */
  constructor(since) {
    if (since) Object.assign(this, { epoch: since.epoch, offset: since.offset, isRecoverable: true });
  }

  /** The members of a subscribe command. */
  get request() {
    return this.isRecoverable ? { recover: true, epoch: this.epoch, offset: this.offset } : {};
  }

  /**
   * Starts from a subscribe reply.
   * @returns the reply's publications that have not been shown
   */
  start({ epoch = '', offset = 0, recoverable = false, publications = [] }) {
    const shown = epoch === this.epoch ? this.offset : 0;
    const missed = publications.filter((publication) => !publication.offset || publication.offset > shown);
    this.epoch = epoch;
    this.isRecoverable = recoverable;
    // Each of those missed moves it on when it is shown: a listener may unsubscribe amid them.
    this.offset = missed.length > 0 ? (missed[0].offset ?? offset + 1) - 1 : Math.max(offset, shown);
    return missed;
  }

  /** Whether the publication has not been shown; it counts as shown from now on. Without an offset nobody can know. */
  advance({ offset }) {
    if (!offset) return true;
    if (offset <= this.offset) return false;
    this.offset = offset;
    return true;
  }
}

/** What a subscribe reply tells the page. */
const subscribedEvent = (reply, missed) => ({
  wasRecovering: reply.was_recovering ?? false,
  recovered: reply.recovered ?? false,
  recoverable: reply.recoverable ?? false,
  epoch: reply.epoch ?? '',
  offset: reply.offset ?? 0,
  missed: missed.length,
  ...(reply.consumer && { consumer: reply.consumer }),
});

/** @returns {Publication} */
const publicationEvent = ({ data, offset, info, tags = {} }, recovered) => ({ data, offset, info, tags, recovered });

/** What is injected for tests, and the waiting times made of it. */
class Surroundings {
  // The browser's timers refuse to be called as methods of anything but the window.
  constructor({
    WebSocket = globalThis.WebSocket,
    fetch = globalThis.fetch && ((...request) => globalThis.fetch(...request)),
    EventSource = globalThis.EventSource,
    storage,
    setTimeout = (f, milliseconds) => globalThis.setTimeout(f, milliseconds),
    clearTimeout = (timer) => globalThis.clearTimeout(timer),
    random = () => Math.random(),
    now = () => Date.now(),
  }) {
    Object.assign(this, { WebSocket, fetch, EventSource, storage, setTimeout, clearTimeout, random, now });
  }

  // Browsers may forbid storage to a page: then nothing is remembered.
  recall(key) {
    try { return JSON.parse((this.storage ?? globalThis.sessionStorage).getItem(key)); } catch { return null; }
  }

  remember(key, value) {
    try { (this.storage ?? globalThis.sessionStorage).setItem(key, JSON.stringify(value)); } catch { /* see above */ }
  }

  wait(milliseconds) { return new Promise((resolve) => this.setTimeout(resolve, milliseconds)); }

  /** Full jitter: a thousand clients that lost the same server do not come back at the same moment. */
  backoff(attempts) {
    const ceiling = Math.min(BACKOFF_CEILING_MS, BACKOFF_START_MS * 2 ** attempts);
    return Math.max(BACKOFF_FLOOR_MS, this.random() * ceiling);
  }

  timer() { return new Timer(this); }
}

/** One timer that can be set again. */
class Timer {
  #surroundings;
  #running = null;

  constructor(surroundings) { this.#surroundings = surroundings; }

  get isSet() { return this.#running !== null; }

  set(milliseconds, f) {
    this.clear();
    this.#running = this.#surroundings.setTimeout(() => {
      this.#running = null;
      f();
    }, Math.min(milliseconds, LONGEST_TIMER_MS));
  }

  clear() {
    if (this.#running !== null) this.#surroundings.clearTimeout(this.#running);
    this.#running = null;
  }
}

/** What there is to speak over, best first; each with what the browser needs for it. */
const TRANSPORTS = { websocket: 'WebSocket', http_stream: 'fetch', sse: 'EventSource', poll: 'fetch' };

/** The ways to the server: every address by every transport, and how well they went. */
class Ways {
  #ways;
  #place;
  #surroundings;
  #key;
  #failures = 0;
  #hasWorked;
  #fallbacks;

  constructor(urls, transports, surroundings) {
    this.#surroundings = surroundings;
    const usable = transports.filter((name) => surroundings[TRANSPORTS[name]]);
    this.#ways = usable.flatMap((name) => urls.map((url) => ({ name, url })));
    this.#key = `martlet ${urls[0]}`;
    const remembered = surroundings.recall(this.#key);
    this.#place = this.#ways.findIndex(({ name }) => name === remembered);
    this.#hasWorked = this.#place >= 0;
    this.#place = Math.max(0, this.#place);
  }

  get name() { return this.#ways[this.#place].name; }

  /** Who never needs anything but a WebSocket never loads the rest. */
  get isLoaded() { return this.name === 'websocket' || this.#fallbacks !== undefined; }
  async load() { this.#fallbacks = await import('./martlet-fallbacks.js'); }

  open() {
    const { name, url } = this.#ways[this.#place];
    if (name === 'websocket') return new this.#surroundings.WebSocket(url);
    return new this.#fallbacks[name](url, this.#surroundings);
  }

  worked() {
    this.#hasWorked = true;
    this.#failures = 0;
    this.#surroundings.remember(this.#key, this.name);
  }

  /** On to the next, which is another address first; what has worked deserves some patience. */
  failed() {
    const next = (this.#place + 1) % this.#ways.length;
    const isSameTransport = this.#ways[next].name === this.name;
    if (++this.#failures < PATIENCE && this.#hasWorked && !isSameTransport) return;
    if (!isSameTransport) this.#failures = 0;
    this.#place = next;
  }
}

/** A token that is fetched when it is missing, and renewed before it ends. */
class Token {
  #value;
  #getToken;
  #owner;
  #surroundings;
  #renewal;
  /** Goes up when renewal stops: what is under way is ignored. */
  #turn = 0;

  /**
   * @param {Surroundings} surroundings
   * @param {string | undefined} value
   * @param {(() => string | Promise<string>) | undefined} getToken
   * @param {{ refresh: Function, warn: Function, end: Function }} owner sends the token to the server, is told of an
   *   attempt that failed, and of the last one
   */
  constructor(surroundings, value, getToken, owner) {
    this.#surroundings = surroundings;
    this.#value = value || undefined;
    this.#getToken = getToken;
    this.#owner = owner;
    this.#renewal = surroundings.timer();
  }

  get value() { return this.#value; }
  get isMissing() { return this.#value === undefined && this.isRenewable; }
  get isRenewable() { return this.#getToken !== undefined; }

  forget() { this.#value = undefined; }

  /** It is still missing afterwards if there is none to be had. */
  async fetch() {
    try {
      this.#value = (await this.#getToken()) || undefined;
    } catch (cause) {
      throw new MartletError(NO_TOKEN, 'getToken failed', true, { cause });
    }
  }

  /** Renews it before the time is over that a reply gives it. */
  keep({ expires = false, ttl = 0 }) {
    this.stop();
    if (!expires || !this.isRenewable) return;
    const milliseconds = ttl * 1_000;
    const margin = Math.min(RENEWAL_MARGIN_MS, milliseconds / 2);
    this.#renewal.set(Math.max(1_000, milliseconds - margin), () => this.#renew());
  }

  stop() {
    this.#turn++;
    this.#renewal.clear();
  }

  async #renew() {
    const turn = this.#turn;
    const error = await this.fetch().then(() => null, (error) => error);
    if (turn !== this.#turn) return;
    if (error) return this.#renewLater(error);
    if (this.isMissing) return this.#owner.end(UNAUTHORIZED, 'unauthorized');
    this.#owner.refresh(this.#value, (error, reply) => {
      if (turn !== this.#turn) return;
      if (!error) this.keep(reply);
      else if (error.temporary || error.code === TOKEN_EXPIRED) this.#renewLater(error);
      else this.#owner.end(error.code, error.message);
    });
  }

  #renewLater(error) {
    this.#renewal.set(5_000 + this.#surroundings.random() * 5_000, () => this.#renew());
    this.#owner.warn(error);
  }
}

/** Commands, from when they are issued until they are answered. */
class Commands {
  #surroundings;
  #lastID = 0;
  /** Those sent, by identifier. */
  #sent = new Map();
  /** Those that wait for a connection. */
  #waiting = new Set();

  /** How many may wait for however long. */
  #capacity;

  constructor(surroundings, capacity = 0) {
    this.#surroundings = surroundings;
    this.#capacity = capacity;
  }

  /**
   * @param {string} method @param {object} parameters
   * @param {((text: string) => void) | null} transmit null: it waits for `flush`
   * @param {(error: MartletError | null, result: any) => void} done called once
   */
  issue(method, parameters, transmit, done, timeout = COMMAND_TIMEOUT_MS) {
    const command = { method, text: JSON.stringify(parameters), done, id: 0, timer: this.#surroundings.timer() };
    const isPatient = this.#capacity > 0 && !transmit;
    if (isPatient && this.#waiting.size >= this.#capacity) {
      return done(new MartletError(QUEUE_FULL, 'too many commands wait for a connection', true));
    }
    if (!isPatient) this.#setTimer(command, timeout);
    if (transmit) this.#transmit(command, transmit);
    else this.#waiting.add(command);
  }

  #setTimer(command, timeout) {
    command.timer.set(timeout, () => {
      this.#forget(command);
      command.done(timeoutError());
    });
  }

  flush(transmit) {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const command of waiting) {
      if (!command.timer.isSet) this.#setTimer(command, COMMAND_TIMEOUT_MS);
      this.#transmit(command, transmit);
    }
  }

  #transmit(command, transmit) {
    // Nobody answers what is only sent.
    if (command.method === 'send' || command.method === 'ack') {
      command.timer.clear();
      transmit(`{"${command.method}":${command.text}}`);
      return command.done(null, {});
    }
    command.id = ++this.#lastID;
    this.#sent.set(command.id, command);
    transmit(`{"id":${command.id},"${command.method}":${command.text}}`);
  }

  answered({ id, error, ...results }) {
    const command = this.#sent.get(id);
    if (!command) return;
    this.#forget(command);
    if (error) command.done(new MartletError(error.code, error.message, error.temporary ?? false));
    else command.done(null, results[command.method] ?? {});
  }

  /** The connection is gone: nobody will answer what was sent. Whether it was done is not known. */
  failSent() {
    this.#lastID = 0;
    this.#fail(this.#sent.values(), new MartletError(CONNECTION_CLOSED, 'connection closed', true));
  }

  failWaiting() {
    this.#fail(this.#waiting, disconnectedError());
  }

  #fail(commands, error) {
    for (const command of [...commands]) {
      this.#forget(command);
      command.done(error);
    }
  }

  #forget(command) {
    command.timer.clear();
    this.#sent.delete(command.id);
    this.#waiting.delete(command);
  }
}

/**
 * A channel as one client hears it. Made by `client.subscription`.
 *
 * Events: `subscribing`, `subscribed`, `unsubscribed`, `publication`, `join`, `leave`, `error`. It stays subscribed
 * over reconnects; what was missed is asked for and told as `publication` after `subscribed`; nothing is told twice.
 */
export class Subscription extends Emitter {
  /** @type {'unsubscribed' | 'subscribing' | 'subscribed'} */
  #state = 'unsubscribed';
  #client;
  #options;
  #token;
  #position;
  #surroundings;
  #retry;
  #attempts = 0;
  /** Goes up with every attempt and every end: what belongs to an earlier turn is ignored. */
  #turn = 0;
  /** Whether the server may know of the subscription, so that it has to be told of its end. */
  #isAsked = false;
  /** Calls that wait until it is subscribed. */
  #waiting = new Set();
  /** Publications to be shown one after the other; the first is being dealt with. */
  #backlog = [];
  /** The last publication that was dealt with. */
  #done = { epoch: '', offset: 0 };
  /** How often in a row it was not dealt with. */
  #failures = 0;
  /** Whether the server takes acknowledgements. */
  #consumes = false;

  /** @param {Client} client @param {string} channel @param {SubscriptionOptions} options */
  constructor(client, channel, options, surroundings) {
    super();
    /** @readonly */
    this.channel = channel;
    this.#client = client;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#token = new Token(surroundings, options.token, options.getToken && (() => options.getToken({ channel })), {
      refresh: (token, done) => client._request('sub_refresh', { channel, token }, done),
      warn: (error) => this._emit('error', error),
      end: (code, reason) => this.#end(code, reason),
    });
    this.#position = new Position(options.since);
    this.#retry = surroundings.timer();
  }

  get state() { return this.#state; }

  /** Asks the server, as soon as there is a connection, and again after every reconnect. */
  subscribe() {
    if (this.#state !== 'unsubscribed') return;
    if (!this.#client._has(this)) throw new MartletError(UNSUBSCRIBED, 'the subscription was removed');
    this.#await(CALLED, 'subscribe called');
  }

  /** Ends the subscription. Its place in the stream is kept: `subscribe()` asks for what comes between. */
  unsubscribe() { this.#end(CALLED, 'unsubscribe called'); }

  /** @param {unknown} data anything that JSON can say @returns {Promise<void>} */
  async publish(data) { await this.#call((timeout) => this.#client._publish(this.channel, data, timeout)); }

  /** @returns {Promise<{ clients: Record<string, ClientInfo> }>} who is subscribed, by client identifier */
  presence() { return this.#call((timeout) => this.#client._presence(this.channel, timeout)); }

  /** @returns {Promise<{ clients: number, users: number }>} how many are subscribed */
  presenceStats() { return this.#call((timeout) => this.#client._presenceStats(this.channel, timeout)); }

  /**
   * The channel's last publications. Without a `limit` only the position; −1 is as many as the server gives at once.
   * @param {HistoryOptions} [options]
   * @returns {Promise<History>}
   */
  history(options) { return this.#call((timeout) => this.#client._history(this.channel, options, timeout)); }

  /** Waits until it is subscribed; that and the command have the time of one command together. */
  async #call(command) {
    const start = this.#surroundings.now();
    if (this.#state !== 'subscribed') await this.#subscribed();
    return command(Math.max(0, COMMAND_TIMEOUT_MS - (this.#surroundings.now() - start)));
  }

  #subscribed() {
    return new Promise((resolve, reject) => {
      if (this.#state === 'unsubscribed') return reject(unsubscribedError());
      if (this.#client.state === 'disconnected') return reject(disconnectedError());
      const timer = this.#surroundings.timer();
      const waiter = (error) => {
        this.#waiting.delete(waiter);
        timer.clear();
        if (error) reject(error);
        else resolve();
      };
      timer.set(COMMAND_TIMEOUT_MS, () => waiter(timeoutError()));
      this.#waiting.add(waiter);
    });
  }

  #tellWaiting(error) {
    for (const waiter of [...this.#waiting]) waiter(error);
  }

  /** Where to go on; null where that cannot be said. */
  get _position() {
    if (!this.#position.isRecoverable) return null;
    const { epoch, offset } = this.#consumes ? this.#done : this.#position;
    return { epoch, offset };
  }

  // What the client tells.

  _connected() {
    if (this.#state === 'subscribing') this.#ask();
  }

  _connectionLost() {
    this.#isAsked = false;
    if (this.#client.state === 'disconnected') {
      this.#tellWaiting(disconnectedError());
      this.#forgetBacklog();
    }
    if (this.#state === 'subscribed') return this.#await(TRANSPORT_CLOSED, 'transport closed');
    // The next connection asks at once; until then an attempt under way is void.
    this.#turn++;
    this.#retry.clear();
  }

  _push({ pub, join, leave, unsubscribe }) {
    if (unsubscribe && this.#state !== 'unsubscribed') return this.#unsubscribedByServer(unsubscribe);
    if (this.#state !== 'subscribed') return;
    if (pub) this.#show(pub, false);
    if (join) this._emit('join', join.info);
    if (leave) this._emit('leave', leave.info);
  }

  #unsubscribedByServer({ code, reason = '' }) {
    this.#isAsked = false;
    if (code < FIRST_RESUBSCRIBE_CODE) return this.#end(code, reason);
    if (this.#token.isRenewable) this.#token.forget();
    // To a consumer it says that there is more.
    this.#await(code, reason, this.#consumes ? BACKOFF_FLOOR_MS : this.#surroundings.backoff(this.#attempts++));
  }

  #show(publication, recovered) {
    if (!this.#position.advance(publication)) return;
    const event = publicationEvent(publication, recovered);
    if (!this.#consumes) return this._emit('publication', event);
    const { epoch, offset } = this.#position;
    if (this.#backlog.push({ event, place: { epoch, offset } }) === 1) this.#work();
  }

  async #work() {
    while (this.#backlog.length > 0) {
      const { event, place } = this.#backlog[0];
      try {
        await this._emitted('publication', event);
      } catch (cause) {
        return this.#failed(cause);
      }
      this.#failures = 0;
      this.#backlog.shift();
      if (!event.offset) continue;
      this.#done = place;
      this.#acknowledge();
    }
    if (this.#state === 'subscribing' && !this.#retry.isSet) this.#ask();
  }

  #acknowledge() {
    const { epoch, offset } = this.#done;
    if (this.#state !== 'subscribed' || !this.#consumes || epoch !== this.#position.epoch) return;
    this.#client._request('ack', { channel: this.channel, offset }, () => {});
  }

  /** What a listener could not deal with comes again, with all that came after it. */
  #failed(cause) {
    this.#backlog = [];
    Object.assign(this.#position, this.#done);
    this._emit('error', new MartletError(LISTENER_FAILED, 'a listener failed', true, { cause }));
    if (this.#state === 'unsubscribed') return;
    if (this.#isAsked) this.#tellServer();
    this.#await(NOT_DEALT_WITH, 'not dealt with', this.#surroundings.backoff(this.#failures++));
  }

  /** What waits is not shown any more; what is being dealt with is not shown again. */
  #forgetBacklog() {
    if (!this.#consumes) return;
    this.#backlog.length = Math.min(1, this.#backlog.length);
    Object.assign(this.#position, this.#backlog[0]?.place ?? this.#done);
  }

  // From asking to being answered.

  #await(code, reason, delay = 0) {
    const turn = ++this.#turn;
    this.#state = 'subscribing';
    this.#token.stop();
    if (delay > 0) this.#retry.set(delay, () => this.#ask());
    this._emit('subscribing', { code, reason });
    if (turn === this.#turn && delay === 0) this.#ask();
  }

  async #ask() {
    this.#retry.clear();
    // The server would send again what is not dealt with.
    if (this.#client.state !== 'connected' || this.#backlog.length > 0) return;
    const turn = ++this.#turn;
    if (this.#token.isMissing) {
      const error = await this.#token.fetch().then(() => null, (error) => error);
      if (turn !== this.#turn) return;
      if (error) return this.#tryAgain(error);
      if (this.#token.isMissing) return this.#end(UNAUTHORIZED, 'unauthorized');
    }
    const { recoverable = true, joinLeave = false, consumer } = this.#options;
    const parameters = { channel: this.channel, token: this.#token.value };
    if (recoverable) parameters.recoverable = true;
    if (joinLeave) parameters.join_leave = true;
    if (consumer) parameters.consumer = consumer;
    this.#isAsked = true;
    this.#client._request('subscribe', { ...parameters, ...this.#position.request }, (error, reply) => {
      if (turn !== this.#turn) return;
      if (error) this.#refused(error);
      else this.#accepted(reply);
    });
  }

  #refused(error) {
    // The answer may still come: only a new connection makes client and server agree again.
    if (error.code === TIMEOUT) return this.#client._reconnect(SUBSCRIBE_TIMEOUT, 'subscribe timeout');
    this.#isAsked = false;
    const isExpired = error.code === TOKEN_EXPIRED && this.#token.isRenewable;
    if (isExpired) this.#token.forget();
    if (isExpired || error.temporary) this.#tryAgain(error);
    else this.#end(error.code, error.message);
  }

  #tryAgain(error) {
    this.#retry.set(this.#surroundings.backoff(this.#attempts++), () => this.#ask());
    this._emit('error', error);
  }

  #accepted(reply) {
    const turn = this.#turn;
    this.#state = 'subscribed';
    this.#attempts = 0;
    this.#token.keep(reply);
    const missed = this.#position.start(reply);
    this.#done = { epoch: this.#position.epoch, offset: this.#position.offset };
    this.#consumes = reply.consumer !== undefined;
    // Their acknowledgement was lost.
    if (missed.length < reply.publications?.length) this.#acknowledge();
    this.#tellWaiting();
    this._emit('subscribed', subscribedEvent(reply, missed));
    for (const publication of missed) {
      if (turn !== this.#turn) return;
      this.#show(publication, true);
    }
  }

  #end(code, reason) {
    if (this.#state === 'unsubscribed') return;
    this.#turn++;
    this.#state = 'unsubscribed';
    this.#forgetBacklog();
    this.#attempts = 0;
    this.#retry.clear();
    this.#token.stop();
    if (this.#isAsked) this.#tellServer();
    this.#tellWaiting(unsubscribedError());
    this._emit('unsubscribed', { code, reason });
  }

  #tellServer() {
    this.#isAsked = false;
    this.#client._request('unsubscribe', { channel: this.channel }, (error) => {
      if (error) this.#client._reconnect(UNSUBSCRIBE_ERROR, 'unsubscribe error');
    });
  }
}

/**
 * One connection to the server, and the subscriptions that share it.
 *
 * Events: `connecting` ({code, reason, delay}: an attempt follows after `delay` milliseconds), `connected`,
 * `disconnected`, `error`; and for channels that the server subscribes this client to: `subscribed`, `unsubscribed`,
 * `publication`, `join`, `leave`, each with its `channel`; and `message` for what the server sends outside of channels.
 */
export class Client extends Emitter {
  /** @type {'disconnected' | 'connecting' | 'connected'} */
  #state = 'disconnected';
  #ways;
  /** Under what name positions are kept; what was kept. */
  #key;
  #kept;
  #options;
  #surroundings;
  #token;
  #commands;
  #socket = null;
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** How far the channels were shown that the server subscribed this client to. @type {Map<string, Position>} */
  #serverSide = new Map();
  #attempts = 0;
  /** Goes up with every attempt and every end: what belongs to an earlier turn is ignored. */
  #turn = 0;
  /** The next attempt, or the end of this one. */
  #timer;
  #silence;
  #lastHeard = 0;
  #answersPings = false;
  /** Whether the last attempt failed because the token was expired. */
  #wasExpired = false;

  /**
   * @param {string | string[]} [url] `ws://` or `wss://`, or several of them: the next is tried when one fails;
   *   /connection/websocket at the page's origin when not said
   * @param {ClientOptions} [options]
   */
  constructor(url = '/connection/websocket', options = {}) {
    super();
    const urls = [url].flat().map((url) => {
      const absolute = new URL(url, globalThis.location?.href);
      absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
      return absolute.href;
    });
    this.#options = options;
    this.#surroundings = new Surroundings(options);
    this.#ways = new Ways(urls, options.transports ?? Object.keys(TRANSPORTS), this.#surroundings);
    this.#key = `martlet positions ${urls[0]}`;
    if (options.persist) {
      this.#kept = this.#surroundings.recall(this.#key) ?? {};
      // The last moment of a page that is certain to be told.
      globalThis.addEventListener?.('pagehide', () => this.#keep());
    }
    this.#token = new Token(this.#surroundings, options.token, options.getToken && (() => options.getToken()), {
      refresh: (token, done) => this._request('refresh', { token }, done),
      warn: (error) => this._emit('error', error),
      end: (code, reason) => this.#end(code, reason),
    });
    this.#commands = new Commands(this.#surroundings, options.queue);
    this.#timer = this.#surroundings.timer();
    this.#silence = this.#surroundings.timer();
  }

  get state() { return this.#state; }

  /** What it speaks over, or tries to. @returns {TransportName} */
  get transport() { return this.#ways.name; }

  /** Connects, and stays connected until `disconnect()` or until the server does not want it. */
  connect() {
    if (this.#state !== 'disconnected') return;
    this.#attempts = 0;
    globalThis.addEventListener?.('online', this.#online);
    this.#retry(CALLED, 'connect called', 0);
  }

  /** Closes the connection. Subscriptions come back with the next `connect()`. */
  disconnect() { this.#end(CALLED, 'disconnect called'); }

  /**
   * The subscription to a channel: always the same one, made with the first call's options. It waits for `subscribe()`.
   * @param {string} channel
   * @param {SubscriptionOptions} [options]
   */
  subscription(channel, options = {}) {
    let subscription = this.#subscriptions.get(channel);
    if (!subscription) {
      const since = options.since ?? this.#kept?.[channel];
      subscription = new Subscription(this, channel, { ...options, since }, this.#surroundings);
      this.#subscriptions.set(channel, subscription);
    }
    return subscription;
  }

  /**
   * Unsubscribes for good: the next `subscription` for the channel is another one.
   * @param {Subscription} subscription
   */
  remove(subscription) {
    if (!this._has(subscription)) return;
    subscription.unsubscribe();
    this.#subscriptions.delete(subscription.channel);
  }

  // Commands. While there is no connection yet they wait for it, no longer than for a reply.

  /** @param {string} channel @param {unknown} data anything that JSON can say @returns {Promise<void>} */
  publish(channel, data) { return this._publish(channel, data); }

  /** As for a subscription. @param {string} channel @param {HistoryOptions} [options] @returns {Promise<History>} */
  history(channel, options) { return this._history(channel, options); }

  /** @param {string} channel @returns {Promise<{ clients: Record<string, ClientInfo> }>} */
  presence(channel) { return this._presence(channel); }

  /** @param {string} channel @returns {Promise<{ clients: number, users: number }>} */
  presenceStats(channel) { return this._presenceStats(channel); }

  /** @param {string} method @param {unknown} [data] @returns {Promise<{ data: any }>} */
  async rpc(method, data) {
    const { data: result } = await this.#call('rpc', { method, data });
    return { data: result };
  }

  /** Sends data that nobody answers. @param {unknown} data @returns {Promise<void>} */
  async send(data) { await this.#call('send', { data }); }

  async _publish(channel, data, timeout) { await this.#call('publish', { channel, data }, timeout); }

  async _history(channel, { limit, since, reverse } = {}, timeout) {
    const page = await this.#call('history', { channel, limit, since, reverse }, timeout);
    const { publications = [], offset = 0, epoch = '' } = page;
    return { publications: publications.map((publication) => publicationEvent(publication, false)), offset, epoch };
  }

  async _presence(channel, timeout) {
    const { presence = {} } = await this.#call('presence', { channel }, timeout);
    return { clients: presence };
  }

  async _presenceStats(channel, timeout) {
    const { num_clients: clients = 0, num_users: users = 0 } = await this.#call('presence_stats', { channel }, timeout);
    return { clients, users };
  }

  #call(method, parameters, timeout) {
    return new Promise((resolve, reject) => {
      if (this.#state === 'disconnected') return reject(disconnectedError());
      const transmit = this.#state === 'connected' ? this.#transmit : null;
      const done = (error, result) => (error ? reject(error) : resolve(result));
      this.#commands.issue(method, parameters, transmit, done, timeout);
    });
  }

  #keep() {
    const kept = { ...this.#kept };
    for (const [channel, { _position }] of this.#subscriptions) if (_position) kept[channel] = _position;
    this.#surroundings.remember(this.#key, kept);
  }

  // What subscriptions use.

  _has(subscription) { return this.#subscriptions.get(subscription.channel) === subscription; }
  /**
   * `done` is called before the next message is looked at (a promise would be late), and not at all if the connection
   * is lost: then everything begins anew.
   */
  _request(method, parameters, done) {
    this.#commands.issue(method, parameters, this.#transmit, (error, result) => {
      if (error?.code !== CONNECTION_CLOSED) done(error, result);
    });
  }

  _reconnect(code, reason) { this.#retry(code, reason); }

  // The connection.

  #transmit = (text) => this.#socket?.send(text);

  /** The network is back: no need to sit out the rest of a delay. */
  #online = () => {
    if (this.#state === 'connecting' && !this.#socket && this.#timer.isSet) this.#attempt();
  };

  async #attempt() {
    this.#timer.clear();
    const turn = ++this.#turn;
    if (this.#token.isMissing) {
      const error = await this.#token.fetch().then(() => null, (error) => error);
      if (turn !== this.#turn) return;
      if (error) return this.#fail(error);
      if (this.#token.isMissing) return this.#end(UNAUTHORIZED, 'unauthorized');
    }
    if (!this.#ways.isLoaded) {
      await this.#ways.load().catch(() => {});
      if (turn !== this.#turn) return;
      if (!this.#ways.isLoaded) return this.#lost('transport not loaded');
    }
    this.#open();
  }

  #open() {
    let socket;
    try {
      socket = this.#ways.open();
    } catch (error) {
      return this.#end(CANNOT_OPEN, error.message);
    }
    this.#socket = socket;
    const ifCurrent = (f) => (event) => { if (socket === this.#socket) f(event); };
    socket.onopen = ifCurrent(() => this.#opened());
    socket.onmessage = ifCurrent(({ data }) => this.#received(data));
    socket.onclose = ifCurrent(({ code, reason }) => this.#closed(code, reason));
    // Node tells of a connection that could not be made by an error alone; in browsers the close follows.
    socket.onerror = ifCurrent(() => this.#lost('transport closed'));
    this.#timer.set(OPENING_TIMEOUT_MS, () => this.#lost('opening timeout'));
  }

  #opened() {
    this.#timer.clear();
    this.#socket.onerror = null;
    const { data, name = 'js' } = this.#options;
    const subs = {};
    for (const [channel, position] of this.#serverSide) {
      if (position.isRecoverable) subs[channel] = position.request;
    }
    const parameters = { token: this.#token.value, data, name };
    if (Object.keys(subs).length > 0) parameters.subs = subs;
    const turn = this.#turn;
    this._request('connect', parameters, (error, reply) => {
      if (turn !== this.#turn) return;
      if (error) this.#refused(error);
      else this.#connected(reply);
    });
  }

  #received(text) {
    const socket = this.#socket;
    this.#lastHeard = this.#surroundings.now();
    try {
      for (const line of text.split('\n')) {
        if (line !== '') this.#handle(JSON.parse(line));
        // Whoever was told something may have disconnected.
        if (socket !== this.#socket) return;
      }
    } catch (cause) {
      this.#fail(new MartletError(BAD_PROTOCOL, 'the server sent what is not the protocol', true, { cause }));
    }
  }

  #handle(reply) {
    if (reply.id) this.#commands.answered(reply);
    else if (reply.push) this.#push(reply.push);
    else if (this.#answersPings) this.#transmit('{}');
  }

  #closed(code, reason) {
    if (isTerminal(code)) this.#end(code, reason);
    else if (code >= 3000) this.#retry(code, reason);
    else this.#lost(reason || 'transport closed');
  }

  /** Nobody has said why. */
  #lost(reason) {
    if (this.#state === 'connecting') this.#ways.failed();
    this.#retry(TRANSPORT_CLOSED, reason);
  }

  // The states.

  #connected(reply) {
    const socket = this.#socket;
    this.#state = 'connected';
    this.#ways.worked();
    this.#attempts = 0;
    this.#wasExpired = false;
    this.#answersPings = reply.pong ?? false;
    if (reply.ping) this.#expectPing(reply.ping * 1_000 + PING_SLACK_MS);
    this.#token.keep(reply);
    // Subscriptions first: a command that waits may need one.
    for (const subscription of [...this.#subscriptions.values()]) subscription._connected();
    this.#commands.flush(this.#transmit);
    const { client, version = '', data, subs = {} } = reply;
    this._emit('connected', { client, version, data });
    if (socket !== this.#socket) return;
    const gone = [...this.#serverSide.keys()].filter((channel) => !(channel in subs));
    for (const channel of gone) this.#serverUnsubscribed(channel, { code: CALLED, reason: 'not subscribed any more' });
    for (const [channel, result] of Object.entries(subs)) {
      if (socket === this.#socket) this.#serverSubscribed(channel, result);
    }
  }

  /** The time of the last message is looked at when the timer fires: setting it anew for each would cost more. */
  #expectPing(patience, milliseconds = patience) {
    this.#silence.set(milliseconds, () => {
      const left = patience - (this.#surroundings.now() - this.#lastHeard);
      if (left > 0) this.#expectPing(patience, left);
      else this.#retry(NO_PING, 'no ping');
    });
  }

  #refused(error) {
    // A network that lets the stream begin and holds its bytes back looks like this, too.
    if (error.code === TIMEOUT) return this.#lost('connect timeout');
    if (error.code === TOKEN_EXPIRED && this.#token.isRenewable) {
      this.#token.forget();
      // At once, but not in a loop with a server that finds every token expired.
      const delay = this.#wasExpired ? undefined : 0;
      this.#wasExpired = true;
      return this.#retry(error.code, error.message, delay);
    }
    if (error.temporary) this.#fail(error);
    else this.#end(error.code, error.message);
  }

  /** This attempt, or this connection, came to nothing. */
  #fail(error) {
    const turn = this.#turn;
    this._emit('error', error);
    if (turn === this.#turn) this.#retry(TRANSPORT_CLOSED, error.message);
  }

  #retry(code, reason, delay = this.#surroundings.backoff(this.#attempts++)) {
    this.#state = 'connecting';
    this.#drop();
    this.#timer.set(delay, () => this.#attempt());
    this._emit('connecting', { code, reason, delay });
    this.#tellSubscriptions();
  }

  #end(code, reason) {
    if (this.#state === 'disconnected') return;
    this.#state = 'disconnected';
    this.#drop();
    globalThis.removeEventListener?.('online', this.#online);
    this.#commands.failWaiting();
    this._emit('disconnected', { code, reason });
    this.#tellSubscriptions();
  }

  #tellSubscriptions() {
    for (const subscription of [...this.#subscriptions.values()]) subscription._connectionLost();
  }

  #drop() {
    this.#turn++;
    this.#timer.clear();
    this.#silence.clear();
    this.#token.stop();
    const socket = this.#socket;
    this.#socket = null;
    this.#answersPings = false;
    socket?.close();
    this.#commands.failSent();
  }

  // Pushes.

  #push(push) {
    const { channel = '', disconnect, refresh, message } = push;
    if (disconnect) return this.#closed(disconnect.code, disconnect.reason);
    if (refresh) return this.#token.keep(refresh);
    if (message) return this._emit('message', { data: message.data });
    if (push.subscribe) return this.#serverSubscribed(channel, push.subscribe);
    if (this.#serverSide.has(channel)) this.#serverPush(channel, push);
    else this.#subscriptions.get(channel)?._push(push);
  }

  #serverSubscribed(channel, result) {
    const socket = this.#socket;
    const position = this.#serverSide.get(channel) ?? new Position();
    this.#serverSide.set(channel, position);
    const missed = position.start(result);
    this._emit('subscribed', { channel, ...subscribedEvent(result, missed) });
    for (const publication of missed) {
      if (socket !== this.#socket) return;
      this.#serverPublication(channel, publication, true);
    }
  }

  #serverPush(channel, { pub, join, leave, unsubscribe }) {
    if (pub) this.#serverPublication(channel, pub, false);
    if (join) this._emit('join', { channel, ...join.info });
    if (leave) this._emit('leave', { channel, ...leave.info });
    if (unsubscribe) this.#serverUnsubscribed(channel, unsubscribe);
  }

  #serverPublication(channel, publication, recovered) {
    if (!this.#serverSide.get(channel)?.advance(publication)) return;
    this._emit('publication', { channel, ...publicationEvent(publication, recovered) });
  }

  #serverUnsubscribed(channel, { code, reason = '' }) {
    this.#serverSide.delete(channel);
    this._emit('unsubscribed', { channel, code, reason });
  }
}
