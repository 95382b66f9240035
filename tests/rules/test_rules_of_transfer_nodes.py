"""Data transfer nodes: when one is used, what it must be, and which way the bytes go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from model_samples import UUID, make_app, make_system, resolve_sample
from simulation.lives import SYSTEM, USER, Life
from simulation.test_rules import play
from simulation.world import World
from two_hosts import Host, TwoHosts, given, tree_of

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.verdict import Block, Fail, Go
from jupyter_tapis_jobs.model.errors import InvalidInputError, TapisJobsError
from jupyter_tapis_jobs.model.job import ArchiveFilter
from jupyter_tapis_jobs.model.transfer_nodes import inputs_arrive, node_of, outputs_leave, refuse_bad_node

BOTH = {"dtnSystemInputDir": "/in/${JobUUID}", "dtnSystemOutputDir": "/out"}


@pytest.mark.parametrize(
    ("node", "of_app", "own", "used"),
    [
        ("dtn", {}, {}, None),
        ("dtn", BOTH, {}, "dtn"),
        ("dtn", {}, BOTH, "dtn"),
        ("dtn", BOTH, dict.fromkeys(BOTH, "!tapis_not_set"), None),
        ("dtn", {}, {"dtnSystemOutputDir": "/out"}, "dtn"),
        (None, BOTH, {}, None),
    ],
)
def test_a_transfer_node_is_used_where_system_and_directory_say_so(
    node: str | None, of_app: dict[str, Any], own: dict[str, Any], used: str | None
) -> None:
    _, definition = resolve_sample(app=make_app(of_app), system=make_system(dtnSystemId=node), **own)
    assert node_of(definition) == used


def test_a_directory_without_a_node_is_ignored_and_told() -> None:
    _, definition = resolve_sample(**BOTH)
    assert [w for w in definition.warnings if "dtnSystemInputDir is ignored" in w]
    assert not resolve_sample(**dict.fromkeys(BOTH, "!tapis_not_set"))[1].warnings


def test_a_directory_of_many_jobs_holds_one_for_each() -> None:
    job, definition = resolve_sample(system=make_system(dtnSystemId="dtn"), **BOTH)
    assert inputs_arrive(job, definition) == f"/in/{UUID}"
    assert outputs_leave(job, definition) == f"/out/{UUID}"


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({"id": "host1"}, "is the execution system itself"),
        ({"id": "dtn", "rootDir": "/data"}, "they must be the same"),
        ({"id": "dtn", "enabled": False}, "is disabled"),
    ],
)
def test_a_node_is_another_system_with_the_same_root_directory(node: dict[str, Any], why: str) -> None:
    _, definition = resolve_sample(system=make_system(dtnSystemId=node["id"]), **BOTH)
    refuse_bad_node(definition, make_system(id="dtn"))
    with pytest.raises(InvalidInputError, match=why):
        refuse_bad_node(definition, make_system(**node))


def test_a_node_that_cannot_be_had_is_refused_at_submission(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        raw = {"name": "n", "appId": "model", "appVersion": "1.0", **BOTH}
        (refused,) = await engine.submit(USER, [raw])
        assert isinstance(refused, TapisJobsError)
        assert "dtnSystemId 'node' is no system that you can use" in refused.message
        storage = {"id": "node", "canExec": False, "canRunBatch": False, "batchLogicalQueues": None}
        engine.systems.create(USER, {**SYSTEM, **storage, "rootDir": "/elsewhere"})
        (refused,) = await engine.submit(USER, [raw])
        assert isinstance(refused, TapisJobsError)
        assert "they must be the same" in refused.message

    play(tmp_path, scene, dtnSystemId="node")


class WithNode(TwoHosts):
    """System ``node`` shares the storage of ``near``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.node = Host()

    async def transport(self, system_id: str, effective_user: str) -> Host:
        return self.node if system_id == "node" else await super().transport(system_id, effective_user)

    def forget(self) -> None:
        super().forget()
        self.node.calls.clear()


@pytest.fixture
def noded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WithNode:
    monkeypatch.setenv("HOME", str(tmp_path))
    return WithNode(tmp_path)


NODE = {"dtn_system_id": "node", "dtn_system_input_dir": "/dtn/in", "dtn_system_output_dir": "/dtn/out"}


