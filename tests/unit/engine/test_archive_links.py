"""What jobs leave behind as links never leads their archive out of its place on another host."""

from __future__ import annotations

import pytest
from two_hosts import TwoHosts

from jupyter_tapis_jobs.engine.inputs import SMALL
from jupyter_tapis_jobs.engine.verdict import Fail, Go


@pytest.mark.parametrize("size", [10, SMALL + 1], ids=["small", "large"])
async def test_outputs_are_not_written_through_a_link_of_the_archive(hosts: TwoHosts, size: int) -> None:
    jobs = []
    for uuid in ("good", "bad"):
        (hosts.output(uuid) / "deep" / "er").mkdir(parents=True)
        (hosts.output(uuid) / "deep" / "er" / "data").write_bytes(b"x" * size)
        jobs.append(hosts.job(uuid, archive_system_id="far", archive_system_dir=f"/kept/{uuid}"))
    outside = hosts.folder / "outside"
    outside.mkdir()
    kept = hosts.far_root / "kept" / "bad"
    kept.mkdir(parents=True)
    (kept / "deep").symlink_to(outside)
    verdicts = await hosts.archive(*jobs)
    assert verdicts["good"] == Go("")
    assert isinstance(verdicts["bad"], Fail)
    assert not list(outside.iterdir())
    assert (hosts.far_root / "kept" / "good" / "deep" / "er" / "data").stat().st_size == size
