// One connection for all tabs of a site, held by a SharedWorker; where there is none, each tab has its own.
//
//   import { connectShared } from '/martlet-shared.js';
//   const client = connectShared('/connection/websocket', { token });
//   client.subscription('news:1').on('publication', ({ data }) => console.log(data));
//
// This file is both: the page imports it, and the worker is made of it. A shared client has what a `Client` has, but
// `send`, `remove` and `getToken` of subscriptions: subscriptions end when no tab wants them any more. What all tabs share
// (address, token, name, data) is taken from the first one that connects; tabs with other options share another connection.

import { Client, MartletError } from './martlet.js';

const CLIENT_EVENTS = [
  'connecting', 'connected', 'disconnected', 'error', 'message', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave',
];
const SUBSCRIPTION_EVENTS = ['subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'error'];
const CONNECTION_LOST = 11;

/** Errors cannot travel with their class: as an object, and back. */
const flat = (event) => (event instanceof MartletError
  ? { isError: true, code: event.code, message: event.message, temporary: event.temporary } : event);
const raised = ({ code, message, temporary }) => new MartletError(code, message, temporary);

class Emitter {
  #listeners = new Map();

  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.off(type, listener);
  }

  off(type, listener) { this.#listeners.get(type)?.delete(listener); }

  _emit(type, event) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(event?.isError ? raised(event) : event);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }
}

// The page's side.

/** A channel, as this tab hears it over the shared connection. */
class SharedSubscription extends Emitter {
  state = 'unsubscribed';
  #client;
  #options;

  constructor(client, channel, options) {
    super();
    /** @readonly */
    this.channel = channel;
    this.#client = client;
    this.#options = options;
  }

  subscribe() {
    if (this.state !== 'unsubscribed') return;
    this.state = 'subscribing';
    this.#client._tell({ do: 'subscribe', channel: this.channel, options: this.#options });
  }

  unsubscribe() {
    if (this.state === 'unsubscribed') return;
    this.#client._tell({ do: 'unsubscribe', channel: this.channel });
  }

