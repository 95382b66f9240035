"""The card: what it shows, that it stays readable and harmless, and that news changes it."""

import html.parser
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_tapis_jobs.client.live import News
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.notebook.card import MIME, CardState, bundle
from jupyter_tapis_jobs.notebook.cards import Card, Cards, show

JOB = {
    "uuid": "u-007",
    "name": "python-1",
    "status": "RUNNING",
    "created": "1970-01-01T00:00:00.000000Z",
    "remoteStarted": "1970-01-01T00:00:03.000000Z",
    "execSystemId": "local",
    "jobType": "FORK",
    "nodeCount": 1,
    "coresPerNode": 1,
    "maxMinutes": 5,
}
HISTORY = [("PENDING", "t0"), ("QUEUED", "t1"), ("RUNNING", "t2")]


def card(**changes):
    job = JOB | changes.pop("job", {})
    return bundle(CardState(job=job, now=10.0, history=changes.pop("history", HISTORY), **changes))


class Handle:
    """A cell's output, remembered."""

    def __init__(self):
        self.shown = []

    def display(self, data, *, raw):
        self.shown.append(data)

    update = display

    @property
    def text(self):
        return self.shown[-1]["text/plain"]


class Tags(html.parser.HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_a_running_card_tells_state_time_place_and_the_last_lines():
    shown = card(tail=["one", "two", "step 179", "step 180 of 500"])
    assert shown["text/plain"].splitlines() == [
        "▶ python-1  RUNNING  running 00:07 of 05:00 at most   local · FORK · 1 node x 1 core · 5 min",
        "  ●──●──●──●──●──◐──○──○   pending · inputs · job · submit · queue · run · archive · done",
        "  │ two",
        "  │ step 179",
        "  │ step 180 of 500",
    ]
    assert "step 180 of 500" in shown["text/html"]
    assert shown[MIME]["tail"] == ["two", "step 179", "step 180 of 500"]


def test_the_card_of_a_batch_job_names_its_launch_mode_and_the_schedulers_number():
    batch = {"jobType": "BATCH", "execSystemId": "rig", "execSystemLogicalQueue": "normal"}
    place = card(job={**batch, "launchMode": "array", "remoteJobId": "4711_17"})["text/plain"].splitlines()[0]
    assert place.endswith("rig · normal · BATCH array 4711_17 · 1 node x 1 core · 5 min")
    place = card(job={**batch, "launchMode": "single", "remoteJobId": "12"})["text/plain"].splitlines()[0]
    assert place.endswith("rig · normal · BATCH 12 · 1 node x 1 core · 5 min")


def test_a_queued_card_tells_what_the_job_waits_for():
    waits = {"status": "QUEUED", "execSystemLogicalQueue": "normal", "lastMessage": "it waits for free nodes"}
    shown = card(job=waits, history=HISTORY[:2])
    assert "◷ python-1  QUEUED  in queue normal 00:10: it waits for free nodes" in shown["text/plain"]
    assert "in queue normal 00:10: it waits for free nodes" in shown["text/html"]


def test_a_finished_card_tells_the_whole_time_and_the_files():
    shown = card(
        job={"status": "FINISHED", "ended": "1970-01-01T00:00:12.000000Z"},
        outputs=[{"path": "disp.csv", "size": 41_000_000}],
    )
    assert "✓ python-1  FINISHED  done in 12 s" in shown["text/plain"]
    assert "disp.csv 41 MB" in shown["text/plain"]
    assert "●──●──●──●──●──●──●──●" in shown["text/plain"]
    assert shown[MIME]["outputs"] == [{"path": "disp.csv", "size": 41_000_000}]


def test_a_failed_card_tells_cause_evidence_and_next_call():
    shown = card(
        job={"status": "FAILED", "condition": "SCHEDULER_TIMEOUT", "ended": "1970-01-01T00:05:03.000000Z"},
        tail=["step 380 of 500"],
    )
    said = "stopped at the time limit of 5 min; last line: step 380 of 500.   → job.resubmit(maxMinutes=10)"
    assert said in shown["text/plain"]
    assert "──✗──" in shown["text/plain"]
    assert "job.resubmit(maxMinutes=10)" in shown["text/html"]


@pytest.mark.parametrize("status", list(JobStatus))
def test_every_state_is_glyph_and_word_and_colour(status):
    shown = card(job={"status": str(status), "ended": "1970-01-01T00:00:12.000000Z"})
    assert str(status) in shown["text/plain"]
    assert "background-color:#" in shown["text/html"]
    assert shown["text/plain"][0] != "·"


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("status", list(JobStatus))
def test_white_text_can_be_read_on_every_states_colour(status):
    from jupyter_tapis_jobs.client.words import state_words

    assert 1.05 / (luminance(state_words(status).colour) + 0.05) >= 4.5


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "\u202edrawkcab",
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_from_a_job_is_shown_and_never_acts(text):
    clean = Tags(card(tail=["a"], outputs=[{"path": "a", "size": 1}], trouble="a")["text/html"])
    shown = card(
        job={"name": text, "execSystemId": text, "lastMessage": text},
        tail=[text],
        outputs=[{"path": text, "size": 1}],
        trouble=text,
    )
    page = Tags(shown["text/html"])
    assert page.tags == clean.tags
    assert not {name for name in page.attributes if name.startswith("on") or name in ("href", "src")}
    assert "49" not in shown["text/html"].replace("#1565c0", "")
    for part in (shown["text/plain"], shown["text/html"]):
        assert "\x1b" not in part
        assert "\u202e" not in part
        assert len(part) < 6000


@settings(max_examples=50)
@given(st.text(), st.text(), st.lists(st.text(), max_size=4))
def test_no_text_of_a_job_adds_a_tag(name, message, tail):
    failed = {"status": "FAILED", "lastMessage": message, "name": name}
    allowed = {"div", "span", "strong", "code", "pre"}
    assert set(Tags(card(job=failed, tail=tail)["text/html"]).tags) <= allowed


def test_the_card_can_be_saved_as_json_and_holds_no_script():
    shown = card()
    assert json.loads(json.dumps(shown)) == shown
    assert "<script" not in shown["text/html"]


# --- kept up to date -------------------------------------------------------------------------
class StillLive:
    """A stream of news that the test itself tells."""

    def __init__(self):
        self.listeners, self.tails, self.stopped = {}, {}, []

    def listen(self, uuid, listener):
        self.listeners[uuid] = listener
        return lambda: self.stopped.append(("news", uuid))

    def tail(self, uuid, path, listener, offset):
        self.tails[uuid] = (path, offset, listener)
        return lambda: self.stopped.append(("tail", uuid))


class Kept(Cards):
    """Cards whose thread does not run: the test takes each step."""

    def keep(self, card):
        self._inbox.put((card, None))
        self.step()


@pytest.fixture
def kept(fake, tapis):
    """A kept card of a queued job, its news, and a clock."""
    uuid = fake.add_job("QUEUED", name="frame-1", created="1970-01-01T00:00:00.000000Z")
    clock, live, handle = [10.0], StillLive(), Handle()
    cards = Kept(live, now=lambda: clock[0])
    card = Card(tapis.job(uuid), handle, clock[0])
    cards.keep(card)

    def tell(status, **values):
        told = fake.move(uuid, status, **values)
        live.listeners[uuid](News(job=told["job"], event=told["event"]))
        cards.step()

    return type("Kept", (), locals())


def test_news_redraws_the_card(kept):
    kept.tell("RUNNING", remoteStarted="1970-01-01T00:00:08.000000Z")
    assert "▶ frame-1  RUNNING  running 00:02" in kept.handle.text


def test_the_time_ticks_without_news(kept):
    drawn = len(kept.handle.shown)
    kept.clock[0] += 1.0
    kept.cards.step()
    assert len(kept.handle.shown) == drawn + 1
    assert "00:11" in kept.handle.text


def test_what_the_job_prints_is_shown_from_near_its_end(fake, kept):
    fake.outputs[kept.uuid] = {"tapisjob.out": b"x" * 100_000}
    kept.tell("RUNNING")
    path, offset, listener = kept.live.tails[kept.uuid]
    assert path == "tapisjob.out"
    assert 0 < offset < 100_000
    listener(b"10%\r20%\rstep 2\n")
    kept.clock[0] += 0.5
    kept.cards.step()
    assert "│ step 2" in kept.handle.text


def test_the_end_completes_the_card_and_lets_the_stream_go(fake, kept):
    fake.outputs[kept.uuid] = {"tapisjob.out": b"all done\n", "disp.csv": b"12"}
    kept.tell("RUNNING")
    kept.tell("FINISHED", ended="1970-01-01T00:00:12.000000Z")
    assert "done in 12 s" in kept.handle.text
    assert "│ all done" in kept.handle.text
    assert "disp.csv 2 B" in kept.handle.text
    assert kept.card.settled.is_set()
    assert set(kept.live.stopped) == {("news", kept.uuid), ("tail", kept.uuid)}


def test_trouble_is_shown_and_goes_away(kept):
    kept.live.listeners[kept.uuid](News(trouble="The server does not answer; trying again."))
    kept.cards.step()
    assert "⚠ The server does not answer" in kept.handle.text
    kept.tell("RUNNING")
    assert "⚠" not in kept.handle.text


def test_a_server_that_goes_before_the_end_is_told_is_asked_again(fake, kept):
    from fake_tapis import error

    path = f"/v3/jobs/{kept.uuid}/output/list/"
    fake.instead[path] = lambda request: error(503)
    kept.tell("FINISHED", ended="1970-01-01T00:00:12.000000Z")
    assert not kept.card.settled.is_set()
    del fake.instead[path]
    kept.live.listeners[kept.uuid](News(job=fake.jobs[kept.uuid]))
    kept.cards.step()
    assert kept.card.settled.is_set()


def test_a_finished_job_is_shown_once_and_not_kept(fake, tapis):
    handle = Handle()
    uuid = fake.add_job("FINISHED", ended="2026-11-21T05:00:12.000000Z")
    fake.outputs[uuid] = {"disp.csv": b"12"}
    assert show(tapis.job(uuid), handle).settled.is_set()
    assert len(handle.shown) == 1
    assert "disp.csv 2 B" in handle.text


def test_a_job_at_the_end_of_a_cell_is_its_card(fake, tapis, shell, run):
    shell.user_ns["job"] = tapis.job(fake.add_job("QUEUED", name="frame-1"))
    assert "◷ frame-1  QUEUED" in run("job")


def test_a_card_shows_how_far_the_application_says_it_is():
    shown = card(job={"progress": 40.0, "progressMessage": "step 12"})
    assert "████████░░░░░░░░░░░░ 40 % · step 12" in shown["text/plain"]
    assert 'role="progressbar"' in shown["text/html"]
    assert 'aria-valuenow="40.0" aria-valuetext="40 % · step 12"' in shown["text/html"]
    assert "width:40.0%" in shown["text/html"]
    assert shown[MIME]["job"]["progress"] == 40.0


def test_a_card_of_a_job_that_told_nothing_has_no_bar():
    shown = card()
    assert "progressbar" not in shown["text/html"]
    assert "░" not in shown["text/plain"]


def test_words_about_progress_are_text_and_need_no_percentage():
    shown = card(job={"progressMessage": "<img src=x>\x1b[2J"})
    assert "img" not in Tags(shown["text/html"]).tags
    assert "progressbar" not in shown["text/html"]
    assert "  <img src=x>\n" in shown["text/plain"] + "\n"
