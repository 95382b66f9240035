"""Running studies: cases in, only what is new submitted, all or nothing."""

import base64

import pandas as pd
import pytest
from study_samples import CASES, made, posted, scripts

from jupyter_tapis_jobs.client.tapis import TapisJobsWarning
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- running ----------------------------------------------------------------------------------
def test_each_row_of_a_grid_becomes_a_job_with_its_own_script(fake, tapis):
    study = made(tapis).run()
    assert scripts(fake)[:3] == ["echo 10 0.02", "echo 10 0.05", "echo 20 0.02"]
    assert [request["name"] for request in fake.requests.values()][:2] == ["fragility-1", "fragility-2"]
    assert (study.answer.known, len(study.answer.submitted)) == (0, 6)


def test_running_again_submits_nothing(fake, tapis):
    made(tapis).run()
    study = made(tapis).run()
    assert len(fake.jobs) == 6
    assert study.answer.in_flight == 6


def test_a_case_that_ended_badly_counts_as_not_done(fake, tapis):
    made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 30)
    study = made(tapis).run()
    assert (study.answer.done, study.answer.failed, len(study.answer.submitted)) == (4, 2, 2)


def test_fresh_runs_everything_anew(fake, tapis):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    study.run(fresh=True)
    assert len(fake.jobs) == 12
    assert study.frame()["attempt"].tolist() == [2] * 6


def test_numbers_are_the_same_case_by_value_and_in_any_order_of_columns(fake, tapis):
    made(tapis, cases=[{"k": 10, "damping": 0.02}]).run()
    study = made(tapis, cases=pd.DataFrame({"damping": [0.02], "k": [10.0]})).run()
    assert study.answer.in_flight == 1


def test_resources_are_no_part_of_a_case_and_arguments_are(fake, tapis):
    made(tapis).run()
    assert made(tapis, maxMinutes=90).run().answer.in_flight == 6
    assert len(made(tapis, args=["--fast"]).run().answer.submitted) == 6


def test_extending_sends_the_new_rows_only(fake, tapis):
    study = made(tapis).run()
    study.extend([{"k": 40, "damping": 0.02}]).run()
    assert [len(body["cases"]) for body in posted(fake)] == [6, 1]
    assert [request["name"] for request in fake.requests.values()][-1] == "fragility-7"


def test_a_column_with_a_default_keeps_the_ids_of_before(fake, tapis):
    study = made(tapis, args=["--temp", "20"]).run()
    fake.studies.move("fragility", "FINISHED")
    more = [{**row, "temp": temp} for row in [{"k": 10, "damping": 0.02}] for temp in (20, 30)]
    study.extend(more, defaults={"temp": 20}, args=["--temp", "{{ temp }}"]).run()
    assert (study.answer.done, len(study.answer.submitted)) == (1, 1)
    assert study.frame()["temp"].tolist() == [20] * 6 + [30]


def test_rows_that_were_given_before_are_the_same_cases(fake, tapis):
    study = made(tapis).extend({"k": [30, 40], "damping": [0.05]})
    assert study.preview().new == 7
    study.run().extend({"k": [40, 50], "damping": [0.05]}).run()
    assert len(fake.jobs) == 8


def test_a_case_given_with_and_without_its_default_is_one_case(fake, tapis):
    study = made(tapis, cases={"k": [1], "damping": [0.1]}, args=["20"])
    study.extend({"k": [1], "damping": [0.1], "temp": [20, 30]}, defaults={"temp": 20}, args=["{{ temp }}"])
    assert len(study.run().answer.submitted) == 2


def test_a_study_is_found_again_with_its_template_and_extended(fake, tapis):
    made(tapis, files={"m.bin": b"\x00\xff"}).run()
    study = fake.tapis().study("fragility")
    study.extend([{"k": 99, "damping": 0.1}]).run()
    assert scripts(fake)[-1] == "echo 99 0.1"
    assert (
        base64.b64decode(fake.last_request()["fileInputs"][1]["sourceUrl"].partition(",")[2]) == b"\x00\xff"
    )


def test_a_study_found_again_runs_what_ended_badly(fake, tapis):
    made(tapis).run()
    fake.studies.move("fragility", "CANCELLED", lambda case: case["k"] == 10)
    study = fake.tapis().study("fragility").run()
    assert len(study.answer.submitted) == 2
    assert study.frame()["attempt"].tolist() == [2, 2, 1, 1, 1, 1]


