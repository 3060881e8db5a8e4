// The field that messages are written in, with a picture or a recording beside the text.

import { byId, element, icon } from '/assets/dom.js';
import { soundPlayer } from '/assets/chat/messages.js';
import { PictureError, shrink } from '/assets/chat/pictures.js';
import { MAXIMUM_SECONDS, Recording, VoiceError } from '/assets/chat/voice.js';

export class Composer {
  #send;
  #text = byId('text');
  #problem = byId('problem');
  #tray = byId('tray');
  /** `{picture, size}` or `{sound, seconds}` */
  #attachment;
  #recording;

  /** @param {(content: {text?: string, picture?: string, sound?: string}) => void} send */
  constructor(send) {
    this.#send = send;
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      // Enter also ends the composition of a character: that one is not meant.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('input', () => this.#grow());
    this.#listenForPictures();
    byId('voice').addEventListener('click', () => this.#toggleRecording());
    byId('recording-cancel').addEventListener('click', () => this.#recording?.discard());
    byId('recording-progress').max = MAXIMUM_SECONDS;
    this.#text.focus();
  }

  /** Shows what went wrong; an empty text takes it away. */
  complain(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = text === '';
  }

  #submit() {
    const text = this.#text.value.trim();
    if (!text && !this.#attachment) return;
    this.complain('');
    this.#send({ ...(text ? { text } : {}), ...this.#attachment });
    this.#text.value = '';
    this.#attach(undefined);
    this.#grow();
    this.#text.focus();
  }

  #grow() {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #listenForPictures() {
    const file = byId('file');
    byId('picture').addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
      this.#takePicture(file.files[0]);
      file.value = '';
    });
    this.#text.addEventListener('paste', (event) => {
      const pasted = [...event.clipboardData.files].find(({ type }) => type.startsWith('image/'));
      if (!pasted) return;
      event.preventDefault();
      this.#takePicture(pasted);
    });
    const area = byId('main');
    const drop = byId('drop');
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    area.addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      drop.hidden = false;
    });
    area.addEventListener('dragleave', (event) => {
      if (!area.contains(event.relatedTarget)) drop.hidden = true;
    });
    area.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      drop.hidden = true;
      this.#takePicture(event.dataTransfer.files[0]);
    });
  }

  async #takePicture(file) {
    if (!file) return;
    this.complain('');
    try {
      this.#attach(await shrink(file));
    } catch (error) {
      this.complain(error instanceof PictureError ? error.message : 'The picture could not be read.');
    }
  }

  #attach(attachment) {
    this.#attachment = attachment;
    this.#tray.hidden = attachment === undefined;
    if (attachment === undefined) return this.#tray.replaceChildren();
    const { picture, size, sound, seconds } = attachment;
    const kilobytes = Math.ceil((picture ?? sound).length / 1024);
    this.#tray.replaceChildren(
      picture ? element('img', { src: picture, alt: 'The picture that will be sent' }) : soundPlayer(sound, seconds),
      element('span', { class: 'what small' }, picture ? `${size[0]} × ${size[1]}, ${kilobytes} KB` : `${kilobytes} KB`),
      element(
        'button', { class: 'button plain round', type: 'button', title: 'Remove', click: () => this.#attach(undefined) },
        icon('close'), element('span', { class: 'visually-hidden' }, `Remove the ${picture ? 'picture' : 'recording'}`)));
    this.#text.focus();
  }

  async #toggleRecording() {
    if (this.#recording) return this.#recording.stop();
    this.complain('');
    try {
      this.#recording = await Recording.start({
        progress: (seconds) => {
          byId('recording-progress').value = seconds;
          byId('recording-time').textContent = `${Math.floor(seconds)} s`;
        },
        finished: (made) => this.#attach(made),
        failed: (error) => this.complain(error.message),
        ended: () => {
          this.#recording = undefined;
          this.#showRecording(false);
        },
      });
      this.#showRecording(true);
    } catch (error) {
      this.complain(error instanceof VoiceError ? error.message : 'The recording could not be started.');
    }
  }

  #showRecording(isRecording) {
    byId('recording').hidden = !isRecording;
    byId('recording-progress').value = 0;
    byId('recording-time').textContent = '0 s';
    byId('voice').setAttribute('aria-pressed', String(isRecording));
    byId('voice').replaceChildren(
      icon(isRecording ? 'stop' : 'microphone'),
      element(
        'span', { class: 'visually-hidden' },
        isRecording ? 'Stop recording' : `Record your voice, up to ${MAXIMUM_SECONDS} seconds`));
  }
}
