"""What submit() sends: the shorthands as a Tapis request."""

import base64
import os
import sys

import pytest
from fake_tapis import FakeTapis, error, result
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_tapis_jobs.client import carrier as carriers
from jupyter_tapis_jobs.client.tapis import TapisJobsWarning
from jupyter_tapis_jobs.model.errors import InvalidInputError, JobError, NotFoundError
from jupyter_tapis_jobs.model.shorthands import arguments, merged


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(item):
    return base64.b64decode(item["sourceUrl"].partition(",")[2])


def test_a_script_and_files_travel_inside_the_request(fake, tapis):
    job = tapis.submit("bash", script="echo hello", files={"k.txt": "3\n"}, maxMinutes=5)
    request = fake.last_request()
    script, k = request["fileInputs"]
    assert (request["appId"], request["appVersion"], request["maxMinutes"]) == ("bash", "1.0", 5)
    assert (script["name"], script["targetPath"], content(script)) == ("script", "script.sh", b"echo hello")
    assert (k["targetPath"], content(k)) == ("k.txt", b"3\n")
    assert job.uuid in fake.jobs


def test_jobs_without_a_name_are_numbered_per_app(tapis):
    names = [tapis.submit(app, script="x").name for app in ("bash", "bash", "python")]
    assert names == ["bash-1", "bash-2", "python-1"]


@settings(max_examples=60)
@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
)
def test_each_item_of_args_is_one_word_for_the_shell_whatever_it_holds(words):
    import shlex

    line = " ".join(item["arg"] for item in arguments(words))
    assert shlex.split(line) == words


def test_args_as_text_stay_as_they_are_and_as_mapping_go_to_the_apps_named_arguments():
    assert arguments("-o $HOME/x") == [{"arg": "-o $HOME/x"}]
    assert arguments({"TCL Script": "my model.tcl"}) == [{"name": "TCL Script", "arg": "'my model.tcl'"}]


def test_inputs_beside_the_notebook_keep_their_names(fake, tapis, here):
    (here / "model.py").write_text("print(1)")
    tapis.submit("opensees-py", args=["model.py"], inputs=["model.py"], env={"K": 3})
    request = fake.last_request()
    assert request["parameterSet"] == {
        "appArgs": [{"arg": "model.py"}],
        "envVariables": [{"key": "K", "value": "3"}],
    }
    assert [(i["targetPath"], content(i)) for i in request["fileInputs"]] == [("model.py", b"print(1)")]


def test_a_missing_input_says_what_is_there_instead(tapis, here):
    (here / "model_v2.py").touch()
    (here / "run.sh").touch()
    with pytest.raises(InvalidInputError) as caught:
        tapis.submit("opensees-py", inputs=["model.py"])
    assert caught.value.message == "model.py is not beside this notebook. Files here: model_v2.py, run.sh."


def test_a_folder_is_taken_with_all_below_it(fake, tapis, here):
    (here / "data/deep").mkdir(parents=True)
    (here / "data/a.txt").write_text("a")
    (here / "data/deep/b.txt").write_text("b")
    tapis.submit("opensees-py", inputs=["data"])
    assert [i["targetPath"] for i in fake.last_request()["fileInputs"]] == ["data/a.txt", "data/deep/b.txt"]


def test_an_input_with_the_target_of_the_apps_own_takes_its_name(fake, tapis, here):
    (here / "big.msh").write_text("m")
    tapis.submit("opensees-py", inputs={"mesh": "big.msh"})
    tapis.submit("opensees-py", files={"mesh.msh": "m"})
    for request in fake.requests.values():
        assert [(i["name"], i["targetPath"]) for i in request["fileInputs"]] == [("mesh", "mesh.msh")]


def test_addresses_are_passed_on(fake, tapis):
    tapis.submit(
        "opensees-py", inputs=["tapis://frontera/x/y.txt", {"sourceUrl": "https://a/b", "targetPath": "c"}]
    )
    assert fake.last_request()["fileInputs"] == [
        {"sourceUrl": "tapis://frontera/x/y.txt"},
        {"sourceUrl": "https://a/b", "targetPath": "c"},
    ]


