// The device monitor. `devices:all` carries reports, presence in `devices:fleet` says who is connected.

import { Client } from '/martlet.js';
import { showConnection } from '/assets/connection.js';
import { byId, copyOnClick } from '/assets/dom.js';
import { Alarms, Limits } from '/assets/monitor/alarms.js';
import { Device } from '/assets/monitor/device.js';
import { PlotBoard, WINDOW_MS } from '/assets/plots.js';

/** Publications that are asked for at once, and how often at most. */
const PAGE = 1_200;
const MAXIMUM_PAGES = 6;
/** Anybody may report under any name: the page does not grow without end. */
const MAXIMUM_DEVICES = 1_000;
const WORDS_MS = 250;
const RATE_SECONDS = 3;

const byName = new Intl.Collator(undefined, { numeric: true }).compare;
const board = new PlotBoard();
/** @type {Map<string, Device>} */
const devices = new Map();
/** Client identifiers that are present, by device. */
const present = new Map();
const limits = new Limits(() => checkAll(true));
const alarms = new Alarms(limits, find);
let isConnected = false;
let knowsPresence = false;
let isLoaded = false;
/** Whether history has been loaded; a connection may end before it is. */
let hasHistory = false;
/** Live reports of the running second, and of the last full ones. */
let reports = 0;
let recent = [];

byId('command').textContent = `martlet devices --url ${location.origin.replace(/^http/, 'ws')} --count 20`;
copyOnClick(byId('copy-command'), byId('command'));

// Devices

function deviceNamed(name) {
  let device = devices.get(name);
  if (device || devices.size >= MAXIMUM_DEVICES) return device;
  device = new Device(name, { board, limits, remove: () => forget(name) });
  devices.set(name, device);
  device.isPresent = knowsPresence ? present.has(name) : undefined;
  const next = [...byId('devices').children].find((card) => byName(nameOf.get(card), name) > 0);
  nameOf.set(device.card, name);
  byId('devices').insertBefore(device.card, next ?? null);
  filter(device);
  return device;
}
const nameOf = new WeakMap();

function forget(name) {
  devices.get(name)?.remove();
  devices.delete(name);
  alarms.clear(name);
  showWords();
}

function find(name) {
  const device = devices.get(name);
  if (!device) return;
  if (device.card.hidden) {
    document.querySelector('#filter [value="all"]').checked = true;
    byId('search').value = '';
    filterAll();
  }
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  device.card.scrollIntoView({ block: 'center', behavior: isCalm ? 'auto' : 'smooth' });
  device.card.focus({ preventScroll: true });
}

/** @param {unknown} data whatever somebody published */
function take(data, isLive) {
  if (data === null || typeof data !== 'object' || typeof data.device !== 'string') return;
  const name = data.device.slice(0, 40);
  if (name === '') return;
  const now = Date.now();
  const device = deviceNamed(name);
  device?.take(data, now, isLive);
  if (!isLive) return;
  reports += 1;
  device?.check(alarms, now, false);
}

function checkAll(isStrict) {
  const now = Date.now();
  for (const device of devices.values()) device.check(alarms, now, isStrict);
  showWords();
}

// What is shown

function filter(device) {
  const kind = document.querySelector('#filter input:checked').value;
  const wanted = byId('search').value.trim().toLowerCase();
  const isShown = (kind === 'all' || (kind === 'alarm' ? device.isAlarming : device.kind === kind))
    && device.name.toLowerCase().includes(wanted);
  if (device.card.hidden === isShown) device.card.hidden = !isShown;
  return isShown;
}

function filterAll() {
  let shown = 0;
  for (const device of devices.values()) if (filter(device)) shown += 1;
  showEmptiness(shown);
}

function showEmptiness(shown) {
  byId('empty').hidden = shown > 0;
  if (shown > 0 || !isLoaded) return;
  const isFiltered = devices.size > 0;
  byId('empty-title').textContent = isFiltered ? 'No device matches' : 'No devices yet';
  byId('empty-text').textContent = isFiltered
    ? 'Choose another filter, or search for something else.'
    : 'Start a simulated fleet of homes and cars in a terminal; each is a connection of its own:';
  byId('empty-command').hidden = isFiltered;
}

