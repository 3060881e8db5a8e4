import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { World, settle } from './fakes.js';

const GRANTED = { recoverable: true, epoch: 'e', offset: 5, consumer: 'phone' };
const publication = (offset) => ({ data: `p${offset}`, offset });
const recovering = (...offsets) => ({
  ...GRANTED, offset: offsets.at(-1), was_recovering: true, recovered: true, publications: offsets.map(publication),
});

/** A listener whose promises the test settles, in the order in which it was called. */
class Work {
  shown = [];
  #pending = [];

  listener = ({ data }) => {
    this.shown.push(data);
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }));
  };

  async finish(count = 1) {
    for (; count > 0; count--) {
      this.#pending.shift().resolve();
      await settle();
    }
  }

  async fail(error = new Error('no')) {
    this.#pending.shift().reject(error);
    await settle();
  }
}

const consuming = async (reply = GRANTED) => {
  const world = new World({ random: () => 1 });
  await world.connect();
  const work = new Work();
  const subscription = world.client.subscription('a', { consumer: 'phone' });
  subscription.on('publication', work.listener);
  const events = world.record(subscription, ['subscribing', 'subscribed', 'unsubscribed', 'error'], []);
  subscription.subscribe();
  await settle();
  world.socket.answer('subscribe', reply);
  await settle();
  return { world, work, subscription, events };
};

const acknowledged = (world) => world.sockets.flatMap(({ sent }) => sent)
  .map((text) => JSON.parse(text)).filter(({ ack }) => ack).map(({ ack }) => ack.offset);

const reconnect = async (world) => {
  world.socket.drop();
  await world.nextAttempt();
  await world.accept();
};

