"""The magics, run by a real IPython shell."""

import base64

import pytest
from fake_tapis import error
from IPython.core.completer import provisionalcompleter

from jupyter_tapis_jobs.model.job_code import cell_of, same_request
from jupyter_tapis_jobs.model.job_text import read_text
from jupyter_tapis_jobs.notebook.completion import Completer


def script_of(request):
    (item,) = [item for item in request["fileInputs"] if item.get("name") == "script"]
    return base64.b64decode(item["sourceUrl"].partition(",")[2]).decode()


def test_a_cell_becomes_the_script_of_a_job_and_the_variable_its_job(fake, shell, run):
    shell.user_ns["drift"] = 0.02
    output = run("%%tapisjob python -o job --minutes 5 --env K=3\nprint({{ drift }})\n")
    request = fake.last_request()
    assert script_of(request) == "print(0.02)\n"
    assert (request["appId"], request["appVersion"], request["maxMinutes"]) == ("python", "1.0", 5)
    assert {"key": "K", "value": "3"} in request["parameterSet"]["envVariables"]
    assert shell.user_ns["job"].uuid in fake.jobs
    assert "python-1  PENDING  accepted" in output


def test_every_option_sets_its_field(fake, run):
    run(
        "%%tapisjob bash --name n --system frontera --queue normal --nodes 2 --cores 4 --memory 8000 "
        "--minutes 9 --arg -v --arg 'two words' --set archiveOnAppError=false "
        "--set parameterSet.logConfig.stdoutFilename=o\nx"
    )
    request = fake.last_request()
    expected = {
        "name": "n",
        "execSystemId": "frontera",
        "execSystemLogicalQueue": "normal",
        "nodeCount": 2,
        "coresPerNode": 4,
        "memoryMB": 8000,
        "maxMinutes": 9,
        "archiveOnAppError": False,
    }
    assert {key: request[key] for key in expected} == expected
    assert request["parameterSet"] == {
        "logConfig": {"stdoutFilename": "o"},
        "appArgs": [{"arg": "-v"}, {"arg": "'two words'"}],
    }


def test_a_value_in_the_line_is_one_word_whatever_it_holds(fake, shell, run):
    shell.user_ns["text"] = "a b'; --nodes 9 $HOME"
    run("%%tapisjob bash --env K={{ text }} --name {{ 'x' + 'y' }}\nx")
    request = fake.last_request()
    assert request["parameterSet"]["envVariables"] == [{"key": "K", "value": "a b'; --nodes 9 $HOME"}]
    assert request["name"] == "xy"
    assert "nodeCount" not in request


def test_python_braces_and_dollars_in_the_line_are_not_ipythons(fake, shell, run):
    shell.user_ns["k"] = "wrong"
    run("%%tapisjob bash --env K={k} --env L=$k\nx")
    assert [item["value"] for item in fake.last_request()["parameterSet"]["envVariables"]] == ["{k}", "$k"]


def test_raw_keeps_the_cell_as_it_is(fake, run):
    run("%%tapisjob bash --raw\necho {{ not_a_value }}\n")
    assert script_of(fake.last_request()) == "echo {{ not_a_value }}\n"


def test_for_an_app_without_a_script_the_cell_is_a_request_merged_over_the_options(fake, run):
    run(
        "%%tapisjob opensees-py --nodes 1 --arg a\n"
        "nodeCount: 2\nargs: [b c]\nenv: {K: 3}\nnotes: {why: test}\n"
    )
    request = fake.last_request()
    assert request["nodeCount"] == 2
    assert request["parameterSet"]["appArgs"] == [{"arg": "a"}, {"arg": "'b c'"}]
    assert request["parameterSet"]["envVariables"] == [{"key": "K", "value": "3"}]
    assert request["notes"] == {"why": "test"}


def test_json_is_a_request_too(fake, run):
    run('%%tapisjob opensees-py\n{"nodeCount": 3}')
    assert fake.last_request()["nodeCount"] == 3


def test_with_script_the_cell_is_that_file_of_any_app(fake, run):
    run("%%tapisjob opensees-py --script model.py --arg model.py\nprint(1)\n")
    (item,) = fake.last_request()["fileInputs"]
    assert item["targetPath"] == "model.py"
    assert base64.b64decode(item["sourceUrl"].partition(",")[2]) == b"print(1)\n"


