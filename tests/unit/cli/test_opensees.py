"""OpenSeesPy for the demo: used where it is, fetched where it can be had, done without where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_tapis_jobs import opensees
from jupyter_tapis_jobs.opensees import opensees_path


@pytest.mark.needs("openseespy")
def test_what_is_installed_is_used_as_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    assert opensees_path(tmp_path / "packages", said.append) == {}
    assert said == []
    assert not (tmp_path / "packages").exists()


def test_where_it_cannot_be_had_the_reason_is_told_and_numpy_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensees, "_imports", lambda environment: False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    said: list[str] = []
    assert opensees_path(tmp_path / "packages", said.append) == {}
    assert "fetched for the demo" in said[0]
    assert "cannot be had here" in said[1]
    assert "No matching distribution" in said[1]
    assert "solved in numpy" in said[1]


def test_the_extra_names_what_is_fetched() -> None:
    assert any(requirement.startswith("openseespy") for requirement in opensees._requirements())
