"""What views in a browser ask the server for."""

from __future__ import annotations

import pytest
from people import Who

COUNTS = "/v3/tapisjobs/jobs/counts"
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


def test_another_users_jobs_do_not_count(api, three):
    assert api.get(COUNTS, Who.OTHER, text="counted-pier")["total"] == 0
