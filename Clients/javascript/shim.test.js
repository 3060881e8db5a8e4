import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock, settle } from './fakes.js';
import { FakeRequest } from './http-fakes.js';
import { FallbackWebSocket } from './websocket-shim.js';

let hosts = 0;

/** A socket in a world of its own: every test has a host that nothing is remembered of. */
class ShimWorld {
  clock = new FakeClock();
  requests = [];
  directs = [];
  events = [];

  constructor({ direct = false, url = `ws://host${++hosts}.test/feed?x=1`, protocols } = {}) {
    const { directs } = this;
    const WebSocket = direct ? class {
      bufferedAmount = 7;
      protocol = 'p';
      extensions = '';
      sent = [];
      constructor(url, protocols) { Object.assign(this, { url, protocols }); directs.push(this); }
      send(data) { this.sent.push(data); }
      close(...end) { this.closed = end; }
    } : null;
    this.socket = new FallbackWebSocket(url, protocols, {
      WebSocket, setTimeout: this.clock.setTimeout, clearTimeout: this.clock.clearTimeout,
      fetch: (address, init) => {
        const request = new FakeRequest(address, init);
        this.requests.push(request);
        return request.response;
      },
    });
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => this.events.push('open');
    this.socket.onmessage = ({ data }) => this.events.push(typeof data === 'string' ? data : new Uint8Array(data));
    this.socket.onerror = () => this.events.push('error');
    this.socket.onclose = ({ code, reason, wasClean }) => this.events.push([code, reason, wasClean]);
  }

  get request() { return this.requests.at(-1); }
  get posts() { return this.requests.filter((request) => request.path === '/tunnel'); }
}

const streaming = async (options) => {
  const world = new ShimWorld(options);
  await settle();
  world.down = world.request;
  world.down.stream();
  world.down.lines({ session: '0-s', protocol: 'chat' });
  await settle();
  return world;
};

const polling = async () => {
  const world = new ShimWorld();
  await settle();
  world.request.fail();
  await settle();
  assert.deepEqual(world.request.json, { protocols: [], stream: false });
  world.request.answer(200, { session: '0-s', protocol: '' });
  await settle();
  return world;
};

describe('the constructor refuses what the browser would', () => {
  for (const [name, url, protocols] of [
    ['another scheme', 'ftp://a.test/', []], ['a fragment', 'ws://a.test/#x', []], ['the same subprotocol twice', 'ws://a.test/', ['a', 'a']],
    ['what is no token', 'ws://a.test/', 'a b'],
  ]) {
    test(name, () => assert.throws(() => new FallbackWebSocket(url, protocols), { name: 'SyntaxError' }));
  }
});

describe('the way', () => {
  test('is the browser\'s own where that works', async () => {
    const world = new ShimWorld({ direct: true });
    const [direct] = world.directs;
    direct.onopen();
    assert.equal(world.socket.way, 'direct');
    world.socket.send('hello');
    assert.deepEqual(direct.sent, ['hello']);
    assert.equal(world.socket.bufferedAmount, 7);
    direct.onmessage({ data: 'x' });
    direct.onclose({ code: 1000, reason: 'bye', wasClean: true });
    assert.deepEqual(world.events, ['open', 'x', [1000, 'bye', true]]);
    assert.equal(world.requests.length, 0);
  });

  test('hands on closes as they were said', () => {
    for (const end of [[], [3000], [3000, 'bye']]) {
      const world = new ShimWorld({ direct: true });
      world.directs[0].onopen();
      world.socket.close(...end);
      assert.deepEqual(world.directs[0].closed, end.length === 1 ? [3000, ''] : end);
    }
  });

  test('is a stream when that fails, and polls when the stream is held back', async () => {
    const world = new ShimWorld({ direct: true });
    world.directs[0].onclose({ code: 1006, reason: '', wasClean: false });
    await settle();
    assert.equal(world.socket.way, 'stream');
    assert.equal(new URL(world.request.url).pathname + new URL(world.request.url).search, '/tunnel/feed?x=1');
    world.request.stream();
    await world.clock.advance(5_000);
    assert.equal(world.socket.way, 'poll');
    world.request.answer(200, { session: '0-s', protocol: '' });
    await settle();
    assert.deepEqual(world.events, ['open']);
    const next = new ShimWorld({ direct: true, url: world.socket.url });
    assert.equal(next.socket.way, 'poll');
  });

  test('is no way when all have failed', async () => {
    const world = new ShimWorld({ direct: true });
    world.directs[0].onclose({ code: 1006, reason: '', wasClean: false });
    await settle();
    world.request.answer(403);
    await settle();
    world.request.answer(403);
    await settle();
    assert.deepEqual(world.events, ['error', [1006, '', false]]);
    assert.equal(world.socket.readyState, 3);
  });
});

