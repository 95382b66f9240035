"""Images of ZIP apps, unpacked in memory or on the host."""

from __future__ import annotations

import io
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from two_hosts import TwoHosts

from jupyter_tapis_jobs.engine.images import UNPACK, Image, unpack
from jupyter_tapis_jobs.model.errors import InvalidInputError


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_tapisjob_app_is_started_and_made_executable() -> None:
    image = unpack("app.zip", zipped(**{"tapisjob_app.sh": "echo hi", "data/x.txt": "1"}))
    assert image.executable == "tapisjob_app.sh"
    entries = {entry.path: entry for entry in image.entries("/job")}
    assert entries["/job/tapisjob_app.sh"].mode & stat.S_IXUSR
    assert entries["/job/data/x.txt"].content == b"1"


def test_without_it_the_manifest_names_the_program() -> None:
    image = unpack(
        "app.tar.gz", tarred({"tapisjob.manifest": "tapisjob_executable=bin/run\n", "bin/run": "echo"})
    )
    assert image.executable == "bin/run"


@pytest.mark.parametrize("manifest", ["", "tapisjob_executable=missing\n"])
def test_an_image_with_nothing_to_start_is_refused(manifest: str) -> None:
    with pytest.raises(InvalidInputError, match=r"neither tapisjob_app\.sh nor"):
        unpack("app.zip", zipped(**{"tapisjob.manifest": manifest}))


@pytest.mark.parametrize("name", ["../evil.sh", "/etc/evil.sh", "a/../../evil.sh"])
def test_an_image_cannot_write_outside_the_jobs_directory(name: str) -> None:
    with pytest.raises(InvalidInputError, match="outside"):
        unpack("app.zip", zipped(**{"tapisjob_app.sh": "", name: "evil"}))


def test_a_damaged_image_says_so() -> None:
    with pytest.raises(InvalidInputError, match="cannot be unpacked"):
        unpack("app.zip", b"PK but not really")


def test_a_bomb_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tapisjob_app.sh", "0" * (64 * 1024 * 1024))
    with pytest.raises(InvalidInputError, match="unpacks to"):
        unpack("app.zip", buffer.getvalue())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"tapisjob_app.sh": "echo"}, "one runs tapisjob_app.sh"),
        ({"tapisjob.manifest": "tapisjob_executable=run me\n", "run me": "echo"}, "one runs run me"),
        ({"tapisjob.manifest": "tapisjob_executable=../x\n"}, "one fails it holds neither"),
        ({"other": ""}, "one fails it holds neither"),
    ],
)
def test_the_host_unpacks_by_the_same_rules(tmp_path: Path, files: dict[str, str], said: str) -> None:
    (tmp_path / "job" / ".tapisjob").mkdir(parents=True)
    (tmp_path / "app.zip").write_bytes(zipped(**files))
    script = f"{UNPACK}unpack one '{tmp_path}/job' '{tmp_path}/app.zip' app.zip\n"
    answer = subprocess.run(["/bin/sh", "-s"], input=script, text=True, capture_output=True)
    assert answer.stdout.startswith(said)
    assert answer.stderr == ""


def test_an_image_cannot_speak_for_another_job(tmp_path: Path) -> None:
    name = r"x\nother runs y"
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as image:
        image.writestr(name, "#!/bin/sh\n")
        image.writestr("tapisjob.manifest", f"tapisjob_executable={name}\n")
    (tmp_path / "job" / ".tapisjob").mkdir(parents=True)
    script = f"{UNPACK}unpack one '{tmp_path}/job' '{tmp_path}/app.zip' app.zip\n"
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, text=True).stdout
    assert said == f"one runs {name}\n"


def test_only_the_images_that_were_used_last_are_kept(hosts: TwoHosts) -> None:
    for key in ("a", "b", "c", "a", "d", "e"):
        hosts.staging._image._remember(key, Image("run", ()))
    assert list(hosts.staging._image._images) == ["c", "a", "d", "e"]
