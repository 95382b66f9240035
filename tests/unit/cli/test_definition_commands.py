"""``import`` and ``export``: what is read of files, what is said of each definition, what is written."""

import json
from pathlib import Path

import pytest

from jupyter_tapis_jobs.client.definitions import definitions_in, definitions_of
from jupyter_tapis_jobs.model.definitions import Kind, differing, own_part, read_definition
from jupyter_tapis_jobs.model.errors import InvalidInputError, TapisJobsError

SAMPLES = Path(__file__).parents[2] / "definitions"
FOUND = definitions_in([SAMPLES])
GOOD = [one.definition for one in FOUND]
APP = {"id": "frame", "version": "1", "runtime": "ZIP", "containerImage": "/apps/frame.zip"}
PROFILE = {"name": "site", "moduleLoads": [], "hiddenOptions": ["MEM"]}


# --- what is read -----------------------------------------------------------------------------
def test_a_folder_is_read_with_all_its_files_and_lists():
    assert [str(one.definition) for one in FOUND if isinstance(one.definition, TapisJobsError)] == []
    kinds = [definition.kind for definition in GOOD]
    assert (kinds.count(Kind.APP), kinds.count(Kind.SYSTEM), kinds.count(Kind.PROFILE)) == (6, 4, 3)


@pytest.mark.parametrize("definition", GOOD, ids=lambda definition: definition.title)
def test_a_production_definition_says_afterwards_what_it_said_before(definition):
    again = read_definition(own_part(definition.kind, definition.wire))
    assert differing(definition.kind, again.wire, definition.wire) == []


@pytest.mark.parametrize("definition", GOOD, ids=lambda definition: definition.title)
def test_nothing_of_a_production_definition_is_lost(definition):
    _assert_holds(own_part(definition.kind, definition.wire), _said(definition), definition.title)


def _said(definition):
    computed = own_part(definition.kind, dict.fromkeys(definition.raw, 0)).keys()
    return {name: value for name, value in definition.raw.items() if name in computed}


def _assert_holds(whole, part, place):
    if isinstance(part, dict):
        for name, value in part.items():
            if value is not None:
                _assert_holds(whole[name], value, f"{place}.{name}")
    elif isinstance(part, list):
        assert len(whole) == len(part), place
        for number, value in enumerate(part):
            _assert_holds(whole[number], value, f"{place}[{number}]")
    else:
        assert whole == part, place


@pytest.mark.parametrize(
    "raw",
    [
        APP | dict.fromkeys(("maxJobs", "maxJobsPerUser", "enabled", "locked", "runtime", "jobAttributes")),
        {"id": "s", "systemType": "LINUX", "host": "h", "defaultAuthnMethod": "TMS_KEYS", "canExec": False}
        | {"rootDir": "/"}
        | dict.fromkeys(("port", "proxyPort", "useProxy", "effectiveUserId", "jobMaxJobs", "canRunBatch")),
    ],
    ids=["app", "system"],
)
def test_null_is_the_default_where_there_is_one(raw):
    read = read_definition(raw)
    plain = read_definition({name: value for name, value in raw.items() if value is not None})
    assert differing(read.kind, read.wire, plain.wire) == []
    assert read_definition(own_part(read.kind, read.wire)).wire == read.wire


def test_a_subscription_of_an_app_may_say_its_filter_as_a_request_does():
    target = {"deliveryMethod": "EMAIL", "deliveryAddress": "train301@example.org"}
    item = {"eventCategoryFilter": "ALL", "deliveryTargets": [target]}
    read = read_definition(APP | {"jobAttributes": {"subscriptions": [item]}})
    assert read.wire["jobAttributes"]["subscriptions"][0]["jobEventCategoryFilter"] == "ALL"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'id': ", "neither YAML nor JSON in line"),
        ("", "it is empty"),
        ("just words", "a definition is an object, not str"),
        ('{"name": "j", "appId": "bash"}', "job request"),
        ('{"id": "x", "containerImag": "y"}', "Did you mean 'containerImage'?"),
        ('{"id": "x", "version": 1, "runtime": "ZIP"}', "version must be text, not the number 1"),
    ],
)
def test_what_is_no_definition_says_why(text, words):
    (found,) = definitions_of(text, "standard input")
    assert words in found.definition.message


def test_a_definition_is_found_in_the_envelope_of_an_answer():
    (found,) = definitions_of(json.dumps({"status": "success", "result": APP}), "saved.json")
    assert found.definition.title == "app frame 1"


def test_json_with_tabs_and_yaml_of_several_documents_are_read():
    assert definitions_of('{\n\t"name": "a",\n\t"hiddenOptions": []\n}', "x")[0].definition.name == "a"
    two = definitions_of("name: a\nhiddenOptions: []\n---\nname: b\nmoduleLoads: []\n", "x")
    assert [one.definition.name for one in two] == ["a", "b"]


