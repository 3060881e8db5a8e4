import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settle } from './fakes.js';
import { FakeStorage, HTTPWorld, connected } from './http-fakes.js';

const CONNECT = '{"id":1,"connect":{"name":"js"}}';

describe('HTTP streaming', () => {
  const open = async (reply) => {
    const world = new HTTPWorld({ transports: ['http_stream'] });
    await world.begin();
    world.request.stream();
    world.stream = world.request;
    world.stream.lines(connected(1, reply));
    await settle();
    return world;
  };

  test('the connect command is the request, replies are lines of the response', async () => {
    const world = await open();
    assert.equal(world.stream.url, 'http://martlet.test/connection/http_stream');
    assert.equal(world.stream.method, 'POST');
    assert.equal(world.stream.text, CONNECT);
    assert.equal(world.client.state, 'connected');
    assert.equal(world.client.transport, 'http_stream');
  });

  test('what is sent together is posted together, with the session', async () => {
    const world = await open();
    world.client.subscription('a').subscribe();
    world.client.publish('b', 1).catch(() => {});
    await settle();
    assert.equal(world.request.url, 'http://martlet.test/emulation');
    assert.deepEqual(world.request.json, {
      session: '0-s', node: 'n',
      data: '{"id":2,"subscribe":{"channel":"a","recoverable":true}}\n{"id":3,"publish":{"channel":"b","data":1}}',
    });
    world.client.publish('b', 2).catch(() => {});
    await settle();
    assert.equal(world.to('/emulation').length, 2);
  });

  test('lines and characters may come in pieces', async () => {
    const world = await open();
    world.events.length = 0;
    world.record(world.client, ['message']);
    const bytes = new TextEncoder().encode('{"push":{"message":{"data":"ü"}}}\n{}\n{"push":{"message":{"data":2}}}\n');
    for (const byte of bytes) {
      world.stream.bytes(byte);
      await settle();
    }
    assert.deepEqual(world.events, [['message', { data: 'ü' }], ['message', { data: 2 }]]);
  });

  test('pings are answered by posts', async () => {
    const world = await open({ ping: 25, pong: true });
    world.stream.lines({});
    await settle();
    assert.deepEqual(world.request.commands, [{}]);
  });

  for (const [how, act] of [['ends', 'end'], ['breaks', 'cut']]) {
    test(`a stream that ${how} is a connection that is lost`, async () => {
      const world = await open();
      world.stream[act]();
      await settle();
      assert.equal(world.client.state, 'connecting');
      assert.equal(world.last('connecting').reason, 'transport closed');
    });
  }

  test('disconnect ends the request', async () => {
    const world = await open();
    world.client.disconnect();
    await settle();
    assert.ok(world.stream.isAborted);
    assert.equal(world.client.state, 'disconnected');
  });

  test('a disconnect push says whether to come back', async () => {
    const world = await open();
    world.stream.lines({ push: { disconnect: { code: 3500, reason: 'invalid token' } } });
    await settle();
    assert.deepEqual(world.last('disconnected'), { code: 3500, reason: 'invalid token' });
  });

  test('a post that the network loses is sent again, as it was', async () => {
    const world = await open();
    const done = world.client.publish('b', 1);
    await settle();
    const { text } = world.request;
    for (let times = 0; times < 3; times++) {
      world.request.fail();
      await world.clock.advance(500);
    }
    assert.equal(world.to('/emulation').length, 4);
    assert.equal(world.request.text, text);
    world.request.answer(204);
    world.stream.lines({ id: 2, publish: {} });
    await done;
    assert.equal(world.client.state, 'connected');
  });

  test('but not for ever', async () => {
    const world = await open();
    world.client.publish('b', 1).catch(() => {});
    await settle();
    for (let times = 0; times < 4; times++) {
      world.request.fail();
      await world.clock.advance(500);
    }
    assert.equal(world.client.state, 'connecting');
  });

  test('a session that the server does not know is over', async () => {
    const world = await open();
    world.client.publish('b', 1).catch(() => {});
    await settle();
    world.request.answer(404);
    await settle();
    assert.equal(world.client.state, 'connecting');
    assert.equal(world.to('/emulation').length, 1);
  });
});

describe('server-sent events', () => {
  test('the connect command is in the address, replies are events', async () => {
    const world = new HTTPWorld({ transports: ['sse'] });
    await world.begin();
    const [source] = world.sources;
    assert.equal(source.url, `http://martlet.test/connection/sse?cf_connect=${encodeURIComponent(CONNECT)}`);
    source.event(connected(1));
    assert.equal(world.client.state, 'connected');
    world.client.publish('b', 1).catch(() => {});
    await settle();
    assert.equal(world.request.json.session, '0-s');
    source.onerror({});
    await settle();
    assert.equal(world.client.state, 'connecting');
    assert.ok(source.isClosed);
  });

  test('disconnect closes the source', async () => {
    const world = new HTTPWorld({ transports: ['sse'] });
    await world.begin();
    world.client.disconnect();
    assert.ok(world.sources[0].isClosed);
  });
});

