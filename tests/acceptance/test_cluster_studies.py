"""Studies on a real Slurm cluster over SSH: own input files, launch modes, limits, stop rules, restarts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rig.rig import Rig

from jupyter_tapis_jobs import Tapis
from jupyter_tapis_jobs.client.study import Study
from jupyter_tapis_jobs.model.errors import UnavailableError
from tests.conftest import TestServer

SYSTEM = "cluster"
#: Reads its own input; every fifth case fails.
ANSWER = """
read -r k < k.txt
echo "case $k"
printf 'answer\\n%s\\n' $((k * 2)) > answer.csv
exit $((k % 5 == 4))
"""
#: Leaves a line for each start, and goes on once the gate is there.
GATED = """
echo {{ k }} >> %(place)s/starts
while [ ! -e %(place)s/gate ] && [ -e %(place)s/starts ]; do sleep 0.2; done
"""
#: Is over its time unless it has more than a minute.
LATE = """
echo step {{ k }}
[ {{ k }} = 1 ] && [ "$_tapisMaxMinutes" = 1 ] && sleep 300
echo {{ k }} > k.txt
"""


@pytest.fixture(scope="module")
def cluster(rig: Rig, running_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tapis]:
    """A server that knows the rig as a system."""
    with running_server(tmp_path_factory.mktemp("cluster-studies")) as server:
        yield from knowing(server, rig)


def knowing(server: TestServer, rig: Rig) -> Iterator[Tapis]:
    """Give a client of the server, which knows the rig then."""
    tapis = server.tapis()
    with closing(tapis.connection):
        tapis.add_host(SYSTEM, **rig.reaching())
        yield tapis


@pytest.fixture(scope="module", autouse=True)
def late(cluster: Tapis) -> Study:
    """A study with a case over its time: it takes a minute, in which the other tests go on."""
    return new_study(
        cluster, "late", {"k": range(3)}, script=LATE, launchMode="pack", maxMinutes=1, memoryMB=49
    ).run()


@pytest.fixture
def place(rig: Rig) -> Iterator[Path]:
    """A folder on the host, for gates and for what cases leave behind."""
    made = Path(rig.ssh("mktemp -d").strip())
    (made / "starts").touch(mode=0o666)
    (made / "starts").chmod(0o666)
    yield made
    rig.ssh(f"rm -rf {made}")


def new_study(tapis: Tapis, name: str, cases: Any, **given: Any) -> Study:
    """Return a study of small batch jobs on the rig."""
    small = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 50}
    return tapis.study(name, "bash", cases=cases, **{**small, **given})


@pytest.fixture
def study(cluster: Tapis, request: pytest.FixtureRequest) -> Callable[..., Study]:
    """Make a study with the test's own name."""
    return lambda cases, **given: new_study(cluster, request.node.name, cases, **given)


def starts(place: Path) -> Counter[str]:
    """Return k -> how often its case was started."""
    return Counter((place / "starts").read_text().split())


def counts(study: Study) -> dict[str, int]:
    return dict(study.state().counts)


def answers(tapis: Tapis) -> bool:
    """Tell whether the engine is there."""
    try:
        return bool(tapis.studies().shape)
    except UnavailableError:
        return False


def in_slurm(rig: Rig, states: str = "PD,R") -> set[str]:
    """Return the numbers of what Slurm has in its queue."""
    user = rig.hosts["login1"].user
    return set(rig.slurm("squeue", "-h", "-r", "-o", "%i", "-t", states, f"--user={user}").split())


# --- to the frame


