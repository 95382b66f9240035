import assert from 'node:assert/strict';
import test from 'node:test';

import { KEPT, KEPT_LINES, LONGEST, OutputLines, plain } from '../lib/views/lines.js';
import { after, pieces } from '../lib/views/paint.js';

const read = (...parts) => {
  const lines = new OutputLines();
  parts.forEach(part => lines.add(part));
  return lines;
};
const told = (...parts) => read(...parts).all.map(plain);

test('lines are the same however the output is cut into parts', () => {
  const text = 'one\r\ntwo\r50%\r100%\nthree\n\nfour';
  assert.deepEqual(told(text), ['one', '100%', 'three', '', 'four']);
  assert.deepEqual(told(...text), told(text));
});

test('a line that is written anew shows its last form, also before it is over', () => {
  assert.deepEqual(told(' 10%\r'), [' 10%']);
  assert.deepEqual(told(' 10%\r', ' 20%'), [' 20%']);
  assert.deepEqual(told(' 10%\r', '\u001b[K'), ['']);
});

test('a progress bar that never ends its line takes no more room', () => {
  const lines = read();
  for (let step = 0; step < 10_000; step += 1) {
    lines.add(`\r${step} of 10000 `);
  }
  assert.deepEqual(lines.all.map(({ raw }) => raw), ['9999 of 10000 ']);
});

test('a line keeps its number when others before it are given up', () => {
  const lines = read('x\n'.repeat(KEPT_LINES + 5));
  assert.equal(lines.all.length, KEPT_LINES);
  assert.equal(lines.all[0].number, 5);
  assert.ok(lines.isCut);
});

test('an output of few but very long lines is bounded too', () => {
  const lines = read();
  for (let count = 0; count < 600; count += 1) {
    lines.add('y'.repeat(LONGEST + 100) + '\n');
  }
  assert.ok(lines.all.reduce((size, { raw }) => size + raw.length, 0) <= KEPT);
  assert.match(lines.all[0].raw, /longer than is shown/);
});

test('earlier lines go before the first', () => {
  const lines = read('three\nfour\n');
  lines.addBefore('one\ntwo\n');
  assert.deepEqual(lines.all.map(line => [line.number, plain(line)]), [
    [-2, 'one'],
    [-1, 'two'],
    [0, 'three'],
    [1, 'four']
  ]);
});

test('colours become pieces of plain text', () => {
  assert.deepEqual(pieces('a \u001b[1;31mred\u001b[0m <b>'), [
    { text: 'a ', front: '', back: '', marks: [] },
    { text: 'red', front: 'red', back: '', marks: ['bold'] },
    { text: ' <b>', front: '', back: '', marks: [] }
  ]);
});

test('a colour goes on in the next line until it is reset', () => {
  const [, second, third] = read('\u001b[32mone\ntwo\u001b[0m\nthree').all;
  assert.equal(pieces(second.raw, second.before)[0].front, 'green');
  assert.equal(third.before, '');
});

test('colours of a line that is written anew are kept', () => {
  const [line] = read('\u001b[33m10%\r', '20%').all;
  assert.deepEqual(pieces(line.raw, line.before).map(({ text, front }) => [text, front]), [['20%', 'yellow']]);
});

test('the 256 colours and exact ones are told as such, nonsense is no colour', () => {
  const front = code => pieces(`\u001b[${code}mx`)[0].front;
  assert.deepEqual(
    ['38;5;9', '38;5;196', '38;5;244', '38;2;1;2;3', '38;2;999;0;0', '38;5', '91', '107'].map(front),
    ['bright-red', 'rgb(255, 0, 0)', 'rgb(128, 128, 128)', 'rgb(1, 2, 3)', '', '', 'bright-red', '']
  );
});

test('what is no colour and no text is not shown', () => {
  const odd = '\u001b]0;title\u0007a\u001b[2K\u001b[5;5Hb\u001b[?25l\u0007c\u202ed\u001b[8me\u001b[3';
  assert.equal(pieces(odd).map(({ text }) => text).join(''), 'abcde');
});

test('codes that are never reset do not pile up', () => {
  let before = '';
  for (let count = 0; count < 1000; count += 1) {
    before = after('\u001b[1mx\u001b[31my', before);
  }
  assert.ok(before.length < 200);
  assert.deepEqual(pieces('z', before)[0].marks, ['bold']);
});
