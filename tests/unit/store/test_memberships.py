"""Groups of the hub are known of those who were here."""

from __future__ import annotations

from jupyter_tapis_jobs.store import memberships, tokens
from jupyter_tapis_jobs.store.database import Database

NOW, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"


def test_members_are_who_was_here_with_the_groups_of_the_last_time(database: Database) -> None:
    database.write(lambda c: tokens.seen(c, "grace", NOW))
    for user, groups in (("ada", ["lab", "board"]), ("bob", ["lab"])):
        database.write(lambda c, user=user, groups=groups: memberships.keep(c, user, groups, NOW))
    assert database.read(lambda c: memberships.members(c, "lab")) == {"ada", "bob"}
    assert database.read(lambda c: memberships.groups_of(c, "ada")) == {"lab", "board"}
    database.write(lambda c: memberships.keep(c, "ada", [], LATER))
    assert database.read(lambda c: memberships.members(c, "lab")) == {"bob"}
    assert database.read(lambda c: memberships.groups_of(c, "grace")) == frozenset()
    assert database.read(tokens.all_users) == ["ada", "bob", "grace"]


def test_the_name_of_a_group_is_no_pattern(database: Database) -> None:
    database.write(lambda c: memberships.keep(c, "ada", ["lab", 'a"b'], NOW))
    assert database.read(lambda c: memberships.members(c, "la")) == frozenset()
    assert database.read(lambda c: memberships.members(c, 'a"b')) == {"ada"}
