"""A parameter study in a real JupyterLab: its progress while it runs, and what is saved of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.model.errors import NotFoundError
from tests.browser.conftest import PATIENCE, Notebook, end_kernels, until_gate
from tests.conftest import TestServer

NAME = "piers"
LOAD = "%load_ext jupyter_tapis_jobs\nimport jupyter_tapis_jobs as tj\ntapis = tj.connect()"
#: Two gates hold the first four cases and the others; the last two of them fail.
STUDY = '''
cases = tj.grid(k=[1, 2, 3, 4], scale=[0.1, 0.2])
study = tapis.study("{name}", "bash", cases=cases, maxMinutes=2, script="""
if [ {{{{ k }}}} -le 2 ]; then {first}; else {rest}; fi
[ {{{{ k }}}} = 4 ] && {{ echo failed to converge at {{{{ scale }}}}; exit 3; }}
printf 'drift\\\\n%s.5\\\\n' {{{{ k }}}} > peak.csv
""")
study.run()
'''
LOOK = "study.collect('peak.csv')\nstudy.plot('drift')"
#: Interactive where Lab can draw it, else the static one.
PICTURE = ".jp-OutputArea-output img, .jp-OutputArea-output .js-plotly-plot"
TIMES = "study.plot(kind='timeline')"


@pytest.fixture
def gates(lab: TestServer, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """What the first cases and the others wait for; the study is gone behind the test."""
    made = tmp_path / "first", tmp_path / "rest"
    yield made
    for gate in made:
        gate.touch()
    tapis = lab.tapis()
    with closing(tapis.connection):
        try:
            tapis.study(NAME).wait(180, progress=False).delete()
        except NotFoundError:
            return


def cells(gates: tuple[Path, Path]) -> tuple[str, ...]:
    first, rest = map(until_gate, gates)
    return LOAD, STUDY.format(name=NAME, first=first, rest=rest).strip(), LOOK, TIMES


def progress(opened: Notebook) -> Any:
    """Return what the page shows of the study."""
    return opened.page.get_by_role("group", name=f"study {NAME}")


def filled(bar: Any) -> float:
    """Return the share of the bar that has a colour."""
    whole = bar.bounding_box()["width"]
    pieces = bar.locator("div").all()
    return float(sum(piece.bounding_box()["width"] for piece in pieces) / whole)


def expect_ended(shown: Any) -> None:
    from playwright.sync_api import expect

    for words in ("8 of 8", "6 done", "2 failed", '"failed to converge at 0.1"', "(k == 4)"):
        expect(shown).to_contain_text(words, timeout=PATIENCE)
    bar = shown.get_by_role("progressbar")
    assert filled(bar) == pytest.approx(1, abs=0.01)


def test_the_progress_of_a_study_moves_by_itself_with_counts_and_the_time_left(
    notebook: Callable[..., Notebook], gates: tuple[Path, Path]
) -> None:
    from playwright.sync_api import expect

    opened = notebook(*cells(gates))
    opened.run(0)
    opened.run(1)
    shown = progress(opened)
    bar = shown.get_by_role("progressbar")
    expect(shown).to_contain_text("0 of 8", timeout=PATIENCE)
    expect(shown).to_contain_text("running", timeout=PATIENCE)
    expect(bar).to_have_attribute("aria-valuemax", "8")
    first, rest = gates
    first.touch()
    expect(bar).to_have_attribute("aria-valuenow", "4", timeout=PATIENCE)
    expect(shown).to_contain_text("4 done")
    expect(shown).to_contain_text(re.compile(r"about \d+ (s|min) left"), timeout=PATIENCE)
    assert 0.49 < filled(bar) <= 1
    rest.touch()
    expect_ended(shown)
    expect(shown).not_to_contain_text("left")
    expect(shown).to_have_count(1)


def test_a_saved_notebook_keeps_progress_and_pictures_without_a_kernel(
    notebook: Callable[..., Notebook], gates: tuple[Path, Path], lab: TestServer
) -> None:
    from playwright.sync_api import expect

    for gate in gates:
        gate.touch()
    opened = notebook(*cells(gates))
    opened.run(0)
    opened.run(1)
    expect_ended(progress(opened))
    opened.run(2)
    opened.run(3)
    outputs = [output for cell in opened.save()["cells"] for output in cell["outputs"]]
    assert [mime for output in outputs for mime in output.get("data", {})].count("image/png") == 2
    end_kernels(lab)
    opened.open()
    expect_ended(progress(opened))
    for index in (2, 3):
        picture = opened.cell(index).locator(PICTURE)
        expect(picture.first).to_be_visible(timeout=PATIENCE)
        box, room = picture.first.bounding_box(), opened.cell(index).bounding_box()
        assert box["height"] > 150
        assert box["x"] + box["width"] <= room["x"] + room["width"]