  publish(data) { return this.#client.publish(this.channel, data); }
  presence() { return this.#client.presence(this.channel); }
  presenceStats() { return this.#client.presenceStats(this.channel); }
  history(options) { return this.#client.history(this.channel, options); }

  _told(type, event) {
    if (['subscribing', 'subscribed', 'unsubscribed'].includes(type)) this.state = type;
    this._emit(type, event);
  }
}

/** This tab's part of a client that lives in the worker. */
export class SharedClient extends Emitter {
  state = 'disconnected';
  transport = 'websocket';
  #port;
  #getToken;
  #subscriptions = new Map();
  #calls = new Map();
  #lastCall = 0;

  /** @param {MessagePort} port of the worker @param {string | string[]} url @param {import('./martlet.js').ClientOptions} options */
  constructor(port, url, options, hold = holdLock) {
    super();
    const { getToken, ...shared } = options;
    this.#port = port;
    this.#getToken = getToken;
    port.onmessage = ({ data }) => this.#received(data);
    // The worker gets this lock when the tab is gone, however it goes.
    const lock = `martlet tab ${crypto.randomUUID()}`;
    hold(lock).then(() => this._tell({ do: 'open', url, options: shared, hasToken: getToken !== undefined, lock }));
  }

  connect() { this._tell({ do: 'connect' }); }
  /** Of this tab: the connection ends when the last one disconnects. */
  disconnect() { this._tell({ do: 'disconnect' }); }

  subscription(channel, options = {}) {
    // The worker cannot know when a tab has dealt with something.
    if (options.consumer) throw new TypeError('consumer: not on a shared connection');
    if (!this.#subscriptions.has(channel)) {
      this.#subscriptions.set(channel, new SharedSubscription(this, channel, options));
    }
    return this.#subscriptions.get(channel);
  }

  publish(channel, data) { return this.#call('publish', channel, data); }
  history(channel, options) { return this.#call('history', channel, options); }
  presence(channel) { return this.#call('presence', channel); }
  presenceStats(channel) { return this.#call('presenceStats', channel); }
  rpc(method, data) { return this.#call('rpc', method, data); }
  send(data) { return this.#call('send', data); }

  #call(method, ...parameters) {
    const id = ++this.#lastCall;
    this._tell({ do: 'call', id, method, parameters });
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  // What was told before the lock was there waits for it.
  #waiting = [];
  _tell(message) {
    if (message.do === 'open') {
      this.#port.postMessage(message);
      for (const earlier of this.#waiting) this.#port.postMessage(earlier);
      this.#waiting = null;
    } else if (this.#waiting) {
      this.#waiting.push(message);
    } else {
      this.#port.postMessage(message);
    }
  }

  async #received(message) {
    switch (message.told) {
      case 'event':
        if (message.state) Object.assign(this, { state: message.state, transport: message.transport });
        return this._emit(message.type, message.event);
      case 'channel': return this.#subscriptions.get(message.channel)?._told(message.type, message.event);
      case 'answer': {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        return message.error ? call?.reject(raised(message.error)) : call?.resolve(message.result);
      }
      case 'token': {
        const token = await Promise.resolve().then(() => this.#getToken?.()).catch((error) => ({ failed: String(error) }));
        return this._tell({ do: 'token', id: message.id, ...(token?.failed ? token : { token }) });
      }
    }
  }
}

const holdLock = (name) => new Promise((resolve) => {
  // Held until the tab ends; without locks the worker is told at pagehide only.
  if (!globalThis.navigator?.locks) return resolve();
  navigator.locks.request(name, () => {
    resolve();
    return new Promise(() => {});
  });
});

/**
 * A client on the connection that all tabs share; a `Client` of this tab's own where the browser has no SharedWorker.
 * @param {string | string[]} [url]
 * @param {import('./martlet.js').ClientOptions} [options]
 * @returns {SharedClient | Client}
 */
export function connectShared(url = '/connection/websocket', options = {}) {
  if (!globalThis.SharedWorker || !globalThis.navigator?.locks) {
    const client = new Client(url, options);
    client.connect();
    return client;
  }
  const { port } = new SharedWorker(import.meta.url, { type: 'module', name: 'martlet' });
  const absolute = [url].flat().map((address) => new URL(address, location.href).href);
  const client = new SharedClient(port, absolute, options);
  client.connect();
  return client;
}

// The worker's side.

/** A connection that tabs share, and what each of them wants of it. */
class SharedConnection {
  tabs = new Set();
  client;
  #subscriptions = new Map();
  #tokenCalls = new Map();
  #lastTokenCall = 0;
  #connectedEvent = null;

  constructor(url, options, hasToken, makeClient) {
    const getToken = hasToken ? () => this.#askForToken() : undefined;
    this.client = makeClient(url, { ...options, getToken });
    for (const type of CLIENT_EVENTS) this.client.on(type, (event) => this.#tellAll(type, event));
  }

  #tellAll(type, event) {
    if (type === 'connected') this.#connectedEvent = event;
    const { state, transport } = this.client;
    for (const tab of this.tabs) tab.tell({ told: 'event', type, event: flat(event), state, transport });
  }

  /** Any tab will do; one that is asked may be closed before it answers. */
  async #askForToken() {
    const id = ++this.#lastTokenCall;
    return new Promise((resolve, reject) => {
      this.#tokenCalls.set(id, { resolve, reject });
      for (const tab of this.tabs) tab.tell({ told: 'token', id });
    }).finally(() => this.#tokenCalls.delete(id));
  }

  token({ id, token, failed }) {
    const call = this.#tokenCalls.get(id);
    if (failed) call?.reject(new Error(failed));
    else call?.resolve(token);
  }

  connect(tab) {
    this.tabs.add(tab);
    for (const id of this.#tokenCalls.keys()) tab.tell({ told: 'token', id });
    if (this.client.state === 'connected') {
      const { state, transport } = this.client;
      tab.tell({ told: 'event', type: 'connected', event: this.#connectedEvent, state, transport });
    }
    this.client.connect();
  }

  disconnect(tab) {
    if (!this.tabs.delete(tab)) return;
    for (const channel of [...this.#subscriptions.keys()]) this.unsubscribe(tab, channel);
    tab.tell({
      told: 'event', type: 'disconnected', event: { code: 0, reason: 'disconnect called' }, state: 'disconnected',
      transport: this.client.transport,
    });
    if (this.tabs.size === 0) this.client.disconnect();
  }

  subscribe(tab, channel, options) {
    let shared = this.#subscriptions.get(channel);
    if (!shared) {
      shared = { subscription: this.client.subscription(channel, options), tabs: new Set(), last: null, off: [] };
      this.#subscriptions.set(channel, shared);
      shared.off = SUBSCRIPTION_EVENTS.map((type) => shared.subscription.on(type, (event) => {
        if (type === 'subscribed') shared.last = event;
        for (const tab of shared.tabs) tab.tell({ told: 'channel', channel, type, event: flat(event) });
        // Ended by the server: a further subscribe begins anew.
        if (type === 'unsubscribed') this.#forget(channel, shared);
      }));
    }
    shared.tabs.add(tab);
    if (shared.subscription.state === 'subscribed') {
      // It has missed nothing that it could have asked for.
      const event = { ...shared.last, wasRecovering: false, recovered: false, missed: 0 };
      tab.tell({ told: 'channel', channel, type: 'subscribed', event });
    }
    shared.subscription.subscribe();
  }

  unsubscribe(tab, channel) {
    const shared = this.#subscriptions.get(channel);
    if (!shared?.tabs.delete(tab)) return;
    tab.tell({ told: 'channel', channel, type: 'unsubscribed', event: { code: 0, reason: 'unsubscribe called' } });
    if (shared.tabs.size > 0) return;
    this.#forget(channel, shared);
    this.client.remove(shared.subscription);
  }

  #forget(channel, shared) {
    if (this.#subscriptions.get(channel) === shared) this.#subscriptions.delete(channel);
    for (const off of shared.off) off();
  }

  async call(tab, { id, method, parameters }) {
    try {
      tab.tell({ told: 'answer', id, result: await this.client[method](...parameters) });
    } catch (error) {
      const known = error instanceof MartletError ? error : new MartletError(CONNECTION_LOST, String(error), true);
      tab.tell({ told: 'answer', id, error: flat(known) });
    }
  }
}

/** The worker: connections by what was asked for, and the tabs that share them. */
export class SharedHub {
  #connections = new Map();
  #makeClient;
  #whenFree;

  constructor(
    makeClient = (url, options) => new Client(url, options),
    whenFree = (lock, then) => navigator.locks.request(lock, then)) {
    this.#makeClient = makeClient;
    this.#whenFree = whenFree;
  }

  accept(port) {
    const tab = { tell: (message) => port.postMessage(message) };
    let connection;
    port.onmessage = ({ data }) => {
      if (data.do === 'open') connection = this.#open(data, tab);
      else if (connection) this.#do(connection, tab, data);
    };
  }

  #open({ url, options, hasToken, lock }, tab) {
    // A token changes; whose it is does not, as far as can be seen from here.
    const key = JSON.stringify([url, options, hasToken]);
    let connection = this.#connections.get(key);
    if (!connection) {
      connection = new SharedConnection(url, options, hasToken, this.#makeClient);
      this.#connections.set(key, connection);
    }
    this.#whenFree(lock, () => this.#do(connection, tab, { do: 'disconnect' }));
    return connection;
  }

  #do(connection, tab, message) {
    switch (message.do) {
      case 'connect': return connection.connect(tab);
      case 'disconnect': return connection.disconnect(tab);
      case 'subscribe': return connection.subscribe(tab, message.channel, message.options);
      case 'unsubscribe': return connection.unsubscribe(tab, message.channel);
      case 'call': return connection.call(tab, message);
      case 'token': return connection.token(message);
    }
  }
}

if (globalThis.SharedWorkerGlobalScope && globalThis instanceof SharedWorkerGlobalScope) {
  const hub = new SharedHub();
  globalThis.onconnect = ({ ports: [port] }) => hub.accept(port);
}
