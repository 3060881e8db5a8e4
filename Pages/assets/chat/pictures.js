// Makes a picture small enough to be a message.

/** Data URL and the rest of the message together stay below 60 KB, so that servers which take 64 KiB take it. */
export const MAXIMUM_DATA_URL = 58_000;
const MAXIMUM_FILE_BYTES = 50_000_000;
const SIDES = [1280, 1024, 800, 640, 480, 360, 240];
const QUALITIES = [0.82, 0.68, 0.5];

/** What to tell the user. */
export class PictureError extends Error {}

/**
 * @param {Blob} file
 * @returns {Promise<{picture: string, size: [number, number]}>}
 * @throws {PictureError}
 */
export async function shrink(file) {
  if (!file.type.startsWith('image/')) throw new PictureError('Only pictures can be sent as files.');
  if (file.size > MAXIMUM_FILE_BYTES) throw new PictureError('This picture is larger than 50 MB.');
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureError('This file is not a picture that your browser can read.');
  });
  try {
    const longest = Math.max(bitmap.width, bitmap.height);
    // Its own size first, unless that is larger than any that is wanted; never larger than it is.
    const sides = [Math.min(longest, SIDES[0]), ...SIDES.slice(1).filter((side) => side < longest)];
    for (const side of sides) {
      const scale = side / longest;
      const canvas = draw(bitmap, scale);
      for (const quality of QUALITIES) {
        const picture = await encode(canvas, quality);
        if (picture && picture.length <= MAXIMUM_DATA_URL) return { picture, size: [canvas.width, canvas.height] };
      }
    }
  } finally {
    bitmap.close();
  }
  throw new PictureError('This picture does not fit into a message, however small it is made.');
}

function draw(bitmap, scale) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** WebP where the browser can write it (it keeps transparency), JPEG otherwise. */
async function encode(canvas, quality) {
  let blob = await toBlob(canvas, 'image/webp', quality);
  if (blob?.type !== 'image/webp') blob = await toBlob(onWhite(canvas), 'image/jpeg', quality);
  return blob && dataURL(blob);
}

const toBlob = (canvas, type, quality) => new Promise((resolve) => canvas.toBlob(resolve, type, quality));

function onWhite(canvas) {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return copy;
}

/** @param {Blob} blob @returns {Promise<string>} */
export function dataURL(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
