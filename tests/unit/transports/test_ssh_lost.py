"""Connections that break, freeze or are full: what is told, and how it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from rig.rig import Rig
from rig_hosts import ssh_transport
from tcp_proxy import Proxy, proxied

from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.transports import ssh
from jupyter_tapis_jobs.transports.base import Entry
from jupyter_tapis_jobs.transports.ssh import SshTransport


@pytest.fixture
async def proxy(rig: Rig) -> AsyncIterator[Proxy]:
    it = rig.hosts["login1"]
    async with proxied(it.host, it.port) as made:
        yield made


@pytest.fixture
async def transport(rig: Rig, proxy: Proxy) -> AsyncIterator[SshTransport]:
    made = ssh_transport(rig, port=proxy.port)
    yield made
    await made.close()


async def heard(path: str, transport: SshTransport) -> None:
    """Wait until the host has made *path*."""
    while await transport.stat(path) is None:
        await asyncio.sleep(0)


async def test_a_connection_that_breaks_is_told_and_the_next_verb_connects_again(transport, proxy):
    home = (await transport.environment(["HOME"]))["HOME"]
    mark = f"{home}/begun-{id(transport)}"
    waiting = asyncio.ensure_future(transport.run(f"touch {mark}; sleep 600", live=True))
    await heard(mark, transport)
    proxy.drop()
    with pytest.raises(TransportError, match="login1 was lost"):
        await waiting
    await transport.delete(mark)
    assert proxy.connections == 3


async def test_a_frozen_connection_is_noticed(rig, proxy):
    transport = ssh_transport(rig, port=proxy.port, keepalive_interval=0.5)
    await transport.run("true", live=True)
    waiting = asyncio.ensure_future(transport.run("sleep 600", live=True))
    await transport.run("true")
    proxy.freeze()
    with pytest.raises(TransportError, match="login1 was lost"):
        await waiting
    proxy.thaw()
    assert (await transport.run("echo back", live=True)).stdout == "back\n"
    await transport.close()


async def test_a_watcher_whose_connection_breaks_tells_it(transport, proxy):
    home = (await transport.environment(["HOME"]))["HOME"]
    folder = f"{home}/watched-{id(transport)}"
    async with aclosing(transport.watch(folder)) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        await heard(folder, transport)
        proxy.drop()
        with pytest.raises(TransportError, match="was lost"):
            await waiting
    await transport.delete(folder)


async def test_a_watcher_that_has_left_after_a_quiet_time_is_sent_again(transport, monkeypatch):
    monkeypatch.setattr(ssh, "WATCH_IDLE", 0.1)
    home = (await transport.environment(["HOME"]))["HOME"]
    folder = f"{home}/quiet-{id(transport)}"
    async with aclosing(transport.watch(folder)) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        for _ in range(10):
            await transport.run("sleep 0.05")
        await transport.put([Entry(path=f"{folder}/late", content=b"")])
        assert await waiting == ["late"]
    await transport.delete(folder)


async def test_what_nobody_waits_for_any_more_is_ended_on_the_host(transport):
    home = (await transport.environment(["HOME"]))["HOME"]
    pid = f"{home}/pid-{id(transport)}"
    waiting = asyncio.ensure_future(transport.run(f"sleep 600 & echo $! >{pid}; wait"))
    await heard(pid, transport)
    waiting.cancel()
    await asyncio.wait([waiting])
    while (await transport.run(f"kill -0 $(cat {pid})", live=True)).exit_code == 0:
        await asyncio.sleep(0)
    await transport.delete(pid)


async def test_verbs_that_are_cancelled_as_they_begin_leave_places_free_and_nothing_behind(transport):
    await transport.run("true")
    length = f"6{id(transport) % 1000:03}"
    for _ in range(20):
        starting = asyncio.ensure_future(transport.run(f"exec sleep {length}"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
    assert (await transport.run("echo free")).stdout == "free\n"
    while (await transport.run(f"pgrep -u $(id -u) -f '^sleep {length}'")).exit_code == 0:
        await asyncio.sleep(0)


async def test_a_write_that_is_cancelled_leaves_nothing(transport):
    home = (await transport.environment(["HOME"]))["HOME"]
    folder = f"{home}/cancelled-{id(transport)}"

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    writing = asyncio.ensure_future(transport.write(f"{folder}/file", endless()))
    while await transport.stat(folder) is None or not await transport.list(folder):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    while await transport.list(folder):
        await asyncio.sleep(0)
    await transport.delete(folder)


async def test_a_stream_that_breaks_off_is_not_taken_for_its_end(transport, proxy):
    home = (await transport.environment(["HOME"]))["HOME"]
    path = f"{home}/big-{id(transport)}"
    await transport.run(f"truncate -s 200M {path}")
    chunks = transport.read(path)
    await anext(chunks)
    proxy.drop()
    with pytest.raises(TransportError, match="was lost"):
        [chunk async for chunk in chunks]
    await transport.delete(path)


async def test_a_write_that_loses_its_connection_leaves_nothing_and_goes_on_with_a_word(transport, proxy):
    home = (await transport.environment(["HOME"]))["HOME"]
    folder = f"{home}/written-{id(transport)}"
    begin = b"x" * (5 << 20)

    async def breaking(word: str | None) -> AsyncIterator[bytes]:
        yield begin
        while word and await transport.written(f"{folder}/file", word) < len(begin):
            await asyncio.sleep(0)
        proxy.drop()
        yield b"never comes"

    for word in (None, "word"):
        with pytest.raises(TransportError, match="was lost"):
            await transport.write(f"{folder}/file", breaking(word), resume=word)
    there = await transport.written(f"{folder}/file", "word")
    assert there == len(begin)

    async def rest() -> AsyncIterator[bytes]:
        yield b"end"

    assert await transport.write(f"{folder}/file", rest(), resume="word") == len(begin) + 3
    while len(listing := await transport.list(folder)) > 1:
        await asyncio.sleep(0)
    assert [info.name for info in listing] == ["file"]
    await transport.delete(folder)


async def test_a_host_that_closes_every_connection_is_not_knocked_at_for_ever(transport, proxy):
    proxy.refuses = True
    for _ in range(20):
        with pytest.raises(TransportError, match="closed the connection"):
            await transport.run("true")
    assert proxy.connections <= 3
    assert transport.state == "trouble"
    proxy.refuses = False
    transport.retry_now()
    assert (await transport.run("echo back")).stdout == "back\n"
    assert transport.state == "connected"


async def test_many_verbs_at_once_share_two_connections(transport, proxy):
    answers = await asyncio.gather(*(transport.run(f"echo {n}", live=n % 2 == 0) for n in range(60)))
    assert [answer.stdout for answer in answers] == [f"{n}\n" for n in range(60)]
    assert proxy.connections == 2


async def test_one_connection_does_for_a_host_that_asks_for_codes(rig, proxy):
    transport = ssh_transport(rig, port=proxy.port, shared=True)
    answers = await asyncio.gather(*(transport.run(f"echo {n}", live=n % 2 == 0) for n in range(20)))
    assert [answer.stdout for answer in answers] == [f"{n}\n" for n in range(20)]
    assert proxy.connections == 1
    await transport.close()


async def test_streams_leave_a_place_for_commands(transport):
    home = (await transport.environment(["HOME"]))["HOME"]
    path = f"{home}/long-{id(transport)}"
    await transport.run(f"truncate -s 200M {path}")
    streams = [transport.read(path) for _ in range(8)]
    begun = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
    assert (await transport.run("echo quick")).stdout == "quick\n"
    for waiting in begun:
        waiting.cancel()
    await asyncio.wait(begun)
    for stream in streams:
        await stream.aclose()
    await transport.delete(path)


async def test_files_are_carried_from_a_host_to_itself_without_waiting_in_a_circle(transport):
    home = (await transport.environment(["HOME"]))["HOME"]
    folder = f"{home}/carried-{id(transport)}"
    await transport.run(f"mkdir -p {folder}/from; cd {folder}/from; for n in 1 2 3; do echo $n >$n; done")
    await asyncio.gather(
        *(transport.unpack(f"{folder}/{n}", transport.pack(f"{folder}/from")) for n in range(8)),
        *(transport.write(f"{folder}/w{n}", transport.read(f"{folder}/from/1")) for n in range(8)),
    )
    assert len(await transport.list(folder, recurse=True)) == 4 * 9 + 8
    await transport.delete(folder)
