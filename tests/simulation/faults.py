"""What can go wrong, by name: each comes after a while, lasts a while, and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING

from .witness import DELETED

if TYPE_CHECKING:
    from .story import Story

#: Seconds in which faults begin, and how long one lasts at most.
STORMY, LONGEST = 400.0, 150.0

Fault = Callable[["Story", Random], Awaitable[None]]


async def _before(story: Story, chance: Random, what: str) -> None:
    await asyncio.sleep(chance.uniform(0.0, STORMY))
    story.witness.tell("fault", what)


async def _while(chance: Random, longest: float = LONGEST) -> None:
    await asyncio.sleep(chance.uniform(1.0, longest))


# -- the link


async def link_drops(story: Story, chance: Random) -> None:
    """Calls break before or after their effect."""
    await _before(story, chance, "the link drops calls")
    story.world.trouble = chance.choice((0.05, 0.2))
    await _while(chance)
    story.world.trouble = 0.0


async def link_is_late(story: Story, chance: Random) -> None:
    """Calls that were given up are carried out later, others twice."""
    await _before(story, chance, "the link is late and doubles")
    story.world.late, story.world.doubled = chance.choice((0.05, 0.2)), 0.1
    await _while(chance)
    story.world.late = story.world.doubled = 0.0


async def link_is_frozen(story: Story, chance: Random) -> None:
    """Nothing moves on the link."""
    await _before(story, chance, "the link is frozen")
    story.world.frozen = story.world.frozen or asyncio.Event()
    await _while(chance)
    if story.world.frozen is not None:
        story.world.frozen.set()
        story.world.frozen = None


async def link_is_refused(story: Story, chance: Random) -> None:
    """The host takes no connection."""
    await _before(story, chance, "the host refuses")
    story.world.is_down = True
    await _while(chance)
    story.world.is_down = False


async def events_are_lost(story: Story, chance: Random) -> None:
    """Event files are not seen."""
    await _before(story, chance, "events are lost")
    story.world.unseen = chance.choice((0.3, 1.0))
    await _while(chance)
    story.world.unseen = 0.0


# -- the engine


async def engine_dies(story: Story, chance: Random) -> None:
    """The engine dies at one of the next places where it waits."""
    await _before(story, chance, "the engine dies soon")
    if story.lives:
        story.life.die_at = story.life.points + chance.randint(1, 60)


async def engine_dies_and_dies(story: Story, chance: Random) -> None:
    """It dies again and again, soon after each start."""
    await _before(story, chance, "engines die")
    for _ in range(3):
        await story.arrival.wait()
        story.life.die_at = story.life.points + chance.randint(1, 40)
        await story.life.died.wait()
        await asyncio.sleep(1.0)


async def engine_sleeps(story: Story, chance: Random) -> None:
    """Its machine sleeps past the lease, another engine takes over, then it wakes."""
    await _before(story, chance, "the engine's machine sleeps")
    await story.arrival.wait()
    sleeper = story.life
    alarm = sleeper.sleep()
    story.sleepers.append(sleeper)
    await asyncio.sleep(chance.uniform(5.0, 60.0))
    # The keeper starts a second engine, which gets the lease once it has run out.
    sleeper.lost_lease.set()
    await asyncio.sleep(chance.uniform(5.0, LONGEST))
    story.witness.tell("engine", f"{sleeper.number} wakes")
    alarm.set()
    sleeper.asleep = None
    await asyncio.sleep(60.0)
    await sleeper.end()
    story.sleepers.remove(sleeper)


async def clock_jumps(story: Story, chance: Random) -> None:
    """Somebody sets the clock of the engine's machine."""
    await _before(story, chance, "the engine's clock jumps")
    story.clock.skew += chance.choice((-1.0, 1.0)) * chance.uniform(10.0, 3600.0)


async def store_is_full(story: Story, chance: Random) -> None:
    """The disk of the store is full."""
    await _before(story, chance, "the store is full")
    await story.arrival.wait()
    story.life.workers.is_full = True
    await _while(chance)
    story.life.workers.is_full = False
    story.witness.working_since = story.world.now()


# -- the host


async def disk_is_full(story: Story, chance: Random) -> None:
    """The disk of the host is full."""
    await _before(story, chance, "the host's disk is full")
    story.world.is_full = True
    await _while(chance)
    story.world.is_full = False


async def host_reboots(story: Story, chance: Random) -> None:
    """The login host is started anew."""
    await _before(story, chance, "the login host reboots")
    story.world.reboot()
    story.world.is_down = True
    await _while(chance)
    story.world.is_down = False


