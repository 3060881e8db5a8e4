import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { World, settle } from './fakes.js';
import { SharedClient, SharedHub } from './martlet-shared.js';

/** Tabs and a worker in one process; the worker's network is a World's. */
class SharedWorld {
  worlds = [];
  #locks = new Map();
  #hub = new SharedHub(
    (url, options) => {
      const world = new World(options);
      this.worlds.push(world);
      return world.client;
    },
    (lock, then) => this.#locks.set(lock, then));

  open(options = {}) {
    const { port1, port2 } = new FakeChannel();
    this.#hub.accept(port2);
    let name;
    const client = new SharedClient(port1, ['ws://martlet.test/connection/websocket'], options, async (lock) => { name = lock; });
    client.connect();
    client.vanish = () => this.#locks.get(name)();
    client.events = [];
    for (const type of ['connecting', 'connected', 'disconnected']) client.on(type, () => client.events.push(type));
    return client;
  }

  get world() { return this.worlds[0]; }

  /** Two tabs of a connection that is up. */
  async two() {
    const tabs = [this.open(), this.open()];
    await rest();
    await this.world.clock.advance(0);
    await this.world.accept();
    await rest();
    return tabs;
  }
}

/** Two ports whose messages are copied and come later, as a MessageChannel's. */
class FakeChannel {
  constructor() {
    const make = () => ({ postMessage(data) { const copy = structuredClone(data); setImmediate(() => this.other.onmessage({ data: copy })); } });
    this.port1 = make();
    this.port2 = make();
    this.port1.other = this.port2;
    this.port2.other = this.port1;
  }
}

const rest = async () => { for (let i = 0; i < 4; i++) await settle(); };

/** A subscription, and what it hears. */
const listen = (client, channel = 'a') => {
  const subscription = client.subscription(channel);
  const got = [];
  subscription.on('publication', ({ data }) => got.push(data));
  subscription.subscribe();
  return { subscription, got };
};

describe('tabs that share a connection', () => {
  test('make one, and each is told', async () => {
    const shared = new SharedWorld();
    const tabs = await shared.two();
    await rest();
    assert.equal(shared.worlds.length, 1);
    assert.equal(shared.world.sockets.length, 1);
    assert.deepEqual(tabs.map(({ state }) => state), ['connected', 'connected']);
    const late = shared.open();
    await rest();
    assert.deepEqual(late.events, ['connected']);
  });

  test('subscribe once, and each hears', async () => {
    const shared = new SharedWorld();
    const tabs = await shared.two();
    const heard = tabs.map((tab) => listen(tab));
    await rest();
    shared.world.socket.answer('subscribe', { epoch: 'e', offset: 1, recoverable: true });
    shared.world.socket.push('a', { pub: { data: 1, offset: 2 } });
    await rest();
    assert.equal(shared.world.socket.count('subscribe'), 1);
    assert.deepEqual(heard.map(({ got }) => got), [[1], [1]]);
    const late = listen(shared.open());
    await rest();
    assert.equal(late.subscription.state, 'subscribed');
    assert.equal(shared.world.socket.count('subscribe'), 1);
  });

  test('a subscription ends with the last that wants it', async () => {
    const shared = new SharedWorld();
    const tabs = await shared.two();
    const [first, second] = tabs.map((tab) => listen(tab).subscription);
    await rest();
    shared.world.socket.answer('subscribe');
    await rest();
    first.unsubscribe();
    await rest();
    assert.equal(first.state, 'unsubscribed');
    assert.equal(shared.world.socket.count('unsubscribe'), 0);
    tabs[1].vanish();
    await rest();
    assert.equal(second.state, 'unsubscribed');
    assert.equal(shared.world.socket.count('unsubscribe'), 1);
  });

  test('the connection ends with the last tab', async () => {
    const shared = new SharedWorld();
    const [first, second] = await shared.two();
    first.vanish();
    await rest();
    assert.ok(!shared.world.socket.isClosedByClient);
    second.disconnect();
    await rest();
    assert.ok(shared.world.socket.isClosedByClient);
    assert.equal(second.state, 'disconnected');
  });

  test('calls are answered to who made them', async () => {
    const shared = new SharedWorld();
    const [first, second] = await shared.two();
    const history = first.history('a');
    await rest();
    shared.world.socket.answer('history', { offset: 7, epoch: 'e' });
    assert.deepEqual(await history, { publications: [], offset: 7, epoch: 'e' });
    const failed = assert.rejects(second.publish('a', 1), { name: 'MartletError', code: 103 });
    await rest();
    shared.world.socket.refuse('publish', 103, 'permission denied');
    await failed;
  });

  test('any tab gives the token', async () => {
    const shared = new SharedWorld();
    const tabs = ['A', 'B'].map((token) => shared.open({ getToken: async () => token }));
    await rest();
    tabs[0].vanish();
    await rest();
    await shared.world.clock.advance(0);
    await rest();
    assert.match(shared.world.socket.url, /^ws:/);
    shared.world.socket.open();
    assert.ok(['A', 'B'].includes(shared.world.socket.command('connect').connect.token));
  });

  test('tabs of different users share nothing', async () => {
    const shared = new SharedWorld();
    shared.open({ token: 'A' });
    shared.open({ token: 'B' });
    await rest();
    assert.equal(shared.worlds.length, 2);
  });

  test('an unsubscribe by the server is told, and another subscribe begins anew', async () => {
    const shared = new SharedWorld();
    const [tab] = await shared.two();
    const { subscription } = listen(tab);
    await rest();
    shared.world.socket.answer('subscribe');
    shared.world.socket.push('a', { unsubscribe: { code: 2000, reason: 'x' } });
    await rest();
    assert.equal(subscription.state, 'unsubscribed');
    subscription.subscribe();
    await rest();
    assert.equal(shared.world.socket.count('subscribe'), 2);
  });
});