def test_an_input_can_be_given_another_name_in_the_job(fake, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v2.tcl").write_text("x")
    run("%%tapisjob opensees-py --input v2.tcl:model.tcl --input https://host:8080/a.txt\n{}")
    assert [item.get("targetPath") for item in fake.last_request()["fileInputs"]] == ["model.tcl", None]


def test_out_reads_the_results_into_variables_once_the_job_has_ended(fake, shell, run, monkeypatch):
    accepted = fake._accepted

    def finish(body):
        job = accepted(body)
        fake.outputs[job["uuid"]] = {"disp.csv": b"u\n1.5\n", "tapisjob.out": b"hello\n"}
        fake.move(job["uuid"], "FINISHED", ended="2026-11-21T05:00:12.000000Z")
        return fake.jobs[job["uuid"]]

    monkeypatch.setattr(fake, "_accepted", finish)
    output = run("%%tapisjob python --out disp.csv=disp --out tapisjob.out=text\nx")
    assert shell.user_ns["disp"]["u"].tolist() == [1.5]
    assert shell.user_ns["text"] == "hello\n"
    assert "done in 12 s" in output
    assert "disp.csv 6 B" in output


def test_a_dry_run_shows_and_submits_nothing(fake, run):
    output = run("%%tapisjob bash --dry-run\necho hello\n")
    assert "echo hello" in output
    assert '"appId": "bash"' in output
    assert "#!/bin/sh" in output
    assert not fake.jobs


def test_a_job_without_a_cell_is_the_line_magic(fake, run):
    run("%tapisjob opensees-py --nodes 2")
    assert fake.last_request()["nodeCount"] == 2


def test_help_shows_every_option(run):
    output = run("%%tapisjob --help\n ")
    for word in ("--queue", "--input PATH[:TARGET]", "--dry-run", "{{ expression }}"):
        assert word in output


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%tapisjob pyhton\nx", "App 'pyhton' is not here. Did you mean 'python'?"),
        ("%%tapisjob bash --quue normal\nx", "%%tapisjob has no option --quue. Did you mean '--queue'?"),
        ("%%tapisjob bash --nodes two\nx", "--nodes two: expected a whole number."),
        ("%%tapisjob bash --nodes\nx", "Argument --nodes: expected one argument"),
        ("%%tapisjob bash --env K\nx", "--env K: expected K=V."),
        ("%%tapisjob bash --out a.csv\nx", "--out a.csv: expected PATH=VAR."),
        ("%%tapisjob bash -o 2x\nx", "-o 2x: '2x' is not a name of a variable."),
        ("%%tapisjob bash --name 'x\nx", "a quote is not closed"),
        ("%%tapisjob bash\n  \n", "The cell is empty: write the script of app bash below the line."),
        ("%%tapisjob --wait\nx", "Which app?"),
        ("%%tapisjob opensees-py\nprint(1)", "to make the cell a file of the job: --script FILE"),
        ("%%tapisjob bash\necho {{ nothing }}", "there is no variable 'nothing'"),
        ("%%tapisjob bash --input no_such_file\nx", "no_such_file is not beside this notebook."),
        ("%tapisjobs FAILD", "Did you mean 'FAILED'?"),
    ],
)
def test_a_mistake_is_one_sentence_without_a_traceback_and_nothing_is_submitted(fake, run, cell, words):
    output = run(cell)
    assert words in output
    assert "Traceback" not in output
    assert (
        ".py"
        not in output.replace("no_such_file is not beside this notebook. Files here:", "").split("Files")[0]
    )
    assert run.error is not None
    assert not fake.jobs


def test_the_full_story_of_the_last_mistake_is_one_magic_away(run):
    run("%%tapisjob pyhton\nx")
    output = run("%tapisjobs --debug")
    assert "Traceback (most recent call last)" in output
    assert "App 'pyhton' is not here" in output


def test_the_table_is_filtered_by_words_and_options(fake, shell):
    fake.add_job("FAILED", name="a")
    fake.add_job("FINISHED", name="b")
    table = shell.run_line_magic("tapisjobs", "FAILED --app bash")
    assert table["name"].tolist() == ["a"]
    assert len(shell.run_line_magic("tapisjobs", "")) == 2


def test_the_table_says_what_active_jobs_wait_for(shell, fake):
    fake.add_job(
        "QUEUED", name="held", execSystemLogicalQueue="normal", lastMessage="it waits for free nodes"
    )
    fake.add_job("FINISHED", name="old", lastMessage="all is well")
    table = shell.run_line_magic("tapisjobs", "").set_index("name")
    assert list(table.columns[:3]) == ["uuid", "status", "standing"]
    assert table.loc["held", "standing"].startswith("in queue normal ")
    assert table.loc["held", "standing"].endswith(": it waits for free nodes")
    assert table.loc["old", "standing"] == ""
    assert shell.run_line_magic("tapisjobs", "FINISHED")["standing"].item() == ""
    assert len(shell.run_line_magic("tapisjobs", "--name none")) == 0


# --- completion ------------------------------------------------------------------------------
def offered(shell, line):
    """What a notebook's front end is offered at the end of *line*."""
    with provisionalcompleter():
        found = shell.Completer.completions(line, len(line))
        return sorted(line[: one.start] + one.text for one in found)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%%tapisjob ba", ["bash"]),
        ("%%tapisjob bash@", ["1.0"]),
        ("%%tapisjob bash --qu", ["--queue"]),
        ("%%tapisjob bash --system fr", ["frontera"]),
        ("%%tapisjob bash --system=fr", ["frontera"]),
        ("%%tapisjob bash --system frontera --queue ", ["large", "normal"]),
        ("%tapisjob opens", ["opensees-py"]),
        ("%tapisjobs --ap", ["--app"]),
        ("%tapisjobs --app py", ["python"]),
        ("%tapisjobs FA", ["FAILED"]),
    ],
)
def test_completion_offers_what_can_come_next(shell, line, found):
    kept = line[: max(line.rfind(cut) for cut in " =@") + 1]
    assert offered(shell, line) == [kept + one for one in found]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_the_older_way_of_asking_is_answered_too(shell):
    assert shell.complete("", "%%tapisjob bash --qu", 20)[1] == ["--queue"]


