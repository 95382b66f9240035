"""What is said to a host's ``/bin/sh``; needs GNU coreutils, findutils and tar there.

Names of files go in by quoting. Where there may be thousands and nothing is changed, they come
NUL-separated on standard input.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from .names import parent
from .ssh_copies import copies

#: Commands speak English, and are found also where a start file has spoilt the path.
_PLAIN = 'export LC_ALL=C PATH="$PATH:/usr/local/bin:/usr/bin:/bin"\n'
#: One record per file, as ``ssh_answers.file_infos`` reads them.
_RECORD = r"-printf '%y/%s/%T@/%u/%g/%M/%P\0'"
_TAR_OUT = "tar -c -f - -b 128 --null --no-unquote"

#: How ``pack`` ends when its root is none.
NO_ROOT = 9


def without_input(script: str) -> str:
    """Return *script* so that its commands read nothing of what is meant for the transport."""
    return f"{{ :\n{script}\n}} </dev/null"


def listing(path: str, depth: int | None) -> str:
    """Print a record of *path* and of everything below it."""
    levels = "" if depth is None else f"-maxdepth {depth}"
    return f"{_PLAIN}exec find {quote(path)} {levels} {_RECORD} </dev/null"


def listings(depth: int | None) -> str:
    """Print what is below the directories that come on standard input: each one, and a record."""
    levels = "" if depth is None else f"-maxdepth {depth}"
    record = _RECORD.replace("'%y", r"'%H\0%y").replace("'", '"')
    return f"""{_PLAIN}exec xargs -0 -r sh -c 'exec find "$@" {levels} {record}' find"""


def real_path(path: str) -> str:
    """Print where *path* leads."""
    return f"{_PLAIN}exec readlink -m -- {quote(path)} </dev/null"


def look(size: int) -> str:
    """Print where the paths lead that come on standard input (twice *size* bytes), then what is there."""
    resolve = f"head -c {size} | xargs -0 -r readlink -mz --"
    record = r"""'exec find "$@" -maxdepth 0 -printf "%y/%s/%T@/%u/%g/%M/%p\0"'"""
    return f"{_PLAIN}{resolve}; printf '\\0'; {resolve} 2>/dev/null | xargs -0 -r sh -c {record} find"


def get(size: int, limit: int) -> str:
    """Print the beginnings of big files and a tar archive of the others; names come twice."""
    names = f"head -c {size} | xargs -0 -r sh -c"
    big = f"""'exec find -L "$@" -maxdepth 0 -type f -size +{limit}c -print0 2>/dev/null' find"""
    begin = (
        """xargs -0 -r sh -c 'for p; do stat -L -c %.9Y -- "$p" && """
        f"""head -c {limit} -- "$p" | base64 -w 0 && printf " %s\\0" "$p"; done' sh"""
    )
    small = f"""'exec find -L "$@" -maxdepth 0 -type f -size -{limit + 1}c -print0' find"""
    archive = (
        f"{_TAR_OUT} -P -h --hard-dereference --format=posix --pax-option=delete=atime,delete=ctime -T -"
    )
    return f"{_PLAIN}{names} {big} | {begin}\nprintf '\\0'\n{names} {small} | {archive}"


def put() -> str:
    """Unpack an archive of absolute names without their leading slash."""
    return (
        f"{_PLAIN}k=--keep-directory-symlink; tar $k --version >/dev/null 2>&1 </dev/null || k=\n"
        "exec tar -x -f - -C / -m -p --no-same-owner --no-overwrite-dir $k"
    )


def remove_all(paths: Sequence[str]) -> str:
    """Remove files."""
    return _PLAIN + "\n".join(f"rm -f -- {quote(path)} </dev/null" for path in paths)


def read(path: str, offset: int, length: int | None) -> str:
    """Print a file, or a part of it; refuse what is no file."""
    where = quote(path)
    if offset == 0 and length is None:
        show = f"cat -- {where}"
    else:
        count = "" if length is None else f"count={length}"
        show = f"dd if={where} bs=1M iflag=skip_bytes,count_bytes,fullblock skip={offset} {count} status=none"
    return f"""{_PLAIN}[ -f {where} ] || {{
  stat -L -- {where} >/dev/null || exit 1
  if [ -d {where} ]; then echo ': Is a directory' >&2; else echo ': Invalid argument' >&2; fi
  exit 1
}}
exec {show} </dev/null"""


def write(path: str, aside: str, mode: int, *, keep: bool) -> str:
    """Take frames (a size, a newline, so many bytes; 0 for the end) into *aside*, then rename it.

    An end of input without the frame 0 means that the sender is gone.
    """
    folder, part = quote(parent(path)), quote(aside)
    return f"""{_PLAIN}[ -d {folder} ] || mkdir -p -- {folder} || exit 1
umask 077
whole=
while read -r n; do
  [ "$n" = 0 ] && whole=1 && break
  head -c "$n" || break
done >>{part}
[ "$whole" ] && size=$(stat -c %s -- {part}) && chmod {mode:o} -- {part} && mv -fT -- {part} {quote(path)} &&
  echo "$size" && exit
{"" if keep else f"rm -f -- {part}"}
exit 1"""


