"""Failed cases are put together by what ended them, with the call that may mend them."""

import ast

import pandas as pd
import pytest

from jupyter_tapis_jobs.client.case_selection import selection
from jupyter_tapis_jobs.client.failure_causes import Cause, cause_of
from jupyter_tapis_jobs.client.failure_groups import case_failure, failure_groups, failures_of
from jupyter_tapis_jobs.client.study_frame import chosen
from jupyter_tapis_jobs.model.errors import NotFoundError

OPENSEES = [
    "NewtonRaphson::solveCurrentStep() -the ConvergenceTest object failed in test()",
    "OpenSees > analyze failed, returned: -3 error flag",
    "analysis took 3.2 s",
]


@pytest.fixture
def failing(study):
    """Forty cases: two end at the time limit, those with k > 55 do not converge."""

    def made():
        frame = study({"k": range(20, 60), "soil": ["A", "B"] * 20}, ["FINISHED"] * 40)
        frame.loc[[0, 1], ["status", "condition", "exitCode"]] = ["FAILED", "SCHEDULER_TIMEOUT", 143]
        frame.loc[36:, ["status", "condition", "exitCode"]] = ["FAILED", "NORMAL_COMPLETION", 1]
        uuids = frame["jobUuid"].tolist()
        tails = {uuid: [f"step {at} of 500", *OPENSEES[:2]] for at, uuid in enumerate(uuids[36:])}
        tails |= {uuids[0]: ["step 380 of 500"], uuids[1]: ["step 12 of 500"]}
        rows = {uuids[0]: {"maxMinutes": 10}, uuids[1]: {"maxMinutes": 15}}
        return frame, tails, rows

    return made


def test_cases_that_say_the_same_are_one_group_with_what_their_parameters_share(failing):
    report = failure_groups(*failing())
    assert [(len(group), group.cause, group.where) for group in report] == [
        (4, Cause.CONVERGENCE, "k > 55"),
        (2, Cause.TIME, "k < 22"),
    ]
    assert report[0].headline == '"OpenSees > analyze failed, returned: -3 error flag"'
    assert report[1].headline == "stopped at the time limit of 10 min"
    assert repr(report).startswith('6 of 40 cases failed\n✗ 4  "OpenSees > analyze failed')


def test_a_time_limit_is_doubled_from_the_largest_of_the_group(failing):
    assert failure_groups(*failing())[1].next_step == 'study.retry("TIMEOUT", maxMinutes=30)'


def test_cases_that_do_not_converge_get_a_call_for_just_them(failing):
    step = failure_groups(*failing())[0].next_step
    assert step.startswith("smaller steps or another algorithm")
    assert 'study.retry("k > 55", env=' in step


def test_numbers_addresses_and_folders_do_not_part_what_is_alike(study):
    frame = study({"k": [1, 2, 3]}, ["FAILED"] * 3)
    frame["exitCode"] = pd.array([1] * 3, dtype="Int64")
    lines = ["/a/b/run.py: bad value 3.5e-2 at 0xff", "/x/run.py: bad value 7 at 0x12ab", "other error"]
    tails = {uuid: [line] for uuid, line in zip(frame["jobUuid"], lines, strict=True)}
    assert [len(group) for group in failure_groups(frame, tails)] == [2, 1]


@pytest.mark.parametrize(
    ("lines", "cause", "thing"),
    [
        (OPENSEES, Cause.CONVERGENCE, ""),
        (["WARNING: CTestNormDispIncr::test() - failed to converge"], Cause.CONVERGENCE, ""),
        (["scipy: the solution did not converge after 50 iterations"], Cause.CONVERGENCE, ""),
        (["Linear solve did not converge due to DIVERGED_ITS iterations 10000"], Cause.CONVERGENCE, ""),
        (["TOO MANY ATTEMPTS MADE FOR THIS INCREMENT"], Cause.CONVERGENCE, ""),
        (["numpy.linalg.LinAlgError: Singular matrix"], Cause.NUMBERS, ""),
        (["Floating point exception (core dumped)"], Cause.NUMBERS, ""),
        (["ModuleNotFoundError: No module named 'scipy'"], Cause.COMMAND, "scipy"),
        (["run.sh: line 3: OpenSees: command not found"], Cause.COMMAND, "OpenSees"),
        (["x: error while loading shared libraries: libx.so.3: cannot open"], Cause.COMMAND, "libx.so.3"),
        (["FileNotFoundError: [Errno 2] No such file or directory: 'gm.txt'"], Cause.FILE, "gm.txt"),
        (["cat: mesh.msh: No such file or directory"], Cause.FILE, "mesh.msh"),
        (["Error: could not open file 'eq/motion.at2'"], Cause.FILE, "eq/motion.at2"),
        (["terminate called after throwing 'std::bad_alloc'", "Aborted"], Cause.MEMORY, ""),
        (["MemoryError: Unable to allocate 3.1 GiB"], Cause.MEMORY, ""),
        (["tee: out.txt: No space left on device"], Cause.DISK, ""),
        (["bash: ./a.out: Permission denied"], Cause.PERMISSION, ""),
        (["ABAQUS license error: checkout failed"], Cause.LICENCE, ""),
        (["ValueError: k must be positive", "bye"], Cause.PROGRAM, ""),
        (["all went well, no diversions"], Cause.PROGRAM, ""),
        ([], Cause.PROGRAM, ""),
    ],
)  # fmt: skip
def test_what_a_program_printed_tells_the_likely_cause(lines, cause, thing):
    found = cause_of({"exitCode": 1, "condition": "NORMAL_COMPLETION"}, lines)
    assert (found.cause, found.thing) == (cause, thing)


