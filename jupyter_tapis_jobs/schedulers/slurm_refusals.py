"""What ``sbatch`` says when it takes no job, as sentences that say what to change.

The texts are those of Slurm's own table (``slurm_errno.c``) and of sbatch, 17.11 to 25.05. What is in
no table is refused with Slurm's own words; what is no answer of a living slurmctld is no report.
"""

from __future__ import annotations

import re

from .base import Launch, Report, Sighting

#: The job may have been accepted all the same: a frozen slurmctld does that.
_UNCLEAR = re.compile(
    r"nable to contact slurm controller|imed out|ocket error|onnection (refused|reset|failure)|"
    r"slurm_receive_msg|Zero Bytes were transmitted|Message (send|receive) failure|standby mode|"
    r"endpoint is not connected|Broken pipe|No route to host|Network is (unreachable|down)|Host is down|"
    r"onnection closed|Software caused connection abort|"
    r"Protocol authentication error|shutting down|Process is shutting down|nable to establish|"
    r"^sbatch: error: Batch job submission failed: Unspecified error",
    re.MULTILINE,
)

_LATER, _NEVER = Sighting.LATER, Sighting.REFUSED
_LIMIT = "(Assoc|QOS)(Max|Min|Grp)"

#: The first line that fits holds: what sbatch says -> whether it may be tried again, and the sentence.
#: ``{whole}`` is what was found, ``{0}`` its first group.
_TABLE = (
    (r"(Assoc|QOS|Max)\w*Submit\w*", _LATER, "the limit of jobs in the queue is reached ({whole})"),
    (r"MaxJobCount limit reached|temporarily unable to accept", _LATER, "its list of jobs is full"),
    (r"Rate limit exceeded", _LATER, "it asks to come back later ({whole})"),
    (r"submissions disabled|presently disabled", _LATER, "submissions are switched off"),
    (r"Partition in DOWN state|not available \(inactive or drain\)", _LATER, "the queue is closed"),
    (r"I/O error writing script", _LATER, "it could not write the job down"),
    (
        rf"{_LIMIT}Wall\w*",
        _NEVER,
        "maxMinutes {minutes} is over a limit of the account or QOS ({whole}): lower it",
    ),
    (rf"{_LIMIT}Node\w*", _NEVER, "nodeCount is over a limit of the account or QOS ({whole}): lower it"),
    (rf"{_LIMIT}C(pu|PU)\w*Min\w*", _NEVER, "the account or QOS has not enough core hours left ({whole})"),
    (
        rf"{_LIMIT}C(pu|PU)\w*",
        _NEVER,
        "nodeCount x coresPerNode is over a limit of the account or QOS ({whole}): lower it",
    ),
    (rf"{_LIMIT}Mem\w*", _NEVER, "memoryMB is over a limit of the account or QOS ({whole}): lower it"),
    (
        rf"{_LIMIT}\w+",
        _NEVER,
        "it breaks a limit of the account or QOS ({whole}): ask for less, or change --qos",
    ),
    (r"job submit limit", _LATER, "it would break a limit of the account or QOS"),
    (
        r"invalid partition specified: (\S+)",
        _NEVER,
        "queue '{0}' is not known to Slurm: choose another execSystemLogicalQueue",
    ),
    (
        r"Invalid partition name",
        _NEVER,
        "Slurm does not know the queue: choose another execSystemLogicalQueue",
    ),
    (r"No partition specified", _NEVER, "Slurm has no default queue: give execSystemLogicalQueue"),
    (r"not permitted to use this partition", _NEVER, "you may not use this queue: choose another one"),
    (
        r"Invalid account",
        _NEVER,
        "the account is not known, or not for this queue: change the option --account",
    ),
    (r"Invalid qos", _NEVER, "the QOS is not known, or not for you: change the option --qos"),
    (
        r"time limit is invalid",
        _NEVER,
        "maxMinutes {minutes} is not allowed here: lower it, or choose another queue",
    ),
    (
        r"Memory (specification can not|required by task)",
        _NEVER,
        "no node has that much memory: lower memoryMB",
    ),
    (r"More processors requested", _NEVER, "too many cores for the queue: lower nodeCount or coresPerNode"),
    (r"CPU count (per node|spec)", _NEVER, "no node has that many cores: lower coresPerNode"),
    (r"Node count spec", _NEVER, "the queue does not allow that many nodes: lower nodeCount"),
    (
        r"node configuration is not available",
        _NEVER,
        "no node of the queue has that much: lower coresPerNode or memoryMB",
    ),
    (r"nodes not in this partition", _NEVER, "those nodes are not in this queue: change --nodelist"),
    (r"Invalid node name", _NEVER, "a node of --nodelist or --exclude is not known"),
    (r"Invalid feature", _NEVER, "no node has the features of --constraint: change it"),
    (r"nvalid generic resource", _NEVER, "the queue has no such resource: change --gres or --gpus"),
    (r"nvalid license", _NEVER, "the licence is not known: change --licenses"),
    (r"reservation is invalid", _NEVER, "the reservation is not known: change --reservation"),
    (r"denied to requested reservation", _NEVER, "you may not use the reservation: change --reservation"),
    (
        r"Invalid job array",
        _NEVER,
        "arrays of this size are not allowed here: use launch mode pack or single",
    ),
    (r"dependency problem", _NEVER, "the job of --dependency is not known"),
    (
        r"unrecognized option '?([^' ]+)",
        _NEVER,
        "sbatch of this host does not know the option {0}: leave it out",
    ),
    (r"invalid option -- '?(\w)", _NEVER, "sbatch of this host does not know the option -{0}: leave it out"),
    (r"Invalid (--[\w-]+) specification", _NEVER, "sbatch does not understand the value of {0}"),
    (r"nable to open file", _NEVER, "the job's launch script cannot be read on the host"),
    (r"sbatch: (command )?not found", _NEVER, "there is no sbatch on this host: is Slurm its scheduler?"),
    (
        r"Invalid user id|unknown association",
        _NEVER,
        "Slurm does not know you on this cluster: ask its operators",
    ),
)

_SENTENCE = {_LATER: "Slurm takes no more jobs for now: ", _NEVER: "Slurm refused the job: "}


def judge(said: str, launch: Launch) -> Report | None:
    """Say what *said*, sbatch's words in a line, means for a job; None when it may be in the queue."""
    for pattern, sighting, sentence in _TABLE:
        if found := re.search(pattern, said):
            text = sentence.format(*found.groups(), whole=found[0], minutes=launch.max_minutes)
            return Report(sighting=sighting, reason=_SENTENCE[sighting] + text)
    if _UNCLEAR.search(said):
        return None
    return Report(sighting=_NEVER, reason=_SENTENCE[_NEVER] + _own_words(said))


def _own_words(said: str) -> str:
    """Return sbatch's last words without its name tags."""
    lines = [line.strip() for line in said.split(" | ") if line.strip()]
    cleaned = [re.sub(r"^sbatch: (error: )?(Batch job submission failed: )?", "", line) for line in lines]
    return cleaned[-1] if cleaned else "it gave no reason"
