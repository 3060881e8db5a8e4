import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { World, settle } from './fakes.js';
import { FakeStorage } from './http-fakes.js';

describe('commands while there is no connection', () => {
  test('wait in order for however long, where there is a queue', async () => {
    const world = new World({ queue: 3 });
    await world.connect();
    world.socket.drop();
    const done = [1, 2, 3].map((data) => world.client.publish('a', data));
    await world.clock.advance(100);
    await world.nextAttempt();
    for (let failures = 0; failures < 5; failures++) {
      world.socket.drop();
      await world.nextAttempt();
    }
    await world.accept();
    const sent = world.socket.sent.slice(1).map((text) => JSON.parse(text));
    assert.deepEqual(sent.map(({ publish }) => publish.data), [1, 2, 3]);
    for (const { id } of sent) world.socket.reply({ id, publish: {} });
    await Promise.all(done);
  });

  test('more than the queue takes are refused', async () => {
    const world = new World({ queue: 1 });
    world.client.connect();
    world.client.publish('a', 1).catch(() => {});
    await assert.rejects(world.client.publish('a', 2), { code: 13, temporary: true });
  });

  test('the time for the reply begins when they are sent', async () => {
    const world = new World({ queue: 1 });
    world.client.connect();
    const failed = assert.rejects(world.client.publish('a', 1), { code: 1 });
    await world.clock.advance(9_000);
    await world.accept();
    await world.clock.advance(4_999);
    assert.equal(world.socket.count('publish'), 1);
    await world.clock.advance(1);
    await failed;
  });

  test('disconnect fails them', async () => {
    const world = new World({ queue: 1 });
    world.client.connect();
    const failed = assert.rejects(world.client.publish('a', 1), { code: 3 });
    world.client.disconnect();
    await failed;
  });
});

describe('a page that is loaded again', () => {
  let leave;
  const install = () => {
    globalThis.addEventListener = (type, listener) => { if (type === 'pagehide') leave = listener; };
    globalThis.removeEventListener = () => {};
  };
  afterEach(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const position = { recoverable: true, positioned: true, epoch: 'e', offset: 5 };

  test('goes on where it was', async () => {
    install();
    const storage = new FakeStorage();
    const before = new World({ persist: true, storage });
    await before.connect();
    await before.subscribe('a', {}, position);
    await before.subscribe('plain', {}, {});
    before.socket.push('a', { pub: { data: 1, offset: 6 } });
    leave();
    const after = new World({ persist: true, storage });
    await after.connect();
    after.client.subscription('a').subscribe();
    after.client.subscription('plain').subscribe();
    await settle();
    const [, a, plain] = after.socket.sent.map((text) => JSON.parse(text));
    assert.deepEqual(a.subscribe, { channel: 'a', recoverable: true, recover: true, epoch: 'e', offset: 6 });
    assert.deepEqual(plain.subscribe, { channel: 'plain', recoverable: true });
    // What was shown before is not shown again.
    const events = after.recordAll(after.client.subscription('a'));
    after.socket.reply({
      id: a.id,
      subscribe: {
        ...position, offset: 7, was_recovering: true, recovered: true,
        publications: [{ data: 1, offset: 6 }, { data: 2, offset: 7 }],
      },
    });
    const told = events.filter(([type]) => type === 'publication').map(([, { data }]) => data);
    assert.deepEqual(told, [2]);
  });

  test('keeps the places of channels that it did not visit', async () => {
    install();
    const storage = new FakeStorage();
    const first = new World({ persist: true, storage });
    await first.connect();
    await first.subscribe('a', {}, position);
    leave();
    const second = new World({ persist: true, storage });
    await second.connect();
    leave();
    const third = new World({ persist: true, storage });
    await third.connect();
    third.client.subscription('a').subscribe();
    await settle();
    assert.equal(third.socket.command('subscribe').subscribe.offset, 5);
  });

  test('without being asked nothing is kept', async () => {
    install();
    leave = undefined;
    const storage = new FakeStorage();
    const world = new World({ storage });
    await world.connect();
    assert.equal(leave, undefined);
    assert.deepEqual([...storage.items.keys()], ['martlet ws://martlet.test/connection/websocket']);
  });

  test('a browser that forbids storage is no obstacle', async () => {
    const storage = { getItem() { throw new Error('no'); }, setItem() { throw new Error('no'); } };
    const world = new World({ persist: true, storage });
    await world.connect();
    assert.equal(world.client.state, 'connected');
  });
});

test('the client is small', () => {
  const size = gzipSync(readFileSync(new URL('./martlet.js', import.meta.url)), { level: 9 }).length;
  assert.ok(size < 12_000, `martlet.js has ${size} bytes compressed`);
});
