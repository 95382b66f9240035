"""What a Tapis client does with apps."""

from __future__ import annotations

import json

import pytest

from jupyter_tapis_jobs.engine.catalog import Listing, history_to_wire, selected
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from jupyter_tapis_jobs.model.search import EVERYTHING, Comparison, Group


def _app(app_id="opensees", version="1.0", **fields):
    return {
        "id": app_id,
        "version": version,
        "containerImage": "docker://opensees",
        "runtime": "ZIP",
        "jobAttributes": {
            "maxMinutes": 30,
            "nodeCount": 2,
            "parameterSet": {"appArgs": [{"name": "a", "arg": "1"}], "archiveFilter": {"includes": ["x"]}},
        },
        **fields,
    }


def test_a_created_app_reads_back_with_every_attribute(apps, owner):
    raw = _app(description="frames", notes={"label": "OpenSees"}, tags=["seismic"], surprise={"kept": [1]})
    created = apps.create(owner, raw)
    read = apps.get(owner, "opensees", "1.0")
    assert read == created
    wire = read.to_wire()
    assert wire["owner"] == "train301"
    assert wire["notes"] == {"label": "OpenSees"}
    assert wire["surprise"] == {"kept": [1]}
    assert wire["jobAttributes"]["maxMinutes"] == 30
    assert wire["runtimeVersion"] is None
    assert (wire["enabled"], wire["versionEnabled"], wire["locked"], wire["deleted"]) == (
        True,
        True,
        False,
        False,
    )
    assert wire["created"] == wire["updated"]
    assert wire["created"].endswith("Z")
    assert wire["uuid"]


def test_what_get_returned_can_be_registered_elsewhere_unchanged(apps, owner, other):
    wire = apps.create(owner, _app(notes={"a": 1})).to_wire()
    copy = apps.create(other, wire | {"id": "copy"})
    assert copy.owner == "train302"
    assert copy.notes == {"a": 1}


def test_an_app_that_exists_is_a_conflict_that_clients_recognise(apps, owner):
    apps.create(owner, _app())
    with pytest.raises(ConflictError, match="already exists") as raised:
        apps.create(owner, _app())
    assert raised.value.code == "APPAPI_APP_EXISTS"


def test_an_id_of_somebody_else_or_of_a_deleted_app_is_a_conflict_too(apps, owner, other):
    apps.create(owner, _app())
    with pytest.raises(ConflictError, match="already exists and is not yours"):
        apps.create(other, _app(version="2.0"))
    apps.delete(owner, "opensees")
    with pytest.raises(ConflictError, match="already exists but is deleted; undelete"):
        apps.create(owner, _app(version="2.0"))


def test_a_definition_that_is_wrong_stores_nothing(apps, owner):
    with pytest.raises(InvalidInputError):
        apps.create(owner, _app(jobAttributes={"maxMinutes": "long"}))
    assert apps.search(owner, Listing(list_type="ALL")).rows == []


def test_the_latest_version_is_the_one_created_last(apps, owner):
    for version in ("2.0", "10.0", "1.5"):
        apps.create(owner, _app(version=version))
    apps.patch(owner, "opensees", "2.0", {"description": "changed later"})
    assert apps.get(owner, "opensees").version == "1.5"


def test_a_version_or_app_that_is_not_there_is_not_found(apps, owner):
    apps.create(owner, _app())
    for name, version in (("opensees", "9"), ("nothing", None)):
        with pytest.raises(NotFoundError, match="There is no app") as raised:
            apps.get(owner, name, version)
        assert raised.value.code == "APPAPI_NOT_FOUND"