@pytest.mark.parametrize("mode", ["array", "pack"])
def test_cases_with_own_input_files_come_back_as_one_frame(
    cluster: Tapis, study: Callable[..., Study], mode: str
) -> None:
    made = study({"k": range(15)}, script=ANSWER, files={"k.txt": "{{ k }}"}, launchMode=mode)
    preview = made.preview()
    assert (preview.new, preview.launch_mode, preview.errors) == (15, mode, ())
    made.run().wait(180, progress=False)
    with pytest.warns(UserWarning, match="3 FAILED"):
        results = made.collect("answer.csv")
    assert results["k"].tolist() == list(range(15))
    assert results["answer"].dropna().tolist() == [2.0 * k for k in range(15) if k % 5 != 4]
    table = made.frame()
    assert table["k"].tolist() == list(range(15))
    assert table["exitCode"].tolist() == [int(k % 5 == 4) for k in range(15)]
    assert table["status"].value_counts().to_dict() == {"FINISHED": 12, "FAILED": 3}
    assert table["answer"].notna().sum() == 12
    assert (table["queueSeconds"] >= 0).all()
    assert (table["runSeconds"] >= 0).all()
    seventh = cluster.job(table["jobUuid"][7])
    assert (seventh.refresh().row["launchMode"], seventh.read()) == (mode, "case 7\n")
    # The same cases again: what failed is tried once more, and nothing else.
    again = study({"k": range(16)}, script=ANSWER, files={"k.txt": "{{ k }}"}, launchMode=mode).run()
    assert len(again.answer.submitted) == 4
    again.wait(180, progress=False)
    assert again.frame()["attempt"].tolist() == [1 + (k % 5 == 4) for k in range(15)] + [1]


# --- limits and stop rules


@pytest.mark.parametrize("mode", ["array", "pack"])
def test_no_more_cases_are_with_slurm_than_the_study_allows(
    study: Callable[..., Study], place: Path, rig: Rig, until: Callable[..., Any], mode: str
) -> None:
    made = study({"k": range(9)}, script=GATED % {"place": place}, launchMode=mode, maxRunning=3).run()
    until(lambda: counts(made) == {"RUNNING": 3, "BLOCKED": 6}, 60)
    assert len(starts(place)) == 3
    made.set(maxRunning=5)
    until(lambda: counts(made) == {"RUNNING": 5, "BLOCKED": 4}, 60)
    assert len(starts(place)) == 5
    (place / "gate").touch()
    assert made.wait(180, progress=False).state().counts == {"FINISHED": 9}
    assert set(starts(place).values()) == {1}


def test_after_enough_failures_what_slurm_has_not_begun_is_ended(
    study: Callable[..., Study], place: Path, rig: Rig, until: Callable[..., Any]
) -> None:
    before = in_slurm(rig)
    # One case has a whole node, so some of them wait in Slurm's queue.
    script = f"[ {{{{ k }}}} = 0 ] && while [ ! -e {place}/fail ]; do sleep 0.2; done && exit 3\n{GATED}"
    made = study(
        {"k": range(12)}, script=script % {"place": place}, launchMode="array", maxFailures=1, coresPerNode=8
    ).run()
    until(lambda: counts(made).get("RUNNING", 0) > 1, 60)
    assert len(in_slurm(rig, "PD") - before) > 5
    running = counts(made)["RUNNING"]
    (place / "fail").touch()
    until(lambda: counts(made).get("CANCELLED", 0) >= 12 - running - 1, 60)
    assert counts(made)["FAILED"] == 1
    (place / "gate").touch()
    ended = made.wait(180, progress=False).state()
    assert set(ended.counts) == {"FAILED", "FINISHED", "CANCELLED"}
    assert in_slurm(rig) <= before
    # Raised, it goes on with those; what was done is not done again.
    made.set(maxFailures=5)
    (place / "fail").unlink()
    again = made.run()
    assert len(again.answer.submitted) == ended.counts["FAILED"] + ended.counts["CANCELLED"]
    (place / "fail").touch()
    again.wait(180, progress=False)
    assert again.state().counts == {"FINISHED": 11, "FAILED": 1}


