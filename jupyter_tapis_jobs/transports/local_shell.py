"""Scripts on this machine: ``/bin/sh`` with what a login has, not what this server has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Mapping
from typing import IO

from ..model.errors import TransportError
from .base import Answer

#: Variables of a Jupyter server, hub or client that sign in, or that tell a kernel of its server.
_SERVERS_OWN = re.compile(
    r"JPY_|JUPYTER_TOKEN$|JUPYTERHUB_|JUPYTER_TAPIS_JOBS_|TAPIS_(TOKEN|PASSWORD)$"
    r"|TAPIS_JOBS_(SMTP_PASSWORD|WEBHOOK_SECRET)$"
)


async def run(script: str, timeout: float) -> Answer:
    """Run *script* by ``/bin/sh``; past *timeout* seconds its process group is killed."""
    with _memory_file() as source, _memory_file() as out, _memory_file() as err:
        source.write(_one_command(script))
        source.seek(0)
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-s",
            stdin=source,
            stdout=out,
            stderr=err,
            cwd="/",
            env=login_environment(os.environ),
            start_new_session=True,
        )
        exit_code = await _end_of(process, timeout)
        return Answer(exit_code, _text(out), _text(err))


def login_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what a server keeps for itself: a job gets no sign-in of the server's."""
    return {name: value for name, value in environ.items() if not _SERVERS_OWN.match(name)}


def _one_command(script: str) -> bytes:
    """Return *script* as one compound command, read to its end before anything of it runs.

    Otherwise a command that reads its standard input would swallow the rest of the script.
    """
    return b"{ :\n" + os.fsencode(script) + b"\n} </dev/null\n"


def _memory_file() -> IO[bytes]:
    """Return a nameless file: unlike a pipe it never fills, and nobody waits for its other end."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("tapisjob"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return os.fsdecode(file.read())


async def _end_of(process: asyncio.subprocess.Process, timeout: float) -> int:
    """Return the exit code; signal n is 128 + n. Nobody outlives an unfinished wait."""
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        raise TransportError(
            f"A script on this machine did not end within {timeout:g} s and was killed. "
            "The machine may be overloaded or a file system may hang; it will be tried again."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return 128 - code if code < 0 else code
