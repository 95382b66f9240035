"""What a worker does with a job: start its launch script, watch it, and end all of it when it is to end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .marks import CLAIM, EXIT, FOLDER, KILLED, SCRIPT, read, write

#: What workers tell of starts that failed, in the scheduler's log of events.
TOPIC = "tapisjobs"
#: Seconds between the polite and the hard end of a job.
GRACE = 30
#: What a shell answers that cannot run a program.
NO_START = (126, 127)
#: Seconds that a worker waits for a job's directory: a network file system may show it late.
SHOWN_LATE = 5.0

#: Becomes the launch script, as the leader of a session. What waits in the background reads from a pipe that
#: the worker holds open: a word means that the job is over, an end without one that the worker is dead.
GUARD = """\
exec 9<&0
( trap '' TERM INT HUP
  read -r word && exit 0
  read -r me _ < /proc/self/stat
  left=yes
  while [ -n "$left" ]; do
    left=
    for file in /proc/[0-9]*/stat; do
      read -r line 2> /dev/null < "$file" || continue
      set -- ${line##*) }
      [ "$4" = $$ ] || continue
      case $1 in [ZX]) continue ;; esac
      line=${file#/proc/}; line=${line%/stat}
      [ "$line" = "$me" ] || { left=yes; kill -KILL "$line" 2> /dev/null; }
    done
  done ) <&9 9<&- &
exec "$0" < /dev/null 9<&-
"""


def run_job(job: Mapping[str, Any]) -> None:
    """Run one job's launch script from its start to its end; the task that the scheduler is given."""
    place = job["place"]
    if not is_shown(place):
        refuse(job, f"does not see {place}: Dask's workers need the file system of the host")
        return
    guarded, hold = os.pipe()
    try:
        child = start(os.path.join(place, SCRIPT), guarded)
        code = ended(child, place, job["seconds"])
        with contextlib.suppress(BrokenPipeError):
            os.write(hold, b"over\n")
    except OSError as fault:
        refuse(job, f"cannot start the job: {fault}")
    else:
        leave_end(job, child.pid, code)
    finally:
        os.close(hold)
        os.close(guarded)


def is_shown(place: str) -> bool:
    """Tell whether the worker sees a job's directory, by now or soon."""
    deadline = time.monotonic() + SHOWN_LATE
    while not (there := os.path.isdir(os.path.join(place, FOLDER))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return there


def refuse(job: Mapping[str, Any], why: str) -> None:
    """Tell whoever looks at the scheduler that a start failed, for a reason that would come again."""
    from distributed import get_worker

    get_worker().log_event(TOPIC, {"key": job["key"], "why": f"a worker on {socket.gethostname()} {why}"})


def start(script: str, guarded: int) -> subprocess.Popen[bytes]:
    """Start a launch script in a session of its own, with a guard that reads from *guarded*."""
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, script],
        stdin=guarded,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def ended(child: subprocess.Popen[bytes], place: str, seconds: float) -> int:
    """Wait for a launch script; end its session when it is marked, over its time, or without directory.

    Returns its exit code, 128 + n after signal n.
    """
    deadline, hard = time.monotonic() + seconds, 0.0
    while (code := waited(child)) is None:
        if not hard and is_to_end(place, late=time.monotonic() > deadline):
            hard = time.monotonic() + GRACE
            send(members(child.pid), signal.SIGTERM)
        elif hard and time.monotonic() > hard:
            send(members(child.pid), signal.SIGKILL)
    while hard and (living := members(child.pid)):
        if time.monotonic() > hard:
            send(living, signal.SIGKILL)
        time.sleep(0.1)
    return code if code >= 0 else 128 - code


def waited(child: subprocess.Popen[bytes]) -> int | None:
    """Wait a second for a child; return its code, or None while it lives.

    By a descriptor of the process where the kernel has such (Linux 5.3): ``wait`` with a time limit sleeps
    up to 50 ms beyond the end.
    """
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1)
        return child.poll()
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        end.poll(1000)
    finally:
        os.close(descriptor)
    return child.poll()


def is_to_end(place: str, *, late: bool) -> bool:
    """Tell whether a job that runs is to be ended; leave the reason where it is the time limit."""
    killed = os.path.join(place, KILLED)
    if not os.path.isdir(place) or os.path.exists(killed):
        return True
    if late and not os.path.exists(os.path.join(place, EXIT)):
        write(killed, "timeout\n")
        return True
    return False


def leave_end(job: Mapping[str, Any], pid: int, code: int) -> None:
    """Write the end of a launch script that was killed without a word, if it was the one that ran the job."""
    place = job["place"]
    words = read(os.path.join(place, CLAIM)).split()
    boot = read("/proc/sys/kernel/random/boot_id").strip()
    if not words and code in NO_START:
        refuse(job, f"cannot run {place}/{SCRIPT} (exit code {code}): is the file system mounted noexec?")
    if read(os.path.join(place, EXIT)) or (words[:2], words[3:4]) != ([job["uuid"], str(pid)], [boot]):
        return
    send(members(pid), signal.SIGKILL)
    write(os.path.join(place, EXIT), f"{code}\n")
    write(os.path.join(job["events"], f"{job['uuid']}.end"), "")


def members(session: int) -> list[int]:
    """Return the processes of a session that still do something, but its guard (proc(5), fields 3 and 6)."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        stat = read(f"/proc/{name}/stat").rpartition(")")[2].split()
        if len(stat) > 3 and stat[3] == str(session) and stat[0] not in "ZX" and not is_guard(name, session):
            found.append(int(name))
    return found


def is_dead_here(place: str) -> bool:
    """Tell whether a job began on this very machine, and no process of its session is there any more."""
    words = read(os.path.join(place, CLAIM)).split()
    here = [read(f"/proc/sys/kernel/{name}").strip() for name in ("hostname", "random/boot_id")]
    return words[2:4] == here and words[1].isdigit() and not members(int(words[1]))


def is_guard(name: str, session: int) -> bool:
    """Tell whether a process is the guard: it has the command line that the session began with."""
    return name != str(session) and read(f"/proc/{name}/cmdline").startswith(f"/bin/sh\0-c\0{GUARD}")


def send(processes: Iterable[int], what: signal.Signals) -> None:
    """Send a signal to processes, some of which may be gone."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, what)