@pytest.mark.parametrize(
    "call",
    [
        lambda apps, user: apps.get(user, "opensees"),
        lambda apps, user: apps.is_enabled(user, "opensees"),
        lambda apps, user: apps.history(user, "opensees"),
        lambda apps, user: apps.put(user, "opensees", "1.0", _app()),
        lambda apps, user: apps.patch(user, "opensees", "1.0", {"description": "x"}),
        lambda apps, user: apps.set_enabled(user, "opensees", False),
        lambda apps, user: apps.set_enabled(user, "opensees", False, "1.0"),
        lambda apps, user: apps.set_locked(user, "opensees", "1.0", True),
        lambda apps, user: apps.delete(user, "opensees"),
        lambda apps, user: apps.undelete(user, "opensees"),
        lambda apps, user: apps.change_owner(user, "opensees", "train302"),
    ],
)
def test_an_app_of_somebody_else_is_not_found_by_any_call(apps, owner, other, call):
    before = apps.create(owner, _app())
    with pytest.raises(NotFoundError):
        call(apps, other)
    assert apps.get(owner, "opensees") == before
    assert apps.search(other, Listing(list_type="ALL")).rows == []


def test_a_patch_replaces_what_it_names_and_nothing_else(apps, owner):
    apps.create(owner, _app(description="old", tags=["a"], notes={"a": 1, "b": 2}))
    change = {
        "description": "new",
        "notes": {"a": 3},
        "jobAttributes": {"maxMinutes": 5, "parameterSet": {"archiveFilter": {"excludes": ["y"]}}},
    }
    patched = apps.patch(owner, "opensees", "1.0", change)
    assert patched == apps.get(owner, "opensees", "1.0")
    assert (patched.description, patched.tags, patched.notes) == ("new", ["a"], {"a": 3})
    attributes = patched.to_wire()["jobAttributes"]
    assert (attributes["maxMinutes"], attributes["nodeCount"]) == (5, 2)
    assert attributes["parameterSet"]["appArgs"][0]["name"] == "a"
    assert attributes["parameterSet"]["archiveFilter"]["includes"] is None
    assert patched.updated > patched.created


@pytest.mark.parametrize(
    "change", [{"id": "x"}, {"version": "2"}, {"owner": "me"}, {"enabled": False}, {"locked": True}]
)
def test_a_patch_of_what_other_calls_change_is_refused_by_name(apps, owner, change):
    apps.create(owner, _app())
    with pytest.raises(InvalidInputError, match=f"{next(iter(change))} cannot be patched"):
        apps.patch(owner, "opensees", "1.0", change)


def test_a_put_replaces_the_definition_and_keeps_state_and_identity(apps, owner):
    created = apps.create(owner, _app(description="old", tags=["a"]))
    apps.set_enabled(owner, "opensees", False)
    body = {key: value for key, value in _app().items() if key not in ("id", "version")}
    put = apps.put(owner, "opensees", "1.0", body | {"owner": "mallory", "enabled": True})
    assert put == apps.get(owner, "opensees", "1.0")
    assert (put.description, put.tags, put.owner, put.enabled) == (None, None, "train301", False)
    assert (put.uuid, put.created) == (created.uuid, created.created)


def test_a_locked_version_keeps_its_definition_until_it_is_unlocked(apps, owner):
    apps.create(owner, _app())
    assert apps.set_locked(owner, "opensees", "1.0", True) == 1
    for change in (apps.patch, apps.put):
        with pytest.raises(ConflictError, match="is locked; unlock it"):
            change(owner, "opensees", "1.0", _app())
    apps.set_locked(owner, "opensees", "1.0", False)
    assert apps.patch(owner, "opensees", "1.0", {"description": "x"}).description == "x"


def test_app_and_version_are_enabled_apart(apps, owner):
    apps.create(owner, _app())
    apps.create(owner, _app(version="2.0"))
    assert apps.set_enabled(owner, "opensees", False, "1.0") == 1
    assert apps.set_enabled(owner, "opensees", False, "1.0") == 0
    assert apps.is_enabled(owner, "opensees", "1.0") is False
    assert apps.is_enabled(owner, "opensees", "2.0") is True
    assert apps.is_enabled(owner, "opensees") is True
    apps.set_enabled(owner, "opensees", False)
    assert apps.is_enabled(owner, "opensees", "2.0") is False
    assert apps.get(owner, "opensees", "2.0").version_enabled is True


