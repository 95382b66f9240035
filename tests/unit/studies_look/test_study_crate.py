"""A study leaves in one file, which others can open too, and comes back as the same cases."""

import hashlib
import json
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from jupyter_tapis_jobs.client.study_crate import StudyRecord, read_crate, write_crate
from jupyter_tapis_jobs.client.study_transfer import export_study, import_study
from jupyter_tapis_jobs.client.tapis import TapisJobsWarning
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError

NOW = "2026-11-21T17:00:00.000000Z"


def request(number):
    return {
        "name": f"fragility-{number}",
        "appId": "bash",
        "appVersion": "1.0",
        "fileInputs": [{"sourceUrl": "tapis://local/up/mesh.msh", "targetPath": "mesh.msh"}],
    }


RECORD = StudyRecord(
    name="fragility",
    template={"request": {"appId": "bash", "args": ["{{ k }}", "{{ soil }}"]}},
    settings={"launchMode": "pack", "maxFailures": 5},
    cases=[
        {"caseId": f"{number:016x}", "parameters": {"k": number, "soil": "Ton ü"}, "request": request(number)}
        for number in range(3)
    ],
    attempts={"caseId": ["a", "b"], "status": ["FINISHED", None], "parameters": [{"k": 1}, {"k": 2}]},
    apps=[{"id": "bash", "version": "1.0", "description": "Runs a shell script."}],
    inputs={"tapis://local/up/mesh.msh": b"\x00\x01mesh"},
    owner="ada",
    created=NOW,
    version="0.1.0",
)


@pytest.fixture
def crate(tmp_path):
    return write_crate(RECORD, tmp_path / "fragility.zip", now=NOW, results=(".csv", b"k,drift\n1,2\n"))


def rewritten(path, **members):
    """Return a copy of a crate with some members replaced, or left out where they are None."""
    place = path.with_name("rewritten.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(place, "w") as new:
        for name in old.namelist():
            data = members.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return place


def test_what_was_written_is_read_again(crate):
    back = read_crate(crate)
    assert {
        name: getattr(back, name) for name in ("name", "template", "settings", "cases", "apps", "inputs")
    } == {name: getattr(RECORD, name) for name in ("name", "template", "settings", "cases", "apps", "inputs")}
    assert back.attempts["status"] == ["FINISHED", ""]
    assert json.loads(back.attempts["parameters"][0]) == {"k": 1}


def test_it_describes_itself_as_an_ro_crate(crate):
    with zipfile.ZipFile(crate) as archive:
        names = archive.namelist()
        graph = {item["@id"]: item for item in json.loads(archive.read(names[0]))["@graph"]}
        for part in graph["./"]["hasPart"]:
            data = archive.read(part["@id"])
            assert graph[part["@id"]]["sha256"] == hashlib.sha256(data).hexdigest()
    assert names[0] == "ro-crate-metadata.json"
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert {part["@id"] for part in graph["./"]["hasPart"]} == set(names[1:])
    run = graph["#run"]
    assert run["instrument"] == [{"@id": "#bash-1.0"}]
    assert {item["@id"] for item in run["result"]} == {"attempts.csv", "results.csv"}
    references = [
        item for item in run["object"] + run["result"] + run["instrument"] if item["@id"] not in graph
    ]
    assert references == []
    assert graph["./"]["datePublished"] == NOW


def test_other_programs_read_it(crate, tmp_path):
    rocrate = pytest.importorskip("rocrate.rocrate", reason="rocrate is not installed: pip install rocrate")
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(tmp_path / "open")
    read = rocrate.ROCrate(tmp_path / "open")
    assert read.name == "fragility"
    assert {entity.id for entity in read.data_entities} >= {"study.json", "cases.jsonl", "attempts.csv"}


def test_the_same_study_gives_the_same_file(crate, tmp_path):
    again = write_crate(RECORD, tmp_path / "again.zip", now=NOW, results=(".csv", b"k,drift\n1,2\n"))
    assert again.read_bytes() == crate.read_bytes()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"cases.jsonl": b"{}\n"}, r"cases\.jsonl in rewritten\.zip is not what was exported: its checksum"),
        ({"study.json": None}, r"is no study: there is no study\.json in it"),
        ({"ro-crate-metadata.json": None}, "is no RO-Crate"),
        ({"ro-crate-metadata.json": b"["}, "is not JSON"),
        ({"ro-crate-metadata.json": b"[]"}, "is not a JSON object"),
        ({"ro-crate-metadata.json": b'{"@graph": 7}'}, "cannot be read as a study"),
    ],
)
def test_what_was_changed_or_is_none_of_ours_is_refused(crate, members, words):
    with pytest.raises(InvalidInputError, match=words):
        read_crate(rewritten(crate, **members))


def test_a_file_of_a_later_version_says_to_update(crate):
    study = json.dumps({"format": 2, "version": "9.0"}).encode()
    with zipfile.ZipFile(crate) as archive:
        metadata = json.loads(archive.read("ro-crate-metadata.json"))
    for item in metadata["@graph"]:
        if item["@id"] == "study.json":
            item["sha256"] = hashlib.sha256(study).hexdigest()
    changed = rewritten(crate, **{"study.json": study, "ro-crate-metadata.json": json.dumps(metadata)})
    with pytest.raises(InvalidInputError, match=r"later version \(9\.0\)"):
        read_crate(changed)


