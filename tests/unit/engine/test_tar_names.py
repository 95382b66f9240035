"""Members of a tar stream get other names while it passes."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.engine.tar_names import Renamer, below
from jupyter_tapis_jobs.transports.tar_unpack import Unpacker

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]

Members = dict[str, bytes | str | None]


def archive(members: Members, form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return an archive: name -> bytes, a link's target, or None for a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8") as opened:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.mtime = 1_700_000_000
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o750
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            opened.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def members(data: bytes) -> Members:
    """Return what an archive holds."""
    found: Members = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        for info in opened:
            content = opened.extractfile(info) if info.isfile() else None
            found[info.name] = content.read() if content else info.linkname if info.issym() else None
            assert info.mtime == 1_700_000_000
    return found


def renamed(data: bytes, places: dict[str, str], size: int = 10_000) -> bytes:
    renamer = Renamer(below(places))
    pieces = [renamer.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return b"".join([*pieces, renamer.finish()])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
def test_whole_trees_move_and_all_else_is_left_out(form: int, size: int) -> None:
    given_: Members = {
        "a": None, "a/one": b"1" * 700, "a/link": "../b/two", "a/deep": None, "a/deep/er": b"",
        "ab": None, "ab/no": b"not a", "b/two": b"2" * 512, "c": b"neither",
    }  # fmt: skip
    found = members(renamed(archive(given_, form), {"a": "x/y", "b": "z"}, size))
    assert found == {
        "x/y": None, "x/y/one": b"1" * 700, "x/y/link": "../b/two", "x/y/deep": None, "x/y/deep/er": b"",
        "z/two": b"2" * 512,
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMATS[1:])
def test_long_and_odd_names_are_kept(form: int) -> None:
    names = ["n" * 300, "line\nbreak", "naïve-日本語", "d" * 150 + "/" + "e" * 150]
    found = members(renamed(archive({f"a/{name}": name.encode() for name in names}, form), {"a": "b" * 120}))
    assert found == {f"{'b' * 120}/{name}": name.encode() for name in names}


def test_the_other_name_of_a_file_follows_it() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as opened:
        first, second = tarfile.TarInfo("a/first"), tarfile.TarInfo("a/second")
        first.size = 3
        second.type, second.linkname = tarfile.LNKTYPE, "a/first"
        opened.addfile(first, io.BytesIO(b"abc"))
        opened.addfile(second)
    with tarfile.open(fileobj=io.BytesIO(renamed(out.getvalue(), {"a": "b"}))) as opened:
        assert opened.extractfile("b/second").read() == b"abc"


@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "é", "x" * 90]), min_size=1, max_size=5).map("/".join),
        st.binary(max_size=1500),
        max_size=8,
    ),
    st.integers(1, 3000),
)
def test_whatever_the_pieces_nothing_is_lost(contents: dict[str, bytes], size: int) -> None:
    given_: Members = {f"top/{name}": content for name, content in contents.items()}
    assert members(renamed(archive(given_), {"top": "new"}, size)) == {
        f"new/{name}": content for name, content in contents.items()
    }


@pytest.mark.parametrize("cut", [100, 700, 1400])
def test_an_archive_that_breaks_off_is_no_archive(cut: int) -> None:
    renamer = Renamer(below({"a": "b"}))
    renamer.feed(archive({"a/one": b"1" * 600})[:cut])
    with pytest.raises(OSError, match="breaks off"):
        renamer.finish()


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(OSError, match="no tar archive"):
        Renamer(below({"a": "b"})).feed(b"Last login: today" * 100)


def odd_member(**fields: object) -> bytes:
    """Return an archive with one member that says of itself what no file says."""
    info = tarfile.TarInfo("a/one")
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def pax_member(key: str, value: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={}) as opened:
        info = tarfile.TarInfo("a/one")
        info.pax_headers = {key: value}
        opened.addfile(info)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [odd_member(size=-512), pax_member("size", "-512"), pax_member("size", "many"),
     pax_member("mtime", "soon"), pax_member("path", "a/o\0ne")],
    ids=["negative", "negative in pax", "no number", "no time", "null character"],
)  # fmt: skip
def test_an_archive_that_no_tar_makes_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no tar archive"):
        renamed(data, {"a": "x"})
    with pytest.raises(OSError, match="no tar archive"):
        Unpacker(str(tmp_path)).feed(data)


@pytest.mark.parametrize("when", ["1e300", "inf", "nan", "-1e15"])
def test_a_time_that_no_file_has_is_no_trouble(when: str, tmp_path: Path) -> None:
    data = renamed(pax_member("mtime", when), {"a": "x"})
    unpacker = Unpacker(str(tmp_path))
    unpacker.feed(data)
    unpacker.finish()
    assert (tmp_path / "x" / "one").exists()


def test_a_hard_link_to_what_is_not_in_the_archive_is_left_out() -> None:
    elsewhere = odd_member(type=tarfile.LNKTYPE, linkname="../other/secret")
    within = odd_member(type=tarfile.LNKTYPE, linkname="a/two")
    assert list(members(renamed(elsewhere, {"a": "x"}))) == []
    with tarfile.open(fileobj=io.BytesIO(renamed(within, {"a": "x"}))) as opened:
        assert [(info.name, info.linkname) for info in opened] == [("x/one", "x/two")]
