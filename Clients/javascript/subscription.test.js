import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { World, settle } from './fakes.js';

const POSITION = { recoverable: true, positioned: true, epoch: 'e', offset: 5 };

const publication = (offset, data = `p${offset}`) => ({ data, offset });
const typesOf = (events) => events.map(([type]) => type);
const only = (events, type) => events.filter(([t]) => t === type).map(([, event]) => event);
const dataOf = (events) => only(events, 'publication').map(({ data }) => data);

/** A client that is subscribed to channel a. */
const subscribed = async (options, reply = POSITION) => {
  const world = new World();
  await world.connect();
  const subscription = await world.subscribe('a', options, reply);
  return { world, subscription, events: world.recordAll(subscription) };
};

/** The connection is lost, and the next one made; the subscribe command waits for its answer. */
const reconnect = async (world) => {
  world.socket.drop();
  await world.nextAttempt();
  await world.accept();
};

describe('subscribing', () => {
  test('sends the subscribe command, byte for byte, and tells its states', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a', { token: 'T', joinLeave: true });
    const events = world.recordAll(subscription);
    assert.equal(subscription.state, 'unsubscribed');
    subscription.subscribe();
    subscription.subscribe();
    assert.equal(subscription.state, 'subscribing');
    assert.deepEqual(
      world.socket.sent.slice(1),
      ['{"id":2,"subscribe":{"channel":"a","token":"T","recoverable":true,"join_leave":true}}']);
    world.socket.answer('subscribe', POSITION);
    assert.equal(subscription.state, 'subscribed');
    assert.deepEqual(events, [
      ['subscribing', { code: 0, reason: 'subscribe called' }],
      ['subscribed', {
        wasRecovering: false, recovered: false, recoverable: true, epoch: 'e', offset: 5, missed: 0,
      }],
    ]);
  });

  test('is possible before there is a connection', async () => {
    const world = new World();
    world.client.subscription('a', { recoverable: false }).subscribe();
    await world.connect();
    assert.equal(world.socket.sent.at(-1), '{"id":2,"subscribe":{"channel":"a"}}');
  });

  test('since a position asks for what came after it', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a', { since: { epoch: 'e', offset: 3 } });
    const events = world.recordAll(subscription);
    subscription.subscribe();
    assert.equal(
      world.socket.sent.at(-1),
      '{"id":2,"subscribe":{"channel":"a","recoverable":true,"recover":true,"epoch":"e","offset":3}}');
    world.socket.answer('subscribe', {
      ...POSITION, was_recovering: true, recovered: true, publications: [publication(4), publication(5)],
    });
    assert.deepEqual(dataOf(events), ['p4', 'p5']);
    assert.equal(only(events, 'subscribed')[0].missed, 2);
  });

  test('one channel has one subscription', () => {
    const { client } = new World();
    assert.equal(client.subscription('a'), client.subscription('a', { recoverable: false }));
    assert.notEqual(client.subscription('a'), client.subscription('b'));
  });

  test('a refusal ends it', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    const events = world.recordAll(subscription);
    subscription.subscribe();
    world.socket.refuse('subscribe', 103, 'permission denied');
    assert.equal(subscription.state, 'unsubscribed');
    assert.deepEqual(events.at(-1), ['unsubscribed', { code: 103, reason: 'permission denied' }]);
    assert.equal(world.clock.timerCount, 0);
    assert.equal(world.socket.count('unsubscribe'), 0);
  });

  test('a temporary error is told, and tried again with growing delays', async () => {
    const world = new World({ random: () => 1 });
    await world.connect();
    const subscription = world.client.subscription('a');
    const events = world.recordAll(subscription);
    subscription.subscribe();
    for (const delay of [500, 1_000, 2_000]) {
      world.socket.refuse('subscribe', 100, 'internal server error', true);
      const count = world.socket.count('subscribe');
      await world.clock.advance(delay - 1);
      assert.equal(world.socket.count('subscribe'), count);
      await world.clock.advance(1);
      assert.equal(world.socket.count('subscribe'), count + 1);
    }
    world.socket.answer('subscribe', POSITION);
    assert.deepEqual(typesOf(events), ['subscribing', 'error', 'error', 'error', 'subscribed']);
    // The next trouble begins with the shortest delay.
    world.socket.push('a', { unsubscribe: { code: 2500, reason: 'because' } });
    await world.clock.advance(500);
    assert.equal(world.socket.count('subscribe'), 5);
  });

  test('what waits to be tried again waits for no timer without a connection', async () => {
    const world = new World();
    await world.connect();
    world.client.subscription('a').subscribe();
    world.socket.refuse('subscribe', 100, 'internal server error', true);
    world.client.disconnect();
    assert.equal(world.clock.timerCount, 0);
  });

  test('without a reply in 5 s the connection is made anew', async () => {
    const world = new World();
    await world.connect();
    world.client.subscription('a').subscribe();
    await world.clock.advance(5_000);
    assert.equal(world.last('connecting').reason, 'subscribe timeout');
    await world.nextAttempt();
    await world.accept();
    assert.equal(world.socket.count('subscribe'), 1);
  });

  test('a reply that was on its way when the connection was lost is nobody\'s', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    const events = world.recordAll(subscription);
    subscription.subscribe();
    await reconnect(world);
    assert.deepEqual(typesOf(events), ['subscribing']);
    world.socket.answer('subscribe', POSITION);
    assert.equal(subscription.state, 'subscribed');
  });
});

