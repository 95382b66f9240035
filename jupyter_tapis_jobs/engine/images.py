"""App images of the ZIP runtime: small archives are unpacked here, large ones on the host.

A small image travels with the launch files of its cohort and is read once, however many jobs use it.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..model import files
from ..model.errors import InvalidInputError
from ..runtimes.zip import executable_in
from ..transports.base import Entry

#: Bytes of an archive that is unpacked here; a larger one is unpacked on the host.
SMALL_IMAGE = 4 * 1024 * 1024
#: Bytes that a small archive may unpack to: beyond it is left to the host's disk.
SMALL_CONTENT = 32 * 1024 * 1024

#: unpack UUID FOLDER ARCHIVE NAME: says "<uuid> runs <executable>" or "<uuid> fails <reason>".
UNPACK = """\
unpack() {
  cd "$2" || { echo "$1 fails its directory is gone"; return; }
  case $4 in
  *.zip) if command -v unzip > /dev/null; then unzip -q -o "$3"; else python3 -m zipfile -e "$3" .; fi ;;
  *) tar -xf "$3" ;;
  esac > .tapisjob/unpack.log 2>&1 || {
    printf '%s\\n' "$1 fails $(tail -n 1 .tapisjob/unpack.log)"; return
  }
  program=tapisjob_app.sh
  [ -f "$program" ] ||
    program=$(sed -n 's/^ *tapisjob_executable=//p' tapisjob.manifest 2> /dev/null | head -n 1)
  case /$program/ in *'/../'*|*';'*) program= ;; esac
  [ -n "$program" ] && [ -f "$program" ] || {
    echo "$1 fails it holds neither tapisjob_app.sh nor a tapisjob.manifest that names its program"
    return
  }
  chmod u+x "./$program" && printf '%s\\n' "$1 runs $program"
}
"""


@dataclass(frozen=True, slots=True)
class Image:
    """An image unpacked in memory: its files, and the one that is started."""

    executable: str
    members: tuple[tuple[str, bytes, int], ...]

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield the files as they are to lie in *folder*."""
        for name, content, mode in self.members:
            yield Entry(path=f"{folder}/{name}", content=content, mode=mode)


def unpack(name: str, archive: bytes) -> Image:
    """Unpack a small archive; raises ``InvalidInputError`` when it is damaged or holds nothing to run."""
    try:
        members = tuple(_zip_members(archive) if name.endswith(".zip") else _tar_members(archive))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as fault:
        raise InvalidInputError(
            f"the app's image {name} cannot be unpacked: {fault}.", field="containerImage", value=name
        ) from fault
    contents = {path: content for path, content, _ in members}
    manifest = contents.get(files.MANIFEST, b"").decode("utf-8", "replace")
    executable = executable_in(frozenset(contents), manifest)
    if executable is None:
        raise InvalidInputError(
            f"the app's image {name} holds neither {files.APP_SCRIPT} nor "
            f"a {files.MANIFEST} that names its program.",
            field="containerImage",
            value=name,
        )
    runnable = ((p, c, mode | 0o110 if p == executable else mode) for p, c, mode in members)
    return Image(executable, tuple(runnable))


def _zip_members(archive: bytes) -> Iterator[tuple[str, bytes, int]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        infos = [info for info in opened.infolist() if not info.is_dir()]
        _refuse_bomb(sum(info.file_size for info in infos))
        for info in infos:
            mode = (info.external_attr >> 16) & 0o770
            yield _inside(info.filename), opened.read(info), (mode or 0o660) | 0o600


def _tar_members(archive: bytes) -> Iterator[tuple[str, bytes, int]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        infos = [info for info in opened.getmembers() if info.isfile()]
        _refuse_bomb(sum(info.size for info in infos))
        for info in infos:
            content = opened.extractfile(info)
            yield (
                _inside(info.name),
                content.read() if content else b"",
                stat.S_IMODE(info.mode) & 0o770 | 0o600,
            )


def _refuse_bomb(size: int) -> None:
    if size > SMALL_CONTENT:
        raise InvalidInputError(
            f"the app's image unpacks to {size:,} bytes, more than the {SMALL_CONTENT:,} its size allows.",
            field="containerImage",
        )


def _inside(name: str) -> str:
    """Return a member's path below the job's directory; refuse one that would leave it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or "\n" in name:
        raise InvalidInputError(
            f"the app's image holds a file that would lie outside the job's directory: {name!r}.",
            field="containerImage",
            value=name,
        )
    return str(path)