@pytest.mark.parametrize("mode", ["array", "pack"])
def test_a_cancelled_study_leaves_nothing_in_slurm(
    study: Callable[..., Study], place: Path, rig: Rig, until: Callable[..., Any], mode: str
) -> None:
    before = in_slurm(rig)
    made = study({"k": range(60)}, script=GATED % {"place": place}, launchMode=mode).run()
    until(lambda: counts(made).get("RUNNING", 0) > 5, 60)
    made.cancel().wait(180, progress=False)
    assert made.state().counts == {"CANCELLED": 60}
    until(lambda: in_slurm(rig) <= before, 60)
    begun = starts(place)
    made.run()
    (place / "gate").touch()
    assert made.wait(180, progress=False).state().counts == {"FINISHED": 60}
    assert made.frame()["attempt"].tolist() == [2] * 60
    assert starts(place) - begun == Counter(str(k) for k in range(60))


# --- joined, not doubled


def test_cases_that_come_while_others_are_in_flight_are_joined_not_doubled(
    study: Callable[..., Study], place: Path, until: Callable[..., Any]
) -> None:
    given: dict[str, Any] = {"script": GATED % {"place": place}, "launchMode": "array"}
    first = study({"k": range(6)}, **given).run()
    until(lambda: len(starts(place)) == 6, 60)
    first.extend({"k": range(4, 8)}).run()
    assert len(first.answer.submitted) == 2
    # Another kernel gives all of them, and two more.
    other = study({"k": range(10)}, **given)
    assert (other.preview().in_flight, other.preview().new) == (8, 2)
    assert len(other.run().answer.submitted) == 2
    (place / "gate").touch()
    table = first.wait(180, progress=False).frame()
    assert table["k"].tolist() == list(range(10))
    assert set(table["attempt"]) == {1}
    assert starts(place) == Counter(str(k) for k in range(10))


@pytest.mark.timeout(300)
def test_studies_go_on_through_the_death_of_their_server(
    rig: Rig, running_server: Any, tmp_path: Path, place: Path, until: Callable[..., Any]
) -> None:
    modes = ("array", "pack")
    given: dict[str, Any] = {"script": GATED % {"place": place}, "maxRunning": 12}

    def both(tapis: Tapis) -> list[Study]:
        cases = {mode: [f"{mode}{n}" for n in range(20)] for mode in modes}
        return [new_study(tapis, mode, {"k": cases[mode]}, launchMode=mode, **given).run() for mode in modes]

    with running_server(tmp_path) as server:
        for tapis in knowing(server, rig):
            both(tapis)
            until(lambda: all(any(mode in k for k in starts(place)) for mode in modes), 60)
            server.process.process.kill()
            server.process.process.wait()
    (place / "gate").touch()
    with running_server(tmp_path) as server, closing(server.tapis().connection) as connection:
        tapis = Tapis(connection)
        until(lambda: answers(tapis), 60)
        for again in both(tapis):
            assert again.answer.submitted == []
            assert again.wait(180, progress=False).state().counts == {"FINISHED": 20}
            assert tapis.study(again.name).frame()["attempt"].tolist() == [1] * 20
        assert starts(place) == Counter(f"{mode}{n}" for mode in modes for n in range(20))


# --- another attempt


@pytest.mark.timeout(240)
def test_a_case_over_its_time_has_a_new_attempt_with_more_of_it(late: Study) -> None:
    late.wait(180, progress=False)
    assert late.frame()["condition"].tolist()[1] == "SCHEDULER_TIMEOUT"
    (group,) = late.failures()
    assert "maxMinutes" in str(group)
    late.retry("TIMEOUT", maxMinutes=3).wait(180, progress=False)
    assert late.frame()["status"].tolist() == ["FINISHED"] * 3
    attempts = late.frame(attempts="all")
    assert attempts["k"].tolist() == [0, 1, 1, 2]
    assert attempts["attempt"].tolist() == [1, 1, 2, 1]
    assert attempts["status"].tolist() == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert attempts["jobUuid"].nunique() == 4
