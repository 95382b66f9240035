"""Many copies in one script: a small file that goes to many places is read once and costs few processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from shlex import quote

Pairs = Sequence[tuple[str, str]]

#: Copies of one file made by one command: fewer than files that a process may open.
_AT_ONCE = 200
#: From so many copies of one file on it is worth the trouble.
_WORTH = 4

#: `one`: prints the target and the complaint when it fails. `many`: one source, many targets; whatever is
#: not plain (links, directories, big files, which may share their blocks, any trouble) is done one by one.
_FUNCTIONS = """one() {
  d=${2%/*}
  e=$({ if [ -e "$1" ] || [ -L "$1" ]; then [ -d "${d:-/}" ] || mkdir -p -- "$d"; fi &&
    exec cp --reflink=auto --remove-destination -aT -- "$1" "$2"; } 2>&1 </dev/null) ||
    printf '%s\\0%s\\0' "$2" "$e"
}
plain() {
  [ -f "$1" ] && ! [ -L "$1" ] && [ "$(find "$1" -size -2048)" ] || return 1
  s=$1
  shift
  for t; do
    d=${t%/*}
    [ -d "${d:-/}" ] || mkdir -p -- "$d" || return 1
    [ -d "$t" ] || [ "$t" -ef "$s" ] && return 1
  done
  return 0
}
many() {
  s=$1
  shift
  plain "$s" "$@" && (umask 077; rm -f -- "$@" && tee -- "$@" <"$s" >/dev/null) &&
    chmod --reference="$s" -- "$@" && touch -r "$s" -- "$@" && return
  for t; do one "$s" "$t"; done
}
"""


def copies(pairs: Pairs) -> str:
    """Return commands that copy (source, target) pairs, in their order where it may count."""
    return _FUNCTIONS + "\n".join(_calls(pairs) if _is_free_of_order(pairs) else map(_one, pairs))


def _one(pair: tuple[str, str]) -> str:
    return f"one {quote(pair[0])} {quote(pair[1])}"


def _calls(pairs: Pairs) -> Iterator[str]:
    targets: dict[str, list[str]] = {}
    for source, target in pairs:
        targets.setdefault(source, []).append(target)
    for source, all_of_it in targets.items():
        remaining = iter(all_of_it)
        while some := list(islice(remaining, _AT_ONCE)):
            if len(some) < _WORTH:
                yield from (_one((source, target)) for target in some)
            else:
                yield f"many {quote(source)} {' '.join(map(quote, some))} 2>/dev/null"


def _is_free_of_order(pairs: Pairs) -> bool:
    """Tell whether no copy makes, replaces or reads what another one makes."""
    sources = {source for source, _ in pairs}
    targets = {target for _, target in pairs}
    return (
        len(targets) == len(pairs)
        and not sources & targets
        and not any(above in targets for path in sources | targets for above in _above(path))
        and not any(above in sources for path in targets for above in _above(path))
    )


def _above(path: str) -> Iterator[str]:
    """Yield the directories that *path* lies in."""
    while path := path.rpartition("/")[0]:
        yield path
