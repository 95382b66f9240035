"""What a job writes, beside the grid: live, searched, held, previewed, opened in a cell and downloaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.job import Job
from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, Notebook
from tests.browser.jobs_page import expect, open_jobs
from tests.browser.lost_network import Network, behind, close_what_lab_says
from tests.conftest import TestServer

Open = Callable[..., Notebook]

PANEL = "import jupyter_tapis_jobs as tj\ntj.connect().panel()"
OPEN_JOBS = "Tapis Jobs: Open the jobs"
HOSTILE = "<img src=x onerror=window.harmed=1>.txt"

#: Prints colours and a progress bar, then a line for each number that the gate file holds.
STEPS = r"""
printf '\033[31mred words\033[0m and \033]0;a title\007plain <b>ones</b>\n'
for i in $(seq 300); do echo "step $i"; done
printf 'copied  10 %%\rcopied  55 %%'
last=0
until [ "$last" = end ]; do
    now=$(cat '{gate}' 2>/dev/null || echo 0)
    [ "$now" = "$last" ] || printf '\nheard %s' "$now"
    last=$now
    sleep 0.05
done
"""

#: Leaves files of each kind.
FILES = rf"""
import json, os, struct, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def write(name, data):
    with open(name, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())

os.makedirs("runs/deep")
write("runs/deep/a.txt", "deep")
write("table.csv", "time,level\n0,1.5\n1,<i>2</i>\n")
write("broken.csv", "a,b\n1\n1,2,3\n")
write("empty.txt", "")
write("data.json", json.dumps({{"name": "<script>window.harmed=1</script>"}}))
pixels = zlib.compress(b"".join(b"\0" + b"\x20\x80\xff" * 40 for _ in range(20)))
head = struct.pack(">IIBBBBB", 40, 20, 8, 2, 0, 0, 0)
write("field.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
write("page.html", "<script>window.harmed=1</script>")
write("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed=1'/>")
write("noise.bin", bytes(range(256)) * 40)
write("classic.nc", b"CDF\x01" + bytes(4) + struct.pack(">II", 10, 1) + struct.pack(">I", 4) + b"time"
      + struct.pack(">I", 3) + bytes(16))
write({HOSTILE!r}, "hello")
with open("tapisjob.out", "ab") as out:
    out.truncate(2 * 1024**3)
    out.seek(0, os.SEEK_END)
    out.write(b"\nthe last line\n")
"""


#: Fails by a tool that is not there.
FAILS = "echo 'reading the <b>mesh</b>'\nno-such-mesher mesh.txt"


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    client = lab.tapis()
    yield client
    client.connection.close()


@pytest.fixture(scope="session")
def files_job(lab: TestServer) -> Iterator[Job]:
    """A finished job with files of each kind, and an output of 2 GB (of which the disk holds little)."""
    client = lab.tapis()
    job = client.submit("python", script=FILES, name="files-of-each-kind").wait(progress=False)
    assert job.status == "FINISHED", job.row
    yield job
    client.connection.close()


def details(view: Any, job: Job) -> Any:
    """Open the job beside the grid, and return its details."""
    view.locator(".tj-Search").fill(job.uuid)
    expect(view.locator(".tj-Total")).to_have_text("1 job", timeout=PATIENCE)
    view.locator(".ag-row").get_by_text(job.name, exact=True).dblclick()
    found = view.locator(".tj-Details")
    expect(found.get_by_role("heading", name=job.name)).to_be_visible(timeout=PATIENCE)
    return found


def in_the_tab(opened: Notebook) -> Any:
    """Return the jobs in the main area."""
    opened.command(OPEN_JOBS)
    return opened.page.locator("#tapisjobs-main .tj-Jobs")


def tab(shown: Any, name: str) -> Any:
    """Choose a tab of the details, and return what it shows."""
    shown.get_by_role("tab", name=name, exact=True).click()
    return shown.get_by_role("tabpanel", name=name, exact=True)


def files_of(opened: Notebook, job: Job) -> Any:
    """Return the job's details with its files."""
    shown = details(in_the_tab(opened), job)
    shown.get_by_role("tab", name="Files").click()
    shown.get_by_role("button", name="table.csv", exact=True).wait_for()
    return shown


def tell(gate: Path, words: str) -> None:
    """Write *words* for the job that looks at the gate: it sees all of them or none."""
    new = gate.with_suffix(".new")
    new.write_text(words)
    new.replace(gate)


def in_view(shown: Any, words: str) -> bool:
    """Return True where the line with these words is in view inside the list of lines."""
    line = shown.locator(".tj-Line", has_text=words).last
    return bool(
        line.evaluate(
            """line => {
                const [mine, list] = [line, line.parentElement].map(node => node.getBoundingClientRect());
                return mine.bottom <= list.bottom + 2 && mine.top >= list.top - 2;
            }"""
        )
    )


def test_an_output_is_read_in_a_cell_while_another_cell_runs(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path
) -> None:
    busy = tmp_path / "busy"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(busy)!r}).exists():\n    time.sleep(0.05)"
    job = tapis.submit("bash", script=STEPS.replace("{gate}", str(gate)), name="steps", maxMinutes=5)
    opened = notebook(PANEL, wait)
    opened.run(0)
    opened.run(1, wait=False)
    shown = details(opened.cell(0).locator(".tj-Jobs"), job)
    lines = shown.locator(".tj-Line")

    # Colours are colours, a title for a terminal is nothing, a progress bar is its last form.
    expect(lines.last).to_have_text("copied  55 %", timeout=PATIENCE)
    expect(lines.first).to_have_text("red words and plain <b>ones</b>")
    expect(lines.first.locator(".tj-front-red")).to_have_text("red words")
    assert in_view(shown, "copied  55")

    # The end is followed; who goes back is left there, and comes to the end again.
    tell(gate, "1")
    expect(lines.last).to_have_text("heard 1", timeout=PATIENCE)
    assert in_view(shown, "heard 1")
    shown.locator(".tj-Lines-list").evaluate("list => { list.scrollTop = 0; }")
    to_end = shown.get_by_role("button", name="To the end")
    to_end.wait_for()
    tell(gate, "2")
    expect(lines.last).to_have_text("heard 2", timeout=PATIENCE)
    assert not in_view(shown, "heard 2")
    to_end.click()
    expect(to_end).to_be_hidden()
    assert in_view(shown, "heard 2")

    # What is found is counted, shown, and gone through.
    search = shown.get_by_role("searchbox", name="Search in the output")
    search.fill("STEP 29")
    expect(shown.locator(".tj-Found")).to_have_text("not in these lines")
    search.fill("step 29")
    expect(shown.locator(".tj-Found")).to_have_text("11 of 11")
    search.press("Enter")
    expect(shown.locator(".tj-Found")).to_have_text("10 of 11")
    expect(shown.locator("mark[aria-current]")).to_be_in_viewport()
    search.press("Escape")
    expect(shown.locator("mark")).to_have_count(0)

    # While it is held nothing moves, and nothing is lost.
    shown.get_by_role("button", name="Pause").click()
    tell(gate, "3")
    expect(shown.locator(".tj-mod-below")).to_contain_text("paused · 1 new line", timeout=PATIENCE)
    expect(lines.last).to_have_text("heard 2")
    shown.get_by_role("button", name="Go on").click()
    expect(lines.last).to_have_text("heard 3")

    tell(gate, "end")
    expect(shown.locator(".tj-Status").first).to_contain_text("FINISHED", timeout=PATIENCE)
    expect(lines.last).to_have_text("heard end")
    assert opened.is_busy(1)
    busy.touch()


