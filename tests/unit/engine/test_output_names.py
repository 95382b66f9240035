"""Listings of output directories: told by a host whose commands a job may have replaced by its own."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_tapis_jobs.engine.output_names import Names, output_names
from jupyter_tapis_jobs.transports.base import Answer, Transport

ROOTS = ["/work/one", "/work/two"]


def host(*told: str) -> Transport:
    async def run(script: str, **_: Any) -> Answer:
        return Answer(0, "".join(f"{line}\0" for line in told), "")

    return cast(Transport, SimpleNamespace(run=run))


async def test_names_are_entered_below_their_directory() -> None:
    found = await output_names(host("f/work/one/a/b.txt", "l/work/one/big", "d/work/two/empty"), ROOTS, 10)
    assert found == {
        "/work/one": Names(files=["a/b.txt"], large=["big"]),
        "/work/two": Names(empty=["empty"]),
    }


@pytest.mark.parametrize(
    "told",
    ["l/work/one/../../home/ada/.bashrc", "f/work/one/a/../../two/x", "f/work/one/./x", "f/work/one//x",
     "x/work/one/a"],
)  # fmt: skip
async def test_a_name_that_leads_elsewhere_is_refused(told: str) -> None:
    found = await output_names(host("f/work/one/good", told, "f/work/two/good"), ROOTS, 10)
    fault = found["/work/one"]
    assert isinstance(fault, OSError)
    assert fault.errno == errno.EPERM
    assert found["/work/two"] == Names(files=["good"])
