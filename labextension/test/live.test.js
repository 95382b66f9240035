import assert from 'node:assert/strict';
import test from 'node:test';

import { Live } from '../lib/live.js';

/** A page: the sockets it opened, and a clock that moves when told. */
function page() {
  const sockets = [];
  const waiting = [];
  const connect = after => {
    const socket = { after, sent: [], isClosed: false };
    socket.send = data => socket.sent.push(JSON.parse(data));
    socket.close = () => (socket.isClosed = true);
    sockets.push(socket);
    return socket;
  };
  const later = (work, ms) => {
    const entry = { work, ms };
    waiting.push(entry);
    return () => waiting.splice(waiting.indexOf(entry), 1);
  };
  const next = () => {
    const entry = waiting.shift();
    entry.work();
    return entry.ms;
  };
  const tell = (socket, message) => socket.onmessage({ data: JSON.stringify(message) });
  return { live: new Live(connect, later), sockets, waiting, next, tell };
}

function watcher() {
  const heard = { news: [], asked: 0 };
  return { heard, news: job => heard.news.push(job.status), ask: () => (heard.asked += 1) };
}

const event = (id, uuid, status) => ({ type: 'event', id, event: { jobUuid: uuid }, job: { status } });

test('all cards of a page share one connection, and each hears its own job', () => {
  const { live, sockets, tell } = page();
  const [one, two] = [watcher(), watcher()];
  live.watch('a', one);
  live.watch('b', two);
  sockets[0].onopen();
  tell(sockets[0], event(1, 'a', 'RUNNING'));
  assert.equal(sockets.length, 1);
  assert.deepEqual([one.heard.news, two.heard.news], [['RUNNING'], []]);
});

test('cards ask once when the server has begun to listen', () => {
  const { live, sockets, tell } = page();
  const card = watcher();
  live.watch('a', card);
  sockets[0].onopen();
  tell(sockets[0], { type: 'idle' });
  tell(sockets[0], { type: 'idle' });
  assert.equal(card.heard.asked, 1);
});

test('a lost connection comes back, slower each time, after the last event it had', () => {
  const { live, sockets, tell, next } = page();
  live.watch('a', watcher());
  sockets[0].onopen();
  tell(sockets[0], event(41, 'a', 'RUNNING'));
  sockets[0].onclose();
  const first = next();
  sockets[1].onclose();
  const second = next();
  assert.deepEqual([sockets[1].after, sockets[2].after], [41, 41]);
  assert.ok(second > first);
});

test('the wait never grows beyond half a minute', () => {
  const { live, sockets, next } = page();
  live.watch('a', watcher());
  const waits = Array.from({ length: 12 }, () => {
    sockets.at(-1).onclose();
    return next();
  });
  assert.equal(Math.max(...waits), 30_000);
});

test('cards ask by themselves while there is no connection', () => {
  const { live, sockets } = page();
  const card = watcher();
  live.watch('a', card);
  sockets[0].onclose();
  assert.equal(card.heard.asked, 1);
});

test('a tail goes on where it was when the connection comes back', () => {
  const { live, sockets, tell, next } = page();
  const heard = [];
  live.tail('a', 'tapisjob.out', 10, told => heard.push(told));
  sockets[0].onopen();
  tell(sockets[0], { type: 'tail', uuid: 'a', path: 'tapisjob.out', offset: 10, text: 'größe' });
  sockets[0].onclose();
  next();
  sockets[1].onopen();
  assert.deepEqual(sockets[1].sent, [{ type: 'tail', uuid: 'a', path: 'tapisjob.out', offset: 17 }]);
  assert.deepEqual(heard, ['größe']);
});

test('two cards of one output are one tail, which ends with the last of them', () => {
  const { live, sockets } = page();
  const stops = [live.tail('a', 'x', 0, () => {}), live.tail('a', 'x', 0, () => {})];
  sockets[0].onopen();
  stops[0]();
  assert.deepEqual(sockets[0].sent.map(({ type }) => type), ['tail']);
  stops[1]();
  assert.deepEqual(sockets[0].sent.map(({ type }) => type), ['tail', 'untail']);
});

test('a second view of an output hears it from its own beginning, and the first one nothing twice', () => {
  const { live, sockets, tell } = page();
  const [first, second] = [[], []];
  live.tail('a', 'x', 4, told => first.push(told));
  sockets[0].onopen();
  tell(sockets[0], { type: 'tail', uuid: 'a', path: 'x', offset: 4, end: 8, text: 'four' });
  live.tail('a', 'x', 0, told => second.push(told));
  assert.deepEqual(sockets[0].sent.map(({ offset }) => offset), [4, 0]);
  tell(sockets[0], { type: 'tail', uuid: 'a', path: 'x', offset: 0, end: 12, text: 'zerofourmore' });
  assert.deepEqual([first, second], [['four', 'more'], ['zerofourmore']]);
});

test('a part that another tab made the server leave out is asked for once', () => {
  const { live, sockets, tell } = page();
  const heard = [];
  live.tail('a', 'x', 0, told => heard.push(told));
  sockets[0].onopen();
  const told = (offset, end, text) => tell(sockets[0], { type: 'tail', uuid: 'a', path: 'x', offset, end, text });
  told(2, 4, 'cd');
  told(4, 6, 'ef');
  assert.deepEqual(sockets[0].sent.map(({ offset }) => offset), [0, 0]);
  told(0, 6, 'abcdef');
  assert.deepEqual(heard, ['abcdef']);
});

test('what is no UTF-8 shifts nothing', () => {
  const { live, sockets, tell } = page();
  const heard = [];
  live.tail('a', 'x', 0, told => heard.push(told));
  sockets[0].onopen();
  tell(sockets[0], { type: 'tail', uuid: 'a', path: 'x', offset: 0, end: 4, text: 'caf\ufffd' });
  tell(sockets[0], { type: 'tail', uuid: 'a', path: 'x', offset: 4, end: 8, text: ' bar' });
  assert.equal(heard.join(''), 'caf\ufffd bar');
});

test('a tail that has ended is not asked for again and holds no connection', () => {
  const { live, sockets, tell, next } = page();
  let ends = 0;
  live.tail('a', 'x', 0, () => {}, () => (ends += 1));
  sockets[0].onopen();
  tell(sockets[0], { type: 'tailEnd', uuid: 'a', path: 'x', offset: 9 });
  next();
  assert.equal(ends, 1);
  assert.ok(sockets[0].isClosed);
});

test('a page without cards holds no connection', () => {
  const { live, sockets, next, waiting } = page();
  live.watch('a', watcher())();
  next();
  assert.ok(sockets[0].isClosed);
  assert.equal(waiting.length, 0);
});

test('what is not a message is let pass', () => {
  const { live, sockets } = page();
  live.watch('a', watcher());
  for (const data of ['', 'no JSON', '[]', '7', 'null', '{"type": "event"}']) {
    sockets[0].onmessage({ data });
  }
});