async def runners_are_killed(story: Story, chance: Random) -> None:
    """Somebody kills what starts the jobs on the login host."""
    await _before(story, chance, "runners are killed")
    story.world.kill_runners()


# -- the scheduler


async def slurm_stops(story: Story, chance: Random) -> None:
    """The controller is away for a while."""
    await _before(story, chance, "slurmctld is stopped")
    story.cluster.stop()
    await _while(chance)
    story.cluster.revive()


async def slurm_freezes(story: Story, chance: Random) -> None:
    """The controller does not answer, and does later what it was asked."""
    await _before(story, chance, "slurmctld is frozen")
    story.cluster.freeze()
    await _while(chance)
    story.cluster.unfreeze()


async def slurm_is_killed(story: Story, chance: Random) -> None:
    """The controller is killed with -9 and forgets its last moments."""
    await _before(story, chance, "slurmctld is killed")
    story.cluster.kill()
    await _while(chance, 30.0)
    story.cluster.revive()


async def accounting_is_away(story: Story, chance: Random) -> None:
    """Nobody answers for the accounting."""
    await _before(story, chance, "slurmdbd is away")
    story.cluster.has_accounting = False
    await _while(chance)
    story.cluster.has_accounting = True


async def accounting_lies(story: Story, chance: Random) -> None:
    """The accounting says FAILED first."""
    await _before(story, chance, "the accounting lies")
    story.cluster.is_lying = True
    await _while(chance)
    story.cluster.is_lying = False


async def node_fails(story: Story, chance: Random) -> None:
    """A compute node is gone for a while."""
    await _before(story, chance, "a node fails")
    node = chance.choice(story.cluster.nodes).name
    story.cluster.fail_node(node)
    await _while(chance)
    story.cluster.mend_node(node)


async def job_is_preempted(story: Story, chance: Random) -> None:
    """Somebody more important needs the place."""
    await _before(story, chance, "a job is preempted")
    story.cluster.preempt()


async def jobs_are_held(story: Story, chance: Random) -> None:
    """An administrator holds what waits."""
    await _before(story, chance, "jobs are held")
    story.cluster.hold_all(True)
    await _while(chance)
    story.cluster.hold_all(False)


# -- people behind our back


async def jobs_are_cancelled_there(story: Story, chance: Random) -> None:
    """Somebody calls scancel."""
    await _before(story, chance, "scancel behind our back")
    labels = story.cluster.labels("PENDING", "RUNNING")
    chosen = chance.sample(labels, min(len(labels), chance.randint(1, 3)))
    for label in chosen:
        story.witness.excuse(story.cluster.uuids(label), "cancelled there")
    story.cluster.cancel(chosen)


async def a_directory_is_deleted(story: Story, chance: Random) -> None:
    """Somebody deletes the directory of a job."""
    await _before(story, chance, "a job's directory is deleted")
    uuids = story.witness.unfinished
    if uuids and story.world.disk.kind(f"/work/jobs/{(uuid := chance.choice(uuids))}") is not None:
        story.witness.excuse([uuid], DELETED)
        story.world.disk.delete(f"/work/jobs/{uuid}")


async def host_is_slow(story: Story, chance: Random) -> None:
    """Everything on the host takes its time."""
    await _before(story, chance, "the host is slow")
    story.world.slowness = chance.choice((3.0, 40.0))
    await _while(chance)
    story.world.slowness = 0.0


#: Name -> fault.
FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        link_drops,
        link_is_late,
        link_is_frozen,
        link_is_refused,
        events_are_lost,
        engine_dies,
        engine_dies_and_dies,
        engine_sleeps,
        clock_jumps,
        store_is_full,
        disk_is_full,
        host_reboots,
        runners_are_killed,
        slurm_stops,
        slurm_freezes,
        slurm_is_killed,
        accounting_is_away,
        accounting_lies,
        node_fails,
        job_is_preempted,
        jobs_are_held,
        jobs_are_cancelled_there,
        a_directory_is_deleted,
        host_is_slow,
    )
}


async def calm(story: Story) -> None:
    """All faults cease."""
    world, cluster = story.world, story.cluster
    world.trouble = world.late = world.doubled = world.unseen = 0.0
    world.slowness = 0.0
    world.is_down = world.is_full = False
    if world.frozen is not None:
        world.frozen.set()
        world.frozen = None
    cluster.unfreeze()
    cluster.has_accounting, cluster.is_lying = True, False
    cluster.hold_all(False)
    for node in cluster.nodes:
        cluster.mend_node(node.name)
    cluster.revive()
    story.witness.tell("calm", "faults have ceased")
