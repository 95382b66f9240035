"""Functions as jobs: what is sent, what is refused at once, and what a result may do here."""

from __future__ import annotations

import base64
import functools
import io
import pickle
import sys
import threading
import zipfile

import cloudpickle
import pandas as pd
import pytest

from jupyter_tapis_jobs.client.call_outcome import RemoteTraceback
from jupyter_tapis_jobs.client.pickled import bundle
from jupyter_tapis_jobs.model.errors import InvalidInputError, JobError, NotAllowedError, UnavailableError

LOCK = threading.Lock()


def area(width: float, height: float = 1.0) -> float:
    return width * height


def guarded(width: float) -> float:
    with LOCK:
        return width


class StepError(Exception):
    """Comes back from a pickle with other words."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step}")


class RefusingError(Exception):
    """Comes back from no pickle."""

    def __init__(self) -> None:
        super().__init__("one", "two")


def arguments(request):
    item = next(item for item in request["fileInputs"] if item["targetPath"] == "arguments.pkl")
    return pickle.loads(base64.b64decode(item["sourceUrl"].partition(",")[2]))


def variables(request):
    return {item["key"]: item["value"] for item in request["parameterSet"]["envVariables"]}


def ended(fake, uuid, outcome, status="FINISHED"):
    """The job of a call has left *outcome*."""
    fake.outputs[uuid]["result.pkl"] = pickle.dumps(outcome)
    fake.move(uuid, status)


def raised(error):
    try:
        data = cloudpickle.dumps(error)
    except TypeError:
        data = None
    return {"raised": "words of it", "traceback": "Traceback of it", "exception": data}


# --- what is sent -----------------------------------------------------------------------------
def test_a_call_is_a_job_of_the_python_app_with_its_arguments_inside_the_request(fake, tapis):
    job = tapis.call(area, 2, kwargs={"height": 3}, system="frontera", maxMinutes=5, coresPerNode=2)
    request = fake.last_request()
    assert (request["appId"], request["execSystemId"], request["maxMinutes"]) == ("python", "frontera", 5)
    assert [item["targetPath"] for item in request["fileInputs"]] == [
        "script.py",
        "call.zip",
        "arguments.pkl",
    ]
    assert arguments(request) == ((2,), {"height": 3})
    assert job.name == "area-1"


def test_what_calls_share_is_uploaded_once_and_travels_in_no_request(fake, tapis):
    calls = tapis.map(area, pd.DataFrame({"width": range(50)}), kwargs={"height": 2.0})
    shared = {tuple(item["sourceUrl"] for item in r["fileInputs"][:2]) for r in fake.requests.values()}
    assert (len(calls), len(fake.uploads), len(shared)) == (50, 2, 1)
    assert [arguments(request) for request in fake.requests.values()] == [
        ((), {"width": k}) for k in range(50)
    ]
    assert [call for call in fake.calls if "submit" in call[1]] == [("POST", "/v3/jobs/submit/bulk")]
    tapis.map(area, [1, 2])
    tapis.call(area, 1)
    # Without arguments of all calls it is another archive; the script is the same.
    assert len(fake.uploads) == 3


def test_large_arguments_are_uploaded(fake, tapis):
    tapis.map(area, [bytes(100_000)])
    assert {len(data) > 100_000 for name, data in fake.uploads.items() if "arguments" in name} == {True}


def test_the_same_function_is_the_same_archive_without_sources(fake):
    first, again = bundle(area, {}, []), bundle(area, {}, [])
    assert first == again
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert {"call.json", "function.pkl", "cloudpickle/cloudpickle.pyc"} <= set(names)
    assert len(first) < 30_000


def test_the_interpreter_of_a_call_can_be_named_and_is_the_kernels_own_here(fake, tapis):
    tapis.call(area, 1)
    assert variables(fake.last_request())["TAPIS_PYTHON"] == sys.executable
    tapis.call(area, 1, python="/opt/python3.12", env={"K": 3})
    assert variables(fake.last_request()) == {"TAPIS_PYTHON": "/opt/python3.12", "K": "3"}


def test_a_job_is_called_as_its_function_as_far_as_a_jobs_name_may_be(tapis):
    def größe_of_a_function_whose_name_is_longer_than_any_job_may_have() -> None: ...

    assert tapis.call(größe_of_a_function_whose_name_is_longer_than_any_job_may_have).name == (
        "gre_of_a_function_whose_name_is_longer_than_any_-1"
    )
    assert [tapis.call(lambda: 1).name, tapis.call(lambda: 1, name="mine").name] == ["lambda-1", "mine"]


def test_files_beside_the_notebook_go_along(fake, tapis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helpers.py").write_text("depth = 3")
    tapis.call(area, 1, inputs=["helpers.py"], files={"k.txt": "3"})
    targets = [item["targetPath"] for item in fake.last_request()["fileInputs"]]
    assert targets == ["script.py", "k.txt", "call.zip", "helpers.py", "arguments.pkl"]


def test_a_tenant_takes_calls_too_with_everything_uploaded(fake):
    fake.ours = False
    fake.tapis().call(area, 2, system="frontera")
    urls = [item["sourceUrl"] for item in fake.last_request()["fileInputs"]]
    assert {url.startswith("tapis://frontera/") for url in urls} == {True}


# --- what is refused at once ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (guarded, "The function guarded cannot be sent: it uses 'LOCK', which cannot be pickled"),
        (functools.partial(guarded), "The function guarded cannot be sent: it uses 'LOCK'"),
        ((lambda lock: lambda width: lock)(LOCK), "The function lambda cannot be sent: it uses 'lock'"),
        (threading.Lock().acquire, "The function acquire cannot be sent: it uses 'self'"),
    ],
)
def test_a_function_that_cannot_be_pickled_is_refused_with_the_name_of_what_cannot(
    fake, tapis, function, told
):
    with pytest.raises(InvalidInputError) as refused:
        tapis.call(function, 1)
    assert str(refused.value).startswith(told)
    assert fake.requests == {}


def test_an_argument_that_cannot_be_pickled_is_named_with_its_call(fake, tapis):
    with pytest.raises(InvalidInputError, match=r"The argument height of area cannot be pickled: .*lock"):
        tapis.call(area, 1, kwargs={"height": LOCK})
    with pytest.raises(InvalidInputError, match="The argument 1 of call 1 of area cannot be pickled"):
        tapis.map(area, [1, LOCK])
    with pytest.raises(InvalidInputError, match="The function area cannot be sent: it uses 'height'"):
        tapis.map(area, [1], kwargs={"height": LOCK})
    assert fake.requests == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"depth": 3}, r"'depth' is not a field of a job\. .*kwargs=\{'depth': …\}"),
        ({"maxMinute": 3}, "'maxMinute' is not a field of a job. Did you mean 'maxMinutes'?"),
        ({"script": "print()"}, "'script' is not a field of a job"),
        ({"packages": "scipy"}, r"packages 'scipy' is no list of names: packages=\['scipy'\]"),
        (
            {"packages": ["numpy", "scipy>=1.10"]},
            r"packages: 'scipy>=1\.10' is no name of a module",
        ),
        ({"packages": 3}, "packages 3 is no list of names"),
        ({"kwargs": {"depth": 3}}, r"area\(width.*\) -> .* does not take the arguments: got an unexpected"),
    ],
)
def test_what_a_call_does_not_take_is_told(fake, tapis, given, told):
    with pytest.raises(InvalidInputError, match=told):
        tapis.call(area, 1, **given)
    assert fake.requests == {}


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ({"width": [1, 2]}, r"takes a frame or a list of items, not dict\. .*tj\.grid"),
        (3, "takes a frame or a list of items, not int"),
        (pd.DataFrame({"depth": [1]}), "the arguments of call 0: missing a required argument: 'width'"),
        (
            pd.DataFrame({"width": [1], "result": [2]}),
            "The column 'result' is no name for an argument, or one",
        ),
        (pd.DataFrame({3: [1]}), "The column 3 is no name for an argument"),
        (pd.DataFrame([[1, 2]], columns=["width", "width"]), "The column 'width' is there twice"),
    ],
)
def test_what_cannot_be_mapped_is_told(fake, tapis, cases, told):
    with pytest.raises(InvalidInputError, match=told):
        tapis.map(area, cases)
    assert fake.requests == {}


def test_what_is_no_function_is_told(tapis):
    with pytest.raises(InvalidInputError, match="3 is no function"):
        tapis.call(3)


def test_a_map_of_which_a_call_is_refused_runs_nothing(fake, tapis):
    with pytest.raises(InvalidInputError, match="maxMinutes -1 is too small"):
        tapis.map(area, [1, 2], maxMinutes=-1)
    with pytest.raises(InvalidInputError, match="launchMode 'packs' is not one of"):
        tapis.map(area, [1, 2], launchMode="packs")
    assert fake.requests == {}


# --- what comes back --------------------------------------------------------------------------
def test_the_result_of_somebody_elses_job_is_not_unpickled(fake, tapis):
    job = tapis.call(area, 2)
    ended(fake, job.uuid, {"value": pickle.dumps(_Trap())})
    fake.jobs[job.uuid]["owner"] = "ada"
    with pytest.raises(NotAllowedError, match=r"area-1 is ada's: its result is a pickle"):
        tapis.job(job.uuid).result(progress=False)
    assert SPRUNG == []


SPRUNG: list[str] = []


class _Trap:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return _spring, ("it ran",)


def _spring(words: str) -> None:
    SPRUNG.append(words)


@pytest.mark.parametrize("content", [pickle.dumps({"value": _Trap()}), b"no pickle", b"", pickle.dumps(3)])
def test_a_result_that_is_none_is_told_and_runs_nothing(fake, tapis, content):
    job = tapis.call(area, 2)
    fake.outputs[job.uuid]["result.pkl"] = content
    fake.move(job.uuid, "FINISHED")
    with pytest.raises(JobError, match=r"result\.pkl of area-1 is no result of a call"):
        job.result(progress=False)
    assert SPRUNG == []


def test_a_tenant_gives_results_too(fake):
    fake.ours = False
    tapis = fake.tapis()
    jobs = [tapis.call(area, k, system="frontera") for k in (1, 2)]
    ended(fake, jobs[0].uuid, {"value": pickle.dumps(7)})
    fake.move(jobs[1].uuid, "FINISHED")
    assert tapis.job(jobs[0].uuid).result(progress=False) == 7
    with pytest.raises(JobError, match="area-2 has no result of a call"):
        tapis.job(jobs[1].uuid).result(progress=False)


def test_a_call_that_was_ended_from_outside_says_why(fake, tapis):
    job = tapis.call(area, 2)
    fake.move(job.uuid, "FAILED", condition="SCHEDULER_TIMEOUT", maxMinutes=10)
    with pytest.raises(JobError, match=r"area-1 FAILED: stopped at the time limit of 10 min\.$"):
        job.result(progress=False)


def test_a_job_that_is_no_call_has_no_result(fake, tapis):
    job = tapis.submit("bash", script="true")
    fake.move(job.uuid, "FINISHED")
    with pytest.raises(JobError, match=r"bash-1 has no result of a call of tapis\.call or tapis\.map"):
        job.result(progress=False)


@pytest.mark.parametrize("error", [StepError(3), RefusingError()])
def test_an_exception_that_a_pickle_does_not_give_back_is_told_in_its_words(fake, tapis, error):
    job = tapis.call(area, 2)
    ended(fake, job.uuid, raised(error), "FAILED")
    with pytest.raises(JobError, match="area-1 raised words of it") as told:
        job.result(progress=False)
    assert isinstance(told.value.__cause__, RemoteTraceback)
    assert "Traceback of it" in str(told.value.__cause__)


def test_a_value_that_this_python_cannot_unpickle_is_told(fake, tapis):
    job = tapis.call(area, 2)
    ended(fake, job.uuid, {"value": b"cno_such_module\nthing\n."})
    with pytest.raises(JobError, match="What area-1 returned cannot be unpickled here: ModuleNotFoundError"):
        job.result(progress=False)


def test_results_come_in_one_answer_and_are_read_once(fake, tapis):
    calls = tapis.map(area, range(3))
    for place, job in enumerate(calls):
        ended(fake, job.uuid, {"value": pickle.dumps(place * 10)})
    assert calls.results(progress=False) == [0, 10, 20]
    assert calls.frame()["result"].tolist() == [0, 10, 20]
    assert sum(path == "/v3/jobs/output/bulk" and method == "POST" for method, path in fake.calls) <= 2
    assert repr(calls) == "3 calls of area: 3 FINISHED"


def test_a_frame_shows_what_has_ended_so_far(fake, tapis):
    calls = tapis.map(area, ["a", "b", "c"])
    ended(fake, calls[1].uuid, {"value": pickle.dumps([1, 2])})
    ended(fake, calls[2].uuid, {"refused": "scipy is not installed"}, "FAILED")
    table = calls.frame()
    assert table["item"].tolist() == ["a", "b", "c"]
    assert table["result"].tolist() == [None, [1, 2], None]
    assert table["status"].tolist() == ["PENDING", "FINISHED", "FAILED"]
    assert table["error"].tolist() == [None, None, "scipy is not installed"]


def test_a_result_that_could_not_be_had_is_asked_for_again(fake, tapis):
    calls = tapis.map(area, [1])
    fake.move(calls[0].uuid, "FINISHED")
    assert isinstance(calls.results(return_exceptions=True, progress=False)[0], JobError)
    ended(fake, calls[0].uuid, {"value": pickle.dumps(1.0)})
    assert calls.results(progress=False) == [1.0]


def test_only_what_failed_is_called_again_and_what_runs_is_not(fake, tapis):
    calls = tapis.map(area, [1, 2, 3], maxMinutes=5)
    ended(fake, calls[0].uuid, {"value": pickle.dumps(1)})
    ended(fake, calls[1].uuid, {"refused": "no"}, "FAILED")
    old = [job.uuid for job in calls]
    calls.retry(maxMinutes=20)
    assert [job.uuid == was for job, was in zip(calls, old, strict=True)] == [True, False, True]
    assert (fake.last_request()["maxMinutes"], arguments(fake.last_request())) == (20, ((2,), {}))
    with pytest.raises(
        InvalidInputError, match=r"Call 2 \(area-3\) is PENDING: wait\(\) for it, or cancel it"
    ):
        calls.retry(2)
    with pytest.raises(InvalidInputError, match="There is no call 3: they count from 0 to 2"):
        calls.retry(3)


def test_a_server_that_is_away_is_no_result_of_the_call(fake, tapis):
    job = tapis.call(area, 2)
    ended(fake, job.uuid, {"value": pickle.dumps(1)})
    import httpx

    fake.instead["/v3/jobs/output/bulk"] = lambda request: httpx.Response(503)
    with pytest.raises(UnavailableError):
        job.result(progress=False)


# --- several calls of a job -------------------------------------------------------------------
def made(fake, uuid, count, *outcomes, status="FINISHED", cut=0):
    """A job of *count* calls has left *outcomes*, the last one without its last *cut* bytes."""
    stream = b"".join(map(pickle.dumps, [{"calls": count}, *outcomes]))
    fake.outputs[uuid]["result.pkl"] = stream[: len(stream) - cut]
    fake.move(uuid, status)


def value(of):
    return {"value": pickle.dumps(of)}


def test_calls_share_jobs_and_results_keep_their_order(fake, tapis):
    calls = tapis.map(area, range(5), chunksize=2, name="area")
    assert [arguments(request) for request in fake.requests.values()] == [
        [((0,), {}), ((1,), {})],
        [((2,), {}), ((3,), {})],
        [((4,), {})],
    ]
    jobs = list(dict.fromkeys(calls))
    assert [job.name for job in jobs] == ["area-0", "area-2", "area-4"]
    assert (len(calls), calls[3].uuid, calls[-1].uuid) == (5, jobs[1].uuid, jobs[2].uuid)
    for job, values in zip(jobs, [(0, 10), (20, 30), (40,)], strict=True):
        made(fake, job.uuid, len(values), *map(value, values))
    assert calls.results(progress=False) == [0, 10, 20, 30, 40]
    assert jobs[1].result(progress=False) == [20, 30]
    assert jobs[2].result(progress=False) == [40]
    assert repr(calls) == "5 calls of area in 3 jobs: 3 FINISHED"


def test_of_a_job_in_which_a_call_raised_the_others_have_values_and_only_that_one_is_called_again(
    fake, tapis
):
    calls = tapis.map(area, [1, 2, 3, 4], chunksize=4, maxMinutes=5)
    made(fake, calls[0].uuid, 4, value(1), raised(ValueError("no")), value(3), value(4), status="FAILED")
    table = calls.frame()
    assert table["status"].tolist() == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert table["result"].dropna().tolist() == [1, 3, 4]
    assert [job.uuid for job in calls.failed()] == [calls[0].uuid]
    old = calls[0].uuid
    calls.retry(maxMinutes=20)
    assert [job.uuid == old for job in calls] == [True, False, True, True]
    assert (fake.last_request()["maxMinutes"], arguments(fake.last_request())) == (20, [((2,), {})])
    assert calls.failed() == []
    made(fake, calls[1].uuid, 1, value(2))
    assert calls.results(progress=False) == [1, 2, 3, 4]


@pytest.mark.parametrize("cut", [0, 3])
def test_what_a_job_had_before_it_was_killed_counts(fake, tapis, cut):
    calls = tapis.map(area, [1, 2, 3], chunksize=3)
    left = [value(1), value(2)] if cut else [value(1)]
    made(fake, calls[0].uuid, 3, *left, status="CANCELLED", cut=cut)
    found = calls.results(return_exceptions=True, progress=False)
    assert found[0] == 1
    assert [str(error) for error in found[1:]] == [
        "area-1 CANCELLED before this call was done: it was cancelled."
    ] * 2
    assert calls.frame()["status"].tolist() == ["FINISHED", "CANCELLED", "CANCELLED"]
    calls.retry()
    assert arguments(fake.last_request()) == [((2,), {}), ((3,), {})]


def test_a_job_that_made_none_of_its_calls_tells_all_of_them_why(fake, tapis):
    calls = tapis.map(area, [1, 2], chunksize=2)
    ended(fake, calls[0].uuid, {"refused": "scipy is not installed"}, "FAILED")
    assert calls.frame()["error"].tolist() == ["scipy is not installed"] * 2
    calls.retry()
    assert arguments(fake.last_request()) == [((1,), {}), ((2,), {})]


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", True, None])
def test_a_chunksize_that_is_no_number_of_calls_is_told(fake, tapis, size):
    with pytest.raises(InvalidInputError, match=f"chunksize '?{size}'? is no number of calls: 1 has each"):
        tapis.map(area, [1, 2], chunksize=size)
    assert fake.requests == {}


def test_the_argument_that_cannot_be_pickled_is_named_among_those_of_a_job(fake, tapis):
    with pytest.raises(InvalidInputError, match="The argument 1 of call 1 of area cannot be pickled"):
        tapis.map(area, [1, LOCK], chunksize=2)
    assert fake.requests == {}
