import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, settled, site } from './site.js';

page();
const { OutputView } = await import('../lib/views/output.js');

const LIST = 'GET /v3/jobs/u/output/list/tapisjob.out';
const FOLLOW = 'GET /v3/jobs/u/output/follow/tapisjob.out';
const WINDOW = 256 * 1024;

/** A view of an output with `bytes` bytes in it. */
async function view(bytes = 0, more = {}) {
  const server = site({ [LIST]: [{ name: 'tapisjob.out', size: bytes }], ...more });
  const time = clock();
  const shown = new OutputView(server, 'u', 'tapisjob.out', time.later);
  document.body.replaceChildren(shown.node);
  await settled();
  time.next();
  const lines = () => [...shown.node.querySelectorAll('.tj-Line')].map(line => line.textContent);
  const hear = told => {
    server.tails.at(-1).listener(told);
    time.next();
  };
  const status = () => shown.node.querySelector('.tj-Caption:not([hidden]):not(div)').textContent;
  return { ...server, shown, time, lines, hear, status };
}

const seek = (shown, words) => {
  const input = shown.node.querySelector('input');
  input.value = words;
  input.dispatchEvent(new Event('input'));
};

test('an output is followed from near its end, and begins with a whole line', async () => {
  const { tails, hear, lines } = await view(WINDOW + 1000);
  assert.equal(tails[0].offset, 1000);
  hear('rest of a line\nnext');
  assert.deepEqual(lines(), ['next']);
});

test('what a job prints is text and never a part of the page', async () => {
  const { hear, shown, lines } = await view();
  hear('\u001b[31m<img src=x onerror=alert(1)>\u001b[0m<script>1</script>\n');
  assert.deepEqual(lines(), ['<img src=x onerror=alert(1)><script>1</script>']);
  assert.equal(shown.node.querySelector('img, script'), null);
  assert.equal(shown.node.querySelector('.tj-front-red').textContent, '<img src=x onerror=alert(1)>');
});

test('however much comes in, it is painted once for each wait', async () => {
  const { tails, time, lines } = await view();
  for (let number = 0; number < 1000; number += 1) {
    tails[0].listener(`line ${number}\n`);
  }
  assert.equal(time.waiting.length, 1);
  assert.equal(lines().length, 0);
  time.next();
  assert.equal(lines().length, 1000);
});

test('lines that are shown stay the same nodes, a rewritten one changes its text', async () => {
  const { hear, shown } = await view();
  hear('one\n10%');
  const [first, bar] = shown.node.querySelectorAll('.tj-Line');
  hear('\r20%');
  assert.deepEqual([...shown.node.querySelectorAll('.tj-Line')], [first, bar]);
  assert.equal(bar.textContent, '20%');
});

test('a paused view stays as it is and tells what it missed', async () => {
  const { hear, shown, lines, status } = await view();
  hear('one\n');
  press(shown.node, 'Pause');
  hear('two\nthree\n');
  assert.deepEqual(lines(), ['one']);
  assert.equal(status(), 'paused · 2 new lines');
  press(shown.node, 'Go on');
  assert.deepEqual(lines(), ['one', 'two', 'three']);
});

test('the way back to the end is offered to who has left it', async () => {
  const { hear, shown, time } = await view();
  hear('one\ntwo\n');
  const list = shown.node.querySelector('.tj-Lines-list');
  const end = [...shown.node.querySelectorAll('button')].find(each => each.textContent.startsWith('To the end'));
  assert.ok(end.hidden);
  Object.defineProperties(list, { scrollHeight: { value: 900 }, clientHeight: { value: 100 } });
  hear('lines that fill the view\n');
  assert.equal(list.scrollTop, 900);
  list.scrollTop = 300;
  list.dispatchEvent(new Event('scroll'));
  time.next();
  assert.ok(!end.hidden);
  hear('three\n');
  assert.equal(list.scrollTop, 300);
  end.click();
  assert.equal(list.scrollTop, 900);
  assert.ok(end.hidden);
});

test('a search marks its hits across colours, newest first, and goes around', async () => {
  const { hear, shown } = await view();
  hear('step 1\nno\nst\u001b[32mep\u001b[0m 2 Step 3\n');
  seek(shown, 'step');
  const found = () => shown.node.querySelector('.tj-Found').textContent;
  const current = () => [...shown.node.querySelectorAll('mark[aria-current]')].map(mark => mark.textContent).join('');
  assert.deepEqual([found(), current()], ['3 of 3', 'Step']);
  press(shown.node, '↑');
  assert.deepEqual([found(), current()], ['2 of 3', 'step']);
  press(shown.node, '↓');
  press(shown.node, '↓');
  assert.equal(found(), '1 of 3');
  seek(shown, 'Step');
  assert.equal(found(), '1 of 1');
  seek(shown, 'absent');
  assert.equal(found(), 'not in these lines');
  seek(shown, '');
  assert.equal(shown.node.querySelector('mark'), null);
});