def test_each_kind_of_file_is_shown_as_what_it_is_and_nothing_in_it_runs(
    notebook: Open, files_job: Job
) -> None:
    opened = notebook("1")
    shown = files_of(opened, files_job)
    preview = shown.locator(".tj-PreviewView")

    def show(name: str) -> Any:
        shown.get_by_role("button", name=name, exact=True).click()
        expect(preview.locator(".tj-FileName")).to_have_text(name)
        return preview

    expect(show("table.csv").get_by_role("cell", name="<i>2</i>")).to_be_in_viewport(timeout=PATIENCE)
    expect(show("broken.csv")).to_contain_text("2 rows do not have 2 values", timeout=PATIENCE)
    expect(show("data.json")).to_contain_text('"<script>window.harmed=1</script>"', timeout=PATIENCE)
    picture = show("field.png").locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    for name in ("page.html", "drawing.svg"):
        expect(show(name).locator("pre")).to_contain_text("window.harmed=1", timeout=PATIENCE)
    expect(show("noise.bin")).to_contain_text("This file is no text; download it.", timeout=PATIENCE)
    expect(show("empty.txt")).to_contain_text("The file is empty.", timeout=PATIENCE)
    expect(show("classic.nc")).to_contain_text("time = 3", timeout=PATIENCE)
    expect(show(HOSTILE).locator("pre")).to_have_text("hello\n", timeout=PATIENCE)
    preview.get_by_role("button", name=f"Close {HOSTILE}").click()
    expect(preview).to_have_count(0)
    assert opened.page.evaluate("window.harmed") is None