def test_a_big_file_is_uploaded_once_by_its_content(fake, tapis, here):
    big = os.urandom(carriers.INLINE_FILE + 1)
    (here / "big.bin").write_bytes(big)
    tapis.submit("opensees-py", inputs=["big.bin"])
    tapis.submit("opensees-py", inputs=["big.bin"])
    (path, stored), *others = fake.uploads.items()
    assert not others
    assert stored == big
    assert path.startswith("local/data/tapisjobs/uploads/")
    assert fake.last_request()["fileInputs"][0]["sourceUrl"] == f"tapis://{path}"
    assert len([call for call in fake.calls if call[0] == "POST" and "files/ops" in call[1]]) == 1


def test_an_upload_that_another_kernel_made_is_not_sent_again(fake, here):
    (here / "big.bin").write_bytes(bytes(carriers.INLINE_FILE + 1))
    fake.tapis().submit("opensees-py", inputs=["big.bin"])
    fake.tapis().submit("opensees-py", inputs=["big.bin"])
    assert len([call for call in fake.calls if call[0] == "POST" and "files/ops" in call[1]]) == 1


def test_on_a_tenant_everything_is_uploaded_to_the_home_on_the_execution_system(here):
    tenant = FakeTapis(ours=False)
    tenant.tapis().submit("opensees-py", files={"k.txt": "3\n"})
    (path,) = tenant.uploads
    assert path.startswith("frontera/me/.tapisjobs-uploads/")
    assert tenant.last_request()["fileInputs"][0]["sourceUrl"] == f"tapis://{path}"


def test_on_a_tenant_the_place_for_uploads_can_be_given():
    tenant = FakeTapis(ours=False)
    tenant.tapis(uploads="tapis://storage/mine").submit("opensees-py", files={"k.txt": "3\n"})
    assert next(iter(tenant.uploads)).startswith("storage/mine/")


def test_python_runs_with_this_kernels_interpreter_on_this_machine_only(fake, tapis):
    tapis.submit("python", script="1")
    assert fake.last_request()["parameterSet"]["envVariables"] == [
        {"key": "TAPIS_PYTHON", "value": sys.executable}
    ]
    tapis.submit("python", script="1", execSystemId="frontera")
    assert "parameterSet" not in fake.last_request()
    tapis.submit("bash", script="1")
    assert "parameterSet" not in fake.last_request()


def test_the_systems_or_the_persons_python_comes_before_the_kernels(fake, tapis):
    tapis.submit("python", script="1", env={"TAPIS_PYTHON": "/opt/python"})
    assert fake.last_request()["parameterSet"]["envVariables"] == [
        {"key": "TAPIS_PYTHON", "value": "/opt/python"}
    ]
    fake.systems["local"] = {
        **fake.systems["local"],
        "jobEnvVariables": [{"key": "TAPIS_PYTHON", "value": "p"}],
    }
    tapis.submit("python", script="1")
    assert "parameterSet" not in fake.last_request()


def test_a_list_of_systems_becomes_a_constraint(fake, tapis):
    tapis.submit("opensees-py", execSystemId=["frontera", "ls6"])
    request = fake.last_request()
    assert "execSystemId" not in request
    assert request["execSystemConstraints"] == ["id IN ('frontera', 'ls6')"]


@pytest.mark.parametrize(
    "request_text",
    [
        {"name": "n", "appId": "bash", "appVersion": "1.0", "nodeCount": 2},
        '{"name": "n", "appId": "bash", "appVersion": "1.0", "nodeCount": 2}',
        "name: n\nappId: bash\nappVersion: '1.0'\nnodeCount: 2\n",
    ],
)
def test_a_tapis_request_is_sent_as_it_is_with_one_call(fake, tapis, request_text):
    tapis.submit(request_text)
    assert fake.last_request() == {"name": "n", "appId": "bash", "appVersion": "1.0", "nodeCount": 2}
    assert fake.calls == [("POST", "/v3/jobs/submit")]


def test_text_that_is_no_request_is_refused_with_its_line(tapis):
    with pytest.raises(InvalidInputError, match="neither YAML nor JSON in line"):
        tapis.submit("name: x\nappId: [bash\n")
    with pytest.raises(InvalidInputError, match="mapping of Tapis fields"):
        tapis.submit("- just\n- a list\n")


