/** The views in a language that no person speaks: words that stand outside of its brackets were not translated. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { speak } from '../lib/core/language.js';
import { clock, page, settled, site } from './site.js';

const window = page();
/** What the page's translator does: each word in brackets, the places for values left as they are. */
const PSEUDO = { gettext: words => `⟦${words}⟧`, ngettext: (one, many, count) => `⟦${count === 1 ? one : many}⟧` };
speak(PSEUDO);
const { DetailsView, TABS } = await import('../lib/views/details.js');
const { PreviewView } = await import('../lib/views/preview.js');
const { AppsView } = await import('../lib/views/apps.js');
const { StudiesView } = await import('../lib/views/studies.js');
const { SystemsView } = await import('../lib/views/systems.js');
const { SubmitView } = await import('../lib/views/submit.js');
const { Frame } = await import('../lib/views/frame.js');

const READ = ['title', 'aria-label', 'placeholder'];
/** Names of files and of code that are the same in each language, and units. */
const SAME = /tapisjob\.(out|sh)|job\.(read|resubmit|history)\([^)]*\)|\bUTC\b|%%tapisjob|\b(min|KB|MB|Tapis Jobs|Python|JSON|YAML)\b/g;

/** What is left of a text without what the language tells, innermost brackets first. */
function outside(text) {
  const without = text.replace(/⟦[^⟦⟧]*⟧/g, '');
  return without === text ? text.replace(SAME, '') : outside(without);
}

/** The words of a view that were not translated; a text may be put together of several nodes. */
function foreign(node) {
  const told = [];
  for (const each of [node, ...node.querySelectorAll('*')]) {
    READ.forEach(name => told.push(each.getAttribute(name) ?? ''));
    if (!each.closest('pre, code, script, .tj-Data')) {
      [...each.childNodes].filter(child => child.nodeType === 3).forEach(child => told.push(child.data));
    }
  }
  // Code that a button puts into a cell is its title, too.
  return told.filter(text => !text.startsWith('import ') && /\p{Ll}{3}/u.test(outside(text)));
}

async function drawn(view) {
  document.body.replaceChildren(view.node);
  await settled();
  await settled();
  assert.match(view.node.textContent, /⟦/);
  const found = foreign(view.node);
  return [found, () => view.dispose?.()];
}

const at = second => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const state = (status, second) => ({ event: 'JOB_NEW_STATUS', eventDetail: status, created: at(second), description: '' });
const JOB = '/v3/jobs/U';
const ROW = {
  uuid: 'U', name: 'N1', created: at(0), lastUpdated: at(5), ended: at(9), tags: [], notes: '{}', parameterSet: '{}', remoteStarted: at(2),
  execSystemId: 'S1', nodeCount: 2, coresPerNode: 4, maxMinutes: 5
};

test('what is told outside of the language is found', () => {
  const node = window.document.createElement('p');
  node.append('⟦⟦a⟧ of {b}⟧ 7 MB', 'left out');
  node.title = 'Not told';
  assert.deepEqual(foreign(node), ['Not told', 'left out']);
});

for (const [status, more] of [['RUNNING', { ended: null }], ['FINISHED', {}], ['FAILED', { condition: 'SCHEDULER_TIMEOUT' }], ['QUEUED', { ended: null, execSystemLogicalQueue: 'Q1' }]]) {
  test(`the details of a job that is ${status} speak the page's language`, async () => {
    const server = site({
      [`GET ${JOB}`]: { ...ROW, status, ...more },
      [`GET ${JOB}/history`]: [state('PENDING', 0), state(status, 5), { event: 'JOB_SHARE_EVENT', eventDetail: '', created: at(6), description: '' }],
      [`GET ${JOB}/output/list/tapisjob.out`]: [{ name: 'tapisjob.out', size: 0 }],
      [`GET ${JOB}/output/list/`]: [{ name: 'D1', size: 0, type: 'dir', lastModified: at(1) }, { name: 'F1', size: 9, type: 'file', lastModified: at(1) }],
      [`GET ${JOB}/resubmit_request`]: { name: 'N1' }
    });
    const view = new DetailsView({ ...server, insertCode: () => undefined }, 'U', clock().later);
    for (const tab of TABS) {
      view.show(tab);
      await settled();
    }
    const [found, end] = await drawn(view);
    end();
    assert.deepEqual(found, []);
  });
}

for (const kind of ['text', 'table', 'binary', 'image']) {
  test(`the preview of a file of the kind ${kind} speaks it, too`, async () => {
    const file = { name: 'F1.CSV', path: 'F1.CSV', size: 30e6, isFolder: false, changed: '' };
    const result = { kind, text: '', size: 5, note: '', rows: [['1']], columns: ['C1'], truncated: true, mediaType: 'image/png' };
    const view = new PreviewView({ ...site({ [`GET ${JOB}/output/preview/F1.CSV`]: result }), openFile: async () => '' }, 'U', file);
    const [found, end] = await drawn(view);
    end();
    assert.deepEqual(found, []);
  });
}

test('so do the tabs, and the places where there is nothing yet', async () => {
  const none = site({ 'GET /v3/apps': [], 'GET /v3/systems': [], 'GET /v3/tapisjobs/hosts': [], 'GET /v3/tapisjobs/studies': [], 'POST /v3/jobs/search': [] });
  const frame = new Frame(none);
  const views = [frame, new AppsView(none.client, {}, clock().later), new SystemsView(none.client, clock().later), new StudiesView(none, {}, clock().later), new SubmitView(none)];
  for (const view of views) {
    if (view !== frame) {
      view.show?.(true);
    }
    const [found, end] = await drawn(view);
    assert.deepEqual(found, []);
    end();
  }
});
