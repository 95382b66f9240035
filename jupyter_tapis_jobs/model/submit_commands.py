"""What may be said to ``condor_submit`` in schedulerOptions, command by command.

An entry is one command of a submit description: ``accounting_group = group_physics``, ``+ProjectName = "x"``;
leading dashes are taken too, as options of other schedulers have them. Source: condor_submit(1), HTCondor 23.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import InvalidInputError, did_you_mean
from .scheduler_options import FIELD, PROFILE, read_option
from .texts import is_blank, refuse_control, shown

#: Whether files travel with the job, or its machine shows them.
TRANSFER = "should_transfer_files"
#: Taken, and handed on as they are; ``requirements`` joins those of the job.
_TAKEN = frozenset(
    [
        "accounting_group",
        "accounting_group_user",
        "concurrency_limits",
        "concurrency_limits_expr",
        "cron_day_of_month",
        "cron_day_of_week",
        "cron_hour",
        "cron_minute",
        "cron_month",
        "cuda_version",
        "deferral_prep_time",
        "deferral_time",
        "deferral_window",
        "description",
        "gpus_maximum_capability",
        "gpus_minimum_capability",
        "gpus_minimum_memory",
        "gpus_minimum_runtime",
        "job_lease_duration",
        "job_machine_attrs",
        "keep_claim_idle",
        "max_idle",
        "max_materialize",
        "next_job_start_delay",
        "nice_user",
        "priority",
        "rank",
        "request_disk",
        "request_gpus",
        "require_gpus",
        "requirements",
        "should_transfer_files",
        "stack_size",
        "use_oauth_services",
        "use_x509userproxy",
        "want_graceful_removal",
        "x509userproxy",
    ]
)
#: What the job says itself -> the field that says it.
_RESERVED = {
    "request_cpus": "coresPerNode",
    "request_memory": "memoryMB",
    "machine_count": "nodeCount",
    "node_count": "nodeCount",
    "allowed_execute_duration": "maxMinutes",
    "allowed_job_duration": "maxMinutes",
    "arguments": "appArgs",
    "environment": "envVariables",
    "env": "envVariables",
    "getenv": "envVariables",
    "transfer_input_files": "fileInputs",
    "input": "fileInputs",
    "output": "the app's logConfig",
    "error": "the app's logConfig",
    "transfer_output_files": "archiveFilter",
    "transfer_output_remaps": "archiveFilter",
    "initialdir": "execSystemExecDir",
    "container_image": "an app whose runtime is SINGULARITY",
    "docker_image": "an app whose runtime is SINGULARITY",
    "notify_user": "subscriptions",
    "notification": "subscriptions",
}
_TWICE = (
    "would let HTCondor start the job a second time by itself. Leave it out; a job that was lost is FAILED "
    "and says so, and resubmit runs it anew."
)
_OWN = "is part of how this engine starts and follows the job. Leave it out."
_OWNED = "executable universe queue log batch_name hold leave_in_queue job_max_vacate_time"
#: What cannot be had -> why, and the way out.
_REFUSED = {
    **dict.fromkeys(
        ["max_retries", "retry_until", "success_exit_code", "on_exit_remove", "periodic_release"], _TWICE
    ),
    **dict.fromkeys(
        (*_OWNED.split(), "periodic_remove", "periodic_hold", "on_exit_hold", "periodic_vacate"), _OWN
    ),
}
#: ``request_fpgas``: a resource that a site has defined; ``+Name``, ``MY.Name``: an attribute of one's own.
_OWN_NAME = re.compile(r"request_\w+|require_\w+|\+[A-Za-z_]\w*|my\.[A-Za-z_]\w*", re.ASCII)
_COMMAND = re.compile(r"-{0,2}(\+?[A-Za-z_][\w.]*)\s*=\s*(.*\S)?\s*", re.ASCII | re.DOTALL)
#: By these attributes this engine finds its jobs.
_OURS = re.compile(r"(\+|my\.)tapisjob", re.IGNORECASE)


@lru_cache(maxsize=4096)
def read_command(text: str) -> tuple[str, str]:
    """Return name (lower case, but for an attribute's) and value of an entry; ``("", "")`` for no command."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return "", ""
    name = found[1]
    return name if name.startswith("+") or "." in name else name.lower(), found[2] or ""


@lru_cache(maxsize=4096)
def refuse_unusable_command(text: str) -> None:
    """Raise ``InvalidInputError`` unless *text* is one submit command that a job may have."""
    refuse_control(text, FIELD)
    if read_option(text)[0] == PROFILE:
        return
    name, value = read_command(text)
    if not name:
        raise _wrong(text, "is no submit command of HTCondor. Write one an entry: 'name = value'.")
    if field := _RESERVED.get(name):
        raise _wrong(text, f"sets what the job says itself. Use {field} instead.")
    if _OURS.match(name):
        raise _wrong(text, _OWN)
    if why := _REFUSED.get(name):
        raise _wrong(text, why)
    if name not in _TAKEN and not _OWN_NAME.fullmatch(name.lower()):
        raise _wrong(text, f"is no submit command that a job may have.{did_you_mean(name, _TAKEN)}")
    if is_blank(value):
        raise _wrong(text, f"needs a value. Write it as {name} = VALUE.")
    if name == TRANSFER and value.upper() not in ("YES", "NO"):
        raise _wrong(text, "is neither YES (files travel with the job) nor NO (the machines show them).")
    if value.endswith("\\"):
        raise _wrong(text, "ends with a backslash, which would join it to the next command. Remove it.")


def _wrong(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{FIELD} {shown(text)} {why}", field=FIELD, value=text)
