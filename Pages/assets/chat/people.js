// Who is in the room: a person with two tabs is there once.

import { element } from '/assets/dom.js';
import { avatar } from '/assets/chat/messages.js';

export class People {
  #user;
  #list;
  #counts;
  /** User names by client identifier. */
  #users = new Map();
  /** Joins and leaves that come while presence is asked for; they are newer than its answer. */
  #later;
  #isScheduled = false;

  /** @param {{user: string, list: HTMLElement, counts: HTMLElement[]}} parts */
  constructor({ user, list, counts }) {
    this.#user = user;
    this.#list = list;
    this.#counts = counts;
  }

  /** Asks who is there. */
  async load(subscription) {
    const later = this.#later = [];
    let clients;
    try {
      ({ clients } = await subscription.presence());
    } finally {
      if (this.#later === later) this.#later = undefined;
      if (clients) this.#users = new Map(Object.values(clients).map(({ client, user }) => [client, user]));
      for (const change of later) change();
      this.#show();
    }
  }

  joined({ client, user }) { this.#change(() => this.#users.set(client, user)); }
  left({ client }) { this.#change(() => this.#users.delete(client)); }

  #change(change) {
    this.#later?.push(change);
    change();
    this.#show();
  }

  /** Once a frame, however many come and go. */
  #show() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      const names = [...new Set(this.#users.values())].map((name) => name || 'somebody');
      names.sort((a, b) => (b === this.#user) - (a === this.#user) || a.localeCompare(b));
      this.#list.replaceChildren(...names.map((name) => element(
        'li', {}, avatar(name), element('span', { class: 'who' }, name),
        name === this.#user ? element('span', { class: 'you' }, 'you') : null)));
      for (const count of this.#counts) count.textContent = String(names.length);
    }, 16);
  }
}