def test_a_deleted_app_is_gone_until_it_is_undeleted_but_its_jobs_still_find_it(apps, owner):
    apps.create(owner, _app())
    assert apps.delete(owner, "opensees") == 1
    with pytest.raises(NotFoundError):
        apps.get(owner, "opensees")
    assert apps.search(owner, Listing()).rows == []
    assert [app.deleted for app in apps.search(owner, Listing(show_deleted=True)).rows] == [True]
    assert apps.find("opensees", "1.0").id == "opensees"
    assert apps.undelete(owner, "opensees") == 1
    assert apps.get(owner, "opensees").deleted is False


def test_an_app_that_is_given_away_is_the_other_users(apps, owner, other):
    apps.create(owner, _app())
    assert apps.change_owner(owner, "opensees", other.name) == 1
    assert apps.get(other, "opensees").owner == other.name
    with pytest.raises(NotFoundError):
        apps.get(owner, "opensees")


def test_history_tells_who_changed_what_in_tapis_words(apps, owner):
    apps.create(owner, _app())
    apps.patch(owner, "opensees", "1.0", {"description": "x"})
    apps.set_enabled(owner, "opensees", False)
    entries = [history_to_wire(entry, "local") for entry in apps.history(owner, "opensees")]
    assert [entry["operation"] for entry in entries] == ["CREATE", "MODIFY", "DISABLE"]
    assert entries[1]["appVersion"] == "1.0"
    assert entries[1]["oboUser"] == "train301"
    assert json.loads(entries[1]["description"]) == {"changed": ["description"]}


def test_a_list_has_the_last_version_of_each_app_unless_versions_are_asked_for(apps, owner):
    for name, version in (("a", "1.0"), ("a", "2.0"), ("b", "1.0")):
        apps.create(owner, _app(name, version))
    assert [(app.id, app.version) for app in apps.search(owner, Listing()).rows] == [
        ("a", "2.0"),
        ("b", "1.0"),
    ]
    by_version = Listing(where=Comparison("version", "like", "%"))
    assert len(apps.search(owner, by_version).rows) == 3


def test_lists_are_of_ones_own_of_the_public_ones_or_of_all(apps, owner, other, builtin):
    apps.create(owner, _app("mine"))
    apps.create(other, _app("theirs"))

    def ids(user, list_type):
        return [app.id for app in apps.search(user, Listing(list_type=list_type)).rows]

    assert ids(owner, "OWNED") == ids(owner, "MINE") == ["bash", "mine", "python", "slurm"]
    assert ids(other, "OWNED") == ["theirs"]
    assert ids(other, "SHARED_PUBLIC") == ["bash", "python", "slurm"]
    assert ids(other, "ALL") == ["bash", "python", "slurm", "theirs"]
    assert ids(other, "SHARED_DIRECT") == []
    with pytest.raises(InvalidInputError, match=r"listType ALLL is not one of: .*Did you mean 'ALL'"):
        ids(other, "ALLL")


@pytest.fixture
def five(apps, owner):
    for number, name in enumerate(("a", "b", "c", "d", "e")):
        tags = ["even"] if number % 2 == 0 else None
        apps.create(owner, _app(name, maxJobs=number, description=f"app-{name}*", tags=tags))
    return apps


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Comparison("id", "eq", "c"), "c"),
        (Comparison("id", "neq", "c"), "abde"),
        (Comparison("max_jobs", "gt", 2), "de"),
        (Comparison("max_jobs", "lte", 1), "ab"),
        (Comparison("max_jobs", "between", (1, 3)), "bcd"),
        (Comparison("max_jobs", "nbetween", (1, 3)), "ae"),
        (Comparison("id", "in", ("a", "e", "z")), "ae"),
        (Comparison("id", "nin", ("a", "e")), "bcd"),
        (Comparison("description", "like", "app_b%"), "b"),
        (Comparison("description", "nlike", "app-b%"), "acde"),
        (Comparison("description", "like", r"app-c\*"), "c"),
        (Comparison("description", "like", r"app\_c%"), ""),
        (Comparison("description", "like", "APP%"), ""),
        (Comparison("enabled", "eq", True), "abcde"),
        (Comparison("enabled", "eq", False), ""),
        (Comparison("tags", "contains", ("even", "odd")), "ace"),
        (Comparison("tags", "ncontains", ("even",)), ""),
        (Comparison("runtime_version", "eq", "x"), ""),
        (Group("AND", (Comparison("id", "gte", "b"), Comparison("id", "lt", "d"))), "bc"),
        (Group("OR", (Comparison("id", "eq", "a"), Comparison("id", "eq", "d"))), "ad"),
        (Group("NOT", (Comparison("id", "eq", "a"),)), "bcde"),
        (EVERYTHING, "abcde"),
    ],
)
def test_a_search_finds_what_fits(five, owner, where, expected):
    assert "".join(app.id for app in five.search(owner, Listing(where=where)).rows) == expected


