"""``%%tapisjob … --cases``: a study from a cell."""

import base64

import pandas as pd
import pytest

from jupyter_tapis_jobs.client.study import Study


def contents(fake, place=0):
    return [
        base64.b64decode(request["fileInputs"][place]["sourceUrl"].partition(",")[2]).decode()
        for request in fake.requests.values()
    ]


@pytest.fixture
def cases(shell):
    shell.user_ns["cases"] = pd.DataFrame({"k": [1, 2], "minutes": [5, 9]})
    shell.user_ns["scale"] = 10
    shell.user_ns["place"] = "here"


def test_the_cell_is_a_template_over_columns_and_variables(fake, run, shell, cases):
    out = run(
        "%%tapisjob bash --name s --cases cases -o study --minutes {{ minutes }} "
        "--env K={{k}} --env P={{place}}\n"
        "echo {{ k }} {{ k * scale }} {{ place }}"
    )
    assert contents(fake) == ["echo 1 10 here\n", "echo 2 20 here\n"]
    requests = list(fake.requests.values())
    assert [request["maxMinutes"] for request in requests] == [5, 9]
    assert requests[1]["parameterSet"]["envVariables"] == [
        {"key": "K", "value": "2"}, {"key": "P", "value": "here"},
    ]  # fmt: skip
    assert isinstance(shell.user_ns["study"], Study)
    assert "○ 2 accepted" in out


def test_the_study_of_a_cell_is_found_and_extended_without_the_notebooks_variables(fake, run, cases):
    run("%%tapisjob bash --name s --cases cases\necho {{ k * scale }} {{ minutes }}")
    fake.tapis().study("s").extend([{"k": 3, "minutes": 1}]).run()
    assert contents(fake)[-1].strip() == "echo 30 1"


def test_a_dry_run_shows_the_preview(fake, run, cases):
    out = run("%%tapisjob bash --name s --cases cases --dry-run\necho {{ k }} {{ minutes }}")
    assert "s: 2 cases: 2 new" in out
    assert fake.jobs == {}


def test_a_cell_that_is_a_request_takes_columns_without_quotes(fake, run, cases):
    run(
        "%%tapisjob opensees-py --name s --cases cases\n"
        "nodeCount: {{ k }}\nmaxMinutes: {{ minutes }}\nparameterSet:\n  appArgs:\n    - arg: --k={{ k }}"
    )
    requests = list(fake.requests.values())
    assert [(r["nodeCount"], r["parameterSet"]["appArgs"][0]["arg"]) for r in requests] == [
        (1, "--k=1"), (2, "--k=2"),
    ]  # fmt: skip


def test_raw_takes_the_cell_as_it_is(fake, run, cases):
    run("%%tapisjob bash --name s --cases cases --raw --env K={{k}} --env M={{minutes}}\necho {{ k }}")
    assert contents(fake) == ["echo {{ k }}\n"] * 2


def test_cases_come_from_a_csv_file_too(fake, run, shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases.csv").write_text("k\n7\n8\n")
    run("%%tapisjob bash --name s --cases cases.csv\necho {{ k }}")
    assert contents(fake) == ["echo 7\n", "echo 8\n"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--name s --cases casse", "there is no variable 'casse' in this notebook. Did you mean 'cases'?"),
        ("--cases cases", "which needs a name to be found by: --name NAME"),
        ("--name s --cases cases --follow", "--follow is for one job"),
        ("--name s --cases scale", "cases must be a DataFrame"),
        ("--name s --cases cases --minutes {{ minuets }}", "there is no variable 'minuets'"),
    ],
)
def test_slips_are_told_in_a_sentence(fake, run, cases, line, said):
    assert said in run(f"%%tapisjob bash {line}\necho {{{{ k }}}} {{{{ minutes }}}}")
    assert fake.jobs == {}


def test_other_peoples_braces_stay_in_a_cell_with_cases_as_in_any_template(fake, run, cases):
    run("%%tapisjob bash --name s --cases cases\nset x {{1 2} {3 4}}; {{ k }} {{ minutes }} {{ place }}")
    assert contents(fake)[0] == "set x {{1 2} {3 4}}; 1 5 here\n"