def test_what_is_no_zip_or_not_there_says_so(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(InvalidInputError, match=r"a\.zip is no zip"):
        read_crate(tmp_path / "a.zip")
    with pytest.raises(NotFoundError, match="is not there"):
        read_crate(tmp_path / "b.zip")


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be written"):
        write_crate(RECORD, tmp_path / "no folder" / "a.zip", now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"template": [1]}, r"template in study\.json of odd\.zip is no JSON object\."),
        ({"cases": []}, r"There is no case in odd\.zip\."),
        ({"cases": [{**RECORD.cases[0], "parameters": [1]}]}, "has a line that is no case"),
        ({"cases": [{**RECORD.cases[0], "parameters": {"k": float("nan")}}]}, "NaN is no number of JSON"),
        ({"owner": "ada" * 25_000_000}, r"json in odd\.zip is too large to be read\."),
    ],
)
def test_a_file_that_somebody_made_up_is_refused_with_a_sentence(tmp_path, change, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        read_crate(write_crate(replace(RECORD, **change), tmp_path / "odd.zip", now=NOW))


def test_a_setting_that_a_study_cannot_have_is_refused_before_anything_is_sent(fake, tapis, tmp_path):
    made_up = replace(RECORD, settings={"maxRunning": "many"})
    with pytest.raises(InvalidInputError, match="maxRunning must be a whole number"):
        import_study(tapis, write_crate(made_up, tmp_path / "odd.zip", now=NOW))
    assert {call[0] for call in fake.calls} == {"GET"}


# --- with a server ----------------------------------------------------------------------------
@pytest.fixture
def ran(fake, tapis):
    """A study of three cases that ran, with a mesh that was uploaded."""
    mesh = b"mesh" * 40_000
    study = tapis.study(
        "fragility", "bash", cases={"k": [1, 2, 3]}, script="echo {{ k }}", files={"mesh.msh": mesh},
        maxFailures=5, env={"API_TOKEN": "x"},
    )  # fmt: skip
    study.run()
    return study


def exported(tapis, tmp_path):
    with pytest.warns(TapisJobsWarning, match="set API_TOKEN: look at them before you give it away"):
        return export_study(tapis, "fragility", tmp_path / "f.zip", now=0.0)


def test_a_study_leaves_with_its_cases_app_inputs_and_results(tapis, ran, tmp_path):
    with pytest.warns(TapisJobsWarning):
        path = export_study(tapis, "fragility", tmp_path / "f.zip", results=pd.DataFrame({"drift": [1.5]}))
    record = read_crate(path)
    assert [case["parameters"] for case in record.cases] == [{"k": 1}, {"k": 2}, {"k": 3}]
    assert [app["id"] for app in record.apps] == ["bash"]
    assert list(record.inputs.values()) == [b"mesh" * 40_000]
    assert record.settings["maxFailures"] == 5
    assert len(record.attempts["jobUuid"]) == 3
    with zipfile.ZipFile(path) as archive:
        assert archive.read("results.csv") == b"drift\n1.5\n"


def test_elsewhere_the_same_cases_run_with_the_inputs_brought_along(fake, tapis, ran, tmp_path):
    path = exported(tapis, tmp_path)
    other = type(fake)()
    study = import_study(other.tapis(), path, maxMinutes=33)
    assert other.requests == {}
    study.run()
    assert other.last_request()["maxMinutes"] == 33
    assert list(other.studies.known["fragility"].cases) == list(fake.studies.known["fragility"].cases)
    assert any("mesh" in key for key in other.uploads)
    urls = [item["sourceUrl"] for item in other.last_request()["fileInputs"]]
    assert any(url.startswith("tapis://") and url.endswith("mesh.msh") for url in urls)
    assert study.frame()["k"].tolist() == [1, 2, 3]


def test_a_name_that_is_taken_and_an_app_that_is_missing_are_told_before_anything(fake, tapis, ran, tmp_path):
    path = exported(tapis, tmp_path)
    with pytest.raises(ConflictError, match=r"is here already\. Under another name: .*name='fragility-2'"):
        import_study(tapis, path)
    assert import_study(tapis, path, "second").name == "second"
    other = type(fake)()
    del other.apps["bash"]
    with pytest.raises(NotFoundError, match=r"App bash@1\.0, which the study runs, is not here"):
        import_study(other.tapis(), path)
    import_study(other.tapis(), path, definitions=True)
    assert other.apps["bash"]["version"] == "1.0"


def test_an_input_that_is_gone_is_told(fake, tapis, ran, tmp_path):
    fake.uploads.clear()
    with pytest.warns(TapisJobsWarning) as told:
        export_study(tapis, "fragility", tmp_path / "f.zip")
    assert any("1 inputs of the cases are no longer where" in str(one.message) for one in told)
