import assert from 'node:assert/strict';
import test from 'node:test';

import { Client } from '../lib/core/client.js';
import { Live } from '../lib/live.js';

/** A clock that goes when told, and calls what was to be called until then. */
function clock() {
  let at = 0;
  const waiting = new Set();
  const later = (work, ms) => {
    const entry = { work, at: at + ms };
    waiting.add(entry);
    return () => waiting.delete(entry);
  };
  const go = seconds => {
    const end = at + 1000 * seconds;
    for (;;) {
      const [next] = [...waiting].filter(entry => entry.at <= end).sort((one, other) => one.at - other.at);
      if (!next) {
        at = end;
        return;
      }
      at = Math.max(at, next.at);
      waiting.delete(next);
      next.work();
    }
  };
  /** As while a laptop sleeps: time goes, and nothing is called. */
  const sleep = seconds => (at += 1000 * seconds);
  return { later, now: () => at, go, sleep };
}

function page() {
  const time = clock();
  const sockets = [];
  const connect = after => {
    const socket = { after, isClosed: false, send: () => {}, close: () => (socket.isClosed = true) };
    sockets.push(socket);
    return socket;
  };
  const live = new Live(connect, time.later, time.now);
  const heard = { asked: 0 };
  const stop = live.watch('a', { news: () => {}, ask: () => (heard.asked += 1) });
  const idle = (socket, every = 15) => socket.onmessage({ data: JSON.stringify({ type: 'idle', every }) });
  sockets[0].onopen();
  idle(sockets[0]);
  return { ...time, live, sockets, heard, idle, stop };
}

test('a connection that says something in its rhythm is kept', () => {
  const { sockets, idle, go } = page();
  for (let beat = 0; beat < 40; beat += 1) {
    go(15);
    idle(sockets[0]);
  }
  assert.equal(sockets.length, 1);
});

test('one that has gone silent is given up: the cards ask, and a new one is opened', () => {
  const { sockets, heard, go } = page();
  go(34);
  assert.deepEqual([sockets.length, heard.asked], [1, 1]);
  go(2);
  assert.deepEqual([sockets[0].isClosed, sockets.length, heard.asked], [true, 2, 2]);
});

test('a new one that does not even open is tried again, and all is well once it speaks', () => {
  const { sockets, heard, idle, go } = page();
  go(36);
  go(36);
  assert.deepEqual([sockets[1].isClosed, sockets.length], [true, 3]);
  sockets[2].onopen();
  idle(sockets[2]);
  assert.equal(heard.asked, 4);
  go(20);
  assert.deepEqual([sockets[2].isClosed, sockets.length], [false, 3]);
});

test('after a sleep it is told at once, and not before something of the old connection could come', () => {
  const { live, sockets, sleep, go } = page();
  live.hurry();
  assert.equal(sockets[0].isClosed, false);
  sleep(3600);
  live.hurry();
  assert.equal(sockets[0].isClosed, true);
  live.hurry();
  assert.equal(sockets.length, 2);
  go(0);
  assert.equal(sockets.length, 2);
});

test('a server that does not tell its rhythm is not taken for a silent one', () => {
  const time = clock();
  const sockets = [];
  const live = new Live(() => (sockets.push({ close: () => {} }), sockets.at(-1)), time.later, time.now);
  live.watch('a', { news: () => {}, ask: () => {} });
  sockets[0].onopen();
  sockets[0].onmessage({ data: '{"type": "idle"}' });
  time.go(86_400);
  assert.equal(sockets.length, 1);
});

test('a connection that nobody needs any more is not watched', () => {
  const { sockets, stop, go } = page();
  stop();
  go(3600);
  assert.equal(sockets.length, 1);
});

test('an answer that does not come is a server that does not answer, and what asked is given up', async () => {
  const time = clock();
  const signals = [];
  const request = (method, path, body, signal) => (signals.push(signal), new Promise(() => {}));
  const client = new Client({ isPrompt: true, request, url: path => path, socket: () => null }, time.later);
  const asked = client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: 'u' } });
  time.go(14);
  assert.equal(signals[0].aborted, false);
  time.go(2);
  await assert.rejects(asked, TypeError);
  assert.equal(signals[0].aborted, true);
});

test('what the server asks a host for may take longer, and a kernel may run a cell for hours', async () => {
  const time = clock();
  const answers = [];
  const request = () => new Promise(answer => answers.push(answer));
  const wire = { request, url: path => path, socket: () => null };
  const files = new Client({ ...wire, isPrompt: true }, time.later);
  const listing = files.call('GET /v3/files/ops/{systemId}/{path}', { path: { systemId: 's', path: '' } });
  time.go(200);
  const through = new Client(wire, time.later).call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: 'u' } });
  time.go(10_000);
  const body = JSON.stringify({ result: { uuid: 'u' } });
  await assert.rejects(listing);
  answers[1](new Response(body));
  assert.equal((await through).result.uuid, 'u');
});
