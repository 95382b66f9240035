"""A script that arrives only in part does nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

from jupyter_tapis_jobs.transports import ssh_scripts
from jupyter_tapis_jobs.transports.ssh_command import command_line, whole


def said(text: bytes, cut: int) -> bytes:
    """Run what a host runs that gets only *cut* bytes of *text*."""
    line = ["/bin/sh", "-c", command_line(text)]
    return subprocess.run(line, input=text[:cut], capture_output=True, check=False).stdout


def test_a_script_that_was_cut_off_by_a_lost_connection_does_nothing(tmp_path: Path):
    (tmp_path / "a").mkdir()
    text = whole(ssh_scripts.delete(f"{tmp_path}/a"), "mark")
    for cut in range(len(text)):
        said(text, cut)
        assert (tmp_path / "a").exists(), text[:cut]
    assert said(text, len(text)).startswith(b"mark ")
    assert not (tmp_path / "a").exists()
