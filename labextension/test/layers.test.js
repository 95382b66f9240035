import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

const SOURCES = new URL('../src/', import.meta.url);

for (const layer of ['core', 'views']) {
  test(`${layer} knows neither Lab nor its widgets, so that a cell can show it too`, () => {
    const files = readdirSync(new URL(`${layer}/`, SOURCES));
    assert.ok(files.length > 3);
    for (const file of files) {
      const imported = [...readFileSync(new URL(`${layer}/${file}`, SOURCES), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)];
      const odd = imported.map(([, name]) => name).filter(name => /^@(jupyterlab|lumino)\/|\/(server|renderer|index|lab_\w+|panel)\.js$/.test(name));
      assert.deepEqual(odd, [], file);
    }
  });
}

test('nothing from a job is put into a page as HTML', () => {
  const files = readdirSync(SOURCES, { recursive: true }).filter(file => file.endsWith('.ts'));
  const html = /\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|ansiToHtml|linkify)\b/;
  assert.deepEqual(files.filter(file => html.test(readFileSync(new URL(file, SOURCES), 'utf8'))), []);
});
