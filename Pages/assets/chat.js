// The chat page. What is sent: {id, at, text?, picture?, size?, sound?, seconds?}; who sent it, the server says.

import { Client } from '/martlet.js';
import { showConnection } from '/assets/connection.js';
import { byId, element, memory, randomIdentifier } from '/assets/dom.js';
import { avatar, MessageList, messageOf } from '/assets/chat/messages.js';
import { Composer } from '/assets/chat/composer.js';
import { Outbox } from '/assets/chat/outbox.js';
import { People } from '/assets/chat/people.js';

/** As many as the server keeps. */
const HISTORY = 100;
const ROOMS = ['lobby', 'team', 'random'];

/** Names are part of a channel's name and of an address: kept to what is easy in both. */
const roomName = (text) => text.trim().toLowerCase().replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 40);

const room = roomName(new URLSearchParams(location.search).get('room') ?? '') || 'lobby';
showRooms();
const user = await askName();
start();

function showRooms() {
  const visited = memory.get('rooms');
  const others = (Array.isArray(visited) ? visited : []).map((name) => roomName(String(name))).filter(Boolean);
  const names = [...new Set([...ROOMS, room, ...others])].slice(0, 12);
  memory.set('rooms', [room, ...others.filter((name) => name !== room)].slice(0, 8));
  byId('rooms').replaceChildren(...names.map((name) => element(
    'li', {},
    element('a', { href: `/chat?room=${encodeURIComponent(name)}`, 'aria-current': name === room ? 'page' : null }, name))));
  byId('room-title').textContent = `#${room}`;
  byId('room-note').textContent = `channel chat:${room}`;
  document.title = `#${room} · Martlet`;
  byId('open-room').addEventListener('submit', (event) => {
    event.preventDefault();
    const name = roomName(byId('room-name').value);
    if (name) location.assign(`/chat?room=${encodeURIComponent(name)}`);
  });
  byId('side-toggle').addEventListener('click', () => toggleSide());
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') toggleSide(false); });
  byId('scroll').addEventListener('click', () => toggleSide(false));
}

function toggleSide(isOpen = !byId('side').classList.contains('open')) {
  byId('side').classList.toggle('open', isOpen);
  byId('side-toggle').setAttribute('aria-expanded', String(isOpen));
}

/** The name of last time; asked for when there is none. */
async function askName() {
  const kept = memory.get('name');
  const name = typeof kept === 'string' && kept !== '' ? kept : await dialog('');
  byId('my-name').textContent = name;
  const mine = avatar(name);
  mine.id = 'my-avatar';
  byId('my-avatar').replaceWith(mine);
  byId('rename').addEventListener('click', async () => {
    const next = await dialog(name);
    // The server knows a connection by one name: another name is another connection.
    if (next !== name) location.reload();
  });
  return name;
}

function dialog(name) {
  const box = byId('name-dialog');
  const input = byId('name');
  input.value = name;
  box.showModal();
  return new Promise((resolve) => {
    const submitted = (event) => {
      event.preventDefault();
      const chosen = input.value.trim();
      if (!chosen) return;
      memory.set('name', chosen);
      box.close();
      finish(chosen);
    };
    // Without a name there is no chat; with one, Escape keeps it.
    const cancelled = (event) => {
      if (name) finish(name);
      else event.preventDefault();
    };
    function finish(result) {
      byId('name-form').removeEventListener('submit', submitted);
      box.removeEventListener('cancel', cancelled);
      resolve(result);
    }
    byId('name-form').addEventListener('submit', submitted);
    box.addEventListener('cancel', cancelled);
  });
}

function start() {
  const client = new Client(undefined, { data: { user } });
  const subscription = client.subscription(`chat:${room}`, { recoverable: true, joinLeave: true });
  const list = new MessageList({
    list: byId('messages'), scroll: byId('scroll'), newer: byId('newer'), newerText: byId('newer-text'), user,
  });
  const people = new People({ user, list: byId('people'), counts: [byId('people-count'), byId('people-badge')] });
  const outbox = new Outbox(subscription, list);
  const composer = new Composer((content) => {
    const message = { id: randomIdentifier(), at: Date.now(), ...content };
    list.addPending({ text: '', user, ...message });
    byId('empty').hidden = true;
    outbox.send(message);
  });
  showConnection(client);

  let epoch;
  /** Whether what was said before is on the page; a connection may end before it is. */
  let hasHistory = false;
  let unread = 0;
  /** What comes while history is loaded waits for it. */
  let waiting;

  function show(publication, { wasMissed = false } = {}) {
    const message = messageOf(publication, epoch);
    const isNew = !list.has(message.id);
    if (isNew && wasMissed && message.user !== user) list.countAway();
    list.add(message, publication.offset);
    outbox.delivered(message.id);
    byId('empty').hidden = true;
    if (isNew && document.hidden && message.user !== user) {
      unread += 1;
      document.title = `(${unread}) #${room} · Martlet`;
    }
  }

  async function loadHistory() {
    const arrived = waiting = [];
    const isReturn = hasHistory;
    try {
      const history = await subscription.history({ limit: HISTORY, reverse: true });
      if (isReturn) {
        list.startAway();
        if (epoch !== undefined && history.epoch !== epoch) list.startGeneration();
      }
      epoch = history.epoch;
      const publications = [...history.publications].sort((a, b) => a.offset - b.offset);
      for (const publication of publications) show(publication, { wasMissed: isReturn });
      hasHistory = true;
    } catch (error) {
      composer.complain(`Earlier messages could not be loaded: ${error.message}`);
    }
    // Another reconnect may have begun a history of its own meanwhile.
    if (waiting === arrived) waiting = undefined;
    for (const publication of arrived) show(publication);
  }

  subscription.on('subscribed', async ({ wasRecovering, recovered, missed }) => {
    composer.complain('');
    people.load(subscription).catch(() => {});
    if (wasRecovering && recovered && hasHistory) {
      if (missed > 0) list.startAway();
    } else {
      await loadHistory();
    }
    explainEmptiness(list.isEmpty);
    // After what was missed has been shown: a message that arrived, and whose answer was lost, is not sent twice.
    setTimeout(() => outbox.flush(), 0);
  });
  subscription.on('publication', (publication) => {
    if (waiting) waiting.push(publication);
    else show(publication, { wasMissed: publication.recovered });
  });
  subscription.on('join', (info) => people.joined(info));
  subscription.on('leave', (info) => people.left(info));
  subscription.on('error', (error) => composer.complain(`The room cannot be entered: ${error.message ?? error.code}`));
  subscription.on('unsubscribed', ({ code, reason }) => {
    if (code) composer.complain(`The server ended your place in this room: ${reason} (${code})`);
  });
  client.on('connecting', () => outbox.pause());
  client.on('disconnected', () => outbox.pause());

  document.addEventListener('visibilitychange', () => {
    unread = 0;
    document.title = `#${room} · Martlet`;
  });
  subscription.subscribe();
  client.connect();
}

function explainEmptiness(isEmpty) {
  byId('empty').hidden = !isEmpty;
  byId('empty-title').textContent = 'Nobody has said anything yet';
  byId('empty-text').textContent = 'Write the first message, or open this page in a second window and talk to yourself.';
}
