"""What ``condor_submit`` says when it takes no job, as sentences that say what to change.

What is in no table is refused with its own words; what is no answer of a living schedd is no report.
"""

from __future__ import annotations

import re

from .base import Launch, Report, Sighting

#: The schedd did not answer; a submission is one transaction, but its end may not have been heard.
_UNCLEAR = re.compile(
    r"ailed to (connect|commit)|an't (connect|find address|send)|onnection (refused|reset|closed|timed out)|"
    r"ailed to end transaction|imed out|ailed to fetch ads|annot contact|No route to host|DAEMON_|CEDAR"
)

_LATER, _NEVER = Sighting.LATER, Sighting.REFUSED

#: The first line that fits holds: what condor_submit says -> whether it may be tried again, and the sentence.
_TABLE = (
    (r"MAX_JOBS_PER_SUBMISSION", _NEVER, "its cluster is too large for this pool: use launch mode single"),
    (r"MAX_JOBS_(PER_OWNER|SUBMITTED)|MAX_RUNNING", _LATER,
     "the limit of jobs in the queue is reached ({whole})"),
    (r"submissions? (is|are|has been) disabled", _LATER, "submissions are switched off"),
    (r"condor_submit: (command )?not found", _NEVER,
     "there is no condor_submit on this host: is HTCondor its scheduler?"),
    (
        r"o such directory: (\S+)",
        _NEVER,
        "the directory {0} is not on the host any more",
    ),
    (
        r"arse error in expression:[\s|]*(.{1,120}?)\s*(?:\||$)",
        _NEVER,
        "it does not understand {0}: correct schedulerOptions",
    ),
    (
        r"[Ii]nvalid accounting_group[^|]{0,80}",
        _NEVER,
        "the accounting group is not one of this pool ({whole}): change accounting_group",
    ),
    (r"SUBMIT_REQUIREMENT[^|]{0,200}|[Ff]ailed submit requirement[^|]{0,200}", _NEVER,
     "a rule of the pool: {whole}"),
    (r"[Aa]uthenticat[^|]{0,120}|[Pp]ermission denied|AUTHORIZATION", _NEVER,
     "this user may not submit there ({whole})"),
    (r"annot submit as root|submit jobs as root", _NEVER,
     "it takes no jobs of root: use another user of the host"),
)  # fmt: skip

_SENTENCE = {_LATER: "HTCondor takes no more jobs for now: ", _NEVER: "HTCondor refused the job: "}


def judge(said: str, launch: Launch) -> Report | None:
    """Say what *said*, condor_submit's words in a line, means for a job; None when it may be in the queue."""
    for pattern, sighting, sentence in _TABLE:
        if found := re.search(pattern, said):
            return Report(
                sighting=sighting,
                reason=_SENTENCE[sighting] + sentence.format(*found.groups(), whole=found[0]),
            )
    if _UNCLEAR.search(said):
        return None
    return Report(sighting=_NEVER, reason=_SENTENCE[_NEVER] + _own_words(said))


def _own_words(said: str) -> str:
    """Return what condor_submit complained of, without its name tags."""
    lines = [line.strip() for line in said.split(" | ") if line.strip(" |")]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return re.sub(r"^ERROR:? *(on Line \d+[^:]*: *)?", "", errors[0]) if errors else "it gave no reason"
