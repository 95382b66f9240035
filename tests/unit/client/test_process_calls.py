"""What the kernel sends for `process=`, and what it says of what cannot be."""

from __future__ import annotations

import pytest
from fake_tapis import FakeTapis

from jupyter_tapis_jobs.client.job_manager import JobManager
from jupyter_tapis_jobs.client.processing import outcome_of
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, JobError


def peaks(job: object) -> None:
    raise AssertionError(f"nobody waits for {job}")


@pytest.fixture
def server() -> FakeTapis:
    return FakeTapis()


def test_a_name_or_a_mapping_goes_into_the_notes_of_the_request(server: FakeTapis) -> None:
    server.tapis().submit("bash", script="true", process="peaks", notes={"mesh": "fine"})
    assert server.last_request()["notes"] == {"mesh": "fine", "tapisjobs": {"process": "peaks"}}
    wish = {"name": "peaks", "maxMinutes": 5, "on": ["FAILED"]}
    server.tapis().submit("bash", script="true", process=wish)
    assert server.last_request()["notes"] == {"tapisjobs": {"process": wish}}


def test_of_a_function_only_its_name_leaves_the_kernel(server: FakeTapis) -> None:
    server.tapis().submit("bash", script="true", process=peaks)
    assert server.last_request()["notes"] == {"tapisjobs": {"process": {"name": "peaks", "runs": "kernel"}}}


@pytest.mark.parametrize("process", ["peaks", peaks])
def test_a_tenant_that_does_not_process_is_told_in_a_sentence_and_nothing_is_sent(process: object) -> None:
    tenant = FakeTapis(ours=False)
    with pytest.raises(InvalidInputError, match=r"cannot process the outputs of jobs: .* specification"):
        tenant.tapis().submit("opensees-py", process=process)
    assert tenant.requests == {}


def test_a_template_keeps_a_name_and_no_function(server: FakeTapis) -> None:
    tapis = server.tapis()
    tapis.template("pushover", app="bash", process="peaks")
    assert tapis.template("pushover").request()["notes"] == {"tapisjobs": {"process": "peaks"}}
    with pytest.raises(InvalidInputError, match="the name of a function that a package offers"):
        tapis.template("other", app="bash", process=peaks)


def test_tethys_word_for_it_is_set_before_the_job_is_executed(server: FakeTapis) -> None:
    job = JobManager(server.tapis(), "app").create_job("one", script="true")
    assert job.process_results_function is None
    job.process_results_function = "peaks"
    job.execute()
    assert server.last_request()["notes"] == {"tapisjobs": {"process": "peaks"}}
    assert job.process_results_function == "peaks"
    with pytest.raises(ConflictError, match="process_again"):
        job.process_results_function = peaks


def test_what_is_raised_is_told_with_the_frames_of_its_author_only() -> None:
    def careless() -> float:
        return 1 / 0

    problem = outcome_of("peaks", careless).problem or ""
    assert problem.startswith("peaks raised ZeroDivisionError: division by zero.\n\nTraceback")
    assert "in careless" in problem
    assert "in outcome_of" not in problem


def test_an_error_with_a_sentence_of_its_own_keeps_it() -> None:
    def early() -> None:
        raise JobError("read_csv wants a finished job.")

    problem = outcome_of("peaks", early).problem or ""
    assert problem.splitlines()[0] == "peaks raised JobError: read_csv wants a finished job."


def test_an_end_of_the_process_is_a_problem_and_an_odd_result_too() -> None:
    def leaving() -> None:
        raise SystemExit(3)

    assert "peaks raised SystemExit: 3." in (outcome_of("peaks", leaving).problem or "")
    assert "peaks: The function returned what JSON cannot say" in (outcome_of("peaks", object).problem or "")
    assert outcome_of("peaks", lambda: {"max": 7.0}).result == '{"max":7.0}'
