"""Pictures show what the frame holds: values, states in their colours and signs, and what is missing."""

import itertools
import json
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex

from jupyter_tapis_jobs.client.failure_groups import failure_groups
from jupyter_tapis_jobs.client.study_plots import KINDS, plot, style
from jupyter_tapis_jobs.client.study_plots.timeline import spans_of
from jupyter_tapis_jobs.client.words import STATES
from jupyter_tapis_jobs.model.errors import InvalidInputError, UnavailableError

BEGIN = pd.Timestamp("2026-11-21T05:00:00Z")


@pytest.fixture
def grid(study):
    """A grid of 6 x 5 cases: one failed, one queued, one not submitted, the rest with a drift."""

    def made(**more):
        pairs = list(itertools.product(range(10, 70, 10), [0.1, 0.2, 0.3, 0.4, 0.5]))
        statuses = ["FINISHED"] * 27 + ["FAILED", "QUEUED", None]
        seconds = pd.to_timedelta(np.arange(30.0), unit="s")
        frame = study(
            {"k": [k for k, _ in pairs], "scale": [scale for _, scale in pairs], **more},
            statuses,
            created=pd.Series([BEGIN] * 29 + [pd.NaT]),
            remoteStarted=pd.Series([*(BEGIN + seconds)[:28], pd.NaT, pd.NaT]),
            ended=pd.Series([*(BEGIN + seconds + pd.Timedelta(61, "s"))[:28], pd.NaT, pd.NaT]),
            runSeconds=[60.0] * 28 + [None] * 2,
        )
        drift = [scale / k for k, scale in pairs[:27]] + [None] * 3
        return frame.assign(drift=pd.Series(drift, dtype="float64"))

    return made


def texts(axes):
    return [text.get_text() for text in axes.texts]


def axes_of(picture):
    return picture.figure.axes[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_static_picture_with_labels_on_its_axes(grid, kind):
    picture = plot(grid(), "drift", kind=kind)
    assert picture.png().startswith(b"\x89PNG")
    labels = [axes.get_xlabel() + axes.get_ylabel() for axes in picture.figure.axes]
    assert kind == "parallel" or any(labels)
    assert picture.figure.get_suptitle()


def test_a_result_is_drawn_over_each_parameter_that_varies_and_labels_have_units(grid):
    picture = plot(grid(fixed=[1] * 30), "drift", kind="response", units={"drift": "%", "k": "kN/mm"})
    first, second = picture.figure.axes
    assert [first.get_xlabel(), second.get_xlabel()] == ["k (kN/mm)", "scale"]
    assert first.get_ylabel() == "drift (%)"
    (points,) = (item for item in first.collections if isinstance(item, PathCollection))
    assert len(points.get_offsets()) == 27
    assert picture.figure.get_suptitle() == "drift: 27 results, 3 without"


def test_a_full_grid_of_two_numbers_is_a_heat_map_with_its_values_written(grid):
    frame = grid()
    axes = axes_of(plot(frame, "drift"))
    values = axes.images[0].get_array()
    assert values.shape == (5, 6)
    assert values[0, 0] == frame["drift"][0]
    assert "0.01" in texts(axes)


def test_cells_without_a_result_tell_where_their_cases_stand(grid):
    axes = axes_of(plot(grid(), "drift"))
    assert {"✗", "◷"} <= set(texts(axes))
    assert "✗ FAILED" in axes.get_title(loc="left")


def test_a_state_has_the_colour_and_the_sign_that_it_has_everywhere(grid):
    axes = axes_of(plot(grid()))
    shown = axes.images[0].get_array()
    assert to_hex(shown[0, 0]) == STATES["FINISHED"].colour
    assert to_hex(shown[2, 5]) == STATES["FAILED"].colour
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "✗ FAILED 1",
        "◷ QUEUED 1",
        "✓ FINISHED 27",
        "· NOT SUBMITTED 1",
    ]


def test_of_several_cases_in_a_cell_the_worst_is_shown(grid):
    frame = grid(damping=["low", "high", "low"] * 10)
    frame.loc[1, ["scale", "status"]] = [0.1, "FAILED"]
    axes = axes_of(plot(frame, x="k", y="scale"))
    assert to_hex(axes.images[0].get_array()[0, 0]) == STATES["FAILED"].colour


def test_in_a_large_map_what_is_not_done_still_has_its_sign(study):
    frame = study({name: np.arange(2000) % 7 for name in "abc"}, ["FINISHED"] * 1990 + ["FAILED"] * 10)
    assert texts(axes_of(plot(frame))) == ["✗"] * 10