describe('unsubscribing', () => {
  test('tells the server, and hears nothing more', async () => {
    const { world, subscription, events } = await subscribed();
    subscription.unsubscribe();
    subscription.unsubscribe();
    assert.equal(world.socket.sent.at(-1), '{"id":3,"unsubscribe":{"channel":"a"}}');
    world.socket.push('a', { pub: publication(6) });
    world.socket.answer('unsubscribe');
    assert.deepEqual(events, [['unsubscribed', { code: 0, reason: 'unsubscribe called' }]]);
  });

  test('while the answer is on its way: the server is told all the same', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    const events = world.recordAll(subscription);
    subscription.subscribe();
    const { id } = world.socket.command('subscribe');
    subscription.unsubscribe();
    assert.equal(world.socket.count('unsubscribe'), 1);
    world.socket.reply({ id, subscribe: POSITION });
    assert.deepEqual(typesOf(events), ['subscribing', 'unsubscribed']);
  });

  test('and subscribing at once: the first answer is not the second one\'s', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    subscription.subscribe();
    subscription.unsubscribe();
    subscription.subscribe();
    world.socket.reply({ id: 2, subscribe: POSITION }, { id: 3, unsubscribe: {} });
    assert.equal(subscription.state, 'subscribing');
    world.socket.reply({ id: 4, subscribe: POSITION });
    assert.equal(subscription.state, 'subscribed');
  });

  test('without a connection there is nobody to tell', async () => {
    const { world, subscription } = await subscribed();
    world.socket.drop();
    subscription.unsubscribe();
    await world.nextAttempt();
    await world.accept();
    assert.equal(world.socket.sent.length, 1);
  });

  test('without a reply in 5 s the connection is made anew', async () => {
    const { world, subscription } = await subscribed();
    subscription.unsubscribe();
    await world.clock.advance(5_000);
    assert.equal(world.last('connecting').reason, 'unsubscribe error');
  });

  test('keeps the place: subscribing again asks for what came between', async () => {
    const { world, subscription, events } = await subscribed();
    world.socket.push('a', { pub: publication(6) });
    subscription.unsubscribe();
    subscription.subscribe();
    assert.equal(world.socket.command('subscribe').subscribe.offset, 6);
    world.socket.answer('subscribe', {
      ...POSITION, offset: 7, was_recovering: true, recovered: true, publications: [publication(7)],
    });
    assert.deepEqual(dataOf(events), ['p6', 'p7']);
  });

  test('amid what was missed: the rest comes with the next subscribe', async () => {
    const { world, subscription, events } = await subscribed();
    await reconnect(world);
    const stop = subscription.on('publication', () => subscription.unsubscribe());
    world.socket.answer('subscribe', {
      ...POSITION, offset: 8, was_recovering: true, recovered: true,
      publications: [publication(6), publication(7), publication(8)],
    });
    assert.deepEqual(dataOf(events), ['p6']);
    stop();
    subscription.subscribe();
    assert.equal(world.socket.command('subscribe').subscribe.offset, 6);
  });

  test('remove() makes room for another subscription', async () => {
    const { world, subscription, events } = await subscribed();
    world.client.remove(subscription);
    world.client.remove(subscription);
    assert.equal(subscription.state, 'unsubscribed');
    const next = world.client.subscription('a');
    assert.notEqual(next, subscription);
    assert.throws(() => subscription.subscribe(), { code: 7 });
    next.subscribe();
    world.socket.answer('subscribe', POSITION);
    world.client.remove(subscription);
    world.socket.push('a', { pub: publication(6) });
    assert.deepEqual(dataOf(events), []);
    assert.equal(next.state, 'subscribed');
  });
});

