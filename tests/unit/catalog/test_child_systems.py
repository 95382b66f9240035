"""Children of systems: a parent's definition for another host user and root directory."""

from __future__ import annotations

from itertools import count

import pytest

from jupyter_tapis_jobs.engine.child_systems import ChildSystems
from jupyter_tapis_jobs.engine.rights import LOCAL
from jupyter_tapis_jobs.engine.sharing import Sharing
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError


@pytest.fixture
def children(database, systems):
    seconds = count(1_800_000_000)
    return ChildSystems(database, systems, lambda: float(next(seconds)))


@pytest.fixture
def parent(systems, owner):
    return systems.create(
        owner,
        {
            "id": "frontera",
            "systemType": "LINUX",
            "host": "frontera.example.org",
            "defaultAuthnMethod": "PKI_KEYS",
            "canExec": True,
            "rootDir": "/",
            "jobWorkingDir": "/work",
            "jobRuntimes": [{"runtimeType": "ZIP"}],
            "allowChildren": True,
            "tags": ["tacc"],
        },
    )


@pytest.fixture
def share(database, systems, owner):
    """Let the other user see a system."""

    def shared(name):
        Sharing(database, [systems], lambda: 1.0).share(owner, "system", name, ["train302"])

    return shared


def _child(children, user, name="mine", **fields):
    own = {"child_id": name, "effective_user_id": "grace", "root_dir": "/home/grace", **fields}
    return children.create(user, "frontera", **own)


def test_a_child_is_its_parent_but_for_id_user_root_directory_and_owner(children, systems, parent, owner):
    child = _child(children, owner)
    own = {"id", "effectiveUserId", "rootDir", "parentId", "allowChildren", "uuid", "created", "updated"}
    own |= {"isDynamicEffectiveUser"}
    ours, theirs = child.to_wire(), parent.to_wire()
    assert {name for name in ours if ours[name] != theirs[name]} <= own
    assert (child.root_dir, child.effective_user_id, child.parent_id) == ("/home/grace", "grace", "frontera")
    assert systems.get(owner, "mine") == child


def test_a_child_without_a_name_has_its_parents_and_its_users(children, parent, share, other):
    share("frontera")
    child = _child(children, other, None)
    assert (child.id, child.owner) == ("frontera-train302", "train302")


def test_who_may_not_see_a_system_makes_no_child_of_it(children, parent, other):
    with pytest.raises(NotFoundError):
        _child(children, other)


def test_a_system_that_takes_no_children_says_how_it_would(children, systems, parent, owner, builtin):
    systems.patch(owner, "frontera", {"allowChildren": False})
    with pytest.raises(InvalidInputError, match="takes no children; its owner says so with allowChildren"):
        _child(children, owner)
    systems.patch(owner, LOCAL, {"allowChildren": True})
    with pytest.raises(InvalidInputError, match="system local takes no children"):
        children.create(owner, LOCAL, child_id="x", effective_user_id="root", root_dir="/")


def test_a_child_has_no_children(children, parent, owner, systems):
    _child(children, owner)
    with pytest.raises(InvalidInputError, match="system mine takes no children"):
        children.create(owner, "mine", child_id="deep", effective_user_id="grace", root_dir="/")
    with pytest.raises(InvalidInputError, match="allowChildren of system mine is that of its parent"):
        systems.patch(owner, "mine", {"allowChildren": True})


@pytest.mark.parametrize(
    "wrong", [{"name": "no good"}, {"root_dir": "relative"}, {"root_dir": "HOST_EVAL($HOME)"}]
)
def test_what_no_system_may_be_no_child_may_be(children, parent, systems, owner, wrong):
    with pytest.raises(InvalidInputError):
        _child(children, owner, **wrong)
    with pytest.raises(NotFoundError):
        systems.get(owner, "mine")


def test_a_taken_id_is_a_conflict(children, parent, owner):
    _child(children, owner)
    with pytest.raises(ConflictError, match="mine already exists"):
        _child(children, owner)