describe('a consumer', () => {
  test('asks for it, and acknowledges, byte for byte', async () => {
    const { world, work, events } = await consuming();
    assert.equal(
      world.socket.sent.at(-1), '{"id":2,"subscribe":{"channel":"a","recoverable":true,"consumer":"phone"}}');
    assert.equal(events.at(-1)[1].consumer, 'phone');
    world.socket.push('a', { pub: publication(6) });
    await settle();
    assert.equal(world.socket.count('ack'), 0);
    await work.finish();
    assert.equal(world.socket.sent.at(-1), '{"ack":{"channel":"a","offset":6}}');
    assert.equal(world.clock.timerCount, 0);
  });

  test('is shown one publication after the other', async () => {
    const { world, work } = await consuming(recovering(4, 5));
    world.socket.push('a', { pub: publication(6) });
    assert.deepEqual(work.shown, ['p4']);
    await work.finish();
    assert.deepEqual([work.shown, acknowledged(world)], [['p4', 'p5'], [4]]);
    await work.finish(2);
    assert.deepEqual([work.shown, acknowledged(world)], [['p4', 'p5', 'p6'], [4, 5, 6]]);
  });

  test('waits for all of its listeners', async () => {
    const { world, work, subscription } = await consuming();
    const other = new Work();
    subscription.on('publication', other.listener);
    world.socket.push('a', { pub: publication(6) });
    await work.finish();
    assert.deepEqual(acknowledged(world), []);
    await other.finish();
    assert.deepEqual(acknowledged(world), [6]);
  });

  test('is not shown again what it is dealing with', async () => {
    const { world, work } = await consuming();
    world.socket.push('a', { pub: publication(6) });
    await reconnect(world);
    assert.equal(world.socket.count('subscribe'), 0);
    await work.finish();
    // It could not be acknowledged without a connection.
    assert.deepEqual(acknowledged(world), []);
    assert.equal(world.socket.count('subscribe'), 1);
    world.socket.answer('subscribe', recovering(6, 7));
    await settle();
    assert.deepEqual([work.shown, acknowledged(world)], [['p6', 'p7'], [6]]);
    await work.finish();
    assert.deepEqual(acknowledged(world), [6, 7]);
  });

  test('acknowledges again what was lost with the connection', async () => {
    const { world, work } = await consuming();
    world.socket.push('a', { pub: publication(6) });
    await work.finish();
    await reconnect(world);
    world.socket.answer('subscribe', recovering(6));
    await settle();
    assert.deepEqual([work.shown, acknowledged(world)], [['p6'], [6, 6]]);
  });

  test('is shown again what it failed to deal with, and all that followed', async () => {
    const { world, work, events, subscription } = await consuming();
    for (const offset of [6, 7, 8]) world.socket.push('a', { pub: publication(offset) });
    await work.finish();
    const cause = new Error('disk full');
    await work.fail(cause);
    const [, error] = events.find(([type]) => type === 'error');
    assert.deepEqual([error.code, error.cause], [14, cause]);
    assert.equal(world.socket.sent.at(-1), '{"id":3,"unsubscribe":{"channel":"a"}}');
    assert.equal(subscription.state, 'subscribing');
    world.socket.answer('unsubscribe');
    await world.clock.advance(500);
    assert.deepEqual(world.socket.command('subscribe').subscribe.offset, 6);
    world.socket.answer('subscribe', recovering(7, 8));
    await settle();
    await work.finish(2);
    assert.deepEqual([work.shown, acknowledged(world)], [['p6', 'p7', 'p7', 'p8'], [6, 7, 8]]);
  });

  test('that fails again and again is asked less and less often', async () => {
    const { world, work } = await consuming();
    world.socket.push('a', { pub: publication(6) });
    for (const delay of [500, 1_000, 2_000]) {
      await work.fail();
      world.socket.answer('unsubscribe');
      const count = world.socket.count('subscribe');
      await world.clock.advance(delay - 1);
      assert.equal(world.socket.count('subscribe'), count);
      await world.clock.advance(1);
      world.socket.answer('subscribe', recovering(6));
      await settle();
    }
    assert.equal(work.shown.length, 4);
  });

  test('that throws fails, too, when the others are done', async () => {
    const { world, work, subscription, events } = await consuming();
    subscription.on('publication', () => { throw new Error('no'); });
    world.socket.push('a', { pub: publication(6) });
    await settle();
    assert.equal(events.at(-1)[0], 'subscribed');
    await work.finish();
    assert.deepEqual([events.at(-2)[1].code, events.at(-1)[1].code], [14, 5]);
    assert.deepEqual(acknowledged(world), []);
  });

  test('comes back when it has dealt with what it had, where too much was on its way', async () => {
    const { world, work } = await consuming();
    for (const offset of [6, 7]) world.socket.push('a', { pub: publication(offset) });
    world.socket.push('a', { unsubscribe: { code: 2500, reason: 'insufficient state' } });
    await world.clock.advance(10_000);
    assert.equal(world.socket.count('subscribe'), 1);
    await work.finish(2);
    assert.equal(world.socket.count('subscribe'), 2);
    world.socket.answer('subscribe', recovering(6, 7, 8));
    await settle();
    assert.deepEqual([work.shown, acknowledged(world)], [['p6', 'p7', 'p8'], [7]]);
  });

  test('fetches the rest soon', async () => {
    const { world, work } = await consuming();
    for (const portion of [[6, 7], [8, 9], [10, 11]]) {
      for (const offset of portion) {
        world.socket.push('a', { pub: publication(offset) });
        await work.finish();
      }
      world.socket.push('a', { unsubscribe: { code: 2500, reason: 'insufficient state' } });
      const count = world.socket.count('subscribe');
      await world.clock.advance(50);
      assert.equal(world.socket.count('subscribe'), count + 1);
      world.socket.answer('subscribe', { ...GRANTED, offset: portion[1], was_recovering: true, recovered: true });
      await settle();
    }
    assert.deepEqual(acknowledged(world), [6, 7, 8, 9, 10, 11]);
  });

  test('that fails while it is unsubscribed comes back after a while', async () => {
    const { world, work } = await consuming();
    world.socket.push('a', { pub: publication(6) });
    world.socket.push('a', { unsubscribe: { code: 2500, reason: 'insufficient state' } });
    await world.clock.advance(10_000);
    await work.fail();
    await world.clock.advance(1_000);
    assert.equal(world.socket.count('subscribe'), 2);
    world.socket.answer('subscribe', recovering(6));
    await settle();
    assert.deepEqual(work.shown, ['p6', 'p6']);
  });

  test('is shown nothing after unsubscribe', async () => {
    const { world, work, subscription } = await consuming();
    for (const offset of [6, 7]) world.socket.push('a', { pub: publication(offset) });
    subscription.unsubscribe();
    await work.finish();
    assert.deepEqual(work.shown, ['p6']);
    subscription.subscribe();
    world.socket.answer('subscribe', recovering(6, 7));
    await settle();
    // What was being dealt with then is done.
    assert.deepEqual([work.shown, acknowledged(world)], [['p6', 'p7'], [6]]);
  });

  test('does not count on a server that knows nothing of it', async () => {
    const { world, work, events } = await consuming({ recoverable: true, epoch: 'e', offset: 5 });
    assert.equal(events.at(-1)[1].consumer, undefined);
    for (const offset of [6, 7]) world.socket.push('a', { pub: publication(offset) });
    assert.deepEqual(work.shown, ['p6', 'p7']);
    await work.finish(2);
    assert.deepEqual(acknowledged(world), []);
  });

  test('acknowledges nothing of a stream that is no more', async () => {
    const { world, work } = await consuming();
    for (const offset of [6, 7]) world.socket.push('a', { pub: publication(offset) });
    world.socket.drop();
    await world.nextAttempt();
    await world.accept();
    await work.finish(2);
    world.socket.answer('subscribe', { ...GRANTED, epoch: 'f', offset: 1, was_recovering: true, recovered: false });
    await settle();
    assert.deepEqual(acknowledged(world), []);
    world.socket.push('a', { pub: publication(2) });
    await work.finish();
    assert.deepEqual(acknowledged(world), [2]);
  });
});
