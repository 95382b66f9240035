import assert from 'node:assert/strict';
import test from 'node:test';

import { speak, t, tn } from '../lib/core/language.js';

test('without a translator words are English, with their values', () => {
  speak(null);
  assert.equal(t('{name} is done after {time}', { name: 'a{time}', time: '3 s' }), 'a{time} is done after 3 s');
  assert.deepEqual([1, 2, 1500].map(count => tn('{count} job', '{count} jobs', count)), ['1 job', '2 jobs', `${(1500).toLocaleString()} jobs`]);
});

test('a place without a value stays as it is, also one that every object has', () => {
  assert.equal(t('{gone} {toString}'), '{gone} {toString}');
});

test('words are told by the translator of the page', () => {
  speak({ gettext: words => ({ Show: 'Zeigen' })[words] ?? words, ngettext: (one, many, count) => (count === 1 ? 'ein Job' : '{count} Jobs') });
  assert.deepEqual([t('Show'), t('Hide'), tn('a', 'b', 1), tn('a', 'b', 3)], ['Zeigen', 'Hide', 'ein Job', '3 Jobs']);
  speak(null);
});

test('another copy of this code in the page tells words by the same translator', async () => {
  const copy = await import('../lib/core/language.js?copy');
  assert.notEqual(copy.t, t);
  speak({ gettext: words => `⟦${words}⟧`, ngettext: (one, many) => `⟦${many}⟧` });
  assert.deepEqual([copy.t('Show'), copy.tn('{count} job', '{count} jobs', 2)], ['⟦Show⟧', '⟦2 jobs⟧']);
  speak(null);
  assert.equal(copy.t('Show'), 'Show');
});
