// Shows the state of a client's connection, in words.

import { byId } from '/assets/dom.js';

/**
 * Keeps the page's connection pill (`#connection`) true, and tells screen readers of changes only, not of every
 * second that is counted down.
 * @param {import('/martlet.js').Client} client
 */
export function showConnection(client) {
  const pill = byId('connection');
  const words = pill.querySelector('.words');
  const announcement = byId('announcement');
  let isFirst = true;
  let nextAttempt = 0;
  let timer;

  function show(state, text, spoken = text) {
    pill.dataset.state = state;
    words.textContent = text;
    if (spoken && announcement.textContent !== spoken) announcement.textContent = spoken;
  }

  function countDown() {
    const seconds = Math.ceil((nextAttempt - performance.now()) / 1000);
    if (seconds > 0) {
      show('waiting', `Reconnecting in ${seconds} s…`, 'Connection lost, reconnecting');
      timer = setTimeout(countDown, 250);
    } else {
      show(isFirst ? 'starting' : 'waiting', isFirst ? 'Connecting…' : 'Reconnecting…', '');
    }
  }

  client.on('connecting', ({ delay }) => {
    clearTimeout(timer);
    nextAttempt = performance.now() + (delay ?? 0);
    countDown();
  });
  client.on('connected', () => {
    clearTimeout(timer);
    isFirst = false;
    show('connected', 'Connected');
  });
  client.on('disconnected', ({ reason }) => {
    clearTimeout(timer);
    show('ended', reason ? `Disconnected: ${reason}` : 'Disconnected');
  });
}