def test_sampled_cases_are_points_and_their_heat_map_has_ranges(study):
    chance = np.random.default_rng(1)
    frame = study({"k": chance.random(300), "soil": chance.random(300)}, ["FINISHED"] * 299 + ["FAILED"])
    frame["drift"] = frame["k"]
    points = [len(item.get_offsets()) for item in axes_of(plot(frame)).collections]
    assert points == [299, 1]
    assert axes_of(plot(frame, "drift", kind="heatmap")).images[0].get_array().shape == (10, 10)


def test_parallel_axes_have_a_line_for_each_result_and_dashes_for_the_others(grid):
    axes = axes_of(plot(grid(soil=["clay", "sand"] * 15), "drift", kind="parallel"))
    drawn, missing = (item for item in axes.collections if isinstance(item, LineCollection))
    assert (len(drawn.get_segments()), len(missing.get_segments())) == (27, 3)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["k", "scale", "soil", "drift"]
    assert {"clay", "sand"} <= set(texts(axes))


def test_the_timeline_has_a_bar_of_waiting_and_one_of_running(grid):
    above, below = plot(grid(), kind="timeline").figure.axes
    bars = [item for item in below.collections if isinstance(item, PolyCollection)]
    assert [len(item.get_paths()) for item in bars] == [29, 1, 27]
    assert below.get_xlabel() == "time since the first case was submitted (s)"
    assert above.get_ylim()[1] > 27


def test_the_unit_of_the_timeline_fits_its_length(grid):
    frame = grid()
    frame["runSeconds"] += 5 * 3600
    assert plot(frame, kind="timeline").figure.axes[1].get_xlabel().endswith("(h)")


def test_a_case_that_is_archived_runs_no_more(study):
    begin = pd.Series([BEGIN] * 2)
    frame = study(
        {"k": [1, 2]}, ["FINISHED"] * 2, created=begin, ended=begin + pd.Timedelta(60, "s"),
        remoteStarted=begin + pd.to_timedelta([0, 3], unit="s"), runSeconds=[3.0, None],
    )  # fmt: skip
    spans = spans_of(frame, None)
    assert spans[["start", "end"]].to_numpy().tolist() == [[0, 3], [3, 60]]


def test_failed_cases_are_bars_of_what_they_said(grid):
    frame = grid()
    report = failure_groups(frame, {frame["jobUuid"][27]: ["Error: cost is $5 and $6"]})
    picture = plot(frame, kind="failures", report=report)
    axes = axes_of(picture)
    assert [bar.get_width() for bar in axes.patches] == [1]
    assert axes.get_yticklabels()[0].get_text() == r'"Error: cost is \$5 and \$6"'
    assert picture.png()
    assert plot(frame.head(5), kind="failures").figure.get_suptitle() == "No case of 5 failed"


def test_ten_thousand_cases_are_drawn_at_once(study):
    seconds = pd.Series(BEGIN + pd.to_timedelta(np.arange(10_000), unit="s"))
    frame = study(
        {"k": np.arange(10_000), "scale": np.linspace(0, 1, 10_000)},
        ["FINISHED"] * 10_000,
        created=pd.Series([BEGIN] * 10_000),
        remoteStarted=seconds,
        ended=seconds + pd.Timedelta(30, "s"),
    )
    frame = frame.assign(drift=frame["scale"])
    for kind in KINDS:
        figure = plot(frame, "drift", kind=kind).figure
        assert sum(len(axes.collections) + len(axes.texts) + len(axes.patches) for axes in figure.axes) < 100


def test_dates_words_and_truths_are_parameters_too(grid):
    dates = pd.date_range("2026-01-01", periods=30)
    frame = grid(day=dates, soil=["clay", "sand"] * 15, big=[True, False] * 15)
    picture = plot(frame, "drift", kind="response", x=["day", "soil", "big"])
    assert [axes.get_xlabel() for axes in picture.figure.axes] == ["day", "soil", "big"]
    assert [tick.get_text() for tick in picture.figure.axes[2].get_xticklabels()] == ["False", "True"]
    assert picture.png()


