// Records a few seconds of speech.

import { dataURL, MAXIMUM_DATA_URL } from '/assets/chat/pictures.js';

export const MAXIMUM_SECONDS = 10;
/** Ten seconds are 30 KB of opus, 40 KB of Base64. */
const BITS_PER_SECOND = 24_000;
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];

/** What to tell the user. */
export class VoiceError extends Error {}

export class Recording {
  #recorder;
  #stream;
  #chunks = [];
  #start = 0;
  #timer;
  #isDiscarded = false;

  /**
   * Asks for the microphone and starts.
   * @param {{progress: (seconds: number) => void, finished: (made: {sound: string, seconds: number}) => void,
   *   failed: (error: VoiceError) => void, ended: () => void}} events `ended` is always the last
   * @throws {VoiceError}
   */
  static async start(events) {
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      throw new VoiceError('Recording needs a page served over https, or from localhost.');
    }
    const type = TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate));
    if (!type) throw new VoiceError('Your browser cannot record in a form that others can play.');
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
    } catch (error) {
      throw new VoiceError(
        error.name === 'NotAllowedError' ? 'The browser was not allowed to use the microphone.'
          : error.name === 'NotFoundError' ? 'There is no microphone.'
            : `The microphone cannot be used: ${error.message}`);
    }
    return new Recording(stream, type, events);
  }

  constructor(stream, type, events) {
    this.#stream = stream;
    this.#recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_SECOND });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#chunks.push(data));
    this.#recorder.addEventListener('stop', () => this.#stopped(type, events));
    this.#recorder.start();
    this.#start = performance.now();
    this.#timer = setInterval(() => {
      events.progress(Math.min(this.#seconds, MAXIMUM_SECONDS));
      if (this.#seconds >= MAXIMUM_SECONDS) this.stop();
    }, 100);
  }

  get #seconds() { return (performance.now() - this.#start) / 1000; }

  stop() {
    clearInterval(this.#timer);
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  discard() {
    this.#isDiscarded = true;
    this.stop();
  }

  async #stopped(type, events) {
    const seconds = Math.round(Math.min(this.#seconds, MAXIMUM_SECONDS) * 10) / 10;
    for (const track of this.#stream.getTracks()) track.stop();
    if (!this.#isDiscarded) {
      // A space in the type would not be a data URL as the others expect it.
      const sound = await dataURL(new Blob(this.#chunks, { type }));
      if (sound.length > MAXIMUM_DATA_URL) events.failed(new VoiceError('This recording does not fit into a message.'));
      else if (seconds < 0.4) events.failed(new VoiceError('Too short: press once to start, again to stop.'));
      else events.finished({ sound, seconds });
    }
    events.ended();
  }
}
