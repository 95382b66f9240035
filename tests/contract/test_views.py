"""What views in a browser ask the server for."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from people import Who, bash

COUNTS = "/v3/tapisjobs/jobs/counts"
VALUES = "/v3/tapisjobs/jobs/values"
SEARCH = "/v3/jobs/search"


@pytest.fixture(scope="module")
def three(api):
    """Three jobs of one name that have ended, the third of them hidden: their uuids."""
    uuids = [api.submit(script, name="counted-Pier") for script in ("true", "false", "true")]
    for uuid in uuids:
        api.ended(uuid)
    api.post(f"/v3/jobs/{uuids[2]}/hide")
    return uuids


def test_jobs_are_counted_by_status(api, three):
    found = api.get(COUNTS, text="counted-pier")
    assert (found["counts"], found["total"]) == ({"FINISHED": 1, "FAILED": 1}, 2)
    assert found["lastEvent"] > 0
    everything = api.get(COUNTS)
    assert everything["total"] == sum(everything["counts"].values()) >= 2


def test_counts_take_the_conditions_of_a_search(api, three):
    found = api.get(COUNTS, text="counted-pier", **{"status.in": "FAILED,RUNNING"})
    assert found["counts"] == {"FAILED": 1}


def test_hidden_jobs_are_counted_and_listed_when_asked_for(api, three):
    found = api.get(COUNTS, text="counted-pier", includeHidden="true")
    assert found["counts"] == {"FINISHED": 2, "FAILED": 1}
    rows = api.get(SEARCH, text="counted-pier", includeHidden="true", **{"visible.eq": "false"})
    assert [row["uuid"] for row in rows] == three[2:]


def test_words_narrow_lists_and_searches_to_jobs_that_have_all_of_them(api, three):
    for path in ("/v3/jobs/list", SEARCH):
        answer = api.call("GET", path, params={"text": "PIER bash", "computeTotal": "true", "limit": "1"})
        assert [row["uuid"] for row in answer.json()["result"]] == three[1:2]
        assert answer.json()["metadata"]["totalCount"] == 2
    assert api.get(SEARCH, text=three[0][:13])[0]["uuid"] == three[0]
    assert api.get(SEARCH, text="counted-pier no-such-word") == []


def test_the_values_of_an_attribute_are_told_with_how_many_jobs_have_each(api, three):
    found = api.get(VALUES, attribute="appId")
    assert found["isAll"] is True
    hidden_too = api.get(VALUES, attribute="appId", includeHidden="true")
    assert hidden_too["values"]["bash"] == found["values"]["bash"] + 1
    assert set(api.get(VALUES, attribute="status")["values"]) >= {"FINISHED", "FAILED"}
    (owner,) = api.get(VALUES, attribute="owner")["values"]
    assert owner not in api.get(VALUES, Who.OTHER, attribute="owner")["values"]
    assert api.call("GET", VALUES, params={"attribute": "description"}).status_code == 400


def test_a_where_clause_is_narrowed_by_conditions_beside_it(api, three):
    def found(**conditions):
        answer = api.call("POST", SEARCH, params=conditions, json={"search": ["status = 'FAILED'"]})
        return [row["uuid"] for row in answer.json()["result"]]

    assert found(**{"name.holds": "TED-pi"}) == three[1:2]
    assert found(**{"name.holds": "TED_pi"}) == []
    assert found(**{"name.holds": "TED-pi", "exitCode.gt": "1"}) == []


def test_another_users_jobs_do_not_count(api, three):
    assert api.get(COUNTS, Who.OTHER, text="counted-pier")["total"] == 0


# -- code


CODE = "/v3/tapisjobs/code"


def test_a_request_is_written_as_code_and_read_back(api):
    request = {**bash("echo {{ hello }}\n"), "name": "pier", "maxMinutes": 5}
    code = api.post(CODE, {"request": request})
    assert code["cell"].startswith("%%tapisjob bash@1.0 --name pier --minutes 5")
    assert 'tapis.submit(\n    "bash",' in code["python"]
    for text in (code["cell"], code["json"]):
        read = api.post(f"{CODE}/read", {"text": text})
        assert read["warnings"] == []
        assert (read["request"]["name"], read["request"]["maxMinutes"]) == ("pier", 5)
        assert api.post("/v3/jobs/validate", read["request"])["job"]["name"] == "pier"


def test_what_is_no_code_of_a_job_is_refused_with_a_sentence(api):
    answer = api.call("POST", f"{CODE}/read", json={"text": "%%bash\nls"})
    assert answer.status_code == 400
    assert "is no cell of a job" in answer.json()["message"]
    assert api.call("POST", CODE, json={"request": {}}).status_code == 400
    assert api.call("POST", f"{CODE}/read", json={"text": "%%tapisjob bsh\nls"}).status_code == 404


# -- forms


def test_the_form_of_an_app_filled_in_is_a_request_that_is_accepted(api):
    path = "/v3/tapisjobs/apps/bash/1.0/form"
    form = api.get(path)
    assert (form["appId"], form["jobType"], form["execSystemId"]) == ("bash", "FORK", "local")
    assert form["schema"]["required"] == ["name", "script"]
    values = {**form["values"], "name": "by form", "script": "echo hello\n", "moreArgs": ["a b"]}
    request = api.post(path, {"values": values})["request"]
    assert api.post("/v3/jobs/validate", request)["job"]["name"] == "by form"
    opened = api.post(f"{path}/values", {"request": request})
    assert opened == {"values": {**values, "execSystemId": "local"}, "rest": {}}


def test_a_form_is_for_a_system_that_the_caller_may_see(api):
    answer = api.call("GET", "/v3/tapisjobs/apps/bash/1.0/form", params={"execSystemId": "nowhere"})
    assert answer.status_code == 404


# -- previews


@pytest.fixture(scope="module")
def files(api):
    """A job with outputs of many kinds."""
    script = (
        "printf 't,u\\n0,1.5\\n1,\\n2\\n' > a.csv; printf '{\"a\": [1]}' > a.json; "
        "head -c 999999 /dev/zero > zeros; yes line | head -c 400000 > long.txt; : > empty.csv; "
        "mkdir sub; ln -s /etc/passwd leak"
    )
    uuid = api.submit(script, name="previews")
    assert api.ended(uuid)["status"] == "FINISHED"
    return f"/v3/jobs/{uuid}/output/preview"


def test_outputs_are_shown_as_what_they_are(api, files):
    table = api.get(f"{files}/a.csv")
    assert (table["kind"], table["columns"]) == ("table", ["t", "u"])
    assert table["rows"] == [[0, 1.5], [1, None], [2, None]]
    assert table["note"] == "1 row does not have 2 values as the first line has: 3."
    assert api.get(f"{files}/a.json")["text"] == '{\n  "a": [\n    1\n  ]\n}'
    assert api.get(f"{files}/zeros")["kind"] == "binary"
    long = api.get(f"{files}/long.txt")
    assert (long["kind"], long["size"], long["truncated"]) == ("text", 400000, True)
    assert api.get(f"{files}/empty.csv")["text"] == ""


def test_the_header_of_an_hdf5_output_is_shown_and_a_damaged_one_is_told(api, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("runs/level", (4, 3), "f4").attrs["units"] = "m"
    text = base64.b64encode((tmp_path / "a.h5").read_bytes()).decode()
    uuid = api.submit(f"echo {text} | base64 -d > a.h5; head -c 99 a.h5 > half.h5")
    assert api.ended(uuid)["status"] == "FINISHED"
    whole = api.get(f"/v3/jobs/{uuid}/output/preview/a.h5")
    assert (whole["kind"], whole["note"]) == ("header", "")
    assert whole["text"].splitlines() == ["runs/", "  level  float32 (4, 3)", '    :units = "m"']
    half = api.get(f"/v3/jobs/{uuid}/output/preview/half.h5")
    assert half["text"] == ""
    assert half["note"].startswith("An HDF5 file whose header cannot be read")


def test_what_is_no_file_of_the_job_is_not_shown(api, files):
    for path, status in (("sub", 400), ("leak", 400), ("gone.csv", 404), ("../../x", 400)):
        assert api.call("GET", f"{files}/{quote(path, safe='')}").status_code == status, path


# -- lists


EVERY = {"limit": "-1", "listType": "ALL", "select": "allAttributes", "orderBy": "id(asc)"}


@pytest.mark.parametrize(
    ("path", "own", "told"),
    [
        ("/v3/systems", "local", {"host", "enabled", "canExec", "jobRuntimes", "batchLogicalQueues"}),
        ("/v3/apps", "python", {"version", "enabled", "versionEnabled", "runtime", "notes", "tags"}),
    ],
)
def test_a_whole_catalogue_comes_in_one_answer_in_the_order_of_its_names(api, path, own, told):
    rows = api.get(path, **EVERY)
    names = [row["id"] for row in rows]
    assert names == sorted(names)
    assert told <= rows[names.index(own)].keys()


def test_a_study_is_read_retried_and_cancelled_as_its_view_does(api):
    study = "/v3/tapisjobs/studies/viewed"
    api.post("/v3/tapisjobs/studies", json={"name": "viewed"})
    cases = [{"caseId": name, "parameters": {}, "request": bash("false")} for name in "ab"]
    for case in api.post(f"{study}/cases", json={"cases": cases})["submitted"]:
        api.ended(case["jobUuid"])
    frame = api.get(f"{study}/frame")
    assert [frame[name] for name in ("caseId", "status", "exitCode")] == [["a", "b"], ["FAILED"] * 2, [1, 1]]
    (row,) = (row for row in api.get("/v3/tapisjobs/studies", archived="false") if row["name"] == "viewed")
    assert (row["cases"], row["counts"]) == (2, {"FAILED": 2})
    added = api.post(f"{study}/retry", json={"caseIds": ["b"], "changes": {"maxMinutes": 20}})
    assert [case["caseId"] for case in added["submitted"]] == ["b"]
    again = added["submitted"][0]["jobUuid"]
    api.ended(again)
    assert api.post(f"{study}/cancel")["asked"] == 0
    of_it = {"cohortId.eq": row["cohortId"]}
    assert {job["uuid"] for job in api.get(SEARCH, **of_it)} == {*frame["jobUuid"], again}
    assert api.get(COUNTS, **of_it)["counts"] == {"FAILED": 3}
