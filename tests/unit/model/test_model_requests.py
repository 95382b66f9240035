"""Requests are read strictly and refused with sentences."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.request import SubmitRequest, parse_request

HEAD = {"name": "case", "appId": "solver", "appVersion": "1.0"}
TARGET = {"deliveryMethod": "EMAIL", "deliveryAddress": "ada@example.org"}


def refusal(**fields: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        parse_request({**HEAD, **fields})
    return caught.value


def test_a_request_needs_no_more_than_a_name_an_app_and_its_version() -> None:
    request = parse_request(HEAD)
    assert (request.name, request.app_id, request.app_version) == ("case", "solver", "1.0")
    assert request.given == {"name": "case", "app_id": "solver", "app_version": "1.0"}


@pytest.mark.parametrize("field", HEAD)
def test_each_required_field_is_missed_by_its_name(field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field} is missing"):
        parse_request({key: value for key, value in HEAD.items() if key != field})


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_what_is_not_an_object_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidInputError, match="a job request is an object"):
        parse_request(raw)


def test_an_unknown_key_gets_the_nearest_name() -> None:
    fault = refusal(nodCount=2)
    assert fault.message == "'nodCount' is not a field of a job request. Did you mean 'nodeCount'?"
    assert fault.field == "nodCount"


def test_a_mistyped_required_key_is_told_before_the_missing_one() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean 'appVersion'"):
        parse_request({"name": "case", "appId": "solver", "appVersio": "1"})


def test_an_unknown_key_inside_is_told_with_its_place_and_the_valid_names() -> None:
    fault = refusal(parameterSet={"appArgs": [{"agr": "x"}]})
    assert fault.field == "parameterSet.appArgs[0].agr"
    assert "Did you mean 'arg'? Fields: name, description, include, arg, notes." in fault.message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nodeCount": "2"}, "nodeCount must be a whole number, not the text '2'"),
        ({"nodeCount": 2.5}, "nodeCount must be a whole number, not the number 2.5"),
        ({"nodeCount": True}, "nodeCount must be a whole number, not the truth value True"),
        ({"isMpi": "yes"}, "isMpi must be true or false, not the text 'yes'"),
        ({"tags": "a"}, "tags must be a list, not the text 'a'"),
        ({"notes": ["a"]}, r"notes must be an object, not the list \['a'\]"),
        ({"parameterSet": 3}, "parameterSet must be an object"),
        ({"jobType": "BATHC"}, "jobType 'BATHC' is not one of: FORK, BATCH. Did you mean 'BATCH'"),
        ({"archiveMode": "never"}, "ALWAYS, SKIP_ON_FAIL, NEVER. Did you mean 'NEVER'"),
        ({"memoryMB": 0}, "memoryMB 0 must be at least 1"),
        ({"maxMinutes": -5}, "maxMinutes -5 must be at least 1"),
        ({"name": "x" * 65}, "name has 65 characters; at most 64 are allowed"),
        ({"name": ""}, "name is empty"),
        ({"tags": ["x" * 127]}, r"tags\[0\] has 127 characters; at most 126"),
        ({"mpiCmd": "x" * 127}, "mpiCmd has 127 characters"),
        ({"cmdPrefix": "x" * 1025}, "cmdPrefix has 1,025 characters"),
        ({"name": "a\ud800"}, "name .* cannot be used"),
        ({"fileInputs": [{"name": "x" * 81}]}, r"fileInputs\[0\].name has 81 characters"),
        (
            {"parameterSet": {"envVariables": [{"key": "1A", "value": ""}]}},
            r"envVariables\[0\].key '1A' must match",
        ),
        ({"parameterSet": {"envVariables": [{"value": "x"}]}}, r"envVariables\[0\].key is missing"),
        (
            {"parameterSet": {"envVariables": [{"key": "A", "value": 3}]}},
            "value must be text, not the number 3",
        ),
        ({"subscriptions": [{"eventCategoryFilter": "ALL", "deliveryTargets": []}]}, "deliveryTargets"),
        (
            {"subscriptions": [{"eventCategoryFilter": "X", "deliveryTargets": [TARGET]}]},
            "is not one of: JOB_NEW",
        ),
    ],
)
def test_wrong_values_are_told_with_field_value_and_what_was_expected(
    fields: dict[str, Any], words: str
) -> None:
    fault = refusal(**fields)
    with pytest.raises(InvalidInputError, match=words):
        raise fault


def test_several_mistakes_are_counted() -> None:
    assert refusal(nodeCount="2", coresPerNode="3").message.endswith("(1 more in this job request.)")


def test_null_and_blank_count_as_unsaid() -> None:
    request = parse_request({**HEAD, "description": "  ", "execSystemId": None, "nodeCount": 0})
    assert set(request.given) == {"name", "app_id", "app_version", "node_count"}


def test_old_argument_and_input_spellings_are_translated_with_a_warning() -> None:
    request = parse_request(
        {
            **HEAD,
            "fileInputs": [
                {"sourceUrl": "tapis://s/a", "inPlace": False, "meta": {"name": "mesh", "required": True}}
            ],
            "parameterSet": {"appArgs": [{"arg": "-x", "meta": {"name": "flag", "description": "says x"}}]},
        }
    )
    assert request.file_inputs
    assert request.file_inputs[0].name == "mesh"
    assert request.parameter_set
    assert request.parameter_set.app_args
    assert request.parameter_set.app_args[0].name == "flag"
    assert len(request.warnings) == 2
    assert "fileInputs[0].meta is an old spelling" in request.warnings[0]


def test_old_notifications_are_read_as_subscriptions() -> None:
    old = [
        {"url": "mailto:ada@example.org", "event": "FINISHED", "persistent": True},
        {"url": "https://hook.example.org/x", "event": "*"},
    ]
    request = parse_request({**HEAD, "notifications": old})
    assert request.subscriptions
    first, second = request.subscriptions
    assert (first.event_category_filter, first.delivery_targets[0].delivery_method) == (
        "JOB_NEW_STATUS",
        "EMAIL",
    )
    assert first.delivery_targets[0].delivery_address == "ada@example.org"
    assert (second.event_category_filter, second.delivery_targets[0].delivery_method) == ("ALL", "WEBHOOK")
    assert request.warnings == ("notifications is an old spelling; it was read as subscriptions.",)


def test_the_published_spelling_of_ttl_minutes_is_understood() -> None:
    item = {"eventCategoryFilter": "ALL", "deliveryTargets": [TARGET], "ttlminutes": 5}
    request = parse_request({**HEAD, "subscriptions": [item]})
    assert request.subscriptions
    assert request.subscriptions[0].ttl_minutes == 5


def test_reading_a_request_leaves_the_original_alone() -> None:
    raw = {**HEAD, "notifications": [{"url": "a@b"}], "parameterSet": {"appArgs": [{"meta": {"name": "a"}}]}}
    copy = {**raw, "parameterSet": {"appArgs": [{"meta": {"name": "a"}}]}}
    parse_request(raw)
    assert raw == copy


def test_the_schema_tells_enums_limits_and_what_fields_mean() -> None:
    schema = SubmitRequest.model_json_schema(by_alias=True)
    assert schema["required"] == ["name", "appId", "appVersion"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["name"]["maxLength"] == 64
    assert schema["$defs"]["JobType"]["enum"] == ["FORK", "BATCH"]
    assert "host" in schema["$defs"]["ArgumentRequest"]["properties"]["arg"]["description"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
NAMES = [*(field.alias or name for name, field in SubmitRequest.model_fields.items()), "notifications"]


@given(fields=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), JSON, max_size=4))
def test_whatever_is_sent_is_read_or_refused_with_a_sentence(fields: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidInputError):
        assert parse_request({**HEAD, **fields}).app_version == "1.0" or "appVersion" in fields