describe('a stream', () => {
  test('opens with the subprotocol', async () => {
    const world = await streaming({ protocols: ['chat', 'other'] });
    assert.deepEqual(world.down.json, { protocols: ['chat', 'other'], stream: true, resume: true });
    assert.equal(world.socket.protocol, 'chat');
    assert.equal(world.socket.readyState, 1);
  });

  test('brings texts and bytes', async () => {
    const world = await streaming();
    world.down.lines({ text: 'ü' }, { binary: 'AAEC/w==' });
    await settle();
    assert.deepEqual(world.events, ['open', 'ü', new Uint8Array([0, 1, 2, 255])]);
    world.socket.binaryType = 'blob';
    let blob;
    world.socket.onmessage = ({ data }) => { blob = data; };
    world.down.lines({ binary: 'AAEC/w==' });
    await settle();
    assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), new Uint8Array([0, 1, 2, 255]));
  });

  test('posts go one after the other, what is sent together in one', async () => {
    const world = await streaming();
    world.socket.send('a');
    world.socket.send(new Uint8Array([0, 1, 2]).subarray(1));
    assert.equal(world.socket.bufferedAmount, 3);
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', from: 1, messages: [{ text: 'a' }, { binary: 'AQI=' }] });
    world.socket.send(new Blob(['ü']));
    world.socket.send('last');
    await settle();
    assert.equal(world.posts.length, 1);
    world.request.answer(204);
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', from: 3, messages: [{ binary: 'w7w=' }, { text: 'last' }] });
    assert.equal(world.socket.bufferedAmount, 6);
    world.request.answer(204);
    await settle();
    assert.equal(world.socket.bufferedAmount, 0);
  });

  test('a post that is lost goes again with its number', async () => {
    const world = await streaming();
    world.socket.send('a');
    await settle();
    world.request.fail();
    await world.clock.advance(500);
    assert.deepEqual(world.posts.map((post) => post.json.from), [1, 1]);
    world.request.answer(404);
    await settle();
    assert.deepEqual(world.events, ['open', 'error', [1006, '', false]]);
  });

  test('large messages go alone, small ones in posts of 256 KiB', async () => {
    const world = await streaming();
    for (const size of [300_000, 200_000, 60_000, 60_000]) world.socket.send('x'.repeat(size));
    const sizes = [];
    for (let posts = 0; posts < 3; posts++) {
      await settle();
      sizes.push(world.request.json.messages.map(({ text }) => text.length));
      world.request.answer(204);
    }
    assert.deepEqual(sizes, [[300_000], [200_000, 60_000], [60_000]]);
  });

  test('a close of the server', async () => {
    const world = await streaming();
    world.down.lines({ close: 4001, reason: 'enough' }, { text: 'late' });
    await settle();
    assert.deepEqual(world.events, ['open', [4001, 'enough', true]]);
    assert.ok(world.down.isAborted);
  });

  test('a close of ours follows what was sent', async () => {
    const world = await streaming();
    world.socket.send('a');
    world.socket.close(3000, 'bye');
    assert.equal(world.socket.readyState, 2);
    world.socket.send('too late');
    await settle();
    assert.deepEqual(world.request.json.messages, [{ text: 'a' }, { close: 3000, reason: 'bye' }]);
    world.down.lines({ close: 3000, reason: 'bye' });
    await settle();
    assert.deepEqual(world.events, ['open', [3000, 'bye', true]]);
  });

  test('that ends without a close was broken', async () => {
    const world = await streaming();
    world.down.end();
    await settle();
    assert.deepEqual(world.events, ['open', 'error', [1006, '', false]]);
  });

  test('that is silent too long is given up; empty lines are signs of life', async () => {
    const world = await streaming();
    await world.clock.advance(39_999);
    world.down.text8('\n');
    await world.clock.advance(39_999);
    assert.deepEqual(world.events, ['open']);
    await world.clock.advance(2);
    assert.deepEqual(world.events, ['open', 'error', [1006, '', false]]);
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('a stream that breaks', () => {
  const resuming = async () => {
    const world = new ShimWorld();
    await settle();
    world.down = world.request;
    world.down.stream();
    world.down.lines({ session: '0-s', protocol: '', resume: true }, { text: 'a' }, { text: 'b' });
    await settle();
    return world;
  };
  const seen = (world) => world.posts.map(({ json }) => json.seen);

  test('goes on with polls, and nobody notices', async () => {
    const world = await resuming();
    world.down.cut();
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', ack: 2 });
    world.request.answer(200, { session: '0-s', from: 2, replies: [{ text: 'b' }, { text: 'c' }] });
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', ack: 3 });
    world.socket.send('up');
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', from: 1, messages: [{ text: 'up' }] });
    assert.deepEqual(world.events, ['open', 'a', 'b', 'c']);
  });

  test('so does one that falls silent', async () => {
    const world = await resuming();
    await world.clock.advance(500);
    world.request.answer(204);
    await world.clock.advance(39_500);
    assert.deepEqual(world.request.json, { session: '0-s', ack: 2 });
  });

  test('the server hears what has come: soon, with a post, or when it is much', async () => {
    const world = await resuming();
    await world.clock.advance(499);
    assert.deepEqual(seen(world), []);
    await world.clock.advance(1);
    assert.deepEqual(world.request.json, { session: '0-s', from: 1, messages: [], seen: 2 });
    world.request.answer(204);
    await settle();
    world.socket.send('up');
    await settle();
    assert.deepEqual(world.request.json, { session: '0-s', from: 1, messages: [{ text: 'up' }], seen: 2 });
    world.request.answer(204);
    await settle();
    for (let count = 0; count < 3; count++) world.down.lines({ text: 'x'.repeat(100_000) });
    await settle();
    assert.deepEqual(seen(world), [2, 2, 5]);
    world.request.answer(204);
    await world.clock.advance(10_000);
    assert.deepEqual(seen(world), [2, 2, 5]);
  });

  test('without the server\'s word it is the end', async () => {
    const world = await streaming();
    world.down.lines({ text: 'a' });
    await settle();
    world.down.cut();
    await settle();
    assert.deepEqual(world.events, ['open', 'a', 'error', [1006, '', false]]);
    assert.equal(world.clock.timerCount, 0);
  });
});

describe('polls', () => {
  test('acknowledge what has come, and show nothing twice', async () => {
    const world = await polling();
    assert.deepEqual(world.request.json, { session: '0-s', ack: 0 });
    world.request.answer(200, { from: 1, replies: [{ text: 'a' }, { text: 'b' }] });
    await settle();
    assert.equal(world.request.json.ack, 2);
    world.request.fail();
    await world.clock.advance(500);
    world.request.answer(200, { from: 1, replies: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] });
    await settle();
    assert.deepEqual(world.events, ['open', 'a', 'b', 'c']);
    world.request.answer(200, { from: 4, replies: [{ close: 1000, reason: '' }] });
    await settle();
    assert.deepEqual(world.events.at(-1), [1000, '', true]);
  });
});

describe('what a WebSocket refuses', () => {
  test('sending before it is open', () => {
    assert.throws(() => new ShimWorld().socket.send('x'), { name: 'InvalidStateError' });
  });

  for (const [code, reason, name] of [[1001, '', 'InvalidAccessError'], [5000, '', 'InvalidAccessError'], [1000, 'ü'.repeat(62), 'SyntaxError']]) {
    test(`close(${code}, ${reason.length} characters)`, () => {
      assert.throws(() => new ShimWorld().socket.close(code, reason), { name });
    });
  }

  test('a close before it is open ends it', async () => {
    const world = new ShimWorld();
    await settle();
    world.socket.close();
    await settle();
    assert.deepEqual(world.events, ['error', [1006, '', false]]);
    assert.ok(world.request.isAborted);
  });
});
