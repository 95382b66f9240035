"""What is shown of an output from its first bytes."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.output_preview import CELL, COLUMNS, LOOKED_AT, ROWS, SHOWN, preview_of


def shown(name: str, data: bytes):
    return preview_of(name, data[:LOOKED_AT], len(data))


def test_text_is_shown_up_to_a_limit():
    found = shown("tapisjob.out", "ä".encode() * (SHOWN + 1))
    assert (found.kind, len(found.text), found.truncated) == ("text", SHOWN, True)
    assert shown("a", b"") == shown("b", b"")
    assert not shown("a", b"hello").truncated


@pytest.mark.parametrize("letters", ["ä", "€", "𝄞", "a€"])
def test_a_sign_that_the_end_of_what_is_read_splits_makes_no_file_binary(letters):
    data = (letters * LOOKED_AT).encode()
    for missing in range(4):
        assert preview_of("a.txt", data[: LOOKED_AT - missing], len(data)).kind == "text"


@pytest.mark.parametrize(
    ("head", "kind", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"GIF89a\1\0", "image", "image/gif"),
        (b"RIFF\1\0\0\0WEBP", "image", "image/webp"),
        (b"BM\0\0\1\0", "image", "image/bmp"),
        (b"BMW is a car", "text", None),
        (b'<svg onload="x()"/>', "text", None),
        (b"\x7fELF\0\0", "binary", None),
        (b"\xff\xfe\xfd\xfc" * 9, "binary", None),
        (b"caf\xe9 " + b"a" * 99, "text", None),
        (b"\x89HDF\r\n\x1a\n\0", "header", None),
    ],
)
def test_the_first_bytes_tell_what_a_file_is_whatever_its_name(head, kind, media_type):
    found = shown("a.txt", head)
    assert (found.kind, found.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("t,u\n0,1.5\n", ["t", "u"], [[0, 1.5]]),
        ("# time,roof\n0,-1e-3\n", ["time", "roof"], [[0, -0.001]]),
        ("0,1\n2,3\n", ["1", "2"], [[0, 1], [2, 3]]),
        ('a,b\n"x, y",\n', ["a", "b"], [["x, y", None]]),
        ("a\r\n007\r\n", ["a"], [[7]]),
        ("a\n9007199254740993\n1e999\nnan\n", ["a"], [["9007199254740993"], ["1e999"], ["nan"]]),
        ("a,b\n\n1,2\n", ["a", "b"], [[1, 2]]),
    ],
)
def test_a_table_has_names_and_numbers(text, columns, rows):
    found = shown("a.csv", text.encode())
    assert (found.kind, found.columns, found.rows, found.note) == ("table", columns, rows, "")


def test_broken_lines_of_a_table_are_told_and_kept():
    found = shown("a.csv", b"a,b\n1\n1,2,3\n1,2\n")
    assert found.columns == ["a", "b", "3"]
    assert found.rows == [[1, None, None], [1, 2, 3], [1, 2, None]]
    assert found.note == "2 rows do not have 2 values as the first line has: 1, 2."


def test_a_long_table_is_cut_and_the_half_line_at_the_end_left_out():
    data = b"a,b\n" + b"1,22\n" * LOOKED_AT
    found = shown("a.csv", data)
    assert (len(found.rows), found.truncated, found.note) == (ROWS, True, "")
    short = preview_of("a.csv", b"a,b\n1,22\n1,2", 10**9)
    assert (short.rows, short.truncated) == ([[1, 22]], True)
    wide = shown("a.csv", (",".join(["x" * (CELL + 1)] * (COLUMNS + 1)) + "\n").encode())
    assert (len(wide.columns), len(wide.columns[0])) == (COLUMNS, CELL)


def test_json_is_set_out_and_what_is_none_is_text():
    assert shown("a.json", b'{"b":1,"a":[]}').text == '{\n  "b": 1,\n  "a": []\n}'
    assert shown("a.json", b"{") == shown("b.json", b"{")
    assert (shown("a.json", b"{").kind, shown("a.json", b"{").note) == ("text", "This is no valid JSON.")
    assert shown("a.json", b"[" * 100_000).kind == "text"
    assert shown("a.json", json.dumps(["x"] * LOOKED_AT).encode()).kind == "text"


def classic(version: int = 1) -> bytes:
    netcdf = pytest.importorskip("scipy.io").netcdf_file
    held = io.BytesIO()
    file = netcdf(held, "w", version=version)
    file.createDimension("time", None)
    file.createDimension("x", 3)
    file.title = "pier"
    drift = file.createVariable("drift", "d", ("time", "x"))
    drift.units = "m"
    drift.valid_range = [0, 5]
    drift[:] = [[1, 2, 3], [4, 5, 6]]
    file.createVariable("steps", "i", ())
    file.flush()
    return held.getvalue()


@pytest.mark.parametrize("version", [1, 2])
def test_the_header_of_a_netcdf_file_is_shown(version):
    found = shown("a.nc", classic(version))
    assert found.kind == "header"
    assert found.text.splitlines() == [
        "dimensions:",
        "  time = UNLIMITED ; // (2 currently)",
        "  x = 3 ;",
        "variables:",
        "  double drift(time, x) ;",
        '    drift:units = "m" ;',
        "    drift:valid_range = 0, 5 ;",
        "  int steps ;",
        "// global attributes:",
        '    :title = "pier" ;',
    ]


def test_a_damaged_netcdf_file_is_told_wherever_it_breaks_off():
    whole = classic()
    length = len(whole) - 8 * 7
    for end in range(4, length, 7):
        found = preview_of("a.nc", whole[:end], len(whole))
        assert found.kind == "header"
    assert "damaged" in preview_of("a.nc", whole[:40], len(whole)).note


@given(st.sampled_from([b"", b"CDF\x01", b"CDF\x05", b"\x89HDF\r\n\x1a\n"]), st.binary(max_size=200))
def test_no_bytes_are_too_strange(magic, data):
    for name in ("a.csv", "a.tsv", "a.json", "a.nc", "a"):
        found = shown(name, magic + data)
        json.dumps([found.text, found.rows, found.columns], allow_nan=False)