def test_a_function_of_the_row_makes_the_request(fake, tapis):
    def request(row):
        return {"appId": "bash", "script": "true", "env": {"K": row["k"]}, "nodeCount": row["k"] // 10}

    tapis.study("by hand", request, cases={"k": [10, 20]}).run()
    requests = list(fake.requests.values())
    assert [item["nodeCount"] for item in requests] == [1, 2]
    assert requests[0]["parameterSet"]["envVariables"] == [{"key": "K", "value": "10"}]
    with pytest.raises(InvalidInputError, match=r"made by a function, request\(row\)"):
        fake.tapis().study("by hand").extend({"k": [30]}).run()


def test_what_stands_beside_a_function_is_part_of_its_cases(fake, tapis):
    for text in ("echo a", "echo a", "echo b"):
        study = tapis.study(
            "by hand", "bash", request=lambda row: {"env": row}, script=text, cases={"k": [10, 20]}
        )
        study.run()
    assert len(fake.jobs) == 4


def test_a_large_study_asks_first_what_is_done(fake, tapis):
    cases = {"k": range(300), "damping": [0.02]}
    made(tapis, cases=cases).run()
    fake.studies.move("fragility", "FINISHED")
    made(tapis, cases={"k": range(301), "damping": [0.02]}).run()
    assert [len(body["cases"]) for body in posted(fake)] == [300, 1]


def test_more_than_a_body_takes_goes_in_several_all_checked_first(fake, tapis):
    fake.largest_body = 1200
    made(tapis).run()
    dry = [body["dryRun"] for body in posted(fake)]
    assert len(dry) > 2
    assert dry == sorted(dry, reverse=True)
    assert len(fake.jobs) == 6


# --- inputs -----------------------------------------------------------------------------------
def test_a_file_that_all_cases_share_is_uploaded_once(fake, tapis, here):
    (here / "mesh.txt").write_text("m" * 60_000)
    study = made(tapis, cases={"k": range(20), "damping": [0.02]}, inputs=["mesh.txt"])
    preview = study.preview()
    study.run()
    assert len(fake.uploads) == 1
    assert preview.bytes_once == 60_000
    urls = [request["fileInputs"][1]["sourceUrl"] for request in fake.requests.values()]
    assert urls[0].startswith("data:")
    assert {url.partition(":")[0] for url in urls[4:]} == {"tapis"}


def test_a_changed_local_file_makes_other_cases(fake, tapis, here):
    (here / "mesh.txt").write_text("one")
    made(tapis, inputs=["mesh.txt"]).run()
    assert made(tapis, inputs=["mesh.txt"]).run().answer.in_flight == 6
    (here / "mesh.txt").write_text("two")
    assert len(made(tapis, inputs=["mesh.txt"]).run().answer.submitted) == 6


def test_a_file_of_each_row_is_taken_by_its_name(fake, tapis, here):
    for k in (1, 2):
        (here / f"ground {k}.txt").write_text(f"motion {k}")
    tapis.study(
        "g", "bash", cases={"k": [1, 2]}, script="true", inputs=[("ground {{ k }}.txt", "g.txt")]
    ).run()
    inputs = [request["fileInputs"][1] for request in fake.requests.values()]
    assert [item["targetPath"] for item in inputs] == ["g.txt", "g.txt"]
    assert base64.b64decode(inputs[1]["sourceUrl"].partition(",")[2]) == b"motion 2"


def test_a_remote_input_counts_by_size_and_time(fake, tapis):
    fake.uploads["frontera/data/m.txt"] = b"1234"
    given = {"inputs": [("tapis://frontera/data/m.txt", "m.txt")]}
    made(tapis, **given).run()
    assert made(tapis, **given).run().answer.in_flight == 6
    fake.uploads["frontera/data/m.txt"] = b"12345"
    assert len(made(tapis, **given).run().answer.submitted) == 6


# --- wrong cases ------------------------------------------------------------------------------
def test_one_invalid_case_keeps_all_from_being_submitted(fake, tapis):
    cases = {"k": [10, 20, -1]}
    study = tapis.study("s", "bash", cases=cases, script="x", maxMinutes="{{ k }}")
    with pytest.raises(
        InvalidInputError, match=r"^Row 2 \(k=-1\): maxMinutes -1 is too small Nothing was submitted"
    ) as told:
        study.run()
    assert [wrong["row"] for wrong in told.value.errors] == [2]
    assert fake.jobs == {}
    with pytest.warns(TapisJobsWarning, match="1 of 3 cases are invalid and left out"):
        study.run(atomic=False)
    assert len(fake.jobs) == 2


def test_rows_that_cannot_be_rendered_are_named_and_nothing_is_sent(fake, tapis):
    cases = [{"k": row} for row in range(700)]
    study = tapis.study("s", "bash", cases=cases, script="echo {{ 1 / (613 - k) }}")
    with pytest.raises(InvalidInputError, match="Row 613"):
        study.run()
    assert study.preview().invalid()["row"].tolist() == [613]
    assert posted(fake) == [posted(fake)[0]]
    assert fake.jobs == {}


@pytest.mark.parametrize(
    ("cases", "given", "said"),
    [
        (None, {}, "has no cases"),
        ([], {}, "no cases"),
        ({"k": [1, 2]}, {"script": "echo {{ kk }}"}, "kk"),
        ({"k": [1, 2], "z": [3]}, {"script": "echo {{ k }}"}, "'z' is used nowhere"),
        ({"k": [1]}, {"script": "{{ k }}", "launchMode": "pak"}, "Did you mean 'pack'"),
        ({"k": [1]}, {"script": "{{ k }}", "max_running": 0}, "maxRunning must be a whole number"),
        ({"k": [1]}, {"script": "{{ k }}", "notes": {"a": object()}}, "cannot be kept as JSON"),
    ],
)
def test_what_cannot_be_a_study_is_refused_in_words(fake, tapis, cases, given, said):
    with pytest.raises(InvalidInputError, match=said):
        tapis.study("s", "bash", cases=cases, **given).run()
    assert fake.jobs == {}


def test_a_name_alone_finds_and_says_what_there_is(fake, tapis):
    made(tapis).run()
    with pytest.raises(NotFoundError, match=r"Did you mean 'fragility'\? Studies: fragility\."):
        tapis.study("fragilty")
    with pytest.raises(InvalidInputError, match="Which app"):
        tapis.study("fragility", cases=CASES)


def test_a_tenant_keeps_no_studies(fake):
    fake.ours = False
    with pytest.raises(InvalidInputError, match="keeps no studies"):
        made(fake.tapis())


# --- what a newcomer gets wrong ---------------------------------------------------------------
@pytest.mark.parametrize("name", ["", ".", "..", "a/b", " a", 5, None, "x" * 121])
def test_a_name_that_no_study_can_have_is_refused_before_anything_is_asked(fake, tapis, name):
    with pytest.raises(InvalidInputError, match="cannot name a study: text of 1 to 120 characters"):
        tapis.study(name, "bash", cases={"k": [1]}, script="echo {{ k }}")
    assert not fake.studies.known


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"labels": 5}, "labels must be names of columns, such as"),
        ({"labels": ["note", 1]}, "labels must be names of columns, such as"),
        ({"defaults": 5}, "defaults must be a mapping of names to values"),
        ({"names": ["twice"]}, "names must be a mapping of names to values"),
        ({"maxRunning": True}, "maxRunning must be a whole number from 1 on"),
    ],
)
def test_what_is_given_beside_the_request_is_checked(tapis, given, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        made(tapis, **given)


def test_what_the_server_refuses_is_told_by_row_and_column(tapis):
    broken = made(tapis, cases={"k": [10, -1]}, script="echo {{ k }}", maxMinutes="{{ k }}")
    with pytest.raises(InvalidInputError, match=r"^Row 1 \(k=-1\): maxMinutes -1 is too small\W+Nothing"):
        broken.run()
    assert "✗ Row 1 (k=-1): maxMinutes -1 is too small" in str(broken.preview())


def test_the_name_of_the_jobs_may_hold_columns_too(fake, tapis):
    tapis.study("s", "bash", cases={"k": [10, 20]}, script="echo {{ k }}", name="frame-{{ k }}").run()
    assert [request["name"] for request in fake.requests.values()] == ["frame-10", "frame-20"]


def test_a_study_is_extended_by_a_label_as_the_refusal_of_its_column_says(fake, tapis):
    study = made(tapis, cases={"k": [10], "damping": [0.02]}).run()
    more = [{"k": 20, "damping": 0.02, "note": "soft"}]
    with pytest.raises(InvalidInputError, match=r"labels=\['note'\]"):
        study.extend(more).run()
    again = tapis.study("fragility").extend(more, labels=["note"]).run()
    assert scripts(fake)[-1] == "echo 20 0.02"
    assert again.frame()["note"].tolist()[1] == "soft"
    with pytest.raises(InvalidInputError, match="labels must be names of columns"):
        study.extend(more, labels=5)
