"""The way to a Dask scheduler: its address, its certificates, and one sentence where there is no way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from .marks import read


class DaskTroubleError(Exception):
    """Dask cannot be asked now; the text is a sentence for the user."""


def say(**words: Any) -> None:
    """Print one line of the answer."""
    print(json.dumps(words), flush=True)


def leave(trouble: str = "") -> NoReturn:
    """End at once: a client takes its time to say goodbye, or for ever."""
    if trouble:
        say(trouble=trouble)
    os._exit(0)


def connect(cluster: Mapping[str, Any]) -> Any:
    """Return a client of the scheduler; raises ``DaskTroubleError`` where there is no way to it.

    *cluster*: what ``model/dask.py`` says, with ``seconds`` in which the scheduler has to answer.
    """
    try:
        import cloudpickle
        import distributed
    except ImportError as fault:
        raise DaskTroubleError(
            f"{sys.executable} on {socket.gethostname()} has no Dask ({fault}): install distributed, "
            "or name another Python as notes.dask.python"
        ) from None
    # Workers and scheduler do not have this program: its functions travel whole.
    cloudpickle.register_pickle_by_value(sys.modules[__package__])
    address, tls, seconds = address_of(cluster), cluster.get("tls"), cluster["seconds"]
    with limited(seconds + 2, lambda: why_not(address, tls, seconds)):
        try:
            return distributed.Client(address, timeout=seconds, security=security(tls), set_as_default=False)
        except (OSError, TypeError, ValueError) as fault:
            raise DaskTroubleError(why_not(address, tls, seconds, fault)) from None


def security(tls: Mapping[str, str] | None) -> Any:
    """Return the certificates as Dask wants them, none for a scheduler without TLS."""
    from distributed import Security

    for name, path in (tls or {}).items():
        if not os.access(path, os.R_OK):
            raise DaskTroubleError(f"notes.dask.tls.{name} {path} cannot be read on {socket.gethostname()}")
    if not tls:
        return None
    return Security(
        tls_ca_file=tls["ca"], tls_client_cert=tls["cert"], tls_client_key=tls["key"], require_encryption=True
    )


def address_of(cluster: Mapping[str, Any]) -> str:
    """Return the scheduler's address, which it may have written into a file."""
    if cluster.get("address"):
        return str(cluster["address"])
    path = cluster["schedulerFile"]
    try:
        return str(json.loads(read(path))["address"])
    except (ValueError, KeyError, TypeError):
        what = "does not tell an address" if os.path.exists(path) else "is not there"
        raise DaskTroubleError(
            f"notes.dask.schedulerFile {path} {what} on {socket.gethostname()}: start the scheduler with "
            "--scheduler-file, or correct the path"
        ) from None


def why_not(address: str, tls: Mapping[str, str] | None, seconds: float, fault: object = "") -> str:
    """Say why there is no way to a scheduler: by knocking there ourselves."""
    found = re.fullmatch(r"(?:(\w+)://)?\[?([^\]/]+?)\]?:(\d+)/?", address)
    if not found:
        return f"{address} is no address of a Dask scheduler, such as tcp://host:8786"
    head = f"the Dask scheduler at {address}"
    try:
        with socket.create_connection((found[2], int(found[3])), timeout=seconds) as plain:
            knock(plain, tls if found[1] == "tls" else None)
    except ssl.SSLError as refusal:
        return f"{head} and notes.dask.tls do not fit each other: {refusal.reason or refusal}"
    except TimeoutError:
        return (
            f"{head} gives no answer within {seconds:g} s: is it one that speaks TLS (address tls://…, "
            "notes.dask.tls), or behind a firewall?"
        )
    except OSError as refusal:
        return f"{head} cannot be reached ({refusal.strerror or refusal}): start it, or correct notes.dask"
    return f"{head} does not take this client ({fault or 'no answer'}): are both the same version of Dask?"


def knock(plain: socket.socket, tls: Mapping[str, str] | None) -> None:
    """Wait for the first byte, which is the server's in Dask's protocol."""
    line = plain
    if tls:
        context = ssl.create_default_context(cafile=tls["ca"])
        context.check_hostname = False
        context.load_cert_chain(tls["cert"], tls["key"])
        line = context.wrap_socket(plain)
    if not line.recv(1):
        raise ConnectionResetError("it hangs up")


@contextlib.contextmanager
def limited(seconds: float, why: Callable[[], str]) -> Iterator[None]:
    """End the program with *why* when the block takes longer: a client on a wrong port waits for ever."""
    timer = threading.Timer(seconds, lambda: leave(why()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