describe('unsubscribed by the server', () => {
  for (const code of [2000, 2499]) {
    test(`with ${code}: for good`, async () => {
      const { world, events } = await subscribed();
      world.socket.push('a', { unsubscribe: { code, reason: 'because' } });
      await world.clock.advance(60_000);
      assert.deepEqual(events, [['unsubscribed', { code, reason: 'because' }]]);
      assert.equal(world.socket.count('subscribe'), 1);
      assert.equal(world.socket.count('unsubscribe'), 0);
    });
  }

  for (const code of [2500, 2501, 2502]) {
    test(`with ${code}: it asks again, from where it was`, async () => {
      const { world, subscription, events } = await subscribed();
      world.socket.push('a', { unsubscribe: { code, reason: 'because' } });
      assert.equal(subscription.state, 'subscribing');
      assert.deepEqual(events, [['subscribing', { code, reason: 'because' }]]);
      assert.equal(world.socket.count('subscribe'), 1);
      await world.clock.advance(500);
      assert.equal(
        world.socket.sent.at(-1),
        '{"id":3,"subscribe":{"channel":"a","recoverable":true,"recover":true,"epoch":"e","offset":5}}');
      world.socket.answer('subscribe', POSITION);
      assert.equal(subscription.state, 'subscribed');
    });
  }

  test('2501 fetches a fresh token', async () => {
    const { world } = await subscribed({ token: 'old', getToken: async () => 'fresh' });
    world.socket.push('a', { unsubscribe: { code: 2501, reason: 'expired' } });
    await world.clock.advance(500);
    assert.equal(world.socket.command('subscribe').subscribe.token, 'fresh');
  });

  test('while it waits, a new connection asks at once and only once', async () => {
    const { world } = await subscribed();
    world.socket.push('a', { unsubscribe: { code: 2500, reason: 'because' } });
    await reconnect(world);
    assert.equal(world.socket.count('subscribe'), 1);
    world.socket.answer('subscribe', POSITION);
    await world.clock.advance(60_000);
    assert.equal(world.socket.count('subscribe'), 1);
  });
});

