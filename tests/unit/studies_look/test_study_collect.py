"""Results of many cases become one tidy frame, in which no case is lost."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from fake_tapis import error

from jupyter_tapis_jobs.client.results_file import to_parquet
from jupyter_tapis_jobs.client.study_collect import collect
from jupyter_tapis_jobs.client.tapis import TapisJobsWarning
from jupyter_tapis_jobs.model.errors import InvalidInputError


def csv(*values):
    return {"disp.csv": ("drift\n" + "".join(f"{value}\n" for value in values)).encode()}


def bulk_calls(fake):
    return [call for call in fake.calls if call[1].endswith("/output/bulk")]


def test_parameters_stand_in_front_of_what_each_case_wrote(tapis, study, cache):
    frame = study({"k": [10, 20], "soil": ["A", "B"]}, ["FINISHED"] * 2, [csv(0.1), csv(0.2, 0.3)])
    found = collect(tapis, frame, "disp.csv", cache=cache)
    assert list(found.columns) == ["k", "soil", "caseId", "jobUuid", "status", "drift", "problem"]
    assert found["k"].tolist() == [10, 20, 20]
    assert found["drift"].tolist() == [0.1, 0.2, 0.3]
    assert found["problem"].isna().all()


def test_cases_without_a_result_keep_their_rows_and_say_why(tapis, study, cache):
    frame = study(
        {"k": range(6)},
        ["FINISHED", "FAILED", "QUEUED", None, "CANCELLED", "FINISHED"],
        [csv(0.1), csv(9), {}, {}, {}, {}],
    )
    frame.loc[1, ["condition", "exitCode"]] = ["SCHEDULER_TIMEOUT", 143]
    with pytest.warns(TapisJobsWarning, match=r"5 of 6 cases have no full result from disp\.csv: 1 FAILED"):
        found = collect(tapis, frame, "disp.csv", cache=cache)
    assert found["k"].tolist() == list(range(6))
    assert found["drift"].isna().tolist() == [False, True, True, True, True, True]
    assert found["problem"].tolist()[1:] == [
        "FAILED: stopped at its time limit",
        "not finished: it is QUEUED",
        "not submitted",
        "CANCELLED",
        "no output disp.csv",
    ]


def test_outputs_of_cases_that_failed_are_read_when_asked_for(tapis, study, cache):
    frame = study({"k": [1, 2]}, ["FINISHED", "FAILED"], [csv(0.1), csv(0.7)])
    found = collect(tapis, frame, "disp.csv", unfinished=True, cache=cache)
    assert found["drift"].tolist() == [0.1, 0.7]
    assert found["status"].tolist() == ["FINISHED", "FAILED"]


def test_many_cases_take_one_call_and_none_the_second_time(fake, tapis, study, cache):
    frame = study({"k": range(50)}, ["FINISHED"] * 50, [csv(number) for number in range(50)])
    first = collect(tapis, frame, "disp.csv", cache=cache)
    assert len(bulk_calls(fake)) == 1
    pd.testing.assert_frame_equal(collect(tapis, frame, "disp.csv", cache=cache), first)
    assert len(bulk_calls(fake)) == 1
    collect(tapis, frame, "disp.csv", cache=cache, fresh=True)
    assert len(bulk_calls(fake)) == 2


def test_only_new_cases_are_fetched(fake, tapis, study, cache):
    frame = study({"k": range(3)}, ["FINISHED"] * 3, [csv(number) for number in range(3)])
    collect(tapis, frame.head(2), "disp.csv", cache=cache)
    asked = []
    answer = fake._jobs_output_bulk
    fake.instead["/v3/jobs/output/bulk"] = lambda request: (
        asked.extend(json.loads(request.content)["uuids"]) or answer(request)
    )
    found = collect(tapis, frame, "disp.csv", cache=cache)
    assert asked == [frame["jobUuid"][2]]
    assert found["drift"].tolist() == [0, 1, 2]


def test_what_a_running_case_has_written_is_not_kept(fake, tapis, study, cache):
    frame = study({"k": [1]}, ["RUNNING"], [csv(0.1)])
    collect(tapis, frame, "disp.csv", unfinished=True, cache=cache)
    fake.outputs[frame["jobUuid"][0]] = csv(0.2)
    assert collect(tapis, frame, "disp.csv", unfinished=True, cache=cache)["drift"].tolist() == [0.2]


def test_a_glob_reads_every_file_that_fits_and_names_it(fake, tapis, study, cache):
    frame = study(
        {"k": [1, 2, 3]},
        ["FINISHED"] * 3,
        [
            {"a.json": b'{"peak": 1}', "b.json": b'{"peak": 2}', "x.csv": b"q\n1\n", "deep/c.json": b"{}"},
            {"a.json": b'{"peak": 3}'},
            {"x.csv": b"q\n1\n"},
        ],
    )
    with pytest.warns(TapisJobsWarning, match=r"1 of 3 cases .* 1 no output \*\.json"):
        found = collect(tapis, frame, "*.json", cache=cache)
    told = found[["k", "file", "peak"]].astype(object)
    assert told.where(told.notna(), 0).values.tolist() == [
        [1, "a.json", 1],
        [1, "b.json", 2],
        [2, "a.json", 3],
        [3, 0, 0],
    ]
    assert [call for call in fake.calls if "output" in call[1]] == bulk_calls(fake)
    assert len(bulk_calls(fake)) == 1


def test_a_glob_over_many_cases_takes_one_call_and_none_the_second_time(fake, tapis, study, cache):
    frame = study(
        {"k": range(1000)},
        ["FINISHED"] * 1000,
        [{"run.json": b'{"peak": %d}' % number, "x.csv": b"q\n1\n"} for number in range(1000)],
    )
    first = collect(tapis, frame, "*.json", cache=cache)
    assert first["peak"].tolist() == list(range(1000))
    assert len([call for call in fake.calls if call[1].startswith("/v3/jobs")]) == 1
    pd.testing.assert_frame_equal(collect(tapis, frame, "*.json", cache=cache), first)
    assert len(bulk_calls(fake)) == 1
    collect(tapis, frame, "x.*", cache=cache)
    collect(tapis, frame, "*.json", cache=cache, fresh=True)
    assert len(bulk_calls(fake)) == 3


def test_a_glob_over_a_running_case_is_asked_again(fake, tapis, study, cache):
    frame = study({"k": [1]}, ["RUNNING"], [{"a.json": b'{"peak": 1}'}])
    collect(tapis, frame, "*.json", unfinished=True, cache=cache)
    fake.outputs[frame["jobUuid"][0]]["b.json"] = b'{"peak": 2}'
    assert collect(tapis, frame, "*.json", unfinished=True, cache=cache)["peak"].tolist() == [1, 2]


def test_what_is_no_glob_is_refused_in_a_sentence(fake, tapis, study, cache):
    frame = study({"k": [1]}, ["FINISHED"], [{"a.json": b"{}"}])
    with pytest.raises(InvalidInputError, match=r"'\[z-a\]\.json' is no glob"):
        collect(tapis, frame, "[z-a].json", cache=cache)


def test_a_result_that_is_called_like_a_parameter_gets_a_name_of_its_own(tapis, study, cache):
    frame = study({"k": [1]}, ["FINISHED"], [{"r.csv": b"k,status,jobUuid\n5,fine,me\n"}])
    found = collect(tapis, frame, "r.csv", cache=cache)
    row = found.iloc[0]
    assert [row["k"], row["k_result"], row["status_result"], row["jobUuid_result"]] == [1, 5, "fine", "me"]


def test_an_unreadable_file_is_the_problem_of_its_case_only(tapis, study, cache):
    frame = study({"k": [1, 2, 3]}, ["FINISHED"] * 3, [csv(0.1), {"disp.csv": b""}, {"disp.csv": b"drift\n"}])
    with pytest.warns(TapisJobsWarning, match="2 of 3 cases"):
        found = collect(tapis, frame, "disp.csv", cache=cache)
    assert found["drift"].fillna(-1).tolist() == [0.1, -1, -1]
    assert found["problem"].tolist()[1].startswith("disp.csv cannot be read as a table")
    assert found["problem"].tolist()[2] == "disp.csv has no rows"


def test_text_is_read_by_a_regular_expression(tapis, study, cache):
    outputs = [{"tapisjob.out": b"step 1\npeak = 2.5e-3 at 4\n"}, {"tapisjob.out": b"nothing\n"}]
    frame = study({"k": [1, 2]}, ["FINISHED"] * 2, outputs)
    with pytest.warns(TapisJobsWarning, match="1 nothing in tapisjob"):
        found = collect(
            tapis, frame, "tapisjob.out", pattern=r"^peak = (?P<peak>\S+) at (?P<t>\d+)", cache=cache
        )
    assert found.loc[0, ["peak", "t"]].tolist() == [0.0025, 4]
    assert "nothing in tapisjob.out matches" in found["problem"][1]


def test_a_parser_is_given_an_open_file(tapis, study, cache):
    frame = study({"k": [1]}, ["FINISHED"], [{"x.npy": b"\x01\x02"}])
    found = collect(tapis, frame, "x.npy", parser=lambda file: {"bytes": len(file.read())}, cache=cache)
    assert found["bytes"].tolist() == [2]


def test_a_function_of_the_job_gives_values_rows_or_tables(tapis, study, cache):
    frame = study({"k": [1, 2]}, ["FINISHED"] * 2, [csv(0.1), csv(0.2, 0.3)])
    values = collect(tapis, frame, lambda job: float(job.read_csv("disp.csv")["drift"].max()), cache=cache)
    assert values["value"].tolist() == [0.1, 0.3]
    tables = collect(tapis, frame, lambda job: job.read_csv("disp.csv"), cache=cache)
    assert tables["k"].tolist() == [1, 2, 2]


def test_an_error_in_the_function_is_the_problem_of_its_case(tapis, study, cache):
    frame = study({"k": [1, 2]}, ["FINISHED"] * 2, [csv(0.1), {}])
    with pytest.warns(TapisJobsWarning, match="1 of 2 cases"):
        found = collect(tapis, frame, lambda job: len(job.read_csv("disp.csv")), cache=cache)
    assert found["problem"][1].startswith("NotFoundError: disp.csv is not among the outputs")
    with pytest.raises(InvalidInputError, match="failed for all 2 cases; the first: NameError"):
        collect(tapis, frame, lambda job: nonsense, cache=cache)  # noqa: F821


def test_a_frame_of_jobs_does_as_well(fake, tapis, cache):
    for number in range(3):
        fake.outputs[fake.add_job("FINISHED", name=f"run-{number}")] = csv(number)
    found = collect(tapis, tapis.jobs(), "disp.csv", cache=cache)
    assert list(found.columns) == ["name", "jobUuid", "status", "drift", "problem"]
    assert sorted(found["drift"]) == [0, 1, 2]


def test_a_job_whose_outputs_were_removed_does_not_lose_the_others(fake, tapis, study, cache):
    fake.ours = False  # our own server lists the outputs of all jobs at once
    frame = study({"k": [1, 2]}, ["FINISHED"] * 2, [{"a.json": b"1"}, {"a.json": b"2"}])
    fake.instead[f"/v3/jobs/{frame['jobUuid'][0]}/output/list/"] = lambda request: error(404, "gone")
    with pytest.warns(TapisJobsWarning, match=r"1 of 2 cases .* 1 no output \*\.json"):
        found = collect(tapis, frame, "*.json", cache=cache)
    assert found["a"].fillna(0).tolist() == [0, 2]


def test_a_tenant_is_read_job_by_job(fake, study, cache):
    fake.ours = False
    tapis = fake.tapis()
    frame = study({"k": range(4)}, ["FINISHED"] * 4, [csv(0), csv(1), {}, csv(3)])
    with pytest.warns(TapisJobsWarning, match=r"1 no output disp\.csv"):
        found = collect(tapis, frame, "disp.csv", cache=cache)
    assert found["drift"].fillna(-1).tolist() == [0, 1, -1, 3]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parser": "cvs"}, "parser 'cvs' is not one of: csv, .*Did you mean 'csv'"),
        ({"pattern": "("}, "pattern '\\(' is no regular expression"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_fetched(fake, tapis, study, options, words):
    frame = study({"k": [1]}, ["FINISHED"], [csv(1)])
    with pytest.raises(InvalidInputError, match=words):
        collect(tapis, frame, "disp.csv", **options)
    assert bulk_calls(fake) == []
    with pytest.raises(InvalidInputError, match="wants a study's frame"):
        collect(tapis, pd.DataFrame({"k": [1]}), "disp.csv")


def test_no_case_at_all_gives_the_same_columns(tapis, study, cache):
    found = collect(tapis, study({"k": []}, []), "disp.csv", cache=cache)
    assert list(found.columns) == ["k", "caseId", "jobUuid", "status", "problem"]
    assert found.empty


def test_ten_thousand_cases_are_put_together_without_a_parse_each(tapis, study, cache, monkeypatch):
    parses = []
    read_csv = pd.read_csv
    monkeypatch.setattr(pd, "read_csv", lambda *args, **more: parses.append(1) or read_csv(*args, **more))
    frame = study({"k": np.arange(10_000)}, ["FINISHED"] * 10_000, [csv(n) for n in range(10_000)])
    found = collect(tapis, frame, "disp.csv", cache=cache)
    assert (found["drift"] == found["k"]).all()
    assert len(parses) == 1


def test_results_go_to_parquet(tapis, study, cache, tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[studies]'")
    frame = study({"k": [1, 2], "mixed": [1, "a"]}, ["FINISHED", "QUEUED"], [csv(0.5)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TapisJobsWarning)
        found = collect(tapis, frame, "disp.csv", cache=cache, to=tmp_path / "results.parquet")
    back = pd.read_parquet(tmp_path / "results.parquet")
    assert list(back.columns) == list(found.columns)
    assert back["mixed"].tolist() == ["1", "a"]
    assert [path.name for path in tmp_path.glob("*parquet*")] == ["results.parquet"]


def test_what_parquet_has_no_kind_for_becomes_text_and_what_is_missing_stays_missing(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[studies]'")
    mixed = pd.Series([1, "a", pd.NA, None, float("nan")], dtype=object)
    to_parquet(pd.DataFrame({"mixed": mixed}), tmp_path / "a.parquet")
    assert pd.read_parquet(tmp_path / "a.parquet")["mixed"].isna().tolist() == [
        False,
        False,
        True,
        True,
        True,
    ]
    with pytest.raises(InvalidInputError, match="cannot be written"):
        to_parquet(pd.DataFrame({"a": [1]}), tmp_path / "no folder" / "a.parquet")


def test_without_pyarrow_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    def missing(*args, **more):
        raise ImportError("no engine")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", missing)
    with pytest.raises(Exception, match=re.escape("pip install 'jupyter-tapis-jobs[studies]'")):
        to_parquet(pd.DataFrame({"a": [1]}), tmp_path / "a.parquet")


def test_the_client_collects_from_jobs_what_a_study_does(fake, tapis, study, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    uuids = [fake.add_job("FINISHED", name=f"run-{number}") for number in range(3)]
    for number, uuid in enumerate(uuids):
        fake.outputs[uuid] = {"peak.json": f'{{"drift": {number}}}'.encode(), **csv(number)}
    assert tapis.collect(uuids, "*.json")["drift"].tolist() == [0, 1, 2]
    assert tapis.collect(uuids, lambda job: job.name)["value"].tolist() == ["run-0", "run-1", "run-2"]
    assert list(tapis.collect(uuids, "disp.csv").columns) == ["jobUuid", "drift"]
    frame = study({"k": [5]}, ["FINISHED"], [csv(7)])
    assert tapis.collect(frame, "disp.csv")[["k", "drift"]].values.tolist() == [[5, 7]]


# --- what a newcomer gets wrong ---------------------------------------------------------------
def test_what_cannot_be_collected_is_refused_with_a_sentence(tapis, study, cache):
    frame = study({"k": [10]}, ["FINISHED"], [csv(0.1)])
    with pytest.raises(InvalidInputError, match=r"collect takes an output .* not 5\."):
        collect(tapis, frame, 5, cache=cache)
    with pytest.raises(InvalidInputError, match=r"disp\.csv cannot be read with seperator: .*'seperator'"):
        collect(tapis, frame, "disp.csv", seperator=";", cache=cache)


def test_a_parameter_that_is_called_file_keeps_its_name_beside_a_globs_files(tapis, study, cache):
    frame = study({"file": ["a.txt", "b.txt"]}, ["FINISHED"] * 2, [csv(0.1), csv(0.2)])
    found = collect(tapis, frame, "*.csv", cache=cache)
    assert found["file"].tolist() == ["a.txt", "b.txt"]
    assert found["file_result"].tolist() == ["disp.csv"] * 2


def test_a_case_with_many_rows_and_one_problem_counts_once(tapis, study, cache):
    frame = study({"k": [1, 2]}, ["FINISHED"] * 2, [{**csv(0.1, 0.2), "x.csv": b""}, csv(0.3)])
    with pytest.warns(TapisJobsWarning, match=r"1 of 2 cases have no full result from \*\.csv: 1 x\.csv"):
        found = collect(tapis, frame, "*.csv", cache=cache)
    assert found["drift"].tolist() == [0.1, 0.2, 0.3]
