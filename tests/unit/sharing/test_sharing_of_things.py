"""Permissions and shares of apps and systems: who gives, who gets, who does not know of them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from three_people import ADA, BOB, CAROL, KEEPER

from jupyter_tapis_jobs.engine.catalog import Listing
from jupyter_tapis_jobs.engine.rights import Right
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotAllowedError, NotFoundError

THINGS = [("app", "frame"), ("system", "cluster")]


@pytest.fixture(params=THINGS, ids=["app", "system"])
def thing(request):
    return request.param


def seen(apps, systems, thing, user, right=Right.READ):
    """Return the owner of a thing as *user* sees it."""
    kind, name = thing
    return (apps if kind == "app" else systems).get(user, name, right=right).owner


@pytest.mark.parametrize(
    "call",
    [
        lambda sharing, user, thing: sharing.info(user, *thing),
        lambda sharing, user, thing: sharing.permissions(user, *thing, user.name),
        lambda sharing, user, thing: sharing.grant(user, *thing, "carol", ["READ"]),
        lambda sharing, user, thing: sharing.revoke(user, *thing, "ada", ["READ"]),
        lambda sharing, user, thing: sharing.share(user, *thing, ["carol"]),
        lambda sharing, user, thing: sharing.share_public(user, *thing),
        lambda sharing, user, thing: sharing.unshare(user, *thing, ["carol"]),
        lambda sharing, user, thing: sharing.unshare_public(user, *thing),
    ],
)
def test_a_stranger_learns_nothing_and_a_sharee_gives_nothing_on(sharing, thing, call):
    with pytest.raises(NotFoundError):
        call(sharing, BOB, thing)
    sharing.share(ADA, *thing, ["bob"])
    before = sharing.info(ADA, *thing)
    with suppress(NotAllowedError):
        call(sharing, BOB, thing)
    assert sharing.info(ADA, *thing) == before
    assert sharing.permissions(ADA, *thing, "carol") == ()


def test_a_share_is_to_read_and_to_execute_not_to_change(sharing, apps, systems, thing):
    assert sharing.share(ADA, *thing, ["bob", "bob"]) == 1
    assert seen(apps, systems, thing, BOB, Right.EXECUTE) == "ada"
    with pytest.raises(NotAllowedError, match="MODIFY"):
        seen(apps, systems, thing, BOB, Right.MODIFY)
    assert sharing.share(ADA, *thing, ["bob"]) == 0
    assert sharing.unshare(ADA, *thing, ["bob", "carol"]) == 1
    with pytest.raises(NotFoundError):
        seen(apps, systems, thing, BOB)


def test_what_is_shared_with_all_and_with_one_stays_with_the_one(sharing, apps, systems, thing):
    sharing.share(ADA, *thing, ["bob"])
    sharing.share_public(ADA, *thing)
    assert seen(apps, systems, thing, CAROL) == "ada"
    assert sharing.info(ADA, *thing).users == ("bob",)
    # A sharee is told that all have it, and not who has it by name.
    assert (sharing.info(CAROL, *thing).is_public, sharing.info(CAROL, *thing).users) == (True, ())
    assert sharing.unshare_public(ADA, *thing) == 1
    assert seen(apps, systems, thing, BOB) == "ada"
    with pytest.raises(NotFoundError):
        seen(apps, systems, thing, CAROL)


def test_modify_brings_read_and_goes_with_it(sharing, apps, systems, thing):
    sharing.grant(ADA, *thing, "bob", ["MODIFY"])
    assert sharing.permissions(BOB, *thing, "bob") == (Right.READ, Right.MODIFY)
    assert seen(apps, systems, thing, BOB, Right.MODIFY) == "ada"
    with pytest.raises(NotAllowedError, match="EXECUTE"):
        seen(apps, systems, thing, BOB, Right.EXECUTE)
    sharing.revoke(ADA, *thing, "bob", ["READ"])
    assert sharing.permissions(ADA, *thing, "bob") == ()


def test_a_star_is_every_permission(sharing, thing):
    assert sharing.grant(ADA, *thing, "bob", ["*"]) == 3
    assert sharing.permissions(ADA, *thing, "bob") == tuple(Right)
    assert sharing.revoke(ADA, *thing, "bob", ["*"]) == 3
    assert sharing.permissions(ADA, *thing, "ada") == tuple(Right)


@pytest.mark.parametrize(
    ("users", "says"),
    [
        ([], "0 users"),
        (["~public"], "no user name"),
        ([" bob"], "no user name"),
        (["b\nob"], "newline"),
        (["x" * 61], "no user name"),
        (["ada"], "owns"),
    ],
)
def test_who_cannot_be_a_sharee_is_told_why(sharing, thing, users, says):
    with pytest.raises(InvalidInputError, match=says):
        sharing.share(ADA, *thing, users)
    assert sharing.info(ADA, *thing).rows == ()


def test_a_wrong_permission_names_the_right_ones(sharing, thing):
    with pytest.raises(InvalidInputError, match="Did you mean 'EXECUTE'"):
        sharing.grant(ADA, *thing, "bob", ["READ", "EXECUT"])
    assert sharing.permissions(ADA, *thing, "bob") == ()


def test_what_is_deleted_is_gone_for_sharees(sharing, apps, systems, thing):
    sharing.share(ADA, *thing, ["bob"])
    (apps if thing[0] == "app" else systems).delete(ADA, thing[1])
    with pytest.raises(NotFoundError):
        seen(apps, systems, thing, BOB)
    with pytest.raises(NotFoundError):
        sharing.info(BOB, *thing)


def test_what_comes_with_the_server_needs_no_share_and_lends_no_account(sharing, builtin):
    for thing, says in [(("app", "bash"), "already"), (("system", "local"), "own user only")]:
        with pytest.raises(NotAllowedError, match=says):
            sharing.share(KEEPER, *thing, ["bob"])
        with pytest.raises(NotAllowedError, match="only the server's own user"):
            sharing.grant(BOB, *thing, "bob", ["EXECUTE"])


def test_histories_tell_who_gave_what_to_whom(sharing, apps):
    sharing.grant(ADA, "app", "frame", "bob", ["READ"])
    sharing.revoke(ADA, "app", "frame", "bob", ["READ"])
    sharing.share_public(ADA, "app", "frame")
    told = [(entry.operation, entry.description) for entry in apps.history(ADA, "frame")][1:]
    assert [operation for operation, _ in told] == ["grantPerms", "revokePerms", "modify"]
    assert "bob" in told[0][1]
    assert "everybody" in told[2][1]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("OWNED", {"bobs"}),
        ("MINE", {"bobs", "direct"}),
        ("SHARED_DIRECT", {"direct"}),
        ("SHARED_PUBLIC", {"public"}),
        ("READ_PERM", {"granted"}),
        ("ALL", {"bobs", "direct", "public", "granted"}),
    ],
)
def test_lists_by_type(sharing, apps, kind, names):
    image = {"version": "1", "runtime": "ZIP", "containerImage": "/x.zip"}
    for name in ("direct", "public", "granted", "hidden"):
        apps.create(ADA, {"id": name, **image})
    apps.create(BOB, {"id": "bobs", **image})
    sharing.share(ADA, "app", "direct", ["bob"])
    sharing.share_public(ADA, "app", "public")
    sharing.grant(ADA, "app", "granted", "bob", ["READ"])
    sharing.grant(ADA, "app", "hidden", "carol", ["READ"])
    assert {app.id for app in apps.search(BOB, Listing(list_type=kind)).rows} == names
