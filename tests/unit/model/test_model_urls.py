"""Where inputs come from."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.urls import checked_url, data_bytes, last_segment


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("tapis://sys/a/b.txt", "b.txt"),
        ("tapis://sys/a/b%20c.txt", "b c.txt"),
        ("tapis://sys/a/", ""),
        ("tapis://sys", ""),
        ("https://host/a/b.zip?version=1#top", "b.zip"),
        ("https://host", ""),
        ("tapislocal://exec.tapis/a/b", "b"),
        ("data:,abc/def", ""),
    ],
)
def test_the_last_segment_of_a_url_is_its_name(url: str, name: str) -> None:
    assert last_segment(url) == name


@pytest.mark.parametrize("url", ["tapis://sys/a", "http://host/a", "https://host/a?b=c", "data:,a"])
def test_good_urls_are_kept_as_they_are(url: str) -> None:
    assert checked_url(url, "sourceUrl") == url


def test_a_tapislocal_url_means_the_execution_system_whatever_host_it_names() -> None:
    assert checked_url("tapislocal://frontera/data/x", "sourceUrl") == "tapislocal://exec.tapis/data/x"


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "/a/b", "ftp://host/a", "file:///etc/passwd", "http://", "https:a", "data:a"),
        *("tapis:/sys/a", "tapis://sys", "tapis:///a", "tapis://sys/../etc", "tapis://sys/a/%2e%2e/b"),
        "tapis://sys/a\nb",
    ],
)
def test_bad_urls_are_refused_with_the_field(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked_url(url, "sourceUrl of fileInputs 'mesh'")
    assert "sourceUrl" in caught.value.message


def test_a_mistyped_scheme_gets_the_nearest_one() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean 'tapis'"):
        checked_url("tapi://sys/a", "sourceUrl")


@given(content=st.binary(max_size=200))
def test_bytes_travel_in_a_data_url_unchanged(content: bytes) -> None:
    coded = base64.b64encode(content).decode()
    assert data_bytes(f"data:application/octet-stream;base64,{coded}") == content


def test_plain_text_travels_percent_encoded() -> None:
    assert data_bytes("data:,print(1)%0Aprint(%22%F0%9F%98%80%22)%0A") == 'print(1)\nprint("😀")\n'.encode()


@pytest.mark.parametrize("url", ["data:text/plain", "data:;base64,!!!"])
def test_a_damaged_data_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a data: URL"):
        data_bytes(url)