def test_the_last_complaint_is_the_evidence_not_the_last_line():
    assert cause_of({"exitCode": 1}, ["ValueError: k must be positive", "bye"]).line == (
        "ValueError: k must be positive"
    )


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ({"condition": "SCHEDULER_OUT_OF_MEMORY"}, Cause.MEMORY),
        ({"condition": "JOB_EXECUTION_MONITORING_TIMEOUT"}, Cause.TIME),
        ({"condition": "SCHEDULER_TERMINATED", "lastMessage": "its node failed (node3)"}, Cause.HOST),
        ({"exitCode": 137, "jobType": "BATCH"}, Cause.MEMORY),
        ({"exitCode": 137, "jobType": "FORK"}, Cause.PROGRAM),
    ],
)
def test_a_condition_says_more_than_the_output(row, cause):
    assert cause_of(row, ["all well"]).cause == cause


def selected(text, frame):
    """Return the case ids that ``study.retry(text)`` means."""
    return chosen(frame, ast.literal_eval(text) if text else None)["caseId"].tolist()


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([3, 7, 8], ""),
        ([3, 7], "\"FAILED\""),
        ([8], "\"CANCELLED\""),
        ([3], "\"TIMEOUT\""),
        ([8, 9], '"k > 7"'),
        ([0, 1], '"k < 2"'),
        ([5], '"k == 5"'),
        ([2, 4, 6], "['0000000000000002', '0000000000000004', '0000000000000006']"),
    ],
)  # fmt: skip
def test_the_shortest_words_mean_just_these_rows(study, rows, text):
    statuses = ["FINISHED"] * 3 + ["FAILED"] + ["FINISHED"] * 3 + ["FAILED", "CANCELLED", "FINISHED"]
    frame = study({"k": range(10)}, statuses)
    frame.loc[3, "condition"] = "SCHEDULER_TIMEOUT"
    mask = frame.index.to_series().isin(rows)
    assert selection(frame, mask) == text
    assert selected(text, frame) == frame["caseId"][rows].tolist()


def test_a_query_names_the_failed_where_the_parameters_alone_mean_others_too(study):
    statuses = ["FAILED", "FAILED", "FAILED", "FINISHED", "FINISHED"] * 2
    frame = study({"soil type": ["A", "A", "B", "A", "B"] * 2, "k": range(10)}, statuses)
    mask = (frame["soil type"] == "A") & (frame["status"] == "FAILED")
    text = selection(frame, mask)
    assert text == "\"status == 'FAILED' and `soil type` == 'A'\""
    assert selected(text, frame) == frame.loc[mask, "caseId"].tolist()


def test_many_rows_without_common_words_have_none(study):
    frame = study({"k": range(10)}, ["FAILED"] * 10)
    assert selection(frame, frame.index.to_series().isin([0, 2, 4, 6, 8])) is None


def test_outputs_are_read_in_one_call(fake, tapis, study, cache):
    frame = study({"k": range(3)}, ["FAILED"] * 3, [{"tapisjob.out": b"x\nError: bad soil\n"}] * 3)
    report = failures_of(tapis, frame, cache)
    assert [(len(group), group.line) for group in report] == [(3, "Error: bad soil")]
    assert [call[1] for call in fake.calls].count("/v3/jobs/output/bulk") == 1
    assert report.frame()["cases"].tolist() == [3]


def test_a_study_without_failures_says_so(tapis, study):
    report = failures_of(tapis, study({"k": [1]}, ["FINISHED"]))
    assert repr(report) == "No case of 1 failed."
    assert list(report) == []


def test_what_a_job_printed_is_escaped(tapis, study, cache):
    frame = study({"k": [1]}, ["FAILED"], [{"tapisjob.out": b"Error: <script>alert(1)</script>\n"}])
    html = failures_of(tapis, frame, cache)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_what_a_job_printed_commands_no_terminal(tapis, study, cache):
    frame = study({"k": [1]}, ["FAILED"], [{"tapisjob.out": b"x\nError:\tbad \x1b]0;mine\x07 soil\n"}])
    report = failures_of(tapis, frame, cache)
    assert report[0].line == "Error:  bad \ufffd]0;mine\ufffd soil"
    assert all(line.isprintable() for line in repr(report).splitlines())


def test_one_case_shows_its_last_lines_cause_and_call(fake, tapis, study):
    frame = study({"k": [7]}, ["FAILED"], [{"tapisjob.out": "\n".join(OPENSEES).encode()}])
    frame.loc[0, ["condition", "exitCode"]] = ["NORMAL_COMPLETION", 3]
    case = frame["caseId"][0]
    told = repr(case_failure(tapis, frame, case, lines=2))
    assert told.splitlines()[:4] == [
        f"✗ case {case} (k=7) FAILED · NORMAL_COMPLETION · exit code 3",
        "likely cause: no convergence - exit code 3",
        "  | OpenSees > analyze failed, returned: -3 error flag",
        "  | analysis took 3.2 s",
    ]
    assert f'study.retry("{case}", env=' in told


def test_a_case_that_did_not_fail_has_no_failure(tapis, study):
    frame = study({"k": [7]}, ["FINISHED"])
    with pytest.raises(NotFoundError, match="did not fail: it is FINISHED"):
        case_failure(tapis, frame, frame["caseId"][0])
    with pytest.raises(NotFoundError, match="no case 'x'"):
        case_failure(tapis, frame, "x")
