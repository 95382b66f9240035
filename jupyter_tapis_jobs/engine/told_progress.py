"""What running applications tell of their progress in their output, or in a small file: no network is needed.

One script looks at all running jobs of a lane. It reads the ends of those files only that have changed since
the last look; the shell itself compares their times with that of an empty file in the lane's folder.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..model.errors import InvalidInputError, StoreError, TransportError
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..model.progress import FILE, LINE_MARK, MOST_BYTES, Progress, from_file, from_line
from ..model.times import iso
from ..store.jobs import Change
from .conveyor import Conveyor
from .inputs import Definitions
from .lane import Lane, LaneKey
from .on_host import OnHost
from .ports import Ports

log = logging.getLogger(__name__)

#: Bytes at the end of an output in which its newest line of progress is looked for.
TAIL = 8192
#: Files of one job: its output, and two places of ``progress.json``.
_FILES = 3
#: Empty files in the lane's folder: the one that dates the last look, and the one that dates this.
_STAMPS = ("progress.0", "progress.1")

#: One ``tail`` and one ``awk`` for all: a small file that no job knows marks where each ends. What has not
#: changed, is no plain file or a link (a pipe would never end) counts as empty. Of an output the last line
#: counts that is whole; what stands before a carriage return was written over.
_SCRIPT = """\
end=$(mktemp) || exit 1
trap 'rm -f "$end"' EXIT
printf '\\n%s\\n' {mark} > "$end"
since={lane}/{since}
{date}
show() {{
  which=$1; shift
  for file; do
    if [ -f "$file" ] && [ ! -L "$file" ] && {{ [ "$which" = all ] || [ ! "$since" -nt "$file" ]; }}; then
      printf '%s\\0' "$file"
    fi
    printf '%s\\0' "$end"
  done
}}
{{
{calls}
}} | xargs -0 tail -q -c {size} 2> /dev/null | LC_ALL=C awk '
$0 == "{mark}" {{ if (said != "") print "told", n + 0, said; n++; said = held = ""; next }}
n % {files} {{ if (length(said) <= {most}) said = said $0 " "; next }}
{{ if (held != "") said = held; held = ""; sub(/\\r+$/, ""); sub(/.*\\r/, "") }}
/^[ \\t]*{line}/ {{ held = substr($0, index($0, "{line}") + length("{line}"), 1000) " " }}
END {{ print "end", n + 0 }}'
"""


class ToldProgress:
    """Hears what applications tell and keeps it with their jobs. Lives on the engine's loop only."""

    def __init__(self, ports: Ports, conveyor: Conveyor, on_host: OnHost, definitions: Definitions) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._on_host = on_host
        self._definitions = definitions
        #: uuid -> file -> its text when it was read last: one text is told once.
        self._read: dict[str, dict[int, str]] = {}
        #: Which of the stamps dates the last look at a lane.
        self._stamps: dict[LaneKey, int] = {}

    async def look(self, lane: Lane, jobs: Sequence[Job]) -> bool:
        """Read what *jobs*, which run on the lane, tell by now; True where something is new."""
        found = await self._news(lane, jobs, dated=True)
        await self.keep(found)
        return bool(found)

    async def look_at_some(self, lane: Lane, jobs: Sequence[Job]) -> None:
        """Read what some jobs of the lane tell by now, changed or not; no look at the others is dated."""
        await self.keep(await self._news(lane, jobs, dated=False))

    async def keep(self, told: Mapping[str, Progress]) -> None:
        """Keep with active jobs what they have told; what is the same as before changes nothing."""
        now = iso(self._ports.clock.now())
        await self._conveyor.amend(told, lambda job: _telling(job, told[job.uuid], now))

    async def with_last(self, lane: Lane, ends: Sequence[Change]) -> list[Change]:
        """Return *ends* with the last word of those jobs that have told of progress before.

        It is no reason to hold an end back: what cannot be read stays as it was.
        """
        tellers = [change.after for change in ends if change.after.progress_told]
        if not tellers:
            return list(ends)
        try:
            found = await self._news(lane, tellers, dated=False)
        except (TransportError, OSError, StoreError) as trouble:
            log.warning("the last progress of jobs on %s is not known: %s", lane.key[0], trouble)
            return list(ends)
        now = iso(self._ports.clock.now())
        return [
            replace(change, after=_telling(change.after, found[change.after.uuid], now))
            if change.after.uuid in found
            else change
            for change in ends
        ]

    def forget(self, jobs: Iterable[Job]) -> None:
        """Forget what was read of jobs that have ended."""
        for job in jobs:
            self._read.pop(job.uuid, None)

    async def _news(self, lane: Lane, jobs: Sequence[Job], *, dated: bool) -> dict[str, Progress]:
        """Return uuid -> what was not told before. A *dated* look is at all running jobs of the lane."""
        if not jobs:
            return {}
        transport = await self._on_host.transport(lane)
        definitions = await self._definitions(jobs)
        stamp = self._stamps.get(lane.key, 0)
        mark = f"{self._ports.random.getrandbits(128):032x}"
        script = progress_script(
            lane.folder,
            [(dated and job.uuid in self._read, definitions[job.uuid]) for job in jobs],
            stamp=stamp,
            dated=dated,
            mark=mark,
        )
        answer = await transport.run(script, timeout=120.0)
        texts = parse_progress(answer.stdout, len(jobs))
        if texts is None:
            return {}
        if dated:
            self._stamps[lane.key] = 1 - stamp
        found: dict[str, Progress] = {}
        for job, files in zip(jobs, texts, strict=True):
            before = self._read.setdefault(job.uuid, {})
            for place, text in files.items():
                if before.get(place) != text:
                    found[job.uuid] = _understood(place, text)
            before.update(files)
        return found


