import assert from 'node:assert/strict';
import test from 'node:test';

import { carried } from '../lib/core/forms.js';
import { choices, fault, fields, limits } from '../lib/core/rules.js';

const COUNT = { type: 'integer', minimum: 1, maximum: 4 };

test('a number is told its limits, and what is no whole number is refused', () => {
  assert.equal(fault(COUNT, 4, true), '');
  assert.equal(fault(COUNT, '5', true), 'This must be 1 to 4.');
  assert.equal(fault(COUNT, '1.5', true), 'This must be a whole number.');
  assert.equal(fault(COUNT, '1e3', true), 'This must be a whole number.');
  assert.deepEqual([{ minimum: 1 }, { maximum: 9 }, { minimum: 2, maximum: 2 }, {}].map(limits), ['at least 1', 'at most 9', '2', '']);
});

test('what is empty is a fault only where it is needed, and no pattern is asked of it', () => {
  const rules = { type: 'string', pattern: '^a+$' };
  assert.equal(fault(rules, '', false), '');
  assert.equal(fault(rules, undefined, true), 'This is needed.');
  assert.equal(fault(rules, 'b', false), 'This must be like ^a+$.');
  assert.equal(fault({ ...rules, 'x-message': 'Only a.' }, 'b', false), 'Only a.');
});

test('a pattern that only Python knows is left to the server', () => {
  assert.equal(fault({ type: 'string', pattern: '(?P<name>x)' }, 'y', true), '');
});

test('lengths are counted in characters as a person sees them', () => {
  const rules = { type: 'string', minLength: 2, maxLength: 3 };
  assert.equal(fault(rules, '😀😀😀', true), '');
  assert.match(fault(rules, 'abcd', true), /At most 3/);
  assert.match(fault(rules, '😀', true), /At least 2/);
  assert.match(fault({ type: 'string', format: 'email' }, 'me', true), /e-mail/);
});

test('a choice is one of those that the app offers', () => {
  const rules = { type: 'string', oneOf: [{ const: 'a', title: 'Elastic' }, { const: 'b' }] };
  assert.deepEqual(choices(rules), [['a', 'Elastic'], ['b', 'b']]);
  assert.equal(fault(rules, 'c', true), 'Choose one of Elastic, b.');
  assert.equal(fault(rules, 'b', true), '');
  assert.equal(choices({ type: 'string' }), null);
});

const rule = (queue, limit) => ({
  if: { properties: { queue: { const: queue } }, required: ['queue'] },
  then: { properties: { nodes: limit } }
});
const SCHEMA = {
  properties: { queue: { enum: ['dev', 'normal'] }, nodes: { type: 'integer', minimum: 1 }, args: { type: 'object' } },
  allOf: [rule('dev', { maximum: 4 }), rule('normal', { minimum: 2, maximum: 512 })]
};

test('the limits of the chosen queue hold', () => {
  assert.deepEqual(fields(SCHEMA, { queue: 'dev' }).get('nodes'), { type: 'integer', minimum: 1, maximum: 4 });
  assert.deepEqual(fields(SCHEMA, { queue: 'normal' }).get('nodes'), { type: 'integer', minimum: 2, maximum: 512 });
  assert.deepEqual(fields(SCHEMA, {}).get('nodes'), { type: 'integer', minimum: 1 });
});

test('on another system what was filled in stays, and what it does not offer goes', () => {
  const from = { schema: SCHEMA, values: { queue: 'dev', nodes: 1 } };
  const to = { schema: { properties: { ...SCHEMA.properties, queue: { enum: ['long'] } } }, values: { queue: 'long', nodes: 3 } };
  const args = { model: 'a' };
  assert.deepEqual(carried(from, { queue: 'normal', nodes: 1, args, gone: 1 }, to), { queue: 'long', nodes: 3, args });
  assert.deepEqual(carried(from, { queue: 'dev', nodes: 2 }, to), { queue: 'long', nodes: 2 });
});

test('a long text is not held against a pattern while one types', () => {
  const rules = { type: 'string', pattern: '^a+$' };
  assert.notEqual(fault(rules, 'b'.repeat(256), false), '');
  assert.equal(fault(rules, 'b'.repeat(257), false), '');
});
