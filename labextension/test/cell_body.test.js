import assert from 'node:assert/strict';
import test from 'node:test';

import { bodyOf, magicWords } from '../lib/core/cell_body.js';

const languageOf = cell => bodyOf(cell)?.language;

test('the app tells what the body is', () => {
  assert.deepEqual(
    ['bash', 'python@1.0 --minutes 5', 'slurm', '--name x bash', '--app=bash'].map(line => languageOf(`%%tapisjob ${line}\nx = 1`)),
    ['shell', 'python', 'shell', 'shell', 'shell']
  );
});

test('with another app the body itself tells: a request or a script', () => {
  const bodies = {
    '{\n "name": "a"}': 'json',
    '# a request\n\nname: wave\nfileInputs:\n  - name: mesh': 'yaml',
    '---\nname: a': 'yaml',
    '#!/usr/bin/env python3\nprint(1)': 'python',
    '#!/bin/bash -e\necho': 'shell',
    '#!/bin/sh\necho': 'shell',
    'print({"a": 1})\nb: int = 3': null,
    '': null
  };
  for (const [body, language] of Object.entries(bodies)) {
    assert.equal(languageOf(`%%tapisjob opensees-py\n${body}`), language, body);
  }
});

test('the body begins after the first line', () => {
  assert.equal(bodyOf('%%tapisjob bash\necho').from, 16);
});

test('another cell has no body of ours', () => {
  for (const cell of ['%%bash\necho', 'x = 1\n%%tapisjob bash\n', '%%tapisjobs\nx', '%%tapisjob bash', '']) {
    assert.equal(bodyOf(cell), null, cell);
  }
});

test('magic, app and options are found in the first line', () => {
  const line = '%%tapisjob python@1.0 -o job --minutes=5 --arg -3 a--b';
  assert.deepEqual(
    magicWords(line).map(({ from, to, kind }) => [kind, line.slice(from, to)]),
    [['magic', '%%tapisjob'], ['app', 'python@1.0'], ['option', '-o'], ['option', '--minutes'], ['option', '--arg']]
  );
});
