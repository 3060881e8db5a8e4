/** The last values of a quantity with their times; what is older is overwritten, and nothing is allocated. */
export class Ring {
  #times;
  #values;
  #start = 0;
  count = 0;

  /** @param {number} capacity */
  constructor(capacity) {
    this.#times = new Float64Array(capacity);
    this.#values = new Float32Array(capacity);
  }

  /** @param {number} time later than all before @param {number} value */
  push(time, value) {
    const capacity = this.#times.length;
    const index = (this.#start + this.count) % capacity;
    this.#times[index] = time;
    this.#values[index] = value;
    if (this.count < capacity) this.count += 1;
    else this.#start = (this.#start + 1) % capacity;
  }

  /** @param {number} index 0 is the oldest, `count - 1` the newest */
  time(index) { return this.#times[(this.#start + index) % this.#times.length]; }
  value(index) { return this.#values[(this.#start + index) % this.#values.length]; }

  /** The first index whose time is not before this one. */
  firstSince(time) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