def make_directory(path: str) -> str:
    """Make a directory and its parents."""
    return f"{_PLAIN}exec mkdir -p -- {quote(path)} </dev/null"


def _missing_is_told(path: str) -> str:
    where = quote(path)
    return f"[ -e {where} ] || [ -L {where} ] || {{ stat -- {where} >/dev/null; exit 1; }}"


def move(source: str, target: str) -> str:
    """Rename to exactly *target*."""
    folder = quote(parent(target))
    return (
        f"{_PLAIN}{_missing_is_told(source)}\n[ -d {folder} ] || mkdir -p -- {folder} || exit\n"
        f"exec mv -fT -- {quote(source)} {quote(target)} </dev/null"
    )


def delete(path: str) -> str:
    """Delete a tree; of a link only the link."""
    return f"{_PLAIN}{_missing_is_told(path)}\nexec rm -rf -- {quote(path)} </dev/null"


def copy_all(pairs: Sequence[tuple[str, str]]) -> str:
    """Copy (source, target) pairs; print each target that failed, and the complaint.

    The names are part of the script: half a list, left by a lost connection, must not be worked on.
    """
    return f"{_PLAIN}{copies(pairs)}\nexit 0"


def pack(root: str, *, named: bool) -> str:
    """Print a tar archive of the names that come on standard input, or of everything in *root*."""
    where = quote(root)
    inside = "" if named else "find . -mindepth 1 -maxdepth 1 -print0 </dev/null | "
    return f"""{_PLAIN}cd {where} 2>/dev/null || {{
  stat -L -- {where} >/dev/null || exit {NO_ROOT}
  if [ -d {where} ]; then echo ': Permission denied' >&2; else echo ': Not a directory' >&2; fi
  exit {NO_ROOT}
}}
{inside}{_TAR_OUT} --format=gnu -T -"""


def unpack(root: str, aside: str, within: Sequence[str] | None = None) -> str:
    """Unpack an archive below *root*; all of it goes *within* some directories of it, when they are given.

    tar keeps within a directory that holds no links of others. Where there are links that lead out of
    *root*, it works in a directory aside, and ``cp`` (which enters no linked directory) does the rest.
    """
    where, part = quote(root), quote(aside)
    places = " ".join(quote(f"./{name}") for name in within) if within else "."
    extract = "tar -x -f - -p --no-same-owner --no-overwrite-dir --warning=no-timestamp"
    return f"""{_PLAIN}mkdir -p -- {where} && cd {where} || exit 1
k=--keep-directory-symlink; tar $k --version >/dev/null 2>&1 </dev/null || k=
if {{ printf '%s\\0' {places}; find {places} -type l -xtype d -print0 </dev/null 2>/dev/null; }} |
    xargs -0 -r realpath -mz --relative-base="$(pwd -P)" -- | grep -qz '^/'; then
  mkdir {part} && {extract} -C {part} && cp -alT --remove-destination -- {part} . </dev/null
  code=$?
  rm -rf -- {part}
  exit $code
fi
exec {extract} $k"""


def environment(mark: str) -> str:
    """Print the login shell's variables behind *mark*, or at least this shell's own."""
    return (
        f"""printf 'echo {mark}; exec env -0\\n' | "${{SHELL:-/bin/sh}}" -l 2>/dev/null\n"""
        f"echo {mark}; exec env -0"
    )


def watch(folder: str, step: float, rounds: int) -> str:
    """Tell of new files in *folder*: names with a slash behind each, and one more behind a batch.

    An answer (any line) deletes the batch. An empty batch now and then shows whether anybody
    listens; after *rounds* quiet steps it leaves.
    """
    where = quote(folder)
    slow = 1.5 * step
    beat = max(1, int(10 / slow))
    return f"""{_PLAIN}stuck=/ quiet=0 lost=0
while [ $quiet -lt {rounds} ]; do
  if ! cd {where} 2>/dev/null; then
    # Made anew as often as it is removed, but not for ever when it cannot be entered.
    lost=$((lost + 1))
    [ $lost -lt 9 ] || {{ echo ': Permission denied' >&2; exit 1; }}
    mkdir -p -- {where} || exit 1
    continue
  fi
  lost=0
  batch= count=0
  for n in *; do
    [ -f "$n" ] && ! [ -L "$n" ] || continue
    case $stuck in */"$n"/*) continue ;; esac
    batch=$batch$n/ count=$((count + 1))
    [ $count -lt 1000 ] || break
  done
  if [ "$batch" ]; then
    printf '%s/' "$batch"
    read -r answer || exit 0
    IFS=/ ; set -f; set -- $batch; set +f; unset IFS
    rm -f -- "$@" 2>/dev/null || for n; do [ -f "$n" ] && stuck=$stuck$n/; done
    quiet=0
    # What comes meanwhile is one batch: where jobs end all the time, looks are as many as in silence.
    [ $count -ge 1000 ] || sleep {step:g}
  else
    quiet=$((quiet + 1))
    [ $((quiet % {beat})) -gt 0 ] || printf / || exit 0
    if [ $quiet -lt 600 ]; then sleep {step:g}; else sleep {slow:g}; fi
  fi
done"""
