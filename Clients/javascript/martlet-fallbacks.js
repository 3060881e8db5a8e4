// What martlet.js speaks over where there is no WebSocket; loaded when it is needed. The exports have the transports' names.

/** A poll is answered within 25 s. */
const POLL_TIMEOUT_MS = 35_000;
/** Before a request that the network has lost is sent again. */
const RESEND_MS = 500;
const MAXIMUM_RESENDS = 3;

/**
 * What a WebSocket does, by requests: the first text sent, the connect command, opens a response that goes on; later ones
 * are posted. The server puts those into the order of their identifiers, and performs once what comes twice.
 */
class Fallback {
  onopen; onmessage; onclose; onerror;
  _surroundings;
  _base;
  _session = '';
  #node;
  #abort = new AbortController();
  #isClosed = false;
  /** Null until the connect command was sent. */
  #outbox = null;

  constructor(url, surroundings) {
    this._surroundings = surroundings;
    this._base = url.replace(/^ws/, 'http').replace(/\/connection\/[^/]*$/, '');
    queueMicrotask(() => this.onopen?.({}));
  }

  send(text) {
    if (this.#outbox) {
      // What is sent together is posted together.
      if (this.#outbox.push(text) === 1) queueMicrotask(() => this.#post());
      return;
    }
    this.#outbox = [];
    this._open(text).then(() => this._end(), () => this._end());
  }

  close() {
    this.#isClosed = true;
    this.#abort.abort();
  }

  _end() {
    if (this.#isClosed) return;
    this.close();
    this.onclose?.({ code: 1006, reason: '' });
  }

  /** Whether to go on. */
  _message(data) {
    if (this.#isClosed) return false;
    if (!this._session) {
      const { connect } = JSON.parse(data.split('\n')[0]);
      if (connect) ({ session: this._session, node: this.#node } = connect);
    }
    this.onmessage?.({ data });
    return !this.#isClosed;
  }

  async _fetch(path, body, signal = this.#abort.signal) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this._surroundings.fetch(this._base + path, { method: 'POST', headers, body, signal });
    if (!response.ok) throw Object.assign(new Error(response.statusText), { isFinal: true });
    return response;
  }

  /** Sends what the network loses again, unless the server has answered, or the connection is closed. */
  async _insist(request) {
    for (let resends = 0; ; resends++) {
      try {
        return await request();
      } catch (error) {
        if (error.isFinal || this.#isClosed || resends === MAXIMUM_RESENDS) throw error;
      }
      await this._surroundings.wait(RESEND_MS);
    }
  }

  #post() {
    if (this.#isClosed) return;
    const data = this.#outbox.join('\n');
    this.#outbox = [];
    const body = JSON.stringify({ session: this._session, node: this.#node, data });
    this._insist(() => this._fetch('/emulation', body)).catch(() => this._end());
  }
}

export class http_stream extends Fallback {
  async _open(text) {
    const reader = (await this._fetch('/connection/http_stream', text)).body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop();
      if (lines.length > 0 && !this._message(lines.join('\n'))) return;
    }
  }
}

export class sse extends Fallback {
  #source;

  _open(text) {
    const { EventSource } = this._surroundings;
    this.#source = new EventSource(`${this._base}/connection/sse?cf_connect=${encodeURIComponent(text)}`);
    return new Promise((resolve) => {
      this.#source.onmessage = ({ data }) => this._message(data);
      // It would come back by itself, with a connect command of yesterday.
      this.#source.onerror = resolve;
    });
  }

  close() {
    this.#source?.close();
    super.close();
  }
}

/** For networks that hold a response back until it is complete: docs/transports.md, “Long-polling”. */
export class poll extends Fallback {
  async _open(data) {
    let session;
    for (let ack = 0; ;) {
      const body = JSON.stringify({ session, ack, data });
      const answer = await (session ? this._insist(() => this.#poll(body)) : this.#poll(body));
      ({ session } = answer);
      data = '';
      // Those before have been seen: the server had not heard of it.
      const news = answer.replies.slice(Math.max(0, ack + 1 - answer.from));
      ack = Math.max(ack, answer.from + answer.replies.length - 1);
      if (news.length > 0 && !this._message(news.map((reply) => JSON.stringify(reply)).join('\n'))) return;
    }
  }

  async #poll(body) {
    const abort = new AbortController();
    const timer = this._surroundings.timer();
    timer.set(POLL_TIMEOUT_MS, () => abort.abort());
    try {
      return await (await this._fetch('/connection/poll', body, abort.signal)).json();
    } finally {
      timer.clear();
    }
  }
}