describe('publications', () => {
  test('tell what the server said of them', async () => {
    const { world, events } = await subscribed();
    const info = { user: 'anna', client: 'c9' };
    world.socket.push('a', { pub: { data: { x: 1 }, offset: 6, info, tags: { k: 'v' } } });
    world.socket.push('a', { pub: { data: null, offset: 7 } });
    assert.deepEqual(events, [
      ['publication', { data: { x: 1 }, offset: 6, info, tags: { k: 'v' }, recovered: false }],
      ['publication', { data: null, offset: 7, info: undefined, tags: {}, recovered: false }],
    ]);
  });

  test('at or below the last offset are dropped', async () => {
    const { world, events } = await subscribed();
    for (const offset of [5, 6, 6, 4, 7]) world.socket.push('a', { pub: publication(offset) });
    assert.deepEqual(dataOf(events), ['p6', 'p7']);
  });

  test('without an offset pass', async () => {
    const { world, events } = await subscribed({}, {});
    for (let i = 0; i < 2; i++) world.socket.push('a', { pub: { data: 'same' } });
    assert.deepEqual(dataOf(events), ['same', 'same']);
  });

  test('of other channels are not its own', async () => {
    const { world, events } = await subscribed();
    world.socket.push('b', { pub: publication(6) });
    assert.deepEqual(events, []);
  });

  test('join and leave tell who', async () => {
    const { world, events } = await subscribed({ joinLeave: true });
    const info = { user: 'anna', client: 'c9', conn_info: { name: 'Anna' } };
    world.socket.push('a', { join: { info } });
    world.socket.push('a', { leave: { info } });
    assert.deepEqual(events, [['join', info], ['leave', info]]);
  });
});

describe('recovery', () => {
  test('tells what was missed once, after subscribed, in order', async () => {
    const { world, events } = await subscribed();
    world.socket.push('a', { pub: publication(6) });
    await reconnect(world);
    assert.equal(
      world.socket.sent.at(-1),
      '{"id":2,"subscribe":{"channel":"a","recoverable":true,"recover":true,"epoch":"e","offset":6}}');
    // 6 has been shown; a server may send it all the same.
    world.socket.answer('subscribe', {
      ...POSITION, offset: 8, was_recovering: true, recovered: true,
      publications: [publication(6), publication(7), publication(8)],
    });
    world.socket.push('a', { pub: publication(8) });
    world.socket.push('a', { pub: publication(9) });
    assert.deepEqual(typesOf(events), [
      'publication', 'subscribing', 'subscribed', 'publication', 'publication', 'publication',
    ]);
    assert.deepEqual(only(events, 'subscribed'), [
      { wasRecovering: true, recovered: true, recoverable: true, epoch: 'e', offset: 8, missed: 2 },
    ]);
    assert.deepEqual(
      only(events, 'publication').map(({ data, recovered }) => [data, recovered]),
      [['p6', false], ['p7', true], ['p8', true], ['p9', false]]);
  });

  test('that was not possible starts from the position of the reply', async () => {
    const { world, events } = await subscribed();
    await reconnect(world);
    world.socket.answer('subscribe', { ...POSITION, epoch: 'f', offset: 2, was_recovering: true, recovered: false });
    assert.deepEqual(only(events, 'subscribed'), [
      { wasRecovering: true, recovered: false, recoverable: true, epoch: 'f', offset: 2, missed: 0 },
    ]);
    world.socket.push('a', { pub: publication(2) });
    world.socket.push('a', { pub: publication(3) });
    assert.deepEqual(dataOf(events), ['p3']);
    await reconnect(world);
    assert.equal(
      world.socket.sent.at(-1),
      '{"id":2,"subscribe":{"channel":"a","recoverable":true,"recover":true,"epoch":"f","offset":3}}');
  });

  test('in a new epoch the same offsets are other publications', async () => {
    const { world, events } = await subscribed();
    await reconnect(world);
    world.socket.answer('subscribe', {
      ...POSITION, epoch: 'f', offset: 1, was_recovering: true, recovered: false, publications: [publication(1)],
    });
    assert.deepEqual(dataOf(events), ['p1']);
  });

  test('is not asked for where the server cannot recover', async () => {
    const { world, events } = await subscribed({}, { epoch: 'e', offset: 5 });
    world.socket.push('a', { pub: publication(6) });
    await reconnect(world);
    assert.equal(world.socket.sent.at(-1), '{"id":2,"subscribe":{"channel":"a","recoverable":true}}');
    world.socket.answer('subscribe', { epoch: 'f', offset: 1 });
    world.socket.push('a', { pub: publication(2) });
    assert.deepEqual(dataOf(events), ['p6', 'p2']);
  });

  test('nothing is lost or told twice, wherever the connection breaks', async () => {
    // The server has 12 publications. The connection breaks before each, and each recovery repeats the last one told.
    const world = new World();
    await world.connect();
    const subscription = await world.subscribe('a', {}, { ...POSITION, offset: 0 });
    const events = world.recordAll(subscription);
    for (let top = 1; top <= 12; top += 2) {
      await reconnect(world);
      const { offset } = world.socket.command('subscribe').subscribe;
      const publications = [];
      for (let i = Math.max(1, offset); i <= top; i++) publications.push(publication(i));
      world.socket.answer('subscribe', {
        ...POSITION, offset: top, was_recovering: true, recovered: true, publications,
      });
      world.socket.push('a', { pub: publication(top) });
      world.socket.push('a', { pub: publication(top + 1) });
    }
    assert.deepEqual(dataOf(events), Array.from({ length: 12 }, (_, i) => `p${i + 1}`));
  });
});