def test_a_search_by_an_unknown_attribute_names_the_nearest(five, owner):
    with pytest.raises(InvalidInputError, match=r"no attribute 'desription'.*Did you mean 'description'"):
        five.search(owner, Listing(where=Comparison("desription", "eq", "x")))


def test_a_number_is_not_compared_with_a_word(five, owner):
    with pytest.raises(InvalidInputError, match="it is a number"):
        five.search(owner, Listing(where=Comparison("max_jobs", "gt", "many")))


def test_a_list_is_ordered_and_cut_into_pages(five, owner):
    def ids(**listing):
        page = five.search(owner, Listing(**listing))
        return "".join(app.id for app in page.rows), page.total

    assert ids(order_by=(("id", "desc"),)) == ("edcba", -1)
    assert ids(order_by=(("tags", "desc"), ("id", "asc"))) == ("acebd", -1)
    assert ids(limit=2, skip=1, compute_total=True) == ("bc", 5)
    assert ids(limit=-1) == ("abcde", -1)
    assert ids(order_by=(("id", "asc"),), start_after="b", limit=2) == ("cd", -1)
    assert ids(order_by=(("max_jobs", "desc"),), start_after="3") == ("cba", -1)
    with pytest.raises(InvalidInputError, match="startAfter needs orderBy"):
        ids(start_after="b")


def test_only_what_is_selected_is_shown(apps, owner):
    wire = apps.create(owner, _app()).to_wire()
    assert selected(wire, ["summaryAttributes", "container_image"], ("id", "version")) == {
        "id": "opensees",
        "version": "1.0",
        "containerImage": "docker://opensees",
    }
    assert selected(wire, ["jobAttributes.maxMinutes"], ()) == {"jobAttributes": wire["jobAttributes"]}
    assert selected(wire, ["allAttributes"], ()) == wire
    with pytest.raises(InvalidInputError, match="Did you mean 'version'"):
        selected(wire, ["versio"], ())


def test_the_owner_is_told_what_is_odd_in_a_definition(apps, other):
    warnings = apps.review(_app(owner="mallory", colour="red"), other)
    assert any("'colour' is not an attribute" in warning for warning in warnings)
    assert any("owner 'mallory' is not taken over" in warning for warning in warnings)


def test_a_builtin_app_is_for_all_to_see_and_for_the_servers_user_to_change(apps, owner, other, builtin):
    assert apps.get(other, "bash").owner == owner.name
    for call in (
        lambda user: apps.patch(user, "bash", "1.0", {"description": "x"}),
        lambda user: apps.set_enabled(user, "bash", False),
        lambda user: apps.create(user, _app("bash", "2.0")),
    ):
        with pytest.raises(NotAllowedError, match="part of this server"):
            call(other)
    with pytest.raises(ConflictError, match="already exists"):
        apps.create(other, _app("bash", "1.0"))
    assert apps.patch(owner, "bash", "1.0", {"description": "x"}).description == "x"
    with pytest.raises(NotAllowedError, match="cannot be deleted; you can disable it"):
        apps.delete(owner, "bash")
    assert apps.set_enabled(owner, "bash", False) == 1
