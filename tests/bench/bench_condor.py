"""1,000 cases in an HTCondor pool over SSH, own inputs, collected into a frame, against one bare cluster."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).parents[1]))
from rig.condor import NAME, Pool, brought_up, why_not
from rig.variants import FOLDER

from jupyter_tapis_jobs.client.tapis import Tapis

SYSTEM = "pool"
#: No process besides the shell itself; reads its own input, writes its own answer.
SCRIPT = 'read -r n < input.txt\nprintf "n,answer\\n%s,%s\\n" "$n" $((n * 2)) > answer.txt\necho "$n done"\n'
_NUMBERS = itertools.count()
#: The floor: the folders are made beforehand, and nothing travels over SSH.
_BARE = """\
executable = /bin/sh
transfer_executable = false
arguments = ../script.sh
initialdir = {place}/$(n)
output = tapisjob.out
should_transfer_files = NO
request_memory = 100
queue n from numbers
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """The pool, and a folder on tmpfs that its user may write."""

    pool: Pool
    scratch: Path

    def ssh(self, command: str) -> str:
        """Run *command* on the host that submits."""
        options = ["-F", str(self.pool.folder / "ssh/config"), "pool", f"bash -lc '{command}'"]
        return subprocess.run(["ssh", *options], check=True, capture_output=True, text=True).stdout


@contextmanager
def there() -> Iterator[There | None]:
    """Bring the pool up while the block runs, or say why not and give None."""
    if reason := why_not():
        harness.say(f"skipped: {reason}")
        yield None
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    pool = brought_up(FOLDER / NAME)
    scratch = Path(tempfile.mkdtemp(prefix="tapisjobs-pool-", dir="/dev/shm"))
    scratch.chmod(0o755)
    try:
        yield There(pool=pool, scratch=scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 50)
    with there() as found:
        if found is None:
            return
        with harness.folder() as place, harness.server(place) as server:
            harness.engine_ready(server.line())
            work = found.scratch / "work"
            work.mkdir()
            shutil.chown(work, found.pool.user)
            tapis = server.tapis()
            tapis.add_host(SYSTEM, **found.pool.adding(), workDir=str(work))
            study(tapis, 20)
            ours, floor = harness.interleaved(
                plan.pairs, lambda: study(tapis, count), lambda: bare_cluster(found, count)
            )
            harness.table(
                [
                    harness.Row(
                        what=f"{count:,} cases in a pool, one cluster: run, wait, collect",
                        ours=ours,
                        against="condor_submit … queue from",
                        theirs=floor,
                    )
                ]
            )


def study(tapis: Tapis, count: int) -> float:
    """Run one study and check every answer; return the seconds until its frame is there."""

    def work() -> None:
        made = tapis.study(
            f"pool-{count}-{next(_NUMBERS)}", "bash", cases={"number": range(count)}, script=SCRIPT,
            files={"input.txt": "{{ number }}\n"}, execSystemId=SYSTEM, maxMinutes=5, memoryMB=100,
            jobType="BATCH", launchMode="array",
        ).run()  # fmt: skip
        frame = made.wait(progress=False).collect("answer.txt", parser="csv")
        if len(frame) != count or not (frame["answer"] == frame["number"] * 2).all():
            raise RuntimeError(f"{len(frame)} answers of {count}: {frame.head()}")

    return harness.seconds(work)


def bare_cluster(found: There, count: int) -> float:
    """Run *count* scripts as one cluster over prepared folders, until their answers are read."""
    place = found.scratch / f"floor-{next(_NUMBERS)}"
    for number in range(count):
        (place / str(number)).mkdir(parents=True)
        (place / str(number) / "input.txt").write_text(f"{number}\n")
    (place / "script.sh").write_text(SCRIPT)
    (place / "numbers").write_text("".join(f"{number}\n" for number in range(count)))
    (place / "cluster.sub").write_text(_BARE.format(place=place))
    subprocess.run(["chown", "-R", found.pool.user, str(place)], check=True)

    def work() -> None:
        cluster = found.ssh(f"cd {place} && condor_submit -terse cluster.sub").partition(".")[0]
        harness.until(lambda: found.ssh(f"condor_q {cluster} -af ProcId") == "", 900, 0.5)
        answers = [(place / str(n) / "answer.txt").read_text() for n in range(count)]
        if any(answer != f"n,answer\n{n},{n * 2}\n" for n, answer in enumerate(answers)):
            raise RuntimeError("the bare cluster left wrong answers")

    taken = harness.seconds(work)
    shutil.rmtree(place)
    return taken


if __name__ == "__main__":
    main()
