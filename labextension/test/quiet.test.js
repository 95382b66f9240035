import assert from 'node:assert/strict';
import test from 'node:test';

import { isQuiet } from '../lib/core/quiet.js';

const at = time => new Date(`2026-11-21T${time}:00`);

test('quiet hours go over midnight', () => {
  const told = ['21:59', '22:00', '03:00', '06:59', '07:00'].map(time => isQuiet('22:00', '7:00', at(time)));
  assert.deepEqual(told, [false, true, true, true, false]);
});

test('quiet hours lie within a day', () => {
  assert.deepEqual(['11:59', '12:00', '13:30'].map(time => isQuiet('12:00', '13:30', at(time))), [false, true, false]);
});

test('it is never quiet without two different times', () => {
  assert.deepEqual([['', '07:00'], ['22:00', ''], ['7:00', '07:00'], ['24:00', '07:00'], ['x', 'y']].map(([from, to]) => isQuiet(from, to, at('03:00'))), [false, false, false, false, false]);
});
