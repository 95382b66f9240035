"""A study in a notebook: its progress as HTML and text, drawn live, and kept when the notebook is saved."""

import threading

from fake_tapis import error

from jupyter_tapis_jobs.client.study_state import StudyState
from jupyter_tapis_jobs.client.study_watch import Watch
from jupyter_tapis_jobs.model.errors import NotFoundError
from jupyter_tapis_jobs.notebook import study_progress
from jupyter_tapis_jobs.notebook.study_progress import LiveStudy, StudyDisplay, bundle, show


class Handle:
    """Stands in for an output of a cell."""

    def __init__(self):
        self.shown = []
        self.came = threading.Event()

    def display(self, data, *, raw):
        self.shown.append(("display", data))

    def update(self, data, *, raw):
        self.shown.append(("update", data))
        self.came.set()

    @property
    def texts(self):
        return [data["text/plain"] for _, data in self.shown]


def state(left="", name="s", failures=(), **counts):
    return StudyState(name=name, counts=counts, left=left, failures=failures)


def test_the_bar_has_a_piece_for_each_state_at_work_and_words_for_all():
    html = bundle(state("about 2 min left", FINISHED=6, FAILED=1, RUNNING=1, QUEUED=2))["text/html"]
    assert [html.count(f"width:{share}.000%") for share in (60, 10, 20)] == [1, 2, 0]
    assert 'aria-valuenow="7"' in html
    for words in ("6 done", "1 failed", "1 running", "2 in the queue", "7 of 10", "about 2 min left"):
        assert words in html


def test_what_a_job_or_a_person_wrote_is_escaped():
    data = bundle(state(name="<img>", failures=("<script>", "a\x1b[31mb"), FAILED=1))
    assert "<img>" not in data["text/html"]
    assert "&lt;script&gt;" in data["text/html"]
    assert "\x1b" not in data["text/html"]


def test_a_display_draws_at_most_twice_a_second_and_the_end_at_once():
    handle, clock = Handle(), iter([0.0, 0.1, 0.2, 0.6, 0.7, 0.8, 0.8])
    display = StudyDisplay(handle, now=lambda: next(clock))
    for ended in (0, 1, 2):
        display.show(state(FINISHED=ended, RUNNING=4 - ended), change=True)
    display.show(state(FINISHED=4), change=True)
    display.done()
    assert [kind for kind, _ in handle.shown] == ["display", *["update"] * (len(handle.shown) - 1)]
    assert "0 of 4" in handle.texts[0]
    assert "4 of 4" in handle.texts[-1]
    assert len(handle.shown) < 4


def test_what_came_too_soon_is_drawn_when_all_is_done():
    handle = Handle()
    display = StudyDisplay(handle, now=lambda: 0.0)
    display.show(state(RUNNING=2), change=True)
    display.show(state(FINISHED=1, RUNNING=1), change=True)
    display.done()
    assert "1 of 2" in handle.texts[-1]


def test_all_outputs_of_one_study_are_kept_by_one_thread_until_its_end():
    states = iter([state(RUNNING=2), state(FINISHED=1, RUNNING=1), state(FINISHED=2)])
    live = LiveStudy(Watch(lambda: next(states)), pause=lambda seconds: None)
    handles = [Handle(), Handle()]
    live._displays = [StudyDisplay(handle) for handle in handles]
    live.follow()
    assert all("2 of 2" in handle.texts[-1] for handle in handles)
    assert live._displays == []


def test_a_study_that_is_gone_ends_its_display(caplog):
    def ask():
        raise NotFoundError("There is no study.")

    live = LiveStudy(Watch(ask), pause=lambda seconds: None)
    live._displays = [StudyDisplay(Handle())]
    live.follow()
    assert live._displays == []
    assert not caplog.records


def test_a_display_that_cannot_be_drawn_is_told_in_the_log_only(caplog):
    class Broken(Handle):
        def display(self, data, *, raw):
            raise OSError("gone")

    live = LiveStudy(Watch(lambda: state(RUNNING=1)), pause=lambda seconds: None)
    live._displays = [StudyDisplay(Broken())]
    live.follow()
    assert "could not be drawn" in caplog.text


def test_a_study_shown_in_a_notebook_goes_on_by_itself(fake, tapis, monkeypatch):
    monkeypatch.setattr(study_progress, "in_notebook", lambda: True)
    study = tapis.study("s", "bash", cases={"k": [1, 2]}, script="{{ k }}").run()
    handle = Handle()
    show(study, handle)
    assert "○ 2 accepted" in handle.texts[0]
    fake.studies.move("s", "FINISHED")
    assert handle.came.wait(10)
    assert "2 of 2   ✓ 2 done" in handle.texts[-1]


def test_a_cell_that_has_waited_to_the_end_brings_the_cells_above_there_before_the_kernel_may_stop(
    fake, tapis, monkeypatch
):
    monkeypatch.setattr(study_progress, "in_notebook", lambda: True)
    asleep, wake = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        wake.wait(30)

    monkeypatch.setattr(LiveStudy.__init__, "__defaults__", (sleep,))
    study = tapis.study("s", "bash", cases={"k": [1, 2]}, script="{{ k }}").run()
    above, waited = Handle(), StudyDisplay(Handle())
    try:
        show(study, above)
        assert asleep.wait(10)
        fake.studies.move("s", "FINISHED")
        waited.show(study.state(), change=True)
        waited.done()
        assert "2 of 2   ✓ 2 done" in above.texts[-1]
    finally:
        wake.set()


def test_a_study_that_cannot_be_asked_is_shown_with_the_reason(fake, tapis):
    study = tapis.study("s", "bash", cases={"k": [1]}, script="{{ k }}").run()
    fake.instead["/v3/tapisjobs/studies/s"] = lambda request: error(403, "Not yours.")
    handle = Handle()
    show(study, handle)
    assert handle.texts == ["s  ░░░░░░░░░░░░░░░░░░░░  0 of 0   Not yours."]


def test_a_cell_that_waits_for_a_study_and_ends_with_it_shows_it_once(fake, tapis, monkeypatch):
    study = tapis.study("s", "bash", cases={"k": [1, 2]}, script="{{ k }}").run()
    fake.studies.move("s", "FINISHED")
    handles = [Handle() for _ in range(3)]
    monkeypatch.setattr(study_progress, "_this_cell", lambda: 7)
    waited = StudyDisplay(handles[0])
    waited.show(study.state(), change=True)
    assert show(study, handles[1]) is waited
    monkeypatch.setattr(study_progress, "_this_cell", lambda: 8)
    assert show(study, handles[2]) is not waited
    assert [len(handle.shown) for handle in handles] == [1, 0, 1]
