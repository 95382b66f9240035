"""The last line that each of many jobs wrote, read by one script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from ..model.job import JobDefinition
from ..model.paths import join
from ..transports.base import Transport

#: Bytes at the end of an output in which the last line is looked for.
TAIL = 2048
#: Characters of a last line that are shown.
EVIDENCE = 300

#: One ``tail`` for all: a small file that no job knows marks where one output ends.
#: What is no plain file (a pipe would never end) or a link counts as empty.
_SCRIPT = """\
end=$(mktemp) || exit 1
trap 'rm -f "$end"' EXIT
printf '\\n%s\\n' {mark} > "$end"
show() {{
  for file; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then printf '%s\\0' "$file"; fi
    printf '%s\\0' "$end"
  done
}}
{{
{calls}
}} | xargs -0 tail -q -c {size} 2> /dev/null
"""
#: What Slurm adds when it ends a job: the job's message says it in words of its own.
_SLURMS_OWN = re.compile(r"(?:slurmstepd|srun)\S*: (?:error|Job step|Force|forcing)|srun: Terminating")
#: Files that one call of the function names.
_FEW = 50


async def last_lines(
    transport: Transport, definitions: Mapping[str, JobDefinition], mark: str
) -> dict[str, str]:
    """Return uuid -> the end of a job's errors, else of its output; '' when it wrote nothing.

    *mark* is a word that no output can hold by chance.
    """
    files = [(uuid, path) for uuid, definition in definitions.items() for path in _streams(definition)]
    paths = [shlex.quote(path) for _, path in files]
    calls = "\n".join(f"show {' '.join(paths[start : start + _FEW])}" for start in range(0, len(paths), _FEW))
    answer = await transport.run(_SCRIPT.format(mark=mark, calls=calls, size=TAIL), timeout=120)
    found = dict.fromkeys(definitions, "")
    for (uuid, _), raw in zip(files, answer.stdout.split(f"\n{mark}\n"), strict=False):
        text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        found[uuid] = found[uuid] or (text if last_line(text) else "")
    return found


def _streams(definition: JobDefinition) -> Sequence[str]:
    """Return the paths of a job's errors and output; often they are one file."""
    output_dir = join(definition.root_dir, definition.exec_system_output_dir)
    names = dict.fromkeys((definition.stderr_filename, definition.stdout_filename))
    return [f"{output_dir}/{name.lstrip('/')}" for name in names]


def last_line(text: str) -> str:
    """Return the last line of a text that says something of the application's; '' when none does."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _SLURMS_OWN.match(line)]
    return lines[-1][:EVIDENCE] if lines else ""
