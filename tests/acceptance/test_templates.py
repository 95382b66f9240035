"""Named templates of jobs on a real server: kept for their owner, checked, and submitted."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs import ConflictError, InvalidInputError, NotFoundError, Tapis


def test_a_template_is_saved_found_and_submitted(tapis: Tapis) -> None:
    tapis.template("greet", app="bash", required=["WHO"], script='echo "hello $WHO"', description="Greets.")
    job = tapis.template("greet").submit(WHO="a b")
    job.wait(progress=False)
    assert job.read("tapisjob.out").strip() == "hello a b"
    frame = tapis.templates()
    assert frame.loc[frame["name"] == "greet", ["app", "required", "description"]].values.tolist() == [
        ["bash", "WHO", "Greets."]
    ]
    tapis.template("greet").delete()
    with pytest.raises(NotFoundError, match="no template 'greet'"):
        tapis.template("greet")


def test_a_template_is_saved_over_only_when_that_is_said(tapis: Tapis) -> None:
    tapis.template("again", "bash", maxMinutes=3)
    with pytest.raises(ConflictError, match="replace=True"):
        tapis.template("again", "bash", maxMinutes=4)
    replaced = tapis.template("again", "bash", maxMinutes=4, replace=True)
    assert replaced.defaults == tapis.template("again").defaults == {"appId": "bash", "maxMinutes": 4}
    replaced.delete()


def test_what_no_request_has_is_refused_by_the_server_too(tapis: Tapis) -> None:
    for request, words in {
        "maxMinutes": ({"appId": "bash", "maxMinutes": "soon"}, "maxMinutes"),
        "unknown": ({"appId": "bash", "maxMinute": 3}, "maxMinute"),
        "app": ({"maxMinutes": 3}, "Which app"),
        "parts": ({"appId": "bash", "parameterSet": {"envVariables": ["K"]}}, "list of objects"),
    }.values():
        with pytest.raises(InvalidInputError, match=words):
            tapis.connection.post("/v3/tapisjobs/templates", {"name": "bad", "request": request})
    for name in ("", "a b", "a/b", ".."):
        with pytest.raises(InvalidInputError, match="cannot name a template"):
            tapis.connection.post("/v3/tapisjobs/templates", {"name": name, "request": {"appId": "bash"}})
    with pytest.raises(InvalidInputError, match="maxMinutes is required in template bad and has a value"):
        tapis.template("bad", "bash", required=["maxMinutes"], maxMinutes=3)
    script = {"name": "script", "sourceUrl": "data:," + "x" * 1024 * 1024}
    large = {"name": "bad", "request": {"appId": "bash", "fileInputs": [script]}}
    with pytest.raises(InvalidInputError, match="larger than 1,024 KiB"):
        tapis.connection.post("/v3/tapisjobs/templates", large)
