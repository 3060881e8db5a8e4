// The first page: a feed of pushed news, and the commands that push some.

import { Client } from '/martlet.js';
import { showConnection } from '/assets/connection.js';
import { byId, copyOnClick, element, timeElement, validTime } from '/assets/dom.js';

const CHANNEL = 'news:1';
/** As many as the server keeps. */
const MAXIMUM_SHOWN = 100;

const socketOrigin = location.origin.replace(/^http/, 'ws');
const address = location.host === 'localhost:8000' || location.host === '127.0.0.1:8000' ? '' : ` --url ${socketOrigin}`;
byId('curl').textContent = `curl -X POST ${location.origin}/api/publish \\
  -H 'X-API-Key: demo-key' \\
  -d '{"channel":"${CHANNEL}","data":{"title":"Hello","text":"From curl, to every open page."}}'`;
byId('shell').textContent = `martlet publish${address} ${CHANNEL} '{"title":"Hello from a shell"}'`;
byId('endpoint').textContent = `${socketOrigin}/connection/websocket`;
byId('api').textContent = `${location.origin}/api/`;
for (const name of ['curl', 'shell', 'snippet']) copyOnClick(byId(`copy-${name}`), byId(name));

const feed = byId('feed');
const problem = byId('feed-problem');
/** The offsets that are shown, each once, of the stream with this epoch. */
let shown = new Set();
let epoch;
/** Whether history has been loaded; a connection may end before it is. */
let hasHistory = false;
/** What comes while history is loaded waits for it, so that the order is right. */
let waiting;

/** What there is to read in an item, whatever its sender made of it. */
function content(data) {
  if (data !== null && typeof data === 'object' && !Array.isArray(data)) {
    const title = typeof data.title === 'string' ? data.title : JSON.stringify(data);
    return { title, text: typeof data.text === 'string' ? data.text : '', at: validTime(data.at) };
  }
  return { title: typeof data === 'string' ? data : JSON.stringify(data), text: '' };
}

function show(publication, isFresh) {
  const { offset } = publication;
  if (offset) {
    if (shown.has(offset)) return;
    shown.add(offset);
  }
  const { title, text, at } = content(publication.data);
  const time = at ?? (isFresh ? Date.now() : undefined);
  feed.prepend(element(
    'li', { class: isFresh ? 'fresh' : null },
    element(
      'div', { class: 'headline' }, element('h3', {}, title),
      time ? timeElement(time) : element('span', { class: 'position' }, `earlier, #${offset}`)),
    text ? element('p', {}, text) : null));
  while (feed.children.length > MAXIMUM_SHOWN) feed.lastElementChild.remove();
  feed.hidden = false;
  byId('feed-empty').hidden = true;
}

async function loadHistory() {
  const arrived = waiting = [];
  try {
    const history = await news.history({ limit: MAXIMUM_SHOWN, reverse: true });
    // Another epoch counts anew: the same offset is another item.
    if (epoch !== undefined && history.epoch !== epoch) shown = new Set();
    epoch = history.epoch;
    for (const publication of [...history.publications].sort((a, b) => a.offset - b.offset)) show(publication, false);
    hasHistory = true;
  } catch (error) {
    complain(`Earlier news could not be loaded: ${error.message}`);
  }
  // Another reconnect may have begun a history of its own meanwhile.
  if (waiting === arrived) waiting = undefined;
  for (const publication of arrived) show(publication, true);
}

const client = new Client();
showConnection(client);
const news = client.subscription(CHANNEL, { recoverable: true });

news.on('publication', (publication) => {
  if (waiting) waiting.push(publication);
  else show(publication, true);
});
news.on('subscribed', ({ wasRecovering, recovered }) => {
  problem.hidden = true;
  byId('push').disabled = false;
  if (!(wasRecovering && recovered && hasHistory)) loadHistory();
});
news.on('error', (error) => complain(`News cannot be received: ${error.message ?? error.code}`));
news.on('unsubscribed', ({ code, reason }) => {
  byId('push').disabled = true;
  if (code) complain(`No longer listening to ${CHANNEL}: ${reason} (${code})`);
});

function complain(text) {
  problem.textContent = text;
  problem.hidden = false;
}

byId('push').addEventListener('click', async () => {
  try {
    await news.publish({ title: 'Hello from a browser', text: 'Every open page shows this now.', at: Date.now() });
  } catch (error) {
    complain(`Not pushed: ${error.message}`);
  }
});

client.on('connecting', () => { byId('push').disabled = true; });
news.subscribe();
client.connect();
