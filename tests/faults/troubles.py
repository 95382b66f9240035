"""The table of what goes wrong during a study, each as a block: it is broken, and it heals at the end."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

from mixed_study import Study
from stage import HOST, Stage, full

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.model.errors import UnavailableError
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.store.database import FILE_NAME

Strike = Callable[[Stage, Study], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One fault: when it strikes, and what it may cost."""

    name: str
    strike: Strike
    #: After so many starts; None: the jobs are submitted while it is there.
    at: int | None = 20
    #: Jobs wait for it and say so.
    blocks: bool = False
    #: Jobs may fail with these conditions; without any, no job is lost.
    costs: frozenset[str] = frozenset()
    #: Only with --full.
    slow: bool = False


# --- the server -------------------------------------------------------------------------------
@contextmanager
def server_killed(stage: Stage, study: Study) -> Iterator[None]:
    """``kill -9`` of the Jupyter server."""
    yield
    stage.kill()
    stage.start()


@contextmanager
def disk_of_the_server_full(stage: Stage, study: Study) -> Iterator[None]:
    """Nothing can be stored for a while."""
    with full(stage.server.data_dir):
        yield
        stage.passes(8)


@contextmanager
def suspended_past_its_lease(stage: Stage, study: Study) -> Iterator[None]:
    """The server sleeps, another one takes over its store, and it wakes up."""
    other = f"--TapisJobsApp.data_dir={stage.server.data_dir}"
    stage.until(lambda: suspended_between_writes(stage))
    try:
        with ExitStack() as stack:
            second = stack.enter_context(stage.run(stage.folder.parent / f"other-{study.name}", other))
            told = stack.enter_context(closing(Connection(second.endpoint)))

            def has_the_engine() -> bool:
                with suppress(UnavailableError):
                    return bool(told.get("/v3/tapisjobs/server")["engine"]["state"] == "running")
                return False

            stage.until(has_the_engine, 60)
            stage.process.send_signal(signal.SIGCONT)
            yield
            study.gate.touch()
            stage.until(lambda: len(study.runs()) == len(study.cases), 120)
    finally:
        stage.process.send_signal(signal.SIGCONT)


def suspended_between_writes(stage: Stage) -> bool:
    """Suspend the server; False, and it goes on, when it holds the store's lock: nobody could write then."""
    stage.process.send_signal(signal.SIGSTOP)
    with closing(sqlite3.connect(stage.server.data_dir / FILE_NAME, timeout=0)) as store:
        try:
            store.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            stage.process.send_signal(signal.SIGCONT)
            return False
        store.rollback()
    return True


@contextmanager
def clock_jumps(stage: Stage, study: Study) -> Iterator[None]:
    """The server's clock goes two hours ahead, then three back, then it is right again."""
    yield
    for hours in (2, -1, 0):
        stage.set_clock(3600 * hours)
        assert round(stage.clock_is_ahead() / 3600) == hours
        stage.passes(4)


# --- connections ------------------------------------------------------------------------------
@contextmanager
def connections_killed(stage: Stage, study: Study) -> Iterator[None]:
    """Three times, each as soon as there are connections again."""
    for _ in range(3):
        stage.until(lambda: stage.rig.drop_connections(HOST), 60)
    yield


@contextmanager
def connections_frozen(stage: Stage, study: Study) -> Iterator[None]:
    """Nothing goes through for a minute, and nobody says so."""
    with stage.rig.frozen_connections(HOST):
        yield
        stage.passes(60)


@contextmanager
def connections_frozen_shortly(stage: Stage, study: Study) -> Iterator[None]:
    """Nothing goes through for some seconds."""
    with stage.rig.frozen_connections(HOST):
        yield
        stage.passes(10)


@contextmanager
def connections_refused(stage: Stage, study: Study) -> Iterator[None]:
    """The login server is away until jobs say so."""
    with stage.rig.refused_connections(HOST):
        yield
        stage.shows_blocked(study)


@contextmanager
def connections_refused_for_a_minute(stage: Stage, study: Study) -> Iterator[None]:
    """The login server is away for a minute."""
    with stage.rig.refused_connections(HOST):
        yield
        stage.passes(60)


# --- the scheduler ----------------------------------------------------------------------------
@contextmanager
def slurmctld_stopped(stage: Stage, study: Study) -> Iterator[None]:
    """sbatch and squeue fail until jobs say so."""
    stage.rig.stop("slurmctld")
    try:
        yield
        stage.shows_blocked(study)
    finally:
        stage.rig.revive()


