import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './site.js';

page();
const { ProgressBar, progressBar } = await import('../lib/progress.js');
const { progressWords } = await import('../lib/words.js');

const barOf = node => node.querySelector('[role=progressbar]');

test('what an application tells is a bar that a screen reader reads, and its words', () => {
  const node = progressBar({ progress: 40, progressMessage: 'step 12' });
  const bar = barOf(node);
  assert.equal(bar.getAttribute('aria-valuenow'), '40');
  assert.equal(bar.getAttribute('aria-valuemax'), '100');
  assert.equal(bar.getAttribute('aria-valuetext'), '40 % · step 12');
  assert.equal(bar.firstElementChild.style.width, '40%');
  assert.match(node.textContent, /40 % · step 12/);
});

test('a job that told nothing has no bar, and one that told words only has these', () => {
  assert.equal(progressBar({}).hidden, true);
  const worded = progressBar({ progress: null, progressMessage: 'meshing' });
  assert.equal(worded.hidden, false);
  assert.equal(barOf(worded).hidden, true);
  assert.match(worded.textContent, /meshing/);
});

test('the words of an application are text, never a part of the page', () => {
  const node = progressBar({ progress: 5, progressMessage: '<img src=x onerror=alert(1)>\u202egnp' });
  assert.equal(node.querySelector('img'), null);
  assert.match(node.textContent, /<img src=x onerror=alert\(1\)>gnp/);
});

test('a saved card may hold any number: the bar stays within its frame', () => {
  assert.equal(barOf(progressBar({ progress: 900 })).firstElementChild.style.width, '100%');
  assert.equal(barOf(progressBar({ progress: -1 })).firstElementChild.style.width, '0%');
  assert.equal(progressWords({ progress: '40' }), '');
});

test('a bar moves with its job', () => {
  const bar = new ProgressBar();
  bar.draw({ progress: 10 });
  bar.draw({ progress: 12.3456, progressMessage: 'on' });
  assert.equal(barOf(bar.node).getAttribute('aria-valuenow'), '12.3456');
  assert.match(bar.node.textContent, /12.35 % · on/);
});
