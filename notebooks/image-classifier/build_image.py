"""Builds the classifier's container image from packages of Debian and PyPI, and nothing else.

``build_image.py IMAGE.sif``. Needs Debian (or Ubuntu) with ``apt-get update`` done, Apptainer, and a Python
with pip; no root. It fetches the packages, trains the network (``train.py``, on the digits that scikit-learn
ships) and packs both with ``classify_image.py`` into one SIF file of about 40 MB, which any host with
Apptainer or Singularity runs: ``singularity run IMAGE.sif --image_file PATH-OR-URL``. Takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: What is in the image, with what it depends on.
DEBIAN = ("base-files", "ca-certificates", "dash", "libstdc++6", "python3", "zlib1g")
PYPI = ("numpy>=2,<3", "pillow>=11")
#: What the training wants besides, outside the image.
TRAINING = ("pillow>=11", "scikit-learn>=1.5")
#: Where the classifier lies in the image.
PLACE = "opt/classifier"
#: Bind mounts of hosts go here, and what a minimal system expects.
FOLDERS = ("dev", "home", "mnt", "proc", "root", "run", "scratch", "sys", "tmp", "var/tmp", "work")
#: numpy is told to use one core, the user's own packages stay outside, and https finds its certificates.
DEFINITION = """\
Bootstrap: localimage
From: {root}

%environment
  export PATH=/usr/bin:/bin LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1 PYTHONNOUSERSITE=1
  export PYTHONPATH=/{place}/packages SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt

%runscript
  exec python3 /{place}/classify_image.py "$@"

%labels
  org.opencontainers.image.title image-classifier
"""


class BuildError(Exception):
    """A step did not work; the message says which, and ends with the tool's own last lines."""


def main() -> int:
    """Build the image that the command line names."""
    parser = argparse.ArgumentParser(description="Builds the classifier's image from Debian and PyPI.")
    parser.add_argument("image", type=Path, metavar="IMAGE.sif")
    image = parser.parse_args().image.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix="image-classifier-") as work:
            build(image, Path(work))
    except BuildError as problem:
        print(f"build_image.py: {problem}", file=sys.stderr)
        return 1
    print(f"{image} ({image.stat().st_size / 1e6:.0f} MB)")
    return 0


def build(image: Path, work: Path) -> None:
    """Write *image*; all that is needed on the way lies in the folder *work*."""
    missing = [tool for tool in ("apt-get", "dpkg-deb", "apptainer") if shutil.which(tool) is None]
    if missing:
        raise BuildError(f"{', '.join(missing)} cannot be found; see the first lines of this file")
    root = work / "root"
    unpack(debian_packages(work / "debian"), root)
    settle(root)
    classifier = root / PLACE
    install(PYPI, classifier / "packages", "--python-version", python_of(root), *wheels())
    shutil.copy(HERE / "classify_image.py", classifier)
    train(classifier, work / "training")
    definition = work / "classifier.def"
    definition.write_text(DEFINITION.format(root=root, place=PLACE))
    said(["apptainer", "build", "--force", image, definition], APPTAINER_TMPDIR=str(work))


def debian_packages(folder: Path) -> list[Path]:
    """Fetch the packages and all they depend on, as for an empty machine; nothing is installed here."""
    (folder / "archives" / "partial").mkdir(parents=True)
    (folder / "status").touch()
    options = {
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "0",
        "Acquire::Retries": "3",
    }
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    said(["apt-get", *given, "install", "--yes", "--download-only", *DEBIAN])
    return sorted((folder / "archives").glob("*.deb"))


def unpack(packages: list[Path], root: Path) -> None:
    """Unpack *packages* into *root*; their scripts do not run, what is needed of them follows by hand."""
    for package in packages:
        said(["dpkg-deb", "--extract", package, root])


def settle(root: Path) -> None:
    """Do what the packages' scripts would have done: a shell, users, certificates; leave out manuals."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"):
        shutil.rmtree(root / folder, ignore_errors=True)
    shell = root / "bin" / "sh"
    if not shell.is_symlink():
        shell.symlink_to("dash")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    for name in ("hosts", "resolv.conf", "localtime"):
        (root / "etc" / name).touch()
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(authority.read_text() for authority in authorities))


def python_of(root: Path) -> str:
    """Return the version of the image's Python, for example ``3.11``."""
    return (root / "usr/bin/python3").readlink().name.removeprefix("python")


def wheels() -> list[str]:
    """Return pip's options for ready-made packages of a Linux with glibc."""
    machine = platform.machine()
    tags = (f"manylinux2014_{machine}", f"manylinux_2_27_{machine}", f"manylinux_2_28_{machine}")
    return ["--only-binary=:all:", "--implementation=cp", *(f"--platform={tag}" for tag in tags)]


def install(packages: tuple[str, ...], folder: Path, *options: str) -> None:
    """Install *packages* of PyPI into *folder*, without their tests."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    said([*pip, "install", "--no-compile", "--target", folder, *options, *packages])
    for tests in [found for found in folder.rglob("tests") if found.is_dir()]:
        shutil.rmtree(tests)


def train(folder: Path, packages: Path) -> None:
    """Let ``train.py`` write into *folder*; scikit-learn goes into the folder *packages* for it."""
    install(TRAINING, packages)
    print(said([sys.executable, HERE / "train.py", folder], PYTHONPATH=str(packages)), end="", flush=True)


def said(command: list[str | Path], **more: str) -> str:
    """Run *command* with *more* in its environment and return what it printed."""
    environment: Mapping[str, str] = {**os.environ, **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise BuildError(f"{' '.join(map(str, command[:3]))} … ended with {done.returncode}:\n{last}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
