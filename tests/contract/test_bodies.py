"""Bodies that are too large, cut off or strange; uploads and downloads."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import httpx
import pytest
from people import Who, bash, message

MEGABYTE = 1024 * 1024


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def test_a_body_of_20_mb_is_a_413_that_names_the_limit(api):
    answer = api.call("POST", "/v3/jobs/submit", content=b" " * (20 * MEGABYTE))
    assert answer.status_code == 413
    assert "at most 16 MB" in message(answer)


def test_a_body_of_20_mb_without_a_length_is_a_413_too(api):
    answer = api.call("POST", "/v3/jobs/submit", content=(b" " * MEGABYTE for _ in range(20)))
    assert answer.status_code == 413


def test_who_is_not_signed_in_hears_so_even_after_a_large_body(api):
    answer = api.call("POST", "/v3/jobs/submit", Who.NOBODY, content=b" " * (20 * MEGABYTE))
    assert answer.status_code == 401


def test_a_truncated_body_names_the_position_and_stores_nothing(api):
    before = api.call("GET", "/v3/jobs/list", params={"computeTotal": True}).json()["metadata"]["totalCount"]
    text = json.dumps(bash("true"))
    answer = api.call("POST", "/v3/jobs/submit", content=text[:-10].encode())
    assert answer.status_code == 400
    assert f"character {len(text) - 10}" in message(answer) or "cut off" in message(answer)
    after = api.call("GET", "/v3/jobs/list", params={"computeTotal": True}).json()["metadata"]["totalCount"]
    assert after == before


def test_of_an_atomic_bulk_call_with_one_bad_request_nothing_is_stored(api):
    rows = api.post("/v3/jobs/submit/bulk", [bash("true"), {"name": "x"}], atomic="True")
    assert [bool(row.get("error")) for row in rows] == [True, True]
    assert "appId" in rows[1]["error"]["message"]


def test_of_a_bulk_call_each_good_request_is_accepted_and_each_bad_one_told(api):
    good, bad = api.post("/v3/jobs/submit/bulk", [bash("true"), {**bash("true"), "appVersoin": "1"}])
    assert good["status"] == "PENDING"
    assert "appVersion" in bad["error"]["message"]
    assert api.ended(good["uuid"])["status"] == "FINISHED"


def upload(api, path: str, content: bytes) -> httpx.Response:
    return api.call("POST", f"/v3/files/ops/local/{quote(path)}", files={"file": ("x", content)})


@pytest.mark.parametrize("size", [0, 1, 65536, 5 * MEGABYTE + 3])
def test_an_upload_arrives_and_comes_back_byte_for_byte(api, folder, size):
    content = os.urandom(size)
    assert upload(api, f"{folder}/a b/ä #1.bin", content).is_success
    back = api.call("GET", f"/v3/files/content/local/{folder}/a%20b/%C3%A4%20%231.bin")
    assert hashlib.sha256(back.content).digest() == hashlib.sha256(content).digest()
    assert int(back.headers["Content-Length"]) == size
    assert back.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A4%20%231.bin"


def test_an_upload_larger_than_any_json_body_is_taken(api, folder):
    assert upload(api, f"{folder}/large", b"x" * (40 * MEGABYTE)).is_success
    (listed,) = api.get(f"/v3/files/ops/local/{folder}/large")
    assert listed["size"] == 40 * MEGABYTE


def test_a_content_that_looks_like_a_boundary_is_only_content(api, folder):
    content = b"\r\n--boundary\r\nContent-Disposition: form-data\r\n\r\n" * 3
    upload(api, f"{folder}/tricky", content)
    assert api.call("GET", f"/v3/files/content/local/{folder}/tricky").content == content


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"content": b"plain", "headers": {"Content-Type": "text/plain"}}, "multipart/form-data"),
        ({"files": {"other": ("x", b"content")}}, "no part named 'file'"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, "damaged"),
    ],
)
def test_an_upload_in_another_form_says_what_is_expected(api, folder, more, words):
    answer = api.call("POST", f"/v3/files/ops/local/{folder}/x", **more)
    assert answer.status_code == 400
    assert words in message(answer)
    assert api.get(f"/v3/files/ops/local/{folder}") == []


@pytest.mark.parametrize(
    ("header", "part", "told"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("2,4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("0,999", b"0123456789", None),
    ],
)
def test_a_range_of_a_file_is_sent(api, folder, header, part, told):
    upload(api, f"{folder}/digits", b"0123456789")
    answer = api.call("GET", f"/v3/files/content/local/{folder}/digits", headers={"range": header})
    assert answer.content == part
    assert answer.headers.get("Content-Range") == told
    assert answer.status_code == (200 if told is None else 206)


def test_a_range_that_makes_no_sense_is_told(api, folder):
    upload(api, f"{folder}/digits", b"0123456789")
    answer = api.call("GET", f"/v3/files/content/local/{folder}/digits", headers={"range": "a-b"})
    assert answer.status_code == 400
    assert "range" in message(answer)


def test_a_directory_comes_as_a_zip_file(api, folder):
    for name in ("one", "sub/two"):
        upload(api, f"{folder}/tree/{name}", name.encode())
    answer = api.call("GET", f"/v3/files/content/local/{folder}/tree", params={"zip": "True"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read("sub/two") == b"sub/two"
    assert answer.headers["Content-Disposition"].endswith("tree.zip")


@pytest.mark.parametrize(
    "path", ["../etc/passwd", "%2e%2e/etc/passwd", "a/%2e%2e/%2e%2e/b", "a%00b", "a%0ab"]
)
def test_a_path_that_leads_astray_is_a_400(api, path):
    # httpx would resolve the dots itself.
    there = urlsplit(api.base)
    connection = HTTPConnection(there.hostname, there.port)
    connection.request(
        "GET", f"{there.path}/v3/files/content/local/{path}", headers=api.headers(Who.OWNER, {})
    )
    answer = connection.getresponse()
    told = json.loads(answer.read())["message"]
    connection.close()
    assert (answer.status, "path" in told) == (400, True)


def test_a_job_writes_html_and_it_is_only_ever_an_attachment(api):
    uuid = api.submit("echo '<script>alert(1)</script>' > page.html")
    api.ended(uuid)
    answer = api.call("GET", f"/v3/jobs/{uuid}/output/download/page.html")
    assert answer.headers["Content-Type"] == "application/octet-stream; charset=latin-1"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_outputs_as_a_zip_file(api):
    uuid = api.submit("mkdir -p deep/er; echo 1 > deep/er/a.txt")
    api.ended(uuid)
    answer = api.call("GET", f"/v3/jobs/{uuid}/output/download/", params={"format": "zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read("deep/er/a.txt") == b"1\n"


@pytest.mark.parametrize("path", ["", "/", "//", ".", "./"])
def test_the_root_of_the_outputs_has_many_names(api, path):
    uuid = api.submit("echo 1 > a.txt")
    api.ended(uuid)
    assert "a.txt" in [row["name"] for row in api.get(f"/v3/jobs/{uuid}/output/list/{path}")]


def test_an_output_is_followed_until_the_job_has_ended(api):
    uuid = api.submit("echo one; echo two; echo three")
    answer = api.call("GET", f"/v3/jobs/{uuid}/output/follow/tapisjob.out", params={"offset": 4})
    assert answer.content == b"two\nthree\n"
    assert api.get(f"/v3/jobs/{uuid}/status")["status"] in ("ARCHIVING", "FINISHED")