describe('subscription tokens', () => {
  test('are fetched for the channel when there is none', async () => {
    const world = new World();
    await world.connect();
    const asked = [];
    const getToken = async (context) => { asked.push(context); return 'T'; };
    world.client.subscription('a', { getToken }).subscribe();
    assert.equal(world.socket.count('subscribe'), 0);
    await settle();
    assert.deepEqual(asked, [{ channel: 'a' }]);
    assert.equal(world.socket.command('subscribe').subscribe.token, 'T');
  });

  test('none to be had is the end of the subscription', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a', { getToken: async () => null });
    const events = world.recordAll(subscription);
    subscription.subscribe();
    await settle();
    assert.deepEqual(events.at(-1), ['unsubscribed', { code: 1, reason: 'unauthorized' }]);
    assert.equal(world.client.state, 'connected');
  });

  test('a failure to fetch is told and tried again', async () => {
    const world = new World();
    await world.connect();
    let fails = true;
    const getToken = () => { if (fails) throw new Error('offline'); return 'T'; };
    const subscription = world.client.subscription('a', { getToken });
    const events = world.recordAll(subscription);
    subscription.subscribe();
    await settle();
    assert.equal(events.at(-1)[1].code, 5);
    fails = false;
    await world.clock.advance(500);
    assert.equal(world.socket.command('subscribe').subscribe.token, 'T');
  });

  test('error 109 fetches a fresh one', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a', { token: 'old', getToken: async () => 'fresh' });
    subscription.subscribe();
    world.socket.refuse('subscribe', 109, 'token expired');
    assert.equal(subscription.state, 'subscribing');
    await world.clock.advance(500);
    assert.equal(world.socket.command('subscribe').subscribe.token, 'fresh');
  });

  test('are renewed before they end', async () => {
    const { world, events } = await subscribed(
      { token: 'old', getToken: async () => 'fresh' }, { ...POSITION, expires: true, ttl: 60 });
    await world.clock.advance(49_999);
    assert.equal(world.socket.count('sub_refresh'), 0);
    await world.clock.advance(1);
    assert.equal(world.socket.sent.at(-1), '{"id":3,"sub_refresh":{"channel":"a","token":"fresh"}}');
    world.socket.refuse('sub_refresh', 100, 'internal server error', true);
    await world.clock.advance(10_000);
    assert.equal(world.socket.count('sub_refresh'), 2);
    world.socket.answer('sub_refresh', { expires: true, ttl: 60 });
    await world.clock.advance(50_000);
    assert.equal(world.socket.count('sub_refresh'), 3);
    assert.deepEqual(typesOf(events), ['error']);
  });

  test('a refused renewal ends the subscription', async () => {
    const { world, events } = await subscribed(
      { token: 'old', getToken: async () => 'fresh' }, { ...POSITION, expires: true, ttl: 60 });
    await world.clock.advance(50_000);
    world.socket.refuse('sub_refresh', 103, 'permission denied');
    assert.deepEqual(events, [['unsubscribed', { code: 103, reason: 'permission denied' }]]);
    assert.equal(world.socket.count('unsubscribe'), 1);
  });

  test('nothing is renewed when it is not subscribed any more', async () => {
    for (const end of [
      ({ subscription }) => subscription.unsubscribe(),
      ({ world }) => world.socket.push('a', { unsubscribe: { code: 2000, reason: 'bye' } }),
      ({ world }) => world.client.disconnect(),
    ]) {
      const all = await subscribed(
        { token: 'old', getToken: async () => 'fresh' }, { ...POSITION, expires: true, ttl: 60 });
      end(all);
      if (all.world.socket.count('unsubscribe') > 0) all.world.socket.answer('unsubscribe');
      assert.equal(all.world.clock.timerCount, 0);
    }
  });

  test('one that arrives when the connection is another one is not used twice', async () => {
    const world = new World();
    await world.connect();
    const arrivals = [];
    const getToken = () => new Promise((resolve) => arrivals.push(resolve));
    world.client.subscription('a', { getToken }).subscribe();
    await settle();
    await reconnect(world);
    for (const arrive of arrivals) arrive('T');
    await settle();
    assert.equal(arrivals.length, 2);
    assert.equal(world.socket.count('subscribe'), 1);
  });

  test('one that arrives when there is no connection waits for the next', async () => {
    const world = new World();
    await world.connect();
    let arrive;
    const getToken = () => new Promise((resolve) => { arrive = resolve; });
    world.client.subscription('a', { getToken }).subscribe();
    await settle();
    world.socket.drop();
    arrive('T');
    await world.nextAttempt();
    await world.accept();
    assert.deepEqual(world.socket.sent, [
      '{"id":1,"connect":{"name":"js"}}',
      '{"id":2,"subscribe":{"channel":"a","token":"T","recoverable":true}}',
    ]);
  });

  test('one that arrives after unsubscribe() subscribes nobody', async () => {
    const world = new World();
    await world.connect();
    let arrive;
    const getToken = () => new Promise((resolve) => { arrive = resolve; });
    const subscription = world.client.subscription('a', { getToken });
    subscription.subscribe();
    await settle();
    subscription.unsubscribe();
    arrive('T');
    await settle();
    assert.equal(world.socket.sent.length, 1);
  });
});