async def test_inputs_come_by_the_node_and_are_moved_to_their_place(noded: WithNode) -> None:
    (noded.far_root / "tree" / "deep").mkdir(parents=True)
    (noded.far_root / "tree" / "deep" / "it's a leaf").write_text("far down")
    (noded.far_root / "mesh.dat").write_bytes(bytes(5_000_000))
    (noded.near_root / "own.txt").write_text("here already")
    inputs = (
        given("tapis://far/tree", "in/tree"), given("tapis://far/mesh.dat", "in/tree/mesh.dat"),
        given("tapis://near/own.txt"), given("data:,small", "small.txt"),
    )  # fmt: skip
    job = noded.job("j", *inputs, **NODE)
    assert await noded.stage(job) == {}
    assert {name for name, content in tree_of(noded.place("j")).items() if content is not None} == {
        b"in/tree/deep/it's a leaf", b"in/tree/mesh.dat", b"own.txt", b"small.txt",
    }  # fmt: skip
    # Neither went a byte of the far host through the jobs' own, nor is anything left on the way.
    assert noded.node.calls["unpack"]
    assert not noded.near.calls["unpack"]
    assert not noded.near.calls["write"]
    assert not (noded.near_root / "dtn" / "in" / "j").exists()


async def test_inputs_that_are_brought_again_lie_over_those_of_before(noded: WithNode) -> None:
    (noded.far_root / "tree").mkdir()
    (noded.far_root / "tree" / "a").write_text("new")
    (noded.place("j") / "tree").mkdir(parents=True)
    for name in ("a", "b"):
        (noded.place("j") / "tree" / name).write_text("old")
    assert await noded.stage(noded.job("j", given("tapis://far/tree"), **NODE)) == {}
    assert tree_of(noded.place("j") / "tree") == {b"a": b"new", b"b": b"old"}


async def test_a_node_that_does_not_share_the_storage_ends_the_job_and_says_so(noded: WithNode) -> None:
    (noded.far_root / "a.txt").write_text("a")
    job = noded.job("j", given("tapis://far/a.txt"), **NODE)
    run = noded.near.run

    async def without_it(script: str, **more: Any) -> Any:
        (noded.near_root / "dtn").rename(noded.folder / "only on the node")
        return await run(script, **more)

    noded.near.run = without_it  # type: ignore[method-assign]
    verdict = (await noded.stage(job))["j"]
    assert isinstance(verdict, Fail)
    assert "which node brought, is not on near: they do not share the storage" in verdict.message


async def test_a_node_that_is_away_holds_only_those_who_need_it(noded: WithNode) -> None:
    (noded.far_root / "a.txt").write_text("a")
    noded.node.is_down = True
    jobs = [noded.job("by", given("tapis://far/a.txt"), **NODE), noded.job("own", given("tapis://far/a.txt"))]
    verdicts = await noded.stage(*jobs)
    assert isinstance(verdicts["by"], Block)
    assert "own" not in verdicts
    assert (noded.place("own") / "a.txt").read_text() == "a"


async def test_outputs_leave_by_the_node_and_stay_until_they_have_come(noded: WithNode) -> None:
    fields = {"archive_system_id": "far", "archive_system_dir": "/kept", **NODE}
    chosen = ArchiveFilter(excludes=("*.tmp",), include_launch_files=True)
    job = noded.job("j", archive_filter=chosen, **fields)
    (noded.output("j") / "result.txt").write_text("42")
    (noded.output("j") / "scratch.tmp").write_text("x")
    noded.node.is_down = True
    assert isinstance((await noded.archive(job))["j"], Block)
    noded.node.is_down = False
    assert await noded.archive(job) == {"j": Go()}
    assert sorted(tree_of(noded.far_root / "kept")) == [b"result.txt", b"tapisjob.env", b"tapisjob.sh"]
    assert (noded.output("j") / "scratch.tmp").exists()
    assert not (noded.near_root / "dtn" / "out" / "j").exists()
    assert not noded.near.calls["pack"]


async def test_outputs_that_stay_on_the_system_need_no_node(noded: WithNode) -> None:
    noded.output("j")
    noded.node.is_down = True
    assert await noded.archive(noded.job("j", **NODE)) == {"j": Go()}


async def test_directories_that_are_the_jobs_own_are_neither_emptied_nor_removed(noded: WithNode) -> None:
    own = {"dtn_system_id": "node", "dtn_system_input_dir": "/jobs/j", "dtn_system_output_dir": "/jobs"}
    (noded.far_root / "tree" / "empty").mkdir(parents=True)
    fields = {"archive_system_id": "far", "archive_system_dir": "/kept", **own}
    chosen = ArchiveFilter(excludes=("*.tmp",), include_launch_files=True)
    job = noded.job("j", given("tapis://far/tree"), archive_filter=chosen, **fields)
    (noded.output("j") / "result.txt").write_text("42")
    (noded.output("j") / "scratch.tmp").write_text("x")
    assert await noded.stage(job) == {}
    assert (noded.place("j") / "tree" / "empty").is_dir()
    assert noded.node.calls["unpack"]
    assert await noded.archive(job) == {"j": Go()}
    assert sorted(tree_of(noded.far_root / "kept")) == [b"result.txt", b"tapisjob.env", b"tapisjob.sh"]
    assert (noded.output("j") / "scratch.tmp").exists()
    assert noded.node.calls["list"] or noded.node.calls["pack"] or noded.node.calls["get"]