def test_a_file_that_is_no_text_and_one_that_is_not_there(tmp_path):
    (tmp_path / "app.json").write_bytes(b"\xff\xfe\x00")
    assert "no text" in definitions_in([tmp_path])[0].definition.message
    with pytest.raises(InvalidInputError, match=r"Did you mean 'app\.json'"):
        definitions_in([tmp_path / "ap.json"])


# --- import -----------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path):
    def write(*definitions):
        path = tmp_path / "definitions.json"
        path.write_text(json.dumps(list(definitions)))
        return str(path)

    return write


def test_profiles_come_before_apps_and_the_sum_is_told(run, fake, file):
    code, out, _ = run("import", file(APP, PROFILE))
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == [
        "✓ profile site",
        "✓ app frame 1",
        "2 created.",
    ]
    posted = [path for method, path in fake.calls if method == "POST"]
    assert posted == ["/v3/systems/schedulerProfile", "/v3/apps"]


def test_a_dry_run_changes_nothing(run, fake, file):
    code, out, _ = run("import", file(APP), "--dry-run")
    assert code == 0
    assert "app frame 1  would be created" in out
    assert out.endswith("1 would be created. Nothing was changed: this was a dry run.\n")
    assert {method for method, _ in fake.calls} == {"GET"}


def test_what_is_there_and_the_same_is_left_alone(run, file):
    run("import", file(APP))
    assert "app frame 1  unchanged" in run("import", file(APP | {"uuid": "x", "created": "then"}))[1]


def test_what_is_there_and_differs_is_told_and_replaced_on_demand_only(run, fake, file):
    run("import", file(APP, PROFILE))
    changed = [APP | {"description": "new"}, PROFILE | {"hiddenOptions": []}]
    code, out, _ = run("import", file(*changed))
    assert code == 1
    assert "it is there already and differs in description; --update replaces it." in out
    assert fake.apps["frame"].get("description") is None
    code, out, _ = run("import", file(*changed), "--update")
    assert code == 0
    assert fake.apps["frame"]["description"] == "new"
    assert fake.profiles["site"]["hiddenOptions"] == []


def test_one_refusal_keeps_no_other_back(run, fake, file):
    code, out, _ = run("import", file({"id": "bad"}, APP, APP))
    assert code == 1
    assert "✗" in out.splitlines()[0]
    assert out.splitlines()[-1] == "1 created, 2 refused."
    assert "frame" in fake.apps


def test_unknown_attributes_are_warned_about_and_sent(run, fake, file):
    out = run("import", file(APP | {"appType": "html"}))[1]
    assert "⚠ 'appType' is not an attribute that Tapis knows; it is kept." in out
    assert fake.apps["frame"]["appType"] == "html"


def test_import_as_json_is_for_programs(run, file):
    rows = json.loads(run("import", file(APP), "--json")[1])
    assert [(row["title"], row["state"]) for row in rows] == [("app frame 1", "created")]


# --- export -----------------------------------------------------------------------------------
def test_export_writes_a_file_each_that_imports_unchanged(run, file, tmp_path):
    run("import", file(APP, PROFILE))
    code, out, _ = run("export", "frame", "site", "--to", str(tmp_path / "out"))
    assert code == 0
    assert sorted(Path(line).name for line in out.splitlines()) == ["frame-1.json", "site.json"]
    assert run("import", str(tmp_path / "out"))[1].endswith("2 unchanged.\n")


def test_export_to_standard_output_is_a_list_without_what_the_server_computes(run, file):
    run("import", file(APP))
    (found,) = json.loads(run("export", "frame@1")[1])
    assert found.items() >= APP.items()
    assert "uuid" not in found
    assert run("export", "frame", "--yaml")[1].startswith("- id: frame\n")


def test_export_replaces_no_other_content_unless_forced(run, file, tmp_path):
    run("import", file(APP))
    there = tmp_path / "out" / "apps" / "frame-1.json"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    code, _, err = run("export", "frame", "--to", str(tmp_path / "out"))
    assert code == 1
    assert "--force replaces it" in err
    assert there.read_text() == "mine"
    assert run("export", "frame", "--to", str(tmp_path / "out"), "--force")[0] == 0


def test_a_wrong_name_says_what_there_is(run, file):
    run("import", file(APP))
    assert "Did you mean 'frame'?" in run("export", "fraem")[2]
    assert "frame has no version 2. Versions: 1." in run("export", "frame@2")[2]


def test_a_tenant_is_asked_nothing_but_tapiss_own_calls(run, fake, file, tmp_path):
    fake.ours = False
    assert run("import", file(APP, PROFILE))[0] == 0
    assert run("import", file(APP | {"description": "new"}, PROFILE), "--update")[0] == 0
    code, out, _ = run("export", "--to", str(tmp_path / "out"))
    assert code == 0
    # What a tenant calls bash is the tenant's own.
    assert {"frame-1.json", "bash-1.0.json"} <= {Path(line).name for line in out.splitlines()}
    services = ("/v3/apps", "/v3/systems", "/v3/tenants", "/v3/oauth2/userinfo")
    assert [path for _, path in fake.calls if not path.startswith(services)] == []
