"""``study.then``: a job after all cases that the server submits, as a notebook holds it."""

import pytest
from study_samples import made, posted

from jupyter_tapis_jobs.client.progress import Silent
from jupyter_tapis_jobs.client.study_watch import TextDisplay
from jupyter_tapis_jobs.model.errors import InvalidInputError, JobError, NotFoundError


def asked(study, **given):
    return study.then("bash", **{"outputs": "peak.csv", "script": "cat cases/*/peak.csv", **given})


def test_it_returns_at_once_and_the_server_has_the_whole_request(fake, tapis):
    chained = asked(made(tapis).run(), outputs="/out/peak 1.csv", maxMinutes=3, files={"m.txt": "7"})
    (body,) = posted(fake, "then")
    assert body["outputs"] == ["out/peak 1.csv"]
    request = body["request"]
    assert (request["name"], request["appId"], request["maxMinutes"]) == ("fragility-then", "bash", 3)
    assert {item["targetPath"] for item in request["fileInputs"]} == {"script.sh", "m.txt"}
    assert (len(fake.jobs), chained.job) == (6, None)
    assert (chained.name, chained.outputs) == ("fragility-then", ["out/peak 1.csv"])
    assert repr(chained) == "fragility-then: is submitted when 6 cases have ended"


def test_waiting_gives_the_job_when_it_has_ended(fake, tapis):
    study = made(tapis).run()
    chained = asked(study)

    submit = fake.studies.submit

    def ended(request):
        uuid = submit(request)
        fake.jobs[uuid]["status"] = "FINISHED"
        return uuid

    fake.studies.submit = ended
    tapis.rest = lambda seconds: fake.studies.move("fragility", "FINISHED")
    job = chained.wait(60, progress=False)
    assert (job.name, job.status, len(fake.jobs)) == ("fragility-then", "FINISHED", 7)
    assert chained.job.uuid == job.uuid
    assert repr(chained) == f"fragility-then: job {job.uuid} is FINISHED"


def test_it_is_found_again_by_another_kernel(fake, tapis):
    asked(made(tapis).run())
    fake.studies.move("fragility", "FINISHED")
    (found,) = fake.tapis().study("fragility").chained()
    assert found.job.name == "fragility-then"


def test_why_it_is_not_submitted_is_told_where_the_study_is_shown(fake, tapis):
    study = made(tapis).run()
    chained = asked(study)
    assert "\n  → fragility-then: is submitted when 6 cases have ended" in repr(study)
    fake.studies.move("fragility", "CANCELLED")
    assert repr(study).endswith("\n  → fragility-then: none is FINISHED.")
    assert "\n  → fragility-then: none is FINISHED." in str(study.preview())
    assert "→ fragility-then: none is FINISHED." in study.preview()._repr_html_()
    with pytest.raises(JobError, match="fragility-then is not submitted: none is FINISHED"):
        chained.wait(60, progress=False)


def test_the_progress_tells_what_goes_on_with_the_cases(fake, tapis):
    study = made(tapis).run()
    asked(study)
    told = []
    display = TextDisplay(Silent(), told.append)
    display.show(study.state(), change=True)
    display.done()
    assert told == ["  → fragility-then: is submitted when 6 cases have ended\n"]
    watch = study.watch()
    watch.look()
    watch.look()
    assert not watch.changed
    fake.studies.known["fragility"].then.clear()
    watch.look()
    assert watch.changed


def test_only_the_newest_of_those_that_are_jobs_is_shown(fake, tapis):
    study = made(tapis).run()
    for name in ("first", "second"):
        asked(study, name=name)
    fake.studies.move("fragility", "FINISHED")
    study.state()
    (line,) = study.state().then
    assert line.startswith("second: job ")


def test_a_stopped_study_is_not_waited_for(fake, tapis):
    study = made(tapis, maxFailures=1).run()
    chained = asked(study)
    fake.studies.move("fragility", "BLOCKED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 10)
    with pytest.raises(JobError, match="fragility-then is not submitted: stopped after maxFailures=1"):
        chained.wait(60, progress=False)


def test_waiting_has_an_end(fake, tapis):
    chained = asked(made(tapis).run())
    tapis.rest = lambda seconds: None
    with pytest.raises(JobError, match="6 cases of study 'fragility' have not ended"):
        chained.wait(0, progress=False)


def test_cancel_takes_it_back_or_cancels_its_job(fake, tapis):
    study = made(tapis).run()
    first, second = asked(study, name="first"), asked(study, name="second")
    first.cancel()
    assert [chained.name for chained in study.chained()] == ["second"]
    with pytest.raises(NotFoundError, match="It was taken back"):
        first.refresh()
    assert repr(first).startswith("first: It was taken back")
    fake.studies.move("fragility", "FINISHED")
    uuid = second.job.uuid
    second.cancel()
    assert fake.jobs[uuid]["status"] == "CANCELLED"


@pytest.mark.parametrize("outputs", ["../x", "", [], ["a", "b/../c"]])
def test_outputs_that_no_case_can_have_are_refused_here(fake, tapis, outputs):
    study = made(tapis).run()
    with pytest.raises(InvalidInputError, match="outputs must name files or folders"):
        asked(study, outputs=outputs)
    assert posted(fake, "then") == []


def test_a_study_that_is_not_there_has_nothing_to_go_on_with(tapis):
    with pytest.raises(NotFoundError, match="Study 'fragility' has not run yet"):
        asked(made(tapis))
