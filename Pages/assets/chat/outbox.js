// Messages on their way: kept while there is no connection, sent when there is one.

export class Outbox {
  #subscription;
  #list;
  /** Messages that the server has not confirmed, by id, in the order they were written. */
  #messages = new Map();
  #isOpen = false;

  /** @param {import('/martlet.js').Subscription} subscription @param {import('./messages.js').MessageList} list */
  constructor(subscription, list) {
    this.#subscription = subscription;
    this.#list = list;
  }

  send(message) {
    this.#messages.set(message.id, { message, isSending: false });
    if (this.#isOpen) this.#publish(message.id);
    else this.#list.setStatus(message.id, 'Waiting for the connection');
  }

  /** The message came back from the server. */
  delivered(id) { this.#messages.delete(id); }

  /** There is no connection. */
  pause() { this.#isOpen = false; }

  /** There is a connection: what waits goes out. */
  flush() {
    this.#isOpen = true;
    for (const id of [...this.#messages.keys()]) this.#publish(id);
  }

  async #publish(id) {
    const entry = this.#messages.get(id);
    if (!entry || entry.isSending) return;
    entry.isSending = true;
    this.#list.setStatus(id, 'Sending…');
    try {
      await this.#subscription.publish(entry.message);
      // Its publication confirms it, and comes in the order of the stream.
    } catch (error) {
      if (!this.#messages.has(id)) return;
      if (this.#isOpen) {
        this.#list.setStatus(id, `Not sent: ${error.message}`, () => this.#publish(id));
      } else {
        this.#list.setStatus(id, 'Waiting for the connection');
      }
    } finally {
      entry.isSending = false;
    }
  }
}