def progress_script(
    folder: str, jobs: Sequence[tuple[bool, JobDefinition]], *, stamp: int, dated: bool = True, mark: str
) -> str:
    """Return the script for *jobs*: whether only what has changed of each is wanted, and its definition.

    *stamp* is the number of the file that dates the last look; a *dated* look leaves the other for the next.
    *mark* is a word that no output holds by chance.
    """
    lane = shlex.quote(folder)
    return _SCRIPT.format(
        mark=mark,
        lane=lane,
        since=_STAMPS[stamp],
        date=f": > {lane}/{_STAMPS[1 - stamp]} || exit 1" if dated else ":",
        calls="\n".join(_call(*job) for job in jobs),
        size=TAIL,
        files=_FILES,
        most=MOST_BYTES,
        line=LINE_MARK,
    )


def parse_progress(stdout: str, jobs: int) -> list[dict[int, str]] | None:
    """Return what files of each job say, file -> text; None unless the answer is whole."""
    lines = stdout.split("\n")
    if lines[-2:] != [f"end {jobs * _FILES}", ""]:
        return None
    found: list[dict[int, str]] = [{} for _ in range(jobs)]
    for number, text in _told(lines[:-2]):
        found[number // _FILES][number % _FILES] = text
    return found


def _told(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for line in lines:
        _, number, text = line.split(" ", 2)
        said = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()
        if said:
            yield int(number), said


def _call(only_changed: bool, definition: JobDefinition) -> str:
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    paths = (
        join(root, output_dir, definition.stdout_filename),
        join(root, output_dir, FILE),
        join(root, definition.exec_system_exec_dir, FILE),
    )
    return f"show {'changed' if only_changed else 'all'} {' '.join(map(shlex.quote, paths))}"


def _understood(place: int, text: str) -> Progress:
    """Return what a text tells; one that tells nothing is told to the user as it is."""
    try:
        return from_line(text) if place == 0 else from_file(text)
    except InvalidInputError as fault:
        return Progress(message=f"⚠ {fault.message}")


def _telling(job: Job, told: Progress, now: str) -> Job:
    """Return *job* with what it has told; words alone leave its percentage as it is."""
    percent = job.progress if told.percent is None else told.percent
    message = told.message or None
    if (percent, message) == (job.progress, job.progress_message):
        return job
    return job.evolve(progress=percent, progress_message=message, progress_told=now)