@contextmanager
def slurmctld_frozen(stage: Stage, study: Study) -> Iterator[None]:
    """sbatch times out, but is accepted when slurmctld goes on."""
    stage.rig.freeze("slurmctld")
    try:
        yield
        stage.passes(14)
    finally:
        stage.rig.thaw("slurmctld")


@contextmanager
def slurmctld_killed(stage: Stage, study: Study) -> Iterator[None]:
    """What it had not saved is lost, job ids are given out again."""
    yield
    stage.rig.kill("slurmctld")
    stage.rig.revive()


@contextmanager
def slurmctld_forgets(stage: Stage, study: Study) -> Iterator[None]:
    """It comes back with the state of before the study: every job forgotten, every id given out again."""
    state = stage.rig.folder / "slurm" / "state"
    saved = state.with_name("saved")
    stage.rig.stop("slurmctld")
    shutil.copytree(state, saved)
    stage.rig.revive()
    yield
    stage.until(lambda: len(study.runs()) > 10)
    stage.rig.kill("slurmctld")
    shutil.rmtree(state)
    saved.rename(state)
    stage.rig.revive()


@contextmanager
def node_killed(stage: Stage, study: Study) -> Iterator[None]:
    """A node loses its power while jobs run there."""
    yield
    stage.until(lambda: "node1" in stage.rig.slurm("squeue", "-h", "-t", "R", "-o", "%N"))
    stage.rig.kill_node("node1")
    stage.until(lambda: "down" in stage.rig.slurm("sinfo", "-h", "-n", "node1", "-o", "%T"), 60)
    stage.rig.revive()


@contextmanager
def slurmdbd_away(stage: Stage, study: Study) -> Iterator[None]:
    """sacct answers nothing while jobs end."""
    stage.rig.stop("slurmdbd")
    try:
        yield
        study.gate.touch()
        stage.until(lambda: len(study.runs()) == len(study.cases), 120)
    finally:
        stage.rig.revive()


# --- the host ---------------------------------------------------------------------------------
@contextmanager
def disk_of_the_host_full(stage: Stage, study: Study) -> Iterator[None]:
    """No job can be staged until jobs say so."""
    with full(stage.place / "work"):
        yield
        stage.shows_blocked(study)


@contextmanager
def behind_our_back(stage: Stage, study: Study) -> Iterator[None]:
    """Somebody cancels a running job with scancel, and removes the folder of another one."""
    yield
    running = [case for case in study.cases.values() if case.kind.long and case.kind.mode == "single"]
    stage.until(lambda: all(case.uuid in study.runs() for case in running[:2]))
    cancelled, removed = running[:2]
    number = stage.until(lambda: stage.tapis.connection.get(f"/v3/jobs/{cancelled.uuid}")["remoteJobId"])
    stage.rig.slurm("scancel", str(number))
    # The gate stays shut until it has worked.
    stage.until(lambda: stage.rig.slurm("squeue", "-h", "-j", str(number), "-t", "R,CG", check=False) == "")
    shutil.rmtree(stage.place / "work" / "jobs" / removed.uuid)
    study.hurt[cancelled.uuid] = frozenset({Condition.SCHEDULER_CANCELLED})
    study.hurt[removed.uuid] = frozenset(Condition)


_LOST = frozenset({Condition.SCHEDULER_TERMINATED})
#: In the order in which they are tried.
TROUBLES = (
    Trouble(name="connections killed", strike=connections_killed),
    Trouble(name="connections frozen shortly", strike=connections_frozen_shortly),
    Trouble(name="connections frozen for a minute", strike=connections_frozen, slow=True),
    Trouble(name="connections refused", strike=connections_refused, at=None, blocks=True),
    Trouble(name="connections refused for a minute", strike=connections_refused_for_a_minute, slow=True),
    Trouble(name="slurmctld stopped", strike=slurmctld_stopped, at=None, blocks=True),
    Trouble(name="slurmctld frozen, sbatch times out and is accepted", strike=slurmctld_frozen, at=None),
    Trouble(name="slurmctld killed", strike=slurmctld_killed, at=0, slow=True),
    Trouble(name="slurmctld forgets", strike=slurmctld_forgets, at=None, costs=_LOST),
    Trouble(name="node killed", strike=node_killed, costs=_LOST),
    Trouble(name="slurmdbd away", strike=slurmdbd_away, at=None),
    Trouble(name="disk of the host full", strike=disk_of_the_host_full, at=None, blocks=True),
    Trouble(name="disk of the server full", strike=disk_of_the_server_full),
    Trouble(name="suspended past its lease", strike=suspended_past_its_lease),
    Trouble(name="scancel and rm behind our back", strike=behind_our_back, at=0),
    Trouble(name="clock jumps", strike=clock_jumps),
)  # fmt: skip
