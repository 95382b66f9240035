"""Many cases in one allocation: the scripts that run them on its nodes.

Each node has its workers, one per place, and a warden. A worker takes numbered chunks of cases with
``set -C`` (an exclusive open, no process per try) and runs their launch scripts one after the other,
each in a session of its own. Once a second the warden ends what is over its time or marked as killed.
A case costs its own processes and nothing else.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ..model import files, marks
from .base import Launch, Submission
from .slurm_identity import TAKEN

NODE = "node.sh"
#: Seconds between the polite and the hard end of a case.
GRACE = 30
#: Chunks get smaller towards the end, so that no worker is left with many while others have none.
SHARE = 64

#: srun would answer TERM by killing everything; the cases get theirs from Slurm itself.
_RUN = """\
#!/bin/sh
s={folder}
nodes=${{SLURM_JOB_NUM_NODES:-${{SLURM_NNODES:-1}}}}
[ "$nodes" -gt 1 ] || exec /bin/sh "$s/{node}"
unset SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU SLURM_MEM_PER_NODE SLURM_NTASKS_PER_NODE SLURM_CPUS_PER_TASK
export SLURM_EXPORT_ENV=ALL SLURM_WHOLE=1
trap : TERM
(trap '' TERM; exec srun --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --mem=0 --cpu-bind=none \\
  --kill-on-bad-exit=0 /bin/sh "$s/{node}") &
wait $!; code=$?
while kill -0 $! 2> /dev/null; do wait $!; code=$?; done
exit "$code"
"""

_NODE = """\
# Runs cases of one submission on one node.
s={folder}; events={events}; stop=
cd "$s" || exit 1
mkdir -p {taken} running || exit 1
set -C

# over: has the process left? An interrupted wait is taken up again.
reap() {{
  wait "$1"; code=$?
  while [ "$code" != 127 ] && kill -0 "$1" 2> /dev/null; do wait "$1"; code=$?; done
}}
# members SESSION: the processes of a session that still do something
members() {{
  for file in /proc/[0-9]*/stat; do
    read -r line 2> /dev/null < "$file" || continue
    set -- "$1" ${{line##*) }}
    [ "$5" = "$1" ] && case $2 in [ZX]) ;; *) line=${{file#/proc/}}; echo "${{line%/stat}}" ;; esac
  done
}}
clock() {{ read -r now _ < /proc/uptime; now=${{now%.*}}; }}
end() {{ living=$(members "$2"); [ -z "$living" ] || kill -"$1" $living 2> /dev/null; }}

# run UUID DIRECTORY SECONDS: one case, from its start to its end
run() {{
  [ -z "$stop" ] && [ ! -e "$2/{killed}" ] || return 0
  setsid "$2/{script}" < /dev/null > /dev/null 2>&1 &
  pid=$!; clock
  echo "$pid $((now + $3)) $2" >| "$place"
  reap "$pid"
  [ -s "$2/{exit}" ] || unfinished "$1" "$2"
  kill -s KILL -- "-$pid" 2> /dev/null
}}
# A launch script that was killed leaves its end to its worker.
unfinished() {{
  first=; claimer=
  read -r first claimer _ 2> /dev/null < "$2/{claim}"
  [ "$first" = "$1" ] && [ "$claimer" = "$pid" ] || return 0
  end KILL "$pid"
  echo "$code" >| "$2/{exit}"
  true >| "$events/$1.end"
}}
worker() {{
  trap 'stop=yes' TERM
  place=running/${{SLURM_NODEID:-0}}.$1; chunk=0
  while [ -z "$stop" ] && [ "$chunk" -lt {chunks} ]; do
    if [ ! -e "{taken}/$chunk" ] && {{ true > "{taken}/$chunk"; }} 2> /dev/null; then cases "$chunk"; fi
    chunk=$((chunk + 1))
  done
  true >| "$place"
}}

# warden: TERM for what is over its time, marked, or without its directory; KILL {grace} s later
warden() {{
  trap '' TERM
  while :; do
    sleep 1 > /dev/null 2>&1
    clock; n=0
    while [ "$n" -lt {places} ]; do
      n=$((n + 1)); pid=
      read -r pid deadline dir 2> /dev/null < "running/${{SLURM_NODEID:-0}}.$n" && [ -n "$pid" ] || continue
      if [ -d "$dir" ] && [ ! -e "$dir/{killed}" ]; then
        [ "$now" -ge "$deadline" ] && [ ! -s "$dir/{exit}" ] || continue
        echo timeout >| "$dir/{killed}"
      fi
      eval "known=\\${{ending_$n:-}}"
      if [ "${{known% *}}" != "$pid" ]; then eval "ending_$n=\\"\\$pid $((now + {grace}))\\""; end TERM "$pid"
      elif [ "$now" -ge "${{known#* }}" ]; then end KILL "$pid"; fi
    done
  done
}}

cases() {{
  case $1 in
{table}
  esac
}}

trap : TERM
n=0; workers=
while [ "$n" -lt {places} ]; do n=$((n + 1)); worker "$n" & workers="$workers $!"; done
warden & warden=$!
for pid in $workers; do reap "$pid"; done
kill -KILL "$warden"
exit 0
"""

_WRITE = """\
cat > "$s/{node}" <<'END_OF_NODE' || exit 1
{text}END_OF_NODE
"""


def run_script(folder: str) -> str:
    """Return what Slurm runs: it starts the node script once on each node."""
    return _RUN.format(folder=shlex.quote(folder), node=NODE)


def node_script(submission: Submission, folder: str) -> str:
    """Return the lines that write the node script; ``$s`` is the submission's folder."""
    text = _NODE.format(
        folder=shlex.quote(folder),
        events=shlex.quote(f"{submission.lane_dir}/events"),
        killed=marks.KILLED,
        exit=marks.EXIT,
        claim=marks.CLAIM,
        script=files.LAUNCH_SCRIPT,
        taken=TAKEN,
        grace=GRACE,
        places=max(1, submission.parallel),
        **_table(submission.launches),
    )
    return _WRITE.format(node=NODE, text=text)


def _table(launches: Sequence[Launch]) -> dict[str, object]:
    """Return the cases of each chunk, as branches of a ``case``."""
    chunks = list(_chunks(launches))
    branches = (f"{n}) " + "\n".join(map(_call, chunk)) + " ;;" for n, chunk in enumerate(chunks))
    return {"chunks": len(chunks), "table": "\n".join(branches)}


def _chunks(launches: Sequence[Launch]) -> Iterator[Sequence[Launch]]:
    """Cut the cases into chunks that get smaller, down to one case each."""
    begin = 0
    while begin < len(launches):
        size = max(1, (len(launches) - begin) // SHARE)
        yield launches[begin : begin + size]
        begin += size


def _call(launch: Launch) -> str:
    seconds = int(launch.max_minutes * 60) or 10**9
    return f"run {launch.uuid} {shlex.quote(launch.exec_dir)} {seconds}"
