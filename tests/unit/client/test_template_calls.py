"""Named templates of jobs: what is saved, what is given over it, and what is told when it does not fit."""

import base64

import pytest

from jupyter_tapis_jobs import ConflictError, InvalidInputError, NotFoundError
from jupyter_tapis_jobs.model.template import missing


@pytest.fixture
def pushover(tapis):
    return tapis.template(
        "pushover", app="python", required=["script", "DRIFT"], maxMinutes=30, env={"STEPS": 500}
    )


def variables(request):
    return {item["key"]: item["value"] for item in request["parameterSet"]["envVariables"]}


def script(request):
    (item,) = [item for item in request["fileInputs"] if item["name"] == "script"]
    return base64.b64decode(item["sourceUrl"].partition(",")[2]).decode()


def test_a_template_keeps_what_was_given_and_nothing_else(fake, pushover):
    kept = fake.templates.known["pushover"]
    assert kept["request"] == {
        "appId": "python",
        "maxMinutes": 30,
        "parameterSet": {"envVariables": [{"key": "STEPS", "value": "500"}]},
    }
    assert kept["required"] == ["script", "DRIFT"]


def test_a_job_of_a_template_has_its_defaults_and_what_is_given_over_them(fake, tapis, pushover):
    job = tapis.template("pushover").submit(script="print(1)", DRIFT=0.04, maxMinutes=5)
    request = fake.last_request()
    assert (request["appId"], request["maxMinutes"], script(request)) == ("python", 5, "print(1)")
    assert {"STEPS": "500", "DRIFT": "0.04"}.items() <= variables(request).items()
    assert job.name == request["name"] == "python-1"


def test_all_that_is_missing_is_named_and_nothing_is_sent(fake, pushover):
    calls = len(fake.calls)
    with pytest.raises(InvalidInputError, match=r"wants script, DRIFT too: .*submit\(script=…, DRIFT=…\)"):
        pushover.submit(maxMinutes=5)
    with pytest.raises(InvalidInputError, match="wants DRIFT too"):
        pushover.request(script="print(1)", env={"STEPS": 7})
    assert len(fake.calls) == calls


def test_a_required_variable_may_come_in_env(pushover):
    assert variables(pushover.request(script="x", env={"DRIFT": 1}))["DRIFT"] == "1"


def test_a_slip_in_a_name_is_told_with_the_nearest(pushover):
    with pytest.raises(InvalidInputError, match=r"know no 'DRIFTS'\. Did you mean 'DRIFT'"):
        pushover.submit(script="x", DRIFTS=1)
    with pytest.raises(InvalidInputError, match=r"know no 'K'\. .*env=\{'K': …\}"):
        pushover.submit(script="x", DRIFT=1, K=1)


def test_an_input_of_the_template_gives_way_to_the_one_that_is_given(tapis):
    template = tapis.template("t", "bash", script="echo old")
    assert script(template.request()) == "echo old"
    assert script(template.request(script="echo new")) == "echo new"
    assert script(template.request()) == "echo old"


def test_a_required_name_that_is_nearly_a_field_is_a_slip(tapis):
    with pytest.raises(InvalidInputError, match=r"required holds 'scrpt'.* Did you mean 'script'"):
        tapis.template("t", "bash", required=["scrpt"])
    with pytest.raises(InvalidInputError, match=r"'maxMinute' is not a field .* 'maxMinutes'"):
        tapis.template("t", "bash", maxMinute=3)


def test_a_template_is_saved_over_only_when_that_is_said(tapis, pushover):
    with pytest.raises(ConflictError, match="replace=True"):
        tapis.template("pushover", "bash")
    assert tapis.template("pushover", "bash", replace=True).app == "bash"


def test_templates_are_a_frame_and_can_be_deleted(tapis, pushover):
    frame = tapis.templates()
    assert frame[["name", "app", "required"]].values.tolist() == [["pushover", "python", "script, DRIFT"]]
    assert str(frame.dtypes["updated"]) == "datetime64[us, UTC]"
    pushover.delete()
    assert len(tapis.templates()) == 0
    with pytest.raises(NotFoundError, match="no template pushover"):
        tapis.template("pushover")


def test_a_template_tells_what_it_is(pushover):
    lines = repr(pushover).splitlines()
    assert lines[:3] == [
        "Template pushover of app python",
        "  required: script, DRIFT",
        "  maxMinutes: 30",
    ]


def test_a_template_without_an_app_and_one_of_a_tenant_are_refused_in_a_sentence(fake, tapis):
    with pytest.raises(InvalidInputError, match="Which app"):
        tapis.template("t", maxMinutes=3)
    fake.ours = False
    with pytest.raises(InvalidInputError, match="cannot keep templates of jobs"):
        fake.tapis().templates()


def test_what_is_missing_is_found_in_every_part_of_a_request():
    request = {
        "name": "n",
        "tags": [],
        "fileInputs": [{"name": "mesh", "sourceUrl": "tapis://s/m"}, {"name": "empty"}],
        "parameterSet": {
            "appArgs": [{"name": "steps", "arg": "3"}],
            "envVariables": [{"key": "K", "value": "1"}, {"key": "L", "value": ""}],
        },
    }
    names = ["name", "tags", "mesh", "empty", "inputs", "steps", "args", "K", "L", "env", "script"]
    assert missing(request, names) == ["tags", "empty", "L", "script"]
