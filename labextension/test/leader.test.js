import assert from 'node:assert/strict';
import test from 'node:test';

import { shared } from '../lib/core/leader.js';

/** A browser with many pages: one lock, one channel, and the sockets that were opened. */
function browser() {
  const sockets = [];
  const queue = [];
  const channels = new Set();
  let ids = 0;
  const serve = () => {
    const [first] = queue;
    if (first && !first.isHeld) {
      first.isHeld = true;
      void first.lead().then(() => {
        queue.splice(queue.indexOf(first), 1);
        serve();
      });
    }
  };
  const by = {
    id: () => `page ${(ids += 1)}`,
    lock: (name, signal, lead) => {
      const entry = { lead, isHeld: false };
      queue.push(entry);
      signal.addEventListener('abort', () => entry.isHeld || queue.splice(queue.indexOf(entry), 1));
      serve();
    },
    channel: () => {
      const channel = { onmessage: null };
      // Told in a later turn, as a browser does.
      channel.postMessage = data =>
        setImmediate(() => [...channels].forEach(other => other !== channel && other.onmessage?.({ data })));
      channel.close = () => channels.delete(channel);
      channels.add(channel);
      return channel;
    }
  };
  const connect = after => {
    const socket = { after, sent: [], isClosed: false };
    socket.send = data => socket.sent.push(JSON.parse(data));
    socket.close = () => (socket.isClosed = true);
    sockets.push(socket);
    return socket;
  };
  return { page: (after = null) => heard(shared('http://server/', connect, by)(after)), sockets };
}

function heard(socket) {
  const told = [];
  socket.onopen = () => told.push('open');
  socket.onmessage = ({ data }) => told.push(data);
  socket.onclose = () => told.push('close');
  return { socket, told };
}

const settle = () => new Promise(resolve => setImmediate(resolve));
const tail = uuid => JSON.stringify({ type: 'tail', uuid, path: 'out', offset: 0 });
const untail = uuid => JSON.stringify({ type: 'untail', uuid, path: 'out' });

test('three pages have one connection, and all hear what it brings', async () => {
  const { page, sockets } = browser();
  const [one, two] = [page(7), page()];
  sockets[0].onopen({});
  await settle();
  const three = page();
  await settle();
  sockets[0].onmessage({ data: 'news' });
  await settle();
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0].after, 7);
  assert.deepEqual(one.told, ['open', 'news']);
  // What happened before they came is asked for, as after any connection.
  assert.deepEqual(two.told, ['open', '{"type": "idle"}', 'news']);
  assert.deepEqual(three.told, ['open', '{"type": "idle"}', 'news']);
});

test('an output is followed until the last page that wanted it has gone', async () => {
  const { page, sockets } = browser();
  const [one, two, three] = [page(), page(), page()];
  sockets[0].onopen({});
  await settle();
  one.socket.send(tail('a'));
  await settle();
  two.socket.send(tail('a'));
  await settle();
  three.socket.send(tail('b'));
  await settle();
  one.socket.send(untail('a'));
  await settle();
  assert.deepEqual(sockets[0].sent.map(({ type, uuid }) => type + uuid), ['taila', 'taila', 'tailb']);
  two.socket.send(untail('a'));
  await settle();
  three.socket.close();
  await settle();
  assert.deepEqual(sockets[0].sent.slice(3).map(({ type, uuid }) => type + uuid), ['untaila', 'untailb']);
});

test('when the page that led goes, another one leads', async () => {
  const { page, sockets } = browser();
  const [one, two] = [page(), page()];
  sockets[0].onopen({});
  await settle();
  one.socket.close();
  await settle();
  assert.equal(sockets[0].isClosed, true);
  assert.deepEqual(two.told, ['open', '{"type": "idle"}', 'close']);
  await settle();
  const again = page(41);
  assert.equal(sockets[1].after, 41);
  sockets[1].onopen({});
  await settle();
  assert.deepEqual(again.told, ['open']);
});

test('a connection that is lost is lost for all pages', async () => {
  const { page, sockets } = browser();
  const [one, two] = [page(), page()];
  sockets[0].onopen({});
  await settle();
  sockets[0].onclose({});
  await settle();
  assert.equal(one.told.at(-1), 'close');
  assert.equal(two.told.at(-1), 'close');
});

test('a page that waits for a connection which never opens takes the lead itself', async () => {
  const { page, sockets } = browser();
  const one = page();
  const two = page();
  sockets[0].onclose({});
  await settle();
  assert.deepEqual(one.told, ['close']);
  await settle();
  assert.equal(sockets.length, 2);
  sockets[1].onopen({});
  await settle();
  assert.deepEqual(two.told, ['open']);
});

test('where a browser has no locks each page has its own connection', () => {
  const opened = [];
  const connect = shared('http://server/', after => opened.push(after), null);
  connect(1);
  connect(2);
  assert.deepEqual(opened, [1, 2]);
});