function showWords() {
  const now = Date.now();
  let online = 0;
  for (const device of devices.values()) {
    device.show(now, isConnected);
    if (device.state === 'online' || device.state === 'silent') online += 1;
  }
  byId('online').textContent = String(online);
  byId('total').textContent = devices.size > online ? `of ${devices.size}` : '';
  const rate = recent.reduce((sum, count) => sum + count, 0) / recent.length;
  // In the first second there is none yet.
  byId('rate').textContent = Number.isNaN(rate) ? '–' : Math.round(rate).toLocaleString();
  alarms.show();
  filterAll();
}

setInterval(showWords, WORDS_MS);
setInterval(() => {
  recent = [...recent, reports].slice(-RATE_SECONDS);
  reports = 0;
}, 1_000);
byId('filter').addEventListener('change', filterAll);
byId('search').addEventListener('input', filterAll);

// Who is connected

/** Watchers are present too, without a name. */
function joined({ user, client }) {
  if (!user) return;
  if (!present.has(user)) present.set(user, new Set());
  present.get(user).add(client);
  // Others may be watching by name; a device is known by its kind of name, or by its reports.
  const device = /^(home|car)-/.test(user) ? deviceNamed(user) : devices.get(user);
  if (device) device.isPresent = true;
}

function left({ user, client }) {
  const clients = present.get(user);
  if (!clients?.delete(client) || clients.size > 0) return;
  present.delete(user);
  const device = devices.get(user);
  if (!device) return;
  device.isPresent = false;
  alarms.clear(user);
  device.check(alarms, Date.now(), true);
}

async function loadPresence() {
  const later = changes = [];
  try {
    const { clients } = await fleet.presence();
    present.clear();
    knowsPresence = true;
    for (const info of Object.values(clients)) joined(info);
    for (const change of later) change();
    for (const device of devices.values()) device.isPresent = present.has(device.name);
    checkAll(true);
  } catch (error) {
    complain(`Which devices are connected is not known: ${error.message}`);
  } finally {
    if (changes === later) changes = undefined;
  }
}
/** Joins and leaves that come while presence is asked for; they are newer than its answer. */
let changes;

function changed(change) {
  changes?.push(change);
  change();
}

// The connection

/** What was published in the time that plots show, oldest first, as far as the server has it. */
async function pastWindow() {
  const start = Date.now() - WINDOW_MS;
  let past = [];
  let since;
  for (let count = 0; count < MAXIMUM_PAGES; count += 1) {
    const { publications, epoch } = await all.history({ limit: PAGE, reverse: true, since });
    const page = publications.toReversed();
    if (page.length === 0 || (past.length > 0 && page[0].offset >= past[0].offset)) break;
    past = [...page, ...past];
    if (page[0].data?.at < start) break;
    since = { offset: page[0].offset, epoch };
  }
  return past;
}

async function loadHistory() {
  try {
    for (const { data } of await pastWindow()) take(data, false);
    hasHistory = true;
  } catch (error) {
    complain(`Earlier reports could not be loaded: ${error.message}`);
  }
}

function complain(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = text === '';
}

const client = new Client();
showConnection(client);
const all = client.subscription('devices:all', { recoverable: true });
const fleet = client.subscription('devices:fleet', { recoverable: false, joinLeave: true });
/** What comes while history is loaded waits for it: older reports must not come after newer ones. */
let waiting;

all.on('publication', ({ data, recovered }) => {
  if (waiting) waiting.push(data);
  else take(data, !recovered);
});
all.on('subscribed', async ({ wasRecovering, recovered }) => {
  complain('');
  if (!(wasRecovering && recovered && hasHistory)) {
    const arrived = waiting = [];
    await loadHistory();
    if (waiting === arrived) waiting = undefined;
    for (const data of arrived) take(data, true);
  }
  isLoaded = true;
  checkAll(true);
});
fleet.on('subscribed', loadPresence);
fleet.on('join', (info) => changed(() => joined(info)));
fleet.on('leave', (info) => changed(() => left(info)));
for (const subscription of [all, fleet]) {
  subscription.on('error', (error) => complain(`${subscription.channel}: ${error.message ?? error.code}`));
  subscription.on('unsubscribed', ({ code, reason }) => {
    if (code) complain(`The server ended the subscription to ${subscription.channel}: ${reason} (${code})`);
  });
}
client.on('connected', () => { isConnected = true; });
client.on('connecting', () => { isConnected = false; });
client.on('disconnected', () => { isConnected = false; });
all.subscribe();
fleet.subscribe();
client.connect();