test('a hit stays the shown one while new lines come', async () => {
  const { hear, shown } = await view();
  hear('error 1\n');
  seek(shown, 'error');
  hear('error 2\n');
  assert.equal(shown.node.querySelector('.tj-Found').textContent, '1 of 2');
});

test('earlier lines are read when asked, up to the first that is shown', async () => {
  const old = 'x'.repeat(99) + '\n';
  const body = new TextEncoder().encode(old.repeat(10) + 'rest\n');
  const follow = (_, path) => new Response(body.slice(Number(path.split('offset=')[1])));
  const { hear, shown, lines } = await view(WINDOW + 1000, { [FOLLOW]: follow });
  hear('rest\nnew\n');
  press(shown.node, 'Earlier lines');
  await settled();
  hear('newer\n');
  assert.equal(lines().length, 13);
  assert.deepEqual(lines().slice(10), ['rest', 'new', 'newer']);
  assert.ok([...shown.node.querySelectorAll('button')].find(each => each.textContent.startsWith('Earlier')).hidden);
});

test('a server that does not answer is told, and asked again with the next news', async () => {
  const server = site({ [LIST]: new TypeError('Failed to fetch') });
  const time = clock();
  const shown = new OutputView(server, 'u', 'tapisjob.out', time.later);
  await settled();
  time.next();
  assert.match(shown.node.textContent, /does not answer/);
  shown.update({ status: 'RUNNING' });
  await settled();
  assert.equal(server.asked.length, 2);
});

test('an output that was refused is asked for again where it was, until the job is over', async () => {
  const { shown, tails, hear, status, time } = await view();
  hear('one\n');
  tails[0].ended();
  shown.update({ status: 'RUNNING' });
  await settled();
  assert.equal(tails[1].offset, 4);
  tails[1].ended();
  shown.update({ status: 'FINISHED' });
  await settled();
  tails[2].ended();
  shown.update({ status: 'FINISHED' });
  await settled();
  assert.equal(tails.length, 3);
  time.next();
  assert.equal(status(), '1 line');
});

test('a view that is closed follows nothing and paints nothing', async () => {
  const { shown, tails, time } = await view();
  tails[0].listener('late');
  shown.dispose();
  assert.ok(tails[0].isStopped);
  assert.equal(time.waiting.length, 0);
});

test('without a live connection the lines that have come are fetched, and none of them twice', async () => {
  const more = { [FOLLOW]: (_, path) => new Response('one\ntwo\nthr'.slice(Number(path.split('offset=')[1]))) };
  const late = await view(11, more);
  late.hear('one\n');
  await late.shown.catchUp();
  late.time.next();
  assert.deepEqual(late.lines(), ['one', 'two']);
  assert.ok(late.tails[0].isStopped);
  assert.equal(late.tails[1].offset, 8);
  late.hear('three\n');
  assert.deepEqual(late.lines(), ['one', 'two', 'three']);
});

test('who follows the end of a long output is shown its last lines, who goes back all that are kept', async () => {
  const { hear, shown, lines, time } = await view();
  const list = shown.node.querySelector('.tj-Lines-list');
  hear(Array.from({ length: 3000 }, (_, number) => `line ${number}`).join('\n'));
  assert.deepEqual([lines().length, lines()[0]], [1000, 'line 2000']);
  Object.defineProperties(list, { scrollHeight: { value: 900 }, clientHeight: { value: 100 } });
  list.scrollTop = 500;
  list.dispatchEvent(new Event('scroll'));
  list.scrollTop = 100;
  list.dispatchEvent(new Event('scroll'));
  time.next();
  assert.deepEqual([lines().length, lines()[0], lines().at(-1)], [3000, 'line 0', 'line 2999']);
  press(shown.node, 'To the end');
  assert.equal(lines().length, 1000);
  seek(shown, 'line 77 ');
  seek(shown, 'line 77');
  assert.equal(shown.node.querySelector('mark[aria-current]').textContent, 'line 77');
});

test('after a long absence an output begins anew near its end instead of bringing all that was missed', async () => {
  const { shown, hear, lines, tails, time, wire } = await view();
  hear('old\n');
  shown.rest();
  wire.request = async () => Response.json({ result: [{ size: 10 * WINDOW }] });
  shown.wake();
  await settled();
  assert.equal(tails.at(-1).offset, 9 * WINDOW);
  hear('half a line\nnew\n');
  assert.deepEqual(lines(), ['new']);
});