def test_an_unknown_app_gets_the_nearest_name(tapis):
    with pytest.raises(
        NotFoundError, match=r"App 'pyton' is not here\. Did you mean 'python'\? Apps: bash, "
    ):
        tapis.submit("pyton", script="x")


def test_a_version_that_is_not_there_names_those_that_are(tapis):
    with pytest.raises(NotFoundError, match=r"has no version '9'.*1\.0"):
        tapis.submit("bash@9", script="x")


def test_where_a_request_is_refused_for_its_system_the_nearest_is_named(fake, tapis):
    fake.instead["/v3/jobs/submit"] = lambda request: error(404, "There is no system fronterra.")
    with pytest.raises(NotFoundError, match=r"System 'fronterra' is not here\. Did you mean 'frontera'\?"):
        tapis.submit("bash", script="x", execSystemId="fronterra")


def test_a_misspelt_shorthand_is_named(tapis):
    with pytest.raises(InvalidInputError, match="Did you mean 'script'"):
        tapis.submit("bash", scipt="x")


def test_a_script_for_an_app_without_one_names_the_way_out(tapis):
    with pytest.raises(InvalidInputError, match=r"no file input named 'script'.*files="):
        tapis.submit("opensees-py", script="x")


def test_merging_keeps_both_lists_and_lets_a_later_variable_win():
    base = {"env": {"A": 1}, "args": ["a"], "parameterSet": {"envVariables": [{"key": "K", "value": "1"}]}}
    over = {"env": {"B": 2}, "args": ["b"], "parameterSet": {"envVariables": [{"key": "K", "value": "2"}]}}
    assert merged(base, over) == {
        "env": {"A": 1, "B": 2},
        "args": ["a", "b"],
        "parameterSet": {"envVariables": [{"key": "K", "value": "2"}]},
    }


def test_many_jobs_are_one_call_and_refusals_stand_in_their_place(fake, tapis):
    cases = [{"env": {"K": k}, "maxMinutes": -1 if k == 1 else 5} for k in range(3)]
    with pytest.warns(
        TapisJobsWarning, match="1 of 3 jobs were refused; the first: maxMinutes -1 is too small"
    ):
        found = tapis.submit_many(cases, appId="bash", script="echo $K")
    assert [call for call in fake.calls if call[0] == "POST"] == [("POST", "/v3/jobs/submit/bulk")]
    assert isinstance(found[1], InvalidInputError)
    assert found[1].field == "maxMinutes"
    assert [found[0].name, found[2].name] == ["bash-1", "bash-3"]
    with pytest.raises(JobError, match="1 of these jobs were refused"):
        tapis.collect(found, "disp.csv")


@pytest.mark.parametrize("word", ["launch_mode", "launchMode"])
def test_the_launch_mode_goes_with_the_call_and_not_into_the_requests(fake, tapis, word):
    tapis.submit_many([{}, {}], appId="bash", script="x", **{word: "array"})
    assert fake.queries[-1]["launchMode"] == "array"
    assert "launchMode" not in fake.last_request()


def test_an_unknown_launch_mode_is_refused_before_anything_is_sent(fake, tapis):
    with pytest.raises(InvalidInputError, match=r"'arrays' is not one of: single, .* Did you mean 'array'\?"):
        tapis.submit_many([{}], appId="bash", script="x", launch_mode="arrays")
    assert not fake.calls


def test_a_long_acceptance_tells_how_far_it_is(fake, tapis, capsys):
    tapis.submit_many([{}] * 2500, appId="bash", script="x")
    assert [call for call in fake.calls if call[0] == "POST"] == [("POST", "/v3/jobs/submit/bulk")] * 3
    assert capsys.readouterr().out.splitlines() == [
        "○ accepted 0 of 2,500", "○ accepted 1,000 of 2,500", "○ accepted 2,000 of 2,500",
        "○ accepted 2,500 of 2,500",
    ]  # fmt: skip