def test_what_changes_in_the_parent_changes_in_its_children_also_in_those_of_others(
    children, systems, parent, owner, other, share
):
    share("frontera")
    _child(children, other)
    systems.patch(owner, "frontera", {"host": "login2.example.org", "rootDir": "/"})
    systems.put(owner, "frontera", {**systems.get(owner, "frontera").to_wire(), "tags": ["new"]})
    child = systems.get(other, "mine")
    assert (child.host, child.tags, child.root_dir) == ("login2.example.org", ["new"], "/home/grace")
    assert (child.effective_user_id, child.parent_id, child.allow_children) == ("grace", "frontera", False)


def test_of_a_child_only_the_host_user_may_change(children, systems, parent, owner):
    _child(children, owner)
    assert (
        systems.patch(owner, "mine", {"effectiveUserId": "ada", "tags": ["tacc"]}).effective_user_id == "ada"
    )
    with pytest.raises(InvalidInputError, match="host of system mine is that of its parent frontera"):
        systems.patch(owner, "mine", {"host": "elsewhere.example.org"})
    wire = systems.get(owner, "mine").to_wire()
    for write in (lambda: systems.put(owner, "mine", wire), lambda: systems.replace(owner, wire)):
        with pytest.raises(InvalidInputError, match="mine is a child of frontera and cannot be replaced"):
            write()


@pytest.mark.parametrize("call", ["create", "patch"])
def test_nobody_becomes_a_child_by_saying_so(children, systems, parent, owner, call):
    wire = {**parent.to_wire(), "id": "claims", "parentId": "frontera"}
    if call == "create":
        assert systems.create(owner, wire).parent_id is None
        return
    systems.create(owner, {**wire, "parentId": None})
    with pytest.raises(InvalidInputError, match="parentId of system claims cannot be changed"):
        systems.patch(owner, "claims", {"parentId": "frontera"})


def test_a_parent_keeps_what_its_children_need(children, systems, parent, owner):
    _child(children, owner)
    with pytest.raises(ConflictError, match="has a child, mine, and cannot be deleted"):
        systems.delete(owner, "frontera")
    with pytest.raises(ConflictError, match="allowChildren cannot be turned off"):
        systems.patch(owner, "frontera", {"allowChildren": False})
    systems.delete(owner, "mine")
    assert systems.delete(owner, "frontera") == 1


def test_a_child_that_was_unlinked_stays_as_it_was_and_goes_its_own_way(children, systems, parent, owner):
    before = _child(children, owner).to_wire()
    assert children.unlink_from_parent(owner, "mine") == 1
    assert children.unlink_from_parent(owner, "mine") == 0
    after = systems.get(owner, "mine").to_wire()
    assert {name for name in after if after[name] != before[name]} == {"parentId", "updated"}
    systems.patch(owner, "frontera", {"host": "login2.example.org"})
    assert systems.patch(owner, "mine", {"tags": []}).host == "frontera.example.org"


def test_the_parents_owner_unlinks_the_children_of_others(children, systems, parent, owner, other, share):
    share("frontera")
    for name in ("one", "two", "three"):
        _child(children, other, name)
    with pytest.raises(NotAllowedError):
        children.unlink_children(other, "frontera", ["one"])
    with pytest.raises(NotFoundError):
        children.unlink_from_parent(owner, "one")
    assert children.unlink_children(owner, "frontera", ["one"]) == 1
    assert children.ids("frontera") == ["three", "two"]
    assert children.unlink_children(owner, "frontera", [], every=True) == 2
    assert systems.get(other, "two").parent_id is None


def test_what_is_no_child_cannot_be_unlinked(children, systems, parent, owner):
    with pytest.raises(InvalidInputError, match=r"mine is no child of frontera. Its children are: none"):
        children.unlink_children(owner, "frontera", ["mine"])
    with pytest.raises(InvalidInputError, match="names no system; name some, or say all=true"):
        children.unlink_children(owner, "frontera", [])
