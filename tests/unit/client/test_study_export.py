"""A study as one file, taken to another server and run again there."""

import zipfile

import pytest
from fake_tapis import OPENSEES, FakeTapis
from study_samples import made

from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError


@pytest.fixture
def crate(fake, tapis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.txt").write_text("m" * 100_000)
    study = made(tapis, inputs=["mesh.txt"], launchMode="pack").run()
    fake.studies.move("fragility", "FINISHED")
    return study.export(tmp_path / "fragility.zip")


def test_what_was_exported_runs_again_elsewhere_as_the_same_cases(fake, crate):
    other = FakeTapis()
    study = other.tapis().import_study(crate)
    assert (study.preview().new, len(other.jobs)) == (6, 0)
    study.run()
    assert list(other.studies.known["fragility"].cases) == list(fake.studies.known["fragility"].cases)
    assert other.studies.known["fragility"].settings["launchMode"] == "pack"
    assert list(other.uploads.values()) == [b"m" * 100_000]
    inputs = other.last_request()["fileInputs"]
    assert inputs[1]["sourceUrl"].startswith("tapis://local/")
    study.extend([{"k": 99, "damping": 0.02}]).run()
    assert len(other.jobs) == 7


def test_an_app_that_is_not_there_is_created_when_asked_for(fake, tapis, tmp_path):
    study = tapis.study("s", "opensees-py", cases={"k": [1]}, env={"K": "{{ k }}"}).run()
    path = study.export(tmp_path / "s.zip")
    other = FakeTapis()
    del other.apps["opensees-py"]
    other.tapis().import_study(path, definitions=True).run()
    assert other.apps["opensees-py"]["version"] == OPENSEES["version"]
    assert len(other.jobs) == 1


def test_a_name_that_is_taken_needs_another_one(tapis, crate):
    with pytest.raises(ConflictError, match=r"import_study\('.*', name='fragility-2'\)"):
        tapis.import_study(crate)
    assert len(tapis.import_study(crate, "second").run().answer.submitted) == 6


def test_results_that_were_collected_are_in_the_file(fake, tapis, tmp_path):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    for uuid in fake.jobs:
        fake.outputs[uuid] = {"peak.csv": b"drift\n0.5\n"}
    study.collect("peak.csv")
    assert study.frame()["drift"].tolist() == [0.5] * 6
    with zipfile.ZipFile(study.export(tmp_path / "s.zip")) as crate:
        assert crate.read("results.csv").startswith(b"k,damping,caseId")


@pytest.mark.parametrize(("content", "error"), [(None, NotFoundError), (b"PK", InvalidInputError)])
def test_a_file_that_is_none_of_ours_is_refused(tapis, tmp_path, content, error):
    path = tmp_path / "x.zip"
    if content:
        path.write_bytes(content)
    with pytest.raises(error):
        tapis.import_study(path)
