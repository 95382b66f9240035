"""Permissions and shares of paths: what holds for what is below, and what does not reach above."""

from __future__ import annotations

import pytest
from three_people import ADA, BOB, CAROL

from jupyter_tapis_jobs.engine.rights import Right
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotAllowedError, NotFoundError


def may(systems, user, path, right=Right.READ):
    """Tell whether a user may do it."""
    try:
        systems.for_files(user, "cluster")[1].ground(path, right)
    except (NotFoundError, NotAllowedError):
        return False
    return True


def test_a_permission_holds_below_and_not_above_or_beside(paths, systems):
    paths.grant(ADA, "cluster", "data/open/", "bob", Right.READ)
    assert may(systems, BOB, "/data/open")
    assert may(systems, BOB, "/data/open/deep/er.txt")
    for path in ("/data", "/data/opener", "/"):
        assert not may(systems, BOB, path)
    with pytest.raises(InvalidInputError):
        may(systems, BOB, "/data/open/../closed")
    assert not may(systems, BOB, "/data/open", Right.MODIFY)
    assert not may(systems, CAROL, "/data/open")


def test_a_new_permission_takes_the_place_of_the_old_one(paths, systems):
    paths.grant(ADA, "cluster", "/data", "bob", Right.MODIFY)
    assert may(systems, BOB, "/data/x", Right.MODIFY)
    assert may(systems, BOB, "/data/x")
    paths.grant(ADA, "cluster", "/data", "bob", Right.READ)
    assert not may(systems, BOB, "/data/x", Right.MODIFY)
    assert paths.permission(BOB, "cluster", "/data/x", "bob") is Right.READ
    assert paths.revoke(ADA, "cluster", "/data", "bob") == 1
    assert paths.permission(ADA, "cluster", "/data/x", "bob") is None
    assert not may(systems, BOB, "/data/x")


def test_what_comes_from_above_cannot_be_taken_back_below(paths):
    paths.grant(ADA, "cluster", "/data", "bob", Right.READ)
    with pytest.raises(InvalidInputError, match="through /data"):
        paths.revoke(ADA, "cluster", "/data/x", "bob")
    paths.share_public(ADA, "cluster", "/pub")
    with pytest.raises(InvalidInputError, match="everybody through /pub"):
        paths.unshare_public(ADA, "cluster", "/pub/x")
    assert paths.unshare_public(ADA, "cluster", "/else") == 0


def test_a_share_is_to_read_by_one_or_by_all(paths, systems):
    assert paths.share(ADA, "cluster", "/data", ["bob", "carol"]) == 2
    assert may(systems, BOB, "/data/x")
    assert not may(systems, BOB, "/data/x", Right.MODIFY)
    assert paths.unshare(ADA, "cluster", "/data", ["carol"]) == 1
    assert not may(systems, CAROL, "/data/x")
    paths.share_public(ADA, "cluster", "/data/pub")
    assert may(systems, CAROL, "/data/pub/x")
    told = paths.info(ADA, "cluster", "/data/pub/x")
    assert (told.public_path, told.users) == ("/data/pub", (("bob", "/data"),))
    # Carol is not told of Bob.
    assert paths.info(CAROL, "cluster", "/data/pub/x").users == ()


def test_all_shares_are_taken_back_at_once_and_with_those_below(paths, systems):
    for path in ("/data", "/data/a", "/database"):
        paths.share(ADA, "cluster", path, ["bob"])
    assert paths.unshare_all(ADA, "cluster", "/data") == 1
    assert not may(systems, BOB, "/data/x")
    assert may(systems, BOB, "/data/a")
    assert paths.unshare_all(ADA, "cluster", "/data", recurse=True) == 1
    assert not may(systems, BOB, "/data/a")
    assert may(systems, BOB, "/database/x")


@pytest.mark.parametrize(
    "call",
    [
        lambda paths, user: paths.grant(user, "cluster", "/", "carol", Right.MODIFY),
        lambda paths, user: paths.revoke(user, "cluster", "/data", "bob"),
        lambda paths, user: paths.permission(user, "cluster", "/data", "carol"),
        lambda paths, user: paths.share(user, "cluster", "/", ["carol"]),
        lambda paths, user: paths.share_public(user, "cluster", "/"),
        lambda paths, user: paths.unshare(user, "cluster", "/data", ["bob"]),
        lambda paths, user: paths.unshare_public(user, "cluster", "/"),
        lambda paths, user: paths.unshare_all(user, "cluster", "/", recurse=True),
    ],
)
def test_only_the_systems_owner_gives_and_takes(paths, systems, call):
    with pytest.raises(NotFoundError):
        call(paths, BOB)
    paths.grant(ADA, "cluster", "/data", "bob", Right.READ)
    with pytest.raises(NotAllowedError, match="only its owner"):
        call(paths, BOB)
    assert may(systems, BOB, "/data/x")
    assert not may(systems, CAROL, "/data/x")


def test_who_may_read_a_path_may_ask_about_themself(paths):
    paths.share(ADA, "cluster", "/data", ["bob"])
    assert paths.info(BOB, "cluster", "/data/x").users == (("bob", "/data"),)
    with pytest.raises(NotAllowedError):
        paths.info(BOB, "cluster", "/else")
    with pytest.raises(NotFoundError):
        paths.info(CAROL, "cluster", "/data")
