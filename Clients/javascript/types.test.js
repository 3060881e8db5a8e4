import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as martlet from './martlet.js';

const types = readFileSync(new URL('./martlet.d.ts', import.meta.url), 'utf8');

/** What the declaration of a class names. */
const declared = (name) => {
  const body = types.match(new RegExp(`export class ${name} [^{]*\\{\\n([^]*?)\\n\\}`))[1];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, member]) => member).filter((member) => member !== 'constructor');
};

for (const name of ['Client', 'Subscription']) {
  test(`the types of ${name} are what there is`, () => {
    const members = Object.getOwnPropertyNames(martlet[name].prototype)
      .filter((member) => member !== 'constructor' && !member.startsWith('_'));
    if (name === 'Subscription') members.push('channel');
    assert.deepEqual(declared(name).sort(), members.sort());
  });
}

test('every export has a type', () => {
  for (const name of Object.keys(martlet)) assert.match(types, new RegExp(`export class ${name} `));
});
