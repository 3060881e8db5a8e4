import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Client, MartletError } from './martlet.js';
import { World, seededRandom, settle } from './fakes.js';

const POSITION = { recoverable: true, positioned: true, epoch: 'e', offset: 5 };

const typesOf = (events) => events.map(([type]) => type);
const only = (events, type) => events.filter(([t]) => t === type).map(([, event]) => event);

describe('connecting', () => {
  test('sends the connect command, byte for byte', async () => {
    const world = new World({ token: 'T', data: { user: 'anna' }, name: 'page' });
    await world.connect();
    assert.equal(world.socket.url, 'ws://martlet.test/connection/websocket');
    assert.deepEqual(world.socket.sent, [
      '{"id":1,"connect":{"token":"T","data":{"user":"anna"},"name":"page"}}',
    ]);
  });

  test('leaves out what it does not have', async () => {
    const world = new World();
    await world.connect();
    assert.deepEqual(world.socket.sent, ['{"id":1,"connect":{"name":"js"}}']);
  });

  test('tells its states in order', async () => {
    const world = new World();
    assert.equal(world.client.state, 'disconnected');
    world.client.connect();
    assert.equal(world.client.state, 'connecting');
    await world.clock.advance(0);
    world.socket.open();
    assert.equal(world.client.state, 'connecting');
    world.socket.answer('connect', { client: 'c1', version: '0.1', data: { hello: 1 } });
    assert.equal(world.client.state, 'connected');
    assert.deepEqual(world.events, [
      ['connecting', { code: 0, reason: 'connect called', delay: 0 }],
      ['connected', { client: 'c1', version: '0.1', data: { hello: 1 } }],
    ]);
  });

  test('connects once, however often it is asked', async () => {
    const world = new World();
    world.client.connect();
    world.client.connect();
    await world.connect();
    world.client.connect();
    await world.clock.advance(0);
    assert.equal(world.sockets.length, 1);
  });

  test('http addresses are those of WebSockets', async () => {
    const world = new World({ url: 'https://martlet.test/connection/websocket' });
    await world.connect();
    assert.equal(world.socket.url, 'wss://martlet.test/connection/websocket');
  });

  test('the page\'s origin is where the server is when nothing is said', async (context) => {
    globalThis.location = new URL('https://shop.test/cart?x=1');
    context.after(() => delete globalThis.location);
    const urls = [];
    class WebSocket { constructor(url) { urls.push(url); } }
    const { clock } = new World();
    new Client(undefined, { WebSocket, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout }).connect();
    await clock.advance(0);
    assert.deepEqual(urls, ['wss://shop.test/connection/websocket']);
  });

  test('a WebSocket that cannot be made ends it', async () => {
    const world = new World({ WebSocket: class { constructor() { throw new Error('insecure'); } } });
    world.client.connect();
    await world.clock.advance(0);
    assert.deepEqual(world.last('disconnected'), { code: 2, reason: 'insecure' });
    assert.equal(world.clock.timerCount, 0);
  });

  test('a connection that does not open is given up after 10 s', async () => {
    const world = new World();
    world.client.connect();
    await world.clock.advance(9_999);
    assert.equal(world.sockets[0].isClosedByClient, false);
    await world.clock.advance(1);
    assert.equal(world.sockets[0].isClosedByClient, true);
    assert.equal(world.last('connecting').reason, 'opening timeout');
  });

  test('a connection that cannot be made may be told by an error, with a close or without', async () => {
    const world = new World();
    world.client.connect();
    await world.clock.advance(0);
    world.socket.onerror({});
    world.socket.drop();
    assert.equal(world.types.length, 2);
    await world.nextAttempt();
    await world.accept();
    assert.equal(world.socket.onerror, null);
  });

  test('a connect command without a reply is given up after 5 s', async () => {
    const world = new World();
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    await world.clock.advance(5_000);
    assert.equal(world.last('connecting').reason, 'connect timeout');
    await world.nextAttempt();
    assert.equal(world.sockets.length, 2);
  });

  test('a temporary connect error is told, and another attempt follows', async () => {
    const world = new World();
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    world.socket.refuse('connect', 100, 'internal server error', true);
    assert.deepEqual(world.types, ['connecting', 'error', 'connecting']);
    assert.equal(world.last('error').code, 100);
  });

  test('any other connect error is the end', async () => {
    const world = new World();
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    world.socket.refuse('connect', 101, 'unauthorized');
    assert.deepEqual(world.last('disconnected'), { code: 101, reason: 'unauthorized' });
    assert.equal(world.socket.isClosedByClient, true);
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('messages', () => {
  test('several replies come in one message', async () => {
    const world = new World();
    await world.connect();
    const first = world.client.history('a', { limit: 1 });
    const second = world.client.presenceStats('a');
    const ids = world.socket.sent.slice(1).map((text) => JSON.parse(text).id);
    assert.deepEqual(ids, [2, 3]);
    world.socket.onmessage({
      data: '{"id":3,"presence_stats":{"num_clients":2,"num_users":1}}\n{"id":2,"history":{"offset":7,"epoch":"e"}}\n',
    });
    assert.deepEqual(await first, { publications: [], offset: 7, epoch: 'e' });
    assert.deepEqual(await second, { clients: 2, users: 1 });
  });

  test('a subscribe reply and what follows it may be one message', async () => {
    const world = new World();
    await world.connect();
    const subscription = world.client.subscription('a');
    const events = world.recordAll(subscription);
    subscription.subscribe();
    world.socket.reply(
      { id: 2, subscribe: POSITION },
      { push: { channel: 'a', pub: { data: 'x', offset: 6 } } },
    );
    assert.deepEqual(typesOf(events), ['subscribing', 'subscribed', 'publication']);
  });

  test('an answer to nothing is passed over', async () => {
    const world = new World();
    await world.connect();
    world.socket.reply({ id: 99, publish: {} });
    assert.equal(world.client.state, 'connected');
  });

  for (const text of ['{', 'null', new ArrayBuffer(2)]) {
    test(`what is not the protocol (${String(text)}) costs the connection`, async () => {
      const world = new World();
      await world.connect();
      world.socket.onmessage({ data: text });
      assert.equal(world.last('error').code, 12);
      assert.equal(world.client.state, 'connecting');
      assert.equal(world.socket.isClosedByClient, true);
    });
  }

  test('what a closed connection still says is passed over', async () => {
    const world = new World();
    await world.connect();
    const old = world.socket;
    world.client.disconnect();
    old.push('a', { pub: { data: 1 } });
    old.drop(3500, 'invalid token');
    assert.deepEqual(world.types, ['connecting', 'connected', 'disconnected']);
  });
});

describe('ping', () => {
  test('is answered when the connect reply says so', async () => {
    const world = new World();
    await world.connect({ ping: 25, pong: true });
    world.socket.onmessage({ data: '{}' });
    assert.deepEqual(world.socket.sent.slice(1), ['{}']);
  });

  test('is not answered otherwise', async () => {
    const world = new World();
    await world.connect({ ping: 25 });
    world.socket.onmessage({ data: '{}' });
    assert.equal(world.socket.sent.length, 1);
  });

  test('missing for its interval and 10 s: the connection is made anew', async () => {
    const world = new World();
    await world.connect({ ping: 25, pong: true });
    await world.clock.advance(34_999);
    assert.equal(world.client.state, 'connected');
    await world.clock.advance(1);
    const { code, reason } = world.last('connecting');
    assert.deepEqual({ code, reason }, { code: 2, reason: 'no ping' });
    assert.equal(world.sockets[0].isClosedByClient, true);
  });

  test('any message breaks the silence', async () => {
    const world = new World();
    await world.connect({ ping: 25, pong: true });
    await world.clock.advance(20_000);
    world.socket.push('a', { pub: { data: 1 } });
    await world.clock.advance(34_999);
    assert.equal(world.client.state, 'connected');
    await world.clock.advance(1);
    assert.equal(world.client.state, 'connecting');
  });

  test('a server that announces no pings may be silent', async () => {
    const world = new World();
    await world.connect();
    await world.clock.advance(3_600_000);
    assert.equal(world.client.state, 'connected');
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('coming back', () => {
  /** The delays of the first attempts that fail one after the other. */
  const delays = async (random, count) => {
    const world = new World({ random });
    world.client.connect();
    for (let i = 0; i < count; i++) {
      await world.clock.advance(world.last('connecting').delay);
      assert.equal(world.sockets.length, i + 1);
      world.socket.drop();
    }
    return only(world.events, 'connecting').slice(1).map(({ delay }) => delay);
  };

  test('the delays grow to 20 s', async () => {
    assert.deepEqual(
      await delays(() => 1, 9), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
  });

  test('no delay is below 50 ms', async () => {
    assert.deepEqual(await delays(() => 0, 4), [50, 50, 50, 50]);
  });

  test('jitter spreads the delays over the whole range', async () => {
    const random = seededRandom(7);
    const last = [];
    for (let i = 0; i < 200; i++) last.push((await delays(random, 4)).at(-1));
    assert.ok(last.every((delay) => delay >= 50 && delay < 4_000));
    const mean = last.reduce((sum, delay) => sum + delay) / last.length;
    assert.ok(Math.abs(mean - 2_000) < 200, `mean ${mean}`);
    assert.ok(Math.min(...last) < 200 && Math.max(...last) > 3_800);
  });

  test('they begin anew after a connection', async () => {
    const world = new World({ random: () => 1 });
    await world.connect();
    for (let i = 0; i < 3; i++) {
      world.socket.drop();
      await world.nextAttempt();
    }
    assert.equal(world.last('connecting').delay, 2_000);
    await world.accept();
    world.socket.drop();
    assert.equal(world.last('connecting').delay, 500);
  });

  test('the attempt comes when the delay is over, not before', async () => {
    const world = new World();
    await world.connect();
    world.socket.drop();
    const { delay } = world.last('connecting');
    await world.clock.advance(delay - 1);
    assert.equal(world.sockets.length, 1);
    await world.clock.advance(1);
    assert.equal(world.sockets.length, 2);
  });

  for (const code of [3500, 3999, 4500, 4999]) {
    test(`close code ${code} is the end`, async () => {
      const world = new World();
      await world.connect();
      world.socket.drop(code, 'go away');
      assert.deepEqual(world.last('disconnected'), { code, reason: 'go away' });
      assert.equal(world.client.state, 'disconnected');
      assert.equal(world.clock.timerCount, 0);
    });

    test(`a disconnect push of ${code} is the end`, async () => {
      const world = new World();
      await world.connect();
      world.socket.push('', { disconnect: { code, reason: 'go away' } });
      assert.deepEqual(world.last('disconnected'), { code, reason: 'go away' });
      assert.equal(world.socket.isClosedByClient, true);
    });
  }

  for (const code of [1000, 1001, 1006, 1011, 3000, 3012, 3499, 4000, 4499]) {
    test(`close code ${code} is not`, async () => {
      const world = new World();
      await world.connect();
      world.socket.drop(code, '');
      assert.equal(world.client.state, 'connecting');
      assert.equal(world.last('connecting').code, code < 3000 ? 1 : code);
      await world.nextAttempt();
      await world.accept();
      assert.equal(world.client.state, 'connected');
    });
  }

  test('a disconnect push of 3005 is not', async () => {
    const world = new World();
    await world.connect();
    world.socket.push('', { disconnect: { code: 3005, reason: 'connection expired' } });
    assert.equal(world.last('connecting').reason, 'connection expired');
  });

  test('identifiers begin at 1 on each connection', async () => {
    const world = new World();
    await world.connect();
    world.client.history('a').catch(() => {});
    world.socket.drop();
    await world.nextAttempt();
    world.socket.open();
    assert.equal(world.socket.command('connect').id, 1);
  });

  describe('when the browser is online again', () => {
    const network = new EventTarget();
    const listeners = new Set();
    const install = () => {
      globalThis.addEventListener = (type, listener) => {
        listeners.add(listener);
        network.addEventListener(type, listener);
      };
      globalThis.removeEventListener = (type, listener) => {
        listeners.delete(listener);
        network.removeEventListener(type, listener);
      };
    };
    afterEach(() => {
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    });

    test('an attempt that waits is made at once', async () => {
      install();
      const world = new World({ random: () => 1 });
      await world.connect();
      world.socket.drop();
      network.dispatchEvent(new Event('online'));
      assert.equal(world.sockets.length, 2);
      await world.accept();
      await world.clock.advance(60_000);
      assert.equal(world.sockets.length, 2);
      world.client.disconnect();
    });

    test('nothing else happens to one that goes on, or after the end', async () => {
      install();
      const world = new World();
      world.client.connect();
      await world.clock.advance(0);
      network.dispatchEvent(new Event('online'));
      await world.accept();
      network.dispatchEvent(new Event('online'));
      world.client.disconnect();
      network.dispatchEvent(new Event('online'));
      await world.clock.advance(60_000);
      assert.equal(world.sockets.length, 1);
      assert.equal(listeners.size, 0);
    });
  });
});

describe('connection tokens', () => {
  const tokens = () => {
    let count = 0;
    return () => Promise.resolve(`T${++count}`);
  };

  test('are fetched when there is none', async () => {
    const world = new World({ getToken: tokens() });
    await world.connect();
    assert.equal(world.socket.command('connect').connect.token, 'T1');
    world.socket.drop();
    await world.nextAttempt();
    world.socket.open();
    assert.equal(world.socket.command('connect').connect.token, 'T1');
  });

  test('error 109: a fresh one, and a new connection at once', async () => {
    const world = new World({ token: 'old', getToken: tokens() });
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    world.socket.refuse('connect', 109, 'token expired');
    await world.clock.advance(0);
    await world.accept();
    assert.equal(world.sockets.length, 2);
    assert.equal(world.socket.command('connect').connect.token, 'T1');
    assert.equal(world.client.state, 'connected');
  });

  test('error 109 again and again does not make a loop without delay', async () => {
    const world = new World({ token: 'old', getToken: tokens() });
    world.client.connect();
    for (let i = 0; i < 2; i++) {
      await world.clock.advance(0);
      world.socket.open();
      world.socket.refuse('connect', 109, 'token expired');
    }
    assert.ok(world.last('connecting').delay >= 50);
  });

  test('error 109 is the end when there is no way to a fresh one', async () => {
    const world = new World({ token: 'old' });
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    world.socket.refuse('connect', 109, 'token expired');
    assert.deepEqual(world.last('disconnected'), { code: 109, reason: 'token expired' });
  });

  test('none to be had is the end', async () => {
    const world = new World({ getToken: async () => '' });
    world.client.connect();
    await world.clock.advance(0);
    assert.deepEqual(world.last('disconnected'), { code: 1, reason: 'unauthorized' });
    assert.equal(world.sockets.length, 0);
  });

  test('a failure to fetch is told, and another attempt follows', async () => {
    let fails = true;
    const cause = new Error('offline');
    const world = new World({ getToken: async () => { if (fails) throw cause; return 'T'; } });
    world.client.connect();
    await world.clock.advance(0);
    assert.equal(world.last('error').code, 5);
    assert.equal(world.last('error').cause, cause);
    assert.equal(world.sockets.length, 0);
    fails = false;
    await world.nextAttempt();
    await world.accept();
    assert.equal(world.client.state, 'connected');
  });

  test('one that arrives after disconnect() connects nobody', async () => {
    let arrive;
    const world = new World({ getToken: () => new Promise((resolve) => { arrive = resolve; }) });
    world.client.connect();
    await world.clock.advance(0);
    world.client.disconnect();
    arrive('T');
    await settle();
    assert.equal(world.sockets.length, 0);
  });

  test('are renewed 10 s before they end, again and again', async () => {
    const world = new World({ token: 'T0', getToken: tokens() });
    await world.connect({ expires: true, ttl: 600 });
    await world.clock.advance(589_999);
    assert.equal(world.socket.count('refresh'), 0);
    await world.clock.advance(1);
    assert.equal(world.socket.sent.at(-1), '{"id":2,"refresh":{"token":"T1"}}');
    world.socket.answer('refresh', { expires: true, ttl: 60 });
    await world.clock.advance(50_000);
    assert.equal(world.socket.sent.at(-1), '{"id":3,"refresh":{"token":"T2"}}');
  });

  test('a ttl beyond what timers can say does not fire at once', async () => {
    const world = new World({ token: 'T0', getToken: tokens() });
    await world.connect({ expires: true, ttl: 2 ** 40 });
    await world.clock.advance(2 ** 31 - 2);
    assert.equal(world.socket.count('refresh'), 0);
  });

  test('a temporary refresh error, or a failure to fetch, is tried again within 10 s', async () => {
    let fails = false;
    const world = new World({ token: 'T0', getToken: async () => { if (fails) throw new Error('x'); return 'T'; } });
    await world.connect({ expires: true, ttl: 30 });
    await world.clock.advance(20_000);
    world.socket.refuse('refresh', 100, 'internal server error', true);
    fails = true;
    await world.clock.advance(10_000);
    assert.deepEqual(only(world.events, 'error').map(({ code }) => code), [100, 5]);
    fails = false;
    await world.clock.advance(10_000);
    assert.equal(world.socket.count('refresh'), 2);
    world.socket.answer('refresh');
    assert.equal(world.client.state, 'connected');
  });

  test('any other refresh error is the end', async () => {
    const world = new World({ token: 'T0', getToken: tokens() });
    await world.connect({ expires: true, ttl: 30 });
    await world.clock.advance(20_000);
    world.socket.refuse('refresh', 103, 'permission denied');
    assert.deepEqual(world.last('disconnected'), { code: 103, reason: 'permission denied' });
  });

  test('a refresh push moves the end', async () => {
    const world = new World({ token: 'T0', getToken: tokens() });
    await world.connect({ expires: true, ttl: 30 });
    world.socket.push('', { refresh: { expires: true, ttl: 3_600 } });
    await world.clock.advance(3_000_000);
    assert.equal(world.socket.count('refresh'), 0);
  });

  test('nothing is renewed after the connection is lost', async () => {
    const world = new World({ token: 'T0', getToken: tokens() });
    await world.connect({ expires: true, ttl: 30 });
    world.client.disconnect();
    await world.clock.advance(60_000);
    assert.equal(world.socket.count('refresh'), 0);
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('commands', () => {
  test('publish, byte for byte', async () => {
    const world = new World();
    await world.connect();
    const published = world.client.publish('chat:1', { text: 'hi\n' });
    assert.equal(world.socket.sent.at(-1), '{"id":2,"publish":{"channel":"chat:1","data":{"text":"hi\\n"}}}');
    world.socket.reply({ id: 2, publish: {} });
    assert.equal(await published, undefined);
  });

  test('presence', async () => {
    const world = new World();
    await world.connect();
    const presence = world.client.presence('chat:1');
    assert.equal(world.socket.sent.at(-1), '{"id":2,"presence":{"channel":"chat:1"}}');
    const anna = { user: 'anna', client: 'c1', conn_info: { name: 'Anna' } };
    world.socket.answer('presence', { presence: { c1: anna } });
    assert.deepEqual(await presence, { clients: { c1: anna } });
  });

  test('presence stats of an empty channel', async () => {
    const world = new World();
    await world.connect();
    const stats = world.client.presenceStats('chat:1');
    assert.equal(world.socket.sent.at(-1), '{"id":2,"presence_stats":{"channel":"chat:1"}}');
    world.socket.answer('presence_stats', {});
    assert.deepEqual(await stats, { clients: 0, users: 0 });
  });

  test('history', async () => {
    const world = new World();
    await world.connect();
    const history = world.client.history('a', { limit: 2, since: { offset: 3, epoch: 'e' }, reverse: true });
    assert.equal(
      world.socket.sent.at(-1),
      '{"id":2,"history":{"channel":"a","limit":2,"since":{"offset":3,"epoch":"e"},"reverse":true}}');
    const info = { user: 'anna', client: 'c9' };
    const publications = [{ data: 1, offset: 2, info, tags: { k: 'v' } }];
    world.socket.answer('history', { publications, offset: 9, epoch: 'e' });
    assert.deepEqual(await history, {
      publications: [{ data: 1, offset: 2, info, tags: { k: 'v' }, recovered: false }], offset: 9, epoch: 'e',
    });
  });

  test('rpc and send', async () => {
    const world = new World();
    await world.connect();
    const answer = world.client.rpc('sum', [1, 2]);
    await world.client.send({ typing: true });
    assert.deepEqual(world.socket.sent.slice(1), [
      '{"id":2,"rpc":{"method":"sum","data":[1,2]}}',
      '{"send":{"data":{"typing":true}}}',
    ]);
    world.socket.answer('rpc', { data: 3 });
    assert.deepEqual(await answer, { data: 3 });
  });

  test('errors are MartletErrors', async () => {
    const world = new World();
    await world.connect();
    const refused = world.client.publish('a', 1);
    world.socket.refuse('publish', 103, 'permission denied');
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof MartletError && error instanceof Error);
      assert.equal(`${error}`, 'MartletError: permission denied');
      return error.code === 103 && error.temporary === false;
    });
    const later = world.client.publish('a', 1);
    world.socket.refuse('publish', 111, 'too many requests', true);
    await assert.rejects(later, { code: 111, temporary: true });
  });

  test('fail after 5 s without a reply; a late one is passed over', async () => {
    const world = new World();
    await world.connect();
    const failed = assert.rejects(world.client.publish('a', 1), { code: 1, message: 'timeout', temporary: true });
    let isOver = false;
    failed.then(() => { isOver = true; });
    await world.clock.advance(4_999);
    assert.equal(isOver, false);
    await world.clock.advance(1);
    await failed;
    world.socket.answer('publish');
    assert.equal(world.client.state, 'connected');
  });

  test('wait for the connection while it is made, and come after subscriptions', async () => {
    const world = new World();
    const subscription = world.client.subscription('a');
    subscription.subscribe();
    world.client.connect();
    const published = world.client.publish('a', 1);
    const sent = world.client.send(2);
    await world.clock.advance(0);
    await world.accept();
    assert.deepEqual(world.socket.sent.slice(1), [
      '{"id":2,"subscribe":{"channel":"a","recoverable":true}}',
      '{"id":3,"publish":{"channel":"a","data":1}}',
      '{"send":{"data":2}}',
    ]);
    world.socket.answer('publish');
    await published;
    await sent;
  });

  test('do not wait longer than for a reply', async () => {
    const world = new World();
    world.client.connect();
    const failed = assert.rejects(world.client.publish('a', 1), { code: 1 });
    await world.clock.advance(5_000);
    await failed;
    await world.accept();
    assert.equal(world.socket.count('publish'), 0);
  });

  test('waiting ones survive an attempt that fails', async () => {
    const world = new World();
    world.client.connect();
    const published = world.client.publish('a', 1);
    await world.clock.advance(0);
    world.socket.drop();
    await world.nextAttempt();
    await world.accept();
    world.socket.answer('publish');
    await published;
  });

  test('say what was the case when they were issued', async () => {
    const world = new World();
    world.client.connect();
    const data = { x: 1 };
    const published = world.client.publish('a', data);
    data.x = 2;
    await world.clock.advance(0);
    await world.accept();
    assert.equal(world.socket.command('publish').publish.data.x, 1);
    world.socket.answer('publish');
    await published;
  });

  test('fail when the connection is lost: nobody knows whether they were done', async () => {
    const world = new World();
    await world.connect();
    const failed = assert.rejects(world.client.publish('a', 1), { code: 11, temporary: true });
    world.socket.drop();
    await failed;
    await world.nextAttempt();
    await world.accept();
    assert.equal(world.socket.count('publish'), 0);
  });

  test('fail when there is no connection and none is made', async () => {
    const world = new World();
    await assert.rejects(world.client.publish('a', 1), { code: 3 });
    await assert.rejects(world.client.send(1), { code: 3 });
  });

  test('what JSON cannot say fails at once, and disturbs nobody', async () => {
    const world = new World();
    world.client.connect();
    await assert.rejects(world.client.publish('a', 1n), TypeError);
    await world.clock.advance(0);
    await world.accept();
    assert.equal(world.client.state, 'connected');
  });
});

describe('disconnect()', () => {
  test('closes, tells, and leaves no timer', async () => {
    const world = new World({ getToken: async () => 'T' });
    await world.connect({ ping: 25, pong: true, expires: true, ttl: 60 });
    world.client.disconnect();
    world.client.disconnect();
    assert.equal(world.client.state, 'disconnected');
    assert.equal(world.socket.isClosedByClient, true);
    assert.deepEqual(only(world.events, 'disconnected'), [{ code: 0, reason: 'disconnect called' }]);
    assert.equal(world.clock.timerCount, 0);
  });

  test('fails the commands that were sent and those that wait', async () => {
    const world = new World();
    await world.connect();
    const sent = assert.rejects(world.client.publish('a', 1), { code: 11 });
    world.client.disconnect();
    await sent;
    world.client.connect();
    const waiting = assert.rejects(world.client.publish('a', 1), { code: 3 });
    world.client.disconnect();
    await waiting;
    assert.equal(world.clock.timerCount, 0);
  });

  test('ends the waiting for an attempt', async () => {
    const world = new World();
    await world.connect();
    world.socket.drop();
    world.client.disconnect();
    await world.clock.advance(60_000);
    assert.equal(world.sockets.length, 1);
  });

  test('may be called by whoever is told something', async () => {
    for (const type of ['connecting', 'connected']) {
      const world = new World();
      world.client.on(type, () => world.client.disconnect());
      const subscription = world.client.subscription('a');
      subscription.subscribe();
      world.client.connect();
      await world.clock.advance(0);
      if (type === 'connected') await world.accept();
      assert.equal(world.client.state, 'disconnected');
      await world.clock.advance(60_000);
      assert.equal(world.types.at(-1), 'disconnected');
      assert.equal(world.clock.timerCount, 0);
    }
  });

  test('leaves the rest of a message unread', async () => {
    const world = new World();
    await world.connect({ subs: { mine: {} } });
    const events = world.record(world.client, ['publication'], []);
    world.client.on('publication', () => world.client.disconnect());
    const pub = { data: 1 };
    world.socket.reply({ push: { channel: 'mine', pub } }, { push: { channel: 'mine', pub } });
    assert.equal(events.length, 1);
  });

  test('in a listener of connected: nothing more is told of that connection', async () => {
    const world = new World();
    const events = world.record(world.client, ['subscribed', 'unsubscribed'], []);
    await world.connect({ subs: { mine: {} } });
    world.socket.drop();
    world.client.on('connected', () => world.client.disconnect());
    await world.nextAttempt();
    await world.accept({ subs: { other: {} } });
    assert.deepEqual(typesOf(events), ['subscribed']);
  });

  test('in a listener of error: no other attempt follows', async () => {
    const world = new World();
    world.client.on('error', () => world.client.disconnect());
    await world.connect();
    world.socket.onmessage({ data: '{' });
    await world.clock.advance(60_000);
    assert.equal(world.client.state, 'disconnected');
    assert.equal(world.sockets.length, 1);
  });

  test('subscriptions wait for the next connect()', async () => {
    const world = new World();
    await world.connect();
    const subscription = await world.subscribe('a', {}, POSITION);
    world.client.disconnect();
    assert.equal(subscription.state, 'subscribing');
    await assert.rejects(subscription.publish(1), { code: 3 });
    await world.connect();
    assert.equal(
      world.socket.sent.at(-1),
      '{"id":2,"subscribe":{"channel":"a","recoverable":true,"recover":true,"epoch":"e","offset":5}}');
  });
});

describe('listeners', () => {
  test('are taken off by what on() returns, or by off()', async () => {
    const world = new World();
    let calls = 0;
    const listener = () => calls++;
    const stop = world.client.on('connecting', listener);
    stop();
    world.client.on('connecting', listener);
    world.client.off('connecting', listener);
    world.client.off('connected', listener);
    await world.connect();
    assert.equal(calls, 0);
  });

  test('that throw are reported, and stop neither the others nor the client', async (context) => {
    const reported = [];
    context.mock.method(globalThis, 'queueMicrotask', (f) => {
      try { f(); } catch (error) { reported.push(error.message); }
    });
    const world = new World();
    let calls = 0;
    world.client.on('connected', () => { throw new Error('of the page'); });
    world.client.on('connected', () => calls++);
    await world.connect();
    assert.equal(world.client.state, 'connected');
    assert.equal(calls, 1);
    assert.deepEqual(reported, ['of the page']);
  });
});
