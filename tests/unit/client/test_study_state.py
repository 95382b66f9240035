"""How a study's progress is told: counts, a bar that never lies, and an honest time left."""

import itertools

import pytest

from jupyter_tapis_jobs.client.study_state import Pace, StudyState, rounded
from jupyter_tapis_jobs.client.study_watch import Watch, wait_for_study
from jupyter_tapis_jobs.client.waiting import WaitInterrupted
from jupyter_tapis_jobs.model.errors import UnavailableError


def state(waiting=0, **counts):
    return StudyState(name="s", counts=counts, waiting=waiting)


def test_the_line_counts_what_a_person_sees_as_one_state():
    line = state(FINISHED=1497, FAILED=17, RUNNING=112, QUEUED=300, SUBMITTING_JOB=74).line
    head, *groups = line.split("   ")
    assert head == "s  ███████████████░░░░░  1,514 of 2,000"
    assert groups == ["✓ 1,497 done", "✗ 17 failed", "▶ 112 running", "◷ 374 in the queue"]


@pytest.mark.parametrize(
    ("ended", "bar"), [(0, "░" * 20), (1, "█" + "░" * 19), (9999, "█" * 19 + "░"), (10000, "█" * 20)]
)
def test_the_bar_is_neither_empty_nor_full_before_it_is(ended, bar):
    assert f"  {bar}  " in state(FINISHED=ended, RUNNING=10000 - ended).line


def test_a_study_is_over_when_nothing_is_in_flight_though_cases_were_never_submitted():
    assert state(waiting=3, FINISHED=2).is_over
    assert state(waiting=3, FINISHED=2).line.endswith("2 of 5   ✓ 2 done   · 3 not submitted")
    assert not state(FINISHED=2, BLOCKED=1).is_over


def simulated(pace, *, cases, at_once, seconds, until, step=1.0):
    """Run cases of equal length in waves from time 0 on; return what is said at *until*."""
    said = ""
    for tick in range(int(until / step) + 1):
        now = tick * step
        ended = min(cases, at_once * int(now // seconds))
        running = min(at_once, cases - ended)
        said = pace.left(state(FINISHED=ended, RUNNING=running, PENDING=cases - ended - running), now)
    return said


def test_waves_of_cases_give_the_time_that_they_will_take():
    # 1,000 cases, 100 at once, 60 s each: 10 waves; after 5 of them 5 minutes are left.
    assert simulated(Pace(), cases=1000, at_once=100, seconds=60, until=300) == "about 5 min left"


def test_nothing_is_said_before_some_cases_have_ended():
    assert simulated(Pace(), cases=1000, at_once=100, seconds=60, until=59) == (
        "no estimate before some cases have ended"
    )


def test_the_wait_in_the_queue_is_no_part_of_the_speed():
    pace = Pace()
    assert pace.left(state(QUEUED=40), 0) == "the queue decides when it starts"
    for now in range(3600, 3661, 10):
        ended = (now - 3600) // 3
        said = pace.left(state(FINISHED=ended, RUNNING=10, QUEUED=30 - ended), now)
    assert said == "about 60 s left"


def test_when_nothing_ends_any_more_the_time_left_grows():
    pace = Pace()
    for now in range(101):
        pace.left(state(FINISHED=now, RUNNING=200 - now), now)
    assert pace.left(state(FINISHED=100, RUNNING=100), 1000) == "about 17 min left"


def test_a_retry_begins_a_new_count():
    pace = Pace()
    for now in range(51):
        pace.left(state(FINISHED=now, RUNNING=50 - now), now)
    assert pace.left(state(FINISHED=40, RUNNING=10), 60) == "no estimate before some cases have ended"


def test_cases_held_back_have_no_time():
    assert Pace().left(state(FINISHED=1, BLOCKED=3), 0) == "held back; no estimate"
    assert Pace().left(state(FINISHED=4), 0) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.1, "10 s"),
        (41, "50 s"),
        (89, "2 min"),
        (100, "2 min"),
        (3599, "60 min"),
        (9000, "3 h"),
        (200_000, "3 d"),
    ],
)
def test_an_estimate_has_no_more_digits_than_it_is_worth(seconds, said):
    assert rounded(seconds) == said


# --- watching ---------------------------------------------------------------------------------
class Shown:
    """A display that keeps what it was told."""

    def __init__(self):
        self.states, self.is_done = [], False

    def show(self, state, *, change):
        self.states.append((state, change))

    def done(self):
        self.is_done = True


def test_a_quiet_study_is_asked_less_and_less_often_a_changing_one_at_once():
    states = iter([state(RUNNING=2)] * 12 + [state(RUNNING=1, FINISHED=1)])
    # An hour has gone by since the first look.
    times = itertools.chain([0.0, 0.0], itertools.repeat(3600.0))
    watch = Watch(lambda: next(states), now=lambda: next(times))
    gaps = [watch.look() and watch.gap for _ in range(13)]
    assert gaps[0] == gaps[12] < 0.5
    assert gaps[:12] == sorted(gaps[:12])
    assert gaps[11] == 3.0


def test_the_end_is_heard_of_soon_by_the_measure_of_what_was_waited():
    waited, gaps = 0.0, []
    watch = Watch(lambda: state(RUNNING=2), now=lambda: waited)
    while waited < 120.0:
        watch.look()
        assert watch.gap <= max(0.2, 0.05 * waited)
        gaps.append(watch.gap)
        waited += watch.gap
    assert gaps == sorted(gaps)
    assert gaps[-1] == 3.0


def test_a_slow_server_is_asked_seldom():
    clock = itertools.count(0.0, 2.0)
    watch = Watch(lambda: state(RUNNING=1), now=lambda: next(clock))
    watch.look()
    assert watch.gap == 40.0


def test_one_slow_answer_does_not_make_the_end_unheard_of():
    answers = itertools.chain([0.0, 0.01, 1.0, 9.0], itertools.count(10.0))
    watch = Watch(lambda: state(RUNNING=1), now=lambda: next(answers))
    watch.look()
    watch.look()
    assert watch.gap < 0.5


def test_ctrl_c_leaves_the_cases_alone_and_says_so():
    def pause(seconds):
        raise KeyboardInterrupt

    shown = Shown()
    with pytest.raises(WaitInterrupted, match=r"The cases go on; study\.wait\(\) waits again"):
        wait_for_study(Watch(lambda: state(RUNNING=1)), shown, None, pause)
    assert shown.is_done


def test_while_the_server_is_away_the_last_state_stays_with_the_reason():
    answers = iter([state(RUNNING=1), UnavailableError("Restarting."), state(FINISHED=1)])

    def ask():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    shown = Shown()
    wait_for_study(Watch(ask), shown, None, lambda seconds: None)
    assert [(s.trouble, s.counts) for s, _ in shown.states] == [
        ("", {"RUNNING": 1}), ("Restarting.", {"RUNNING": 1}), ("", {"FINISHED": 1}),
    ]  # fmt: skip
