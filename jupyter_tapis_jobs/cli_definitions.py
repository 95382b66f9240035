"""``jupyter tapisjobs import | export``: apps, systems and scheduler profiles between files and a server."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from .cli_parts import FAILURE, Command, Options, Parser, show, tapis_of, with_server
from .client.definitions import (
    Exported,
    Outcome,
    as_text,
    definitions_in,
    definitions_of,
    exported,
    imported,
)
from .model.errors import InvalidInputError

_KINDS = ("app", "system", "profile")
_SIGNS = {"created": "✓", "updated": "✓", "unchanged": "·", "exists": "⚠", "refused": "✗"}


# --- import -----------------------------------------------------------------------------------
def _import(options: Options) -> int:
    paths = [name for name in options.files if name != "-"]
    found = definitions_in(paths)
    if "-" in options.files:
        found += definitions_of(sys.stdin.read(), "standard input")
    outcomes: list[Outcome] = []
    for outcome in imported(tapis_of(options), found, update=options.update, dry_run=options.dry_run):
        outcomes.append(outcome)
        if not options.json:
            print("\n".join(_lines(outcome, dry_run=options.dry_run)), flush=True)
    if options.json:
        show(options, [asdict(outcome) for outcome in outcomes], "")
    else:
        print(_sum(outcomes, dry_run=options.dry_run))
    return 0 if all(outcome.is_good for outcome in outcomes) else FAILURE


def _lines(outcome: Outcome, *, dry_run: bool) -> list[str]:
    """Return what a person reads of one definition."""
    state = _words(outcome.state, dry_run=dry_run)
    head = f"{_SIGNS[outcome.state]} {outcome.title or outcome.place}  {state}"
    said = f": {outcome.message}" if outcome.message else ""
    file = f"  ({outcome.place})" if outcome.title else ""
    return [f"{head}{said}{file}", *(f"    ⚠ {warning}" for warning in outcome.warnings)]


def _words(state: str, *, dry_run: bool) -> str:
    return f"would be {state}" if dry_run and state in ("created", "updated", "refused") else state


def _sum(outcomes: Sequence[Outcome], *, dry_run: bool) -> str:
    counts = Counter(outcome.state for outcome in outcomes)
    told = ", ".join(f"{counts[state]} {_words(state, dry_run=dry_run)}" for state in _SIGNS if counts[state])
    return f"{told}. Nothing was changed: this was a dry run." if dry_run else f"{told}."


def _import_arguments(sub: Parser) -> None:
    sub.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="JSON or YAML with one definition or a list; a folder of such files; - for standard input",
    )
    sub.add_argument("--update", action="store_true", help="replace definitions that are there and differ")
    sub.add_argument("--dry-run", action="store_true", help="say what would be done; change nothing")
    with_server(sub)


# --- export -----------------------------------------------------------------------------------
def _export(options: Options) -> int:
    found = exported(tapis_of(options), options.names, kinds=options.kind)
    if options.to is None:
        sys.stdout.write(as_text([dict(one.definition) for one in found], yaml=options.yaml))
        return 0
    files = _written(found, options.to, yaml=options.yaml, force=options.force)
    rows = [{"file": str(file)} for file in files]
    text = "\n".join(map(str, files)) or "Nothing to export: you have no apps, systems or profiles yet."
    return show(options, rows, text)


def _written(found: Iterable[Exported], folder: Path, *, yaml: bool, force: bool) -> list[Path]:
    """Write one file for each definition; nothing is written when one would replace another content."""
    suffix = ".yaml" if yaml else ".json"
    texts = {folder / f"{one.file}{suffix}": as_text(dict(one.definition), yaml=yaml) for one in found}
    taken = [p for p, text in texts.items() if p.exists() and p.read_text(encoding="utf-8") != text]
    if taken and not force:
        raise InvalidInputError(
            f"{taken[0]} is there already and differs; nothing was written. "
            "--force replaces it; another folder with --to keeps it.",
            field="--to",
            value=str(folder),
        )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _export_arguments(sub: Parser) -> None:
    sub.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="an app (ID or ID@VERSION), a system or a profile (default: all of your own)",
    )
    sub.add_argument(
        "--kind", action="append", default=[], choices=_KINDS, help="only of this kind; may be repeated"
    )
    sub.add_argument(
        "--to", type=Path, metavar="FOLDER", help="one file each below this folder (default: print a list)"
    )
    sub.add_argument("--yaml", action="store_true", help="YAML in place of JSON")
    sub.add_argument("--force", action="store_true", help="replace files that are there and differ")
    with_server(sub)


COMMANDS = (
    Command("import", "register apps, systems and scheduler profiles from files", _import_arguments, _import),
    Command("export", "write apps, systems and scheduler profiles as files", _export_arguments, _export),
)