def test_a_table_is_loaded_by_a_line_in_a_cell_and_its_copy_opens_in_lab(
    notebook: Open, files_job: Job
) -> None:
    opened = notebook("1")
    shown = files_of(opened, files_job)
    shown.get_by_role("button", name="table.csv", exact=True).click()
    shown.get_by_role("button", name="Load as DataFrame").click()
    cell = opened.cell(1)
    expect(cell.locator(".cm-content")).to_contain_text('read_csv("table.csv")', timeout=PATIENCE)
    opened.run(1)
    expect(cell.locator(".jp-OutputArea-output table")).to_contain_text("level", timeout=PATIENCE)
    opened.command(OPEN_JOBS)
    shown.get_by_role("button", name="Open a copy in Lab").click()
    expect(opened.page.locator(".jp-CSVViewer")).to_be_visible(timeout=PATIENCE)
    copy = opened.server.root / f"jobs-{files_job.uuid}" / "table.csv"
    assert copy.read_bytes() == files_job.read_bytes("table.csv")


def test_one_file_and_chosen_ones_are_downloaded(notebook: Open, files_job: Job, tmp_path: Path) -> None:
    opened = notebook("1")
    shown = files_of(opened, files_job)
    with opened.page.expect_download() as one:
        shown.get_by_role("link", name="Download table.csv").click()
    assert one.value.suggested_filename == "table.csv"
    one.value.save_as(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().startswith("time,level\n0,1.5\n")

    for name in ("runs", "data.json", HOSTILE):
        shown.get_by_role("checkbox", name=f"Choose {name}").check()
    with opened.page.expect_download() as many:
        shown.get_by_role("link", name="Download 3 (zip)").click()
    many.value.save_as(tmp_path / "chosen.zip")
    names = {name for name in zipfile.ZipFile(tmp_path / "chosen.zip").namelist() if not name.endswith("/")}
    assert names == {"runs/deep/a.txt", "data.json", HOSTILE}
    assert shown.locator(".tj-SavingRow").count() == 0


def test_an_output_of_2_gb_is_read_from_its_end(notebook: Open, files_job: Job) -> None:
    opened = notebook("1")
    shown = details(in_the_tab(opened), files_job)
    expect(shown.locator(".tj-Line").last).to_have_text("the last line", timeout=PATIENCE)
    expect(shown.get_by_role("button", name="Earlier lines (2.1 GB)")).to_be_visible()


def test_tags_and_a_note_are_kept_with_the_job(notebook: Open, tapis: Tapis, files_job: Job) -> None:
    opened = notebook("1")
    shown = details(in_the_tab(opened), files_job)
    shown.get_by_role("tab", name="Notes").click()
    shown.get_by_label("Tags, separated by commas").fill("pier, <b>wave</b>")
    shown.get_by_label("Note", exact=True).fill("the mesh is too coarse")
    shown.get_by_role("button", name="Save").click()
    expect(shown.locator(".tj-Notes")).to_contain_text("Saved.", timeout=PATIENCE)
    assert set(tapis.job(files_job.uuid).row["tags"]) == {"pier", "<b>wave</b>"}
    opened.page.reload()
    again = opened.page.locator("#tapisjobs-main .tj-Jobs")
    shown = details(again, files_job)
    shown.get_by_role("tab", name="Notes").click()
    expect(shown.get_by_label("Note", exact=True)).to_have_value("the mesh is too coarse", timeout=PATIENCE)


def test_each_tab_of_a_failed_job_shows_its_part_of_the_story(
    page: Any, lab: TestServer, tapis: Tapis
) -> None:
    job = tapis.submit("bash", script=FAILS, name="fails", maxMinutes=7).wait(progress=False)
    shown = details(open_jobs(page, lab), job)
    expect(shown.locator(".tj-Status").first).to_contain_text("FAILED")
    why = shown.locator(".tj-Failure")
    expect(why).to_contain_text("exit code 127: ")
    expect(why).to_contain_text("no-such-mesher: command not found")
    expect(why).to_contain_text("→ load no-such-mesher in the script, or use an app that has it")

    lines = tab(shown, "Output").locator(".tj-Line")
    expect(lines.first).to_have_text("reading the <b>mesh</b>")
    expect(lines.nth(1)).to_contain_text("no-such-mesher: command not found")
    files = tab(shown, "Files")
    expect(files.get_by_role("button", name="tapisjob.out", exact=True)).to_be_visible()
    expect(files.get_by_role("link", name="Download script.sh", exact=True)).to_be_visible()
    steps = tab(shown, "Timeline").get_by_role("list", name="History of the job").get_by_role("listitem")
    expect(steps.first).to_contain_text("PENDING")
    expect(steps.filter(has_text="RUNNING")).to_have_count(1)
    expect(steps.last).to_contain_text("✗ FAILED")
    request = tab(shown, "Request")
    expect(request.get_by_label("Request as submitted")).to_contain_text('"maxMinutes": 7')
    expect(request.get_by_label("Job as resolved")).to_contain_text('"status": "FAILED"')
    script = tab(shown, "Script")
    expect(script.get_by_label("script.sh", exact=True)).to_have_text(FAILS)
    expect(script.get_by_label("tapisjob.sh", exact=True)).to_contain_text("#!/bin/")
    notes = tab(shown, "Notes")
    expect(notes.get_by_label("Tags, separated by commas")).to_have_value("")
    expect(notes.get_by_label("Note", exact=True)).to_be_editable()


def test_what_tabs_and_a_preview_missed_while_the_network_was_lost_comes_when_it_is_back(
    page: Any, lab: TestServer, files_job: Job
) -> None:
    with Network(lab) as way:
        shown = details(open_jobs(page, behind(lab, way)), files_job)
        opener = tab(shown, "Files").get_by_role("button", name="table.csv", exact=True)
        opener.wait_for()
        close_what_lab_says(page)
        way.lose()
        opener.click()
        preview = shown.locator(".tj-PreviewView")
        expect(preview).to_contain_text("The server does not answer.")
        request = tab(shown, "Request")
        expect(request).to_contain_text("The server does not answer.")
        script = tab(shown, "Script")
        expect(script).to_contain_text("The server does not answer.")
        way.find()
        # What is in view comes by itself, the others when they are looked at.
        expect(script.get_by_label("script.py", exact=True)).to_contain_text("import json, os")
        expect(tab(shown, "Request").get_by_label("Job as resolved")).to_contain_text(files_job.uuid)
        tab(shown, "Files")
        expect(preview.get_by_role("cell", name="<i>2</i>")).to_be_visible()
        expect(preview).not_to_contain_text("does not answer")