def test_every_state_has_a_sign_that_the_font_of_the_pictures_has():
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    assert {
        style.glyph(state) for state in STATES if not font.get_char_index(ord(style.glyph(state)))
    } == set()


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("drfit",), {}, "result 'drfit' is not a column .* Did you mean 'drift'"),
        ((), {"kind": "heat"}, "kind 'heat' is not one of: response, heatmap"),
        (
            (),
            {"kind": "response"},
            r"draws a result: name one, plot\('drift', …\)\. Results: drift, none, queue",
        ),
        (("soil",), {}, "'soil' does not hold numbers"),
        (("drift",), {"kind": "heatmap", "x": "k"}, "has two axes: name them"),
        (("none",), {}, "No case has a 'none' yet"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(grid, arguments, options, words):
    frame = grid(soil=["clay", "sand"] * 15).assign(none=np.nan)
    with pytest.raises(InvalidInputError, match=words):
        plot(frame, *arguments, **options)


def test_an_empty_study_and_a_frame_without_times_say_so(grid):
    with pytest.raises(InvalidInputError, match="has no cases yet"):
        plot(grid().head(0))
    with pytest.raises(InvalidInputError, match=r"The timeline needs .* ended is not in this frame"):
        plot(grid().drop(columns="ended"), kind="timeline")


@pytest.mark.parametrize("kind", KINDS)
def test_no_picture_is_wider_than_a_notebook(grid, kind):
    picture = plot(grid(a=range(30), b=range(30)), "drift", kind=kind, x=["k", "scale"])
    width = int.from_bytes(picture.png()[16:20])
    assert 500 < width <= 768


def test_a_picture_is_saved_by_the_end_of_its_name(grid, tmp_path):
    picture = plot(grid())
    assert picture.save(tmp_path / "a.svg").read_text().startswith("<?xml")
    with pytest.raises(InvalidInputError, match=r"'\.doc' is no kind of picture"):
        picture.save(tmp_path / "a.doc")


def test_without_plotly_the_static_picture_is_there_and_a_sentence_says_what_to_install(grid, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    picture = plot(grid())
    assert set(picture._repr_mimebundle_()) == {"image/png", "text/plain"}
    with pytest.raises(UnavailableError, match=r"pip install 'jupyter-tapis-jobs\[studies\]'"):
        _ = picture.interactive


@pytest.mark.parametrize("kind", KINDS)
def test_where_plotly_is_every_kind_is_interactive_beside_the_static_one(grid, kind):
    pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[studies]'")
    frame = grid(soil=["<b>clay", "sand"] * 15)
    shown = plot(frame, "drift", kind=kind, x=["k", "scale"])._repr_mimebundle_()
    assert {"image/png", "application/vnd.plotly.v1+json"} <= set(shown)
    text = json.dumps(shown["application/vnd.plotly.v1+json"])
    assert "<b>" not in text
    assert "NaN" not in text


def test_an_interactive_page_needs_no_network(grid, tmp_path):
    pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[studies]'")
    page = plot(grid(), "drift").save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert "Plotly.newPlot" in page


# --- studies that were sampled ----------------------------------------------------------------
def sampled(study, count):
    rng = np.random.default_rng(3)
    frame = study({"k": rng.random(count) * 50, "damping": rng.random(count)}, ["FINISHED"] * count)
    return frame.assign(drift=rng.random(count))


def test_points_of_a_sampled_study_stand_at_their_values_with_medians_of_neighbours(study):
    frame = sampled(study, 500)
    axes = axes_of(plot(frame, "drift", kind="response"))
    assert np.allclose(axes.collections[0].get_offsets()[:, 0], frame["k"])
    (line,) = axes.lines
    assert len(line.get_xdata()) == 20
    assert np.all(np.diff(line.get_xdata()) > 0)
    assert line.get_ydata().max() - line.get_ydata().min() < 0.5


def test_a_few_cases_anywhere_are_points_without_a_line(study):
    assert not axes_of(plot(sampled(study, 12), "drift", kind="response")).lines


def test_ticks_whose_words_would_overlap_are_left_to_matplotlib(study):
    frame = study({"k": [1.0, 40.66, 41.64]}, ["FINISHED"] * 3).assign(drift=[1.0, 2.0, 3.0])
    ticks = axes_of(plot(frame, "drift", kind="response")).get_xticklabels()
    assert "40.66" not in [tick.get_text() for tick in ticks]


@pytest.mark.parametrize("kind", ["states", "timeline", "failures", "parallel"])
def test_cases_that_have_just_been_submitted_can_be_drawn(study, kind):
    never = pd.Series([pd.NaT] * 3, dtype="datetime64[us, UTC]")
    times = {"created": pd.Series([BEGIN] * 3), "remoteStarted": never, "ended": never}
    assert plot(study({"k": [1, 2, 3]}, ["PENDING"] * 3, **times), kind=kind).png().startswith(b"\x89PNG")


def test_the_last_line_of_a_failure_is_quoted_in_its_interactive_picture(grid):
    pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[studies]'")
    frame = grid()
    report = failure_groups(frame, {frame["jobUuid"][27]: ["Error: a < b & 'c'"]})
    text = plot(frame, kind="failures", report=report).interactive.to_json()
    assert "a &lt; b &amp; 'c'" in json.dumps(json.loads(text), ensure_ascii=False)
    assert "&quot;" not in text
    assert "&#x27;" not in text