def test_an_option_that_was_given_is_not_offered_again_unless_it_repeats(shell):
    line = "%%tapisjob bash --name n --env K=1 --"
    options = [one.split()[-1] for one in offered(shell, line)]
    assert "--name" not in options
    assert "--env" in options


def test_a_server_that_does_not_answer_does_not_break_completion(fake, tapis):
    fake.instead["/v3/systems"] = lambda request: error(500)
    assert Completer(lambda: tapis).candidates("%%tapisjob bash --system ") == []


def test_names_from_the_server_are_asked_for_once_in_a_while(fake, tapis):
    clock = [0.0]
    completer = Completer(lambda: tapis, now=lambda: clock[0])
    for _ in range(3):
        completer.candidates("%%tapisjob b")
    assert len(fake.calls) == 1
    clock[0] = 60.0
    completer.candidates("%%tapisjob b")
    assert len(fake.calls) == 2


def test_other_lines_are_left_to_ipython(shell):
    shell.user_ns["some_variable"] = 1
    assert "some_variable" in offered(shell, "some_va")


@pytest.mark.parametrize(
    ("app", "more"),
    [
        ("bash", {"name": "it's {{ n }}", "maxMinutes": 5, "tags": ["a b"]}),
        ("bash", {"parameterSet": {"appArgs": [{"arg": "'{{ x }} $HOME'"}, {"arg": "-v"}]}}),
        ("bash", {"parameterSet": {"envVariables": [{"key": "K", "value": "a 'b' \"c\" {{"}]}}),
        ("opensees-py", {"notes": {"why": "{{ test }}"}, "nodeCount": 2}),
        ("opensees-py", {"parameterSet": {"appArgs": [{"name": "model", "arg": "$HOME/a.py"}]}}),
        ("opensees-py", {"fileInputs": [{"sourceUrl": "tapis://frontera/a.msh", "targetPath": "a"}]}),
    ],
)
def test_the_cell_of_a_form_submits_what_the_form_would(fake, run, app, more):
    version = fake.apps[app]["version"]
    script = {"name": "script", "sourceUrl": "data:,echo%20%7B%7B%20x%20%7D%7D", "targetPath": "script.sh"}
    inputs = {"fileInputs": [script]} if app == "bash" else {}
    request = {"name": "n", "appId": app, "appVersion": version, **inputs, **more}
    cell = cell_of(request, fake.apps[app])
    run(cell)
    assert same_request(fake.last_request(), request)


# --- templates -------------------------------------------------------------------------------
def test_a_cell_of_a_template_has_its_app_and_defaults(fake, tapis, run):
    tapis.template("pushover", "python", required=["script", "K"], maxMinutes=30)
    run("%%tapisjob --template pushover --env K=3 --cores 2\nprint(1)\n")
    request = fake.last_request()
    assert (request["appId"], request["maxMinutes"], request["coresPerNode"]) == ("python", 30, 2)
    assert script_of(request) == "print(1)\n"


def test_a_template_with_a_script_needs_no_cell_and_one_without_names_what_is_missing(fake, tapis, run):
    tapis.template("whole", "bash", script="echo 1")
    run("%tapisjob --template whole")
    assert script_of(fake.last_request()) == "echo 1"
    tapis.template("bare", "bash", required=["script", "K"])
    assert "Template bare wants script, K too" in run("%tapisjob --template bare")


def test_a_template_of_another_app_is_refused(tapis, run):
    tapis.template("whole", "bash", script="echo 1")
    assert "Template whole is for app bash, not python" in run("%%tapisjob python --template whole\nx\n")


def test_templates_are_completed(tapis, shell):
    tapis.template("pushover", "bash")
    tapis.template("modal", "bash")
    assert offered(shell, "%%tapisjob --template pu") == ["%%tapisjob --template pushover"]


# --- post-processing -------------------------------------------------------------------------
def wish(fake):
    return fake.last_request()["notes"]["tapisjobs"]["process"]


def test_a_cell_names_a_function_of_a_package_or_has_one_of_the_notebook(fake, run, shell):
    run("%%tapisjob bash --process peaks\ntrue\n")
    assert wish(fake) == "peaks"
    shell.user_ns["peaks"] = lambda job: 7
    run("%%tapisjob bash --process peaks -o job\ntrue\n")
    assert (wish(fake)["name"], wish(fake)["runs"]) == ("<lambda>", "kernel")


def test_a_cell_with_a_function_is_opened_in_a_form_with_its_name(fake):
    text = read_text("%%tapisjob bash --process peaks\ntrue\n")
    assert text.request(fake.apps["bash"])["notes"] == {"tapisjobs": {"process": "peaks"}}