describe('long-polling', () => {
  const open = async () => {
    const world = new HTTPWorld({ transports: ['poll'] });
    await world.begin();
    assert.deepEqual(world.request.json, { ack: 0, data: CONNECT });
    world.request.answer(200, { session: '0-s', from: 1, replies: [connected(1)] });
    await settle();
    world.events.length = 0;
    world.record(world.client, ['message']);
    return world;
  };
  const message = (data) => ({ push: { message: { data } } });
  const told = (world) => world.events.filter(([type]) => type === 'message').map(([, { data }]) => data);

  test('each poll acknowledges what has come', async () => {
    const world = await open();
    assert.deepEqual(world.request.json, { session: '0-s', ack: 1, data: '' });
    world.request.answer(200, { session: '0-s', from: 2, replies: [message(1), message(2)] });
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', ack: 3, data: '' });
    world.request.answer(200, { session: '0-s', from: 4, replies: [] });
    await settle();
    assert.equal(world.request.json.ack, 3);
    assert.deepEqual(told(world), [1, 2]);
  });

  test('a poll that is lost is repeated, and nothing is told twice', async () => {
    const world = await open();
    world.request.fail();
    await world.clock.advance(500);
    assert.equal(world.request.json.ack, 1);
    world.request.answer(200, { session: '0-s', from: 1, replies: [connected(1), message(1)] });
    await settle();
    assert.deepEqual(told(world), [1]);
    assert.equal(world.request.json.ack, 2);
    world.request.fail();
    await world.clock.advance(500);
    world.request.answer(200, { session: '0-s', from: 2, replies: [message(1), message(2)] });
    await settle();
    assert.deepEqual(told(world), [1, 2]);
  });

  test('a poll that nobody answers is given up', async () => {
    const world = await open();
    const first = world.request;
    await world.clock.advance(34_999);
    assert.ok(!first.isAborted);
    await world.clock.advance(501);
    assert.ok(first.isAborted);
    assert.equal(world.to('/connection/poll').length, 3);
  });

  test('commands are posted beside it', async () => {
    const world = await open();
    world.client.publish('b', 1).catch(() => {});
    await settle();
    assert.deepEqual(world.to('/emulation')[0].commands, [{ id: 2, publish: { channel: 'b', data: 1 } }]);
  });

  test('an unknown session is over', async () => {
    const world = await open();
    world.request.answer(404);
    await settle();
    assert.equal(world.client.state, 'connecting');
  });

  test('after disconnect there are no more polls', async () => {
    const world = await open();
    world.client.disconnect();
    world.request.answer(200, { session: '0-s', from: 2, replies: [message(1)] });
    await world.clock.advance(100_000);
    assert.deepEqual(told(world), []);
    assert.equal(world.to('/connection/poll').length, 2);
  });
});

describe('the choice of a transport', () => {
  /** Fails with whatever it tries, until the test is content. */
  const failing = async (world) => {
    const tried = [];
    for (let i = 0; i < 6; i++) {
      tried.push(world.client.transport);
      if (world.client.transport === 'websocket') world.socket.drop();
      else if (world.client.transport === 'sse') world.sources.at(-1).onerror({});
      else world.request.fail();
      await settle();
      await world.nextAttempt();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await settle();
    }
    return tried;
  };

  test('what fails is followed by the next, and after the last by the first', async () => {
    const world = new HTTPWorld({ transports: undefined });
    world.client.connect();
    await world.clock.advance(0);
    const tried = await failing(world);
    assert.deepEqual(tried, ['websocket', 'http_stream', 'sse', 'poll', 'websocket', 'http_stream']);
  });

  test('what the browser has not is not tried', async () => {
    const world = new HTTPWorld({ transports: ['websocket', 'sse', 'poll'], EventSource: null });
    world.client.connect();
    await world.clock.advance(0);
    assert.deepEqual((await failing(world)).slice(0, 3), ['websocket', 'poll', 'websocket']);
  });

  test('a stream whose bytes are held back counts as failed', async () => {
    const world = new HTTPWorld({ transports: ['http_stream', 'poll'] });
    await world.begin();
    world.request.stream();
    await world.clock.advance(5_000);
    assert.equal(world.client.state, 'connecting');
    assert.equal(world.client.transport, 'poll');
  });

  test('what has worked is tried three times before the next', async () => {
    const world = new HTTPWorld({ transports: ['websocket', 'poll'] });
    await world.connect();
    world.socket.drop();
    for (let i = 0; i < 2; i++) {
      await world.nextAttempt();
      world.socket.drop();
      assert.equal(world.client.transport, 'websocket');
    }
    await world.nextAttempt();
    world.socket.drop();
    assert.equal(world.client.transport, 'poll');
  });

  test('what has worked is remembered over pages', async () => {
    const storage = new FakeStorage();
    const world = new HTTPWorld({ transports: undefined, storage });
    world.client.connect();
    await world.clock.advance(0);
    world.socket.drop();
    await world.nextAttempt();
    await new Promise((resolve) => setTimeout(resolve, 5));
    world.request.stream();
    world.request.lines(connected(1));
    await settle();
    assert.equal(world.client.state, 'connected');
    assert.equal(new HTTPWorld({ transports: undefined, storage }).client.transport, 'http_stream');
    assert.equal(new HTTPWorld({ transports: undefined, storage, fetch: null }).client.transport, 'websocket');
  });

  test('a server that refuses has been reached', async () => {
    const world = new HTTPWorld({ transports: ['websocket', 'poll'] });
    await world.connect();
    world.client.disconnect();
    world.client.connect();
    await world.clock.advance(0);
    world.socket.open();
    world.socket.drop(3004, 'server error');
    assert.equal(world.client.transport, 'websocket');
  });

  test('of several addresses the next is tried before the next transport', async () => {
    const world = new HTTPWorld({ url: ['ws://a.test/connection/websocket', 'ws://b.test/connection/websocket'], transports: ['websocket', 'poll'] });
    world.client.connect();
    await world.clock.advance(0);
    world.socket.drop();
    await world.nextAttempt();
    assert.equal(world.socket.url, 'ws://b.test/connection/websocket');
    world.socket.drop();
    assert.equal(world.client.transport, 'poll');
    await world.nextAttempt();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(world.request.url, 'http://a.test/connection/poll');
  });
});
