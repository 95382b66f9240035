"""``jupyter tapisjobs purge``: old jobs, their folders on hosts and their history are removed for good."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

from .cli_parts import FAILURE, Command, Options, Parser, printed, show, table, tapis_of, with_server
from .client.tapis import Tapis
from .client.words import size
from .model.errors import InvalidInputError

#: Days of each unit.
_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
#: Jobs that are named before somebody is asked.
_NAMED = 20
_COLUMNS = ("name", "status", "ended", "execSystemId", "uuid")


def _purge(options: Options) -> int:
    tapis = tapis_of(options)
    if tapis.server() is None:
        raise InvalidInputError(
            f"{tapis.connection.url} is a Tapis tenant, which keeps its jobs; "
            "purge cleans servers of this package."
        )
    asked = {"allUsers": options.all_users, "forgetUnreachable": options.forget_unreachable}
    planned = _posted(tapis, {**asked, "olderThanDays": options.older, "dryRun": True})
    if options.json and not options.yes:
        show(options, planned, "")
        return 0
    if not options.json:
        printed(_plan(planned, options))
    if not (planned["jobs"] or planned["uploads"]["files"]):
        return show(options, planned, "") if options.json else 0
    if options.dry_run or not (options.yes or _agreed(len(planned["jobs"]))):
        if not options.json:
            printed("Nothing was removed.")
        return 0
    if not options.json:
        printed(f"Removing {len(planned['jobs']):,} jobs …")
    # The same jobs as were listed: those that ended before the moment of the list.
    done = _posted(tapis, {**asked, "before": planned["before"], "dryRun": False})
    show(options, done, _told(done))
    return FAILURE if done["kept"] else 0


def _posted(tapis: Tapis, body: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = tapis.connection.post("/v3/tapisjobs/purge", dict(body))
    return answer


def _plan(planned: Mapping[str, Any], options: Options) -> str:
    """Return what would go, for a person to agree to."""
    jobs = planned["jobs"]
    if not (jobs or planned["hosts"] or planned["uploads"]["files"]):
        return f"No job ended more than {options.older:g} days ago: there is nothing to remove."
    rows = [{name: str(job.get(name) or "")[:40] for name in _COLUMNS} for job in jobs[:_NAMED]]
    more = [f"… and {len(jobs) - _NAMED:,} more; --json lists all."] if len(jobs) > _NAMED else []
    return "\n".join([*([table(rows)] if rows else []), *more, *_freed(planned)])


def _freed(planned: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{len(planned['jobs']):,} jobs with {planned['events']:,} events of their history "
        f"(ended before {planned['before'][:19]} UTC):"
    ]
    for host in planned["hosts"]:
        room = "size unknown" if host["size"] is None else size(host["size"])
        place = f"  {host['systemId']} as {host['effectiveUser']}: {host['jobs']:,} jobs, "
        said = f"  ⚠ {host['trouble']}" if host["trouble"] else ""
        lines.append(f"{place}{host['folders']:,} folders, {room}{said}")
    if (uploads := planned["uploads"])["files"]:
        lines.append(
            f"  {uploads['files']:,} uploaded files that no job needs any more, {size(uploads['size'])}"
        )
    if planned["kept"]:
        lines.append(
            f"  {len(planned['kept']):,} jobs stay, because their host could not be cleaned; "
            "--forget-unreachable forgets them all the same."
        )
    lines.append("Outputs that were archived elsewhere stay. This cannot be undone.")
    return lines


def _told(done: Mapping[str, Any]) -> str:
    known = [host["size"] for host in done["hosts"] if host["size"] is not None and not host["trouble"]]
    kept = len(done["kept"])
    stays = f" {kept:,} stay, because their host could not be cleaned." if kept else ""
    uploads = f", {size(done['uploads']['size'])} of uploads" if done["uploads"]["files"] else ""
    return f"{len(done['jobs']):,} jobs removed, {size(sum(known))} freed on hosts{uploads}.{stays}"


def _agreed(count: int) -> bool:
    """Ask at the terminal; nobody there is no agreement."""
    if not sys.stdin.isatty():
        raise InvalidInputError(
            "Nobody can be asked here, and it cannot be undone: --yes removes them, --dry-run only lists.",
            field="--yes",
        )
    return input(f"Remove these {count:,} jobs for good? [y/N] ").strip().lower() in ("y", "yes")


def _age(text: str) -> float:
    """Return days from ``90d``, ``12w``, ``36h``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([hdwmy]?)", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no age; write 90d, 12w (weeks), 6m (months), 1y or 36h"
        )
    return float(found[1]) * _UNITS[found[2] or "d"]


def _arguments(sub: Parser) -> None:
    sub.add_argument(
        "--older", type=_age, required=True, metavar="90d", help="jobs that ended longer ago than this"
    )
    sub.add_argument("--yes", action="store_true", help="do not ask")
    sub.add_argument("--dry-run", action="store_true", help="only list what would go")
    sub.add_argument("--all-users", action="store_true", help="of everybody; the server's own user only")
    sub.add_argument(
        "--forget-unreachable",
        action="store_true",
        help="forget jobs also where their host cannot be reached; their folders stay there",
    )
    with_server(sub)


COMMANDS = (
    Command("purge", "remove old jobs, their folders and their history for good", _arguments, _purge),
)