def test_on_a_tenant_many_jobs_are_submitted_one_by_one_in_order():
    tenant = FakeTapis(ours=False)
    found = tenant.tapis().submit_many([{"name": f"n{k}"} for k in range(20)], appId="opensees-py")
    assert [job.name for job in found] == [f"n{k}" for k in range(20)]


def test_a_dry_run_shows_the_request_the_files_and_the_script_and_stores_nothing(fake, tapis):
    preview = tapis.validate("bash", script="echo hello")
    text = str(preview)
    assert '"appId": "bash"' in text
    assert "echo hello" in text
    assert "#!/bin/sh\nrun" in text
    assert "⚠ odd" in text
    assert "base64,ZWNo" not in text
    assert not fake.jobs


def test_a_dry_run_is_a_table_of_values_and_where_they_come_from(fake, tapis):
    rows = [
        {"field": "name", "value": "frame", "source": "request", "why": ""},
        {"field": "execSystemExecDir", "value": "/w/" + "x" * 99, "source": "app", "why": "written ${Dir}"},
        {"field": "parameterSet.appArgs 'k'", "value": None, "source": "app", "why": "left out"},
        {"field": "fileInputs [0]", "value": "data:;base64,aGVsbG8= → a.txt", "source": "request", "why": ""},
    ]
    fake.instead["/v3/jobs/validate"] = lambda request: result({"job": {"name": "frame"}, "origins": rows})
    shown = str(tapis.validate("bash", script="echo"))
    lines = shown.split("Values\n──────\n")[1].splitlines()
    assert lines[0].split() == ["field", "value", "from"]
    assert lines[1].split() == ["name", "frame", "request"]
    assert "…" in lines[2]
    assert lines[2].endswith("app      written ${Dir}")
    assert "–" in lines[3]
    assert "data:;base64,… (5 bytes) → a.txt" in lines[4]


def test_a_dry_run_in_a_notebook_escapes_what_it_shows(fake, tapis):
    evil = "<img src=x onerror=alert(1)>\u202e"
    row = {"field": evil, "value": evil, "source": "app", "why": evil}
    fake.instead["/v3/jobs/validate"] = lambda request: result(
        {"job": {"name": evil}, "script": evil, "environment": evil, "origins": [row], "warnings": [evil]}
    )
    shown = tapis.validate("bash", script="echo")._repr_html_()
    assert "<img" not in shown
    assert shown.count("&lt;img") >= 5
    assert "Script (tapisjob.sh)" in shown


def test_a_dry_run_on_a_tenant_shows_the_request_and_says_so():
    tenant = FakeTapis(ours=False)
    assert "knows no dry run" in str(tenant.tapis().validate("opensees-py"))
    assert not tenant.jobs


def test_a_resubmit_sends_only_the_changes_to_our_server(fake, tapis):
    job = tapis.submit("bash", script="x", maxMinutes=5)
    again = job.resubmit(maxMinutes=20)
    assert fake.calls[-1] == ("POST", f"/v3/jobs/{job.uuid}/resubmit")
    assert fake.requests[again.uuid]["maxMinutes"] == 20


def test_a_resubmit_with_a_shorthand_or_on_a_tenant_changes_the_old_request(fake, tapis):
    job = tapis.submit("bash", script="x", env={"K": 1, "L": 1})
    again = job.resubmit(env={"K": 2})
    assert fake.requests[again.uuid]["parameterSet"]["envVariables"] == [
        {"key": "L", "value": "1"},
        {"key": "K", "value": "2"},
    ]
    tenant = FakeTapis(ours=False)
    old = tenant.tapis().submit("opensees-py", nodeCount=1)
    assert tenant.requests[old.resubmit(nodeCount=2).uuid]["nodeCount"] == 2


def test_the_server_can_name_its_place_for_uploads(fake, tapis, here):
    server = {"version": "1", "uploads": {"system": "local", "path": "/srv/up"}}
    fake.instead["/v3/tapisjobs/server"] = lambda request: result(server)
    (here / "big.bin").write_bytes(bytes(carriers.INLINE_FILE + 1))
    tapis.submit("opensees-py", inputs=["big.bin"])
    assert next(iter(fake.uploads)).startswith("local/srv/up/")