describe('calls of a subscription', () => {
  test('are those of the client for its channel', async () => {
    const { world, subscription } = await subscribed();
    const calls = [
      subscription.publish('x'), subscription.presence(), subscription.presenceStats(),
      subscription.history({ limit: 1 }),
    ];
    await settle();
    assert.deepEqual(world.socket.sent.slice(2), [
      '{"id":3,"publish":{"channel":"a","data":"x"}}',
      '{"id":4,"presence":{"channel":"a"}}',
      '{"id":5,"presence_stats":{"channel":"a"}}',
      '{"id":6,"history":{"channel":"a","limit":1}}',
    ]);
    const info = { user: 'anna', client: 'c1' };
    world.socket.reply(
      { id: 3, publish: {} }, { id: 4, presence: { presence: { c1: info } } },
      { id: 5, presence_stats: { num_clients: 1, num_users: 1 } },
      { id: 6, history: { publications: [publication(5)], offset: 5, epoch: 'e' } });
    assert.deepEqual(await Promise.all(calls), [
      undefined,
      { clients: { c1: info } },
      { clients: 1, users: 1 },
      { publications: [{ ...publication(5), info: undefined, tags: {}, recovered: false }], offset: 5, epoch: 'e' },
    ]);
  });

  test('wait until it is subscribed', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    subscription.subscribe();
    const published = subscription.publish('x');
    await settle();
    assert.equal(world.socket.count('publish'), 0);
    world.socket.answer('subscribe', POSITION);
    await settle();
    world.socket.answer('publish');
    await published;
  });

  test('do not wait longer than for one reply altogether', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    subscription.subscribe();
    const failed = assert.rejects(subscription.publish('x'), { code: 1 });
    await world.clock.advance(4_000);
    world.socket.answer('subscribe', POSITION);
    await settle();
    assert.equal(world.socket.count('publish'), 1);
    await world.clock.advance(1_000);
    await failed;
  });

  test('fail when it is not subscribed, or ends', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    await assert.rejects(subscription.publish('x'), { code: 7 });
    subscription.subscribe();
    const failed = assert.rejects(subscription.history(), { code: 7 });
    world.socket.refuse('subscribe', 103, 'permission denied');
    await failed;
    assert.equal(world.clock.timerCount, 0);
  });

  test('that wait fail when the client disconnects', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    subscription.subscribe();
    const failed = assert.rejects(subscription.publish('x'), { code: 3 });
    world.client.disconnect();
    await failed;
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('channels that the server subscribes the client to', () => {
  const types = ['subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'message'];

  test('are told on the client, with their channel, once', async () => {
    const world = new World();
    const events = world.record(world.client, types, []);
    await world.connect({ subs: { mine: POSITION } });
    for (const offset of [5, 6, 6]) world.socket.push('mine', { pub: publication(offset) });
    world.socket.push('mine', { join: { info: { user: 'anna', client: 'c9' } } });
    assert.deepEqual(typesOf(events), ['subscribed', 'publication', 'join']);
    assert.deepEqual(events[1][1], {
      channel: 'mine', ...publication(6), info: undefined, tags: {}, recovered: false,
    });
    assert.deepEqual(events[2][1], { channel: 'mine', user: 'anna', client: 'c9' });
  });

  test('are recovered with the connect command', async () => {
    const world = new World();
    const events = world.record(world.client, types, []);
    await world.connect({ subs: { mine: POSITION, gone: {} } });
    world.socket.drop();
    await world.nextAttempt();
    world.socket.open();
    assert.deepEqual(world.socket.sent, [
      '{"id":1,"connect":{"name":"js","subs":{"mine":{"recover":true,"epoch":"e","offset":5}}}}',
    ]);
    const publications = [publication(5), publication(6)];
    world.socket.answer('connect', {
      client: 'c2', subs: { mine: { ...POSITION, offset: 6, recovered: true, was_recovering: true, publications } },
    });
    assert.deepEqual(dataOf(events), ['p6']);
    assert.equal(only(events, 'publication')[0].recovered, true);
    assert.deepEqual(only(events, 'unsubscribed'), [
      { channel: 'gone', code: 0, reason: 'not subscribed any more' },
    ]);
  });

  test('come and go while connected', async () => {
    const world = new World();
    const events = world.record(world.client, types, []);
    await world.connect();
    world.socket.push('mine', { pub: publication(1) });
    world.socket.push('mine', { subscribe: POSITION });
    world.socket.push('mine', { pub: publication(6) });
    world.socket.push('mine', { unsubscribe: { code: 2000, reason: 'bye' } });
    world.socket.push('mine', { pub: publication(7) });
    assert.deepEqual(typesOf(events), ['subscribed', 'publication', 'unsubscribed']);
  });

  test('messages outside of channels are told as message', async () => {
    const world = new World();
    const events = world.record(world.client, types, []);
    await world.connect();
    world.socket.push(undefined, { message: { data: { x: 1 } } });
    assert.deepEqual(events, [['message', { data: { x: 1 } }]]);
  });
});
