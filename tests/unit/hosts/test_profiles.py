"""Scheduler profiles: anyone makes and uses them, their owner deletes them."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.engine.profiles import ProfileCatalog
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError

TACC = {
    "name": "tacc-apptainer",
    "description": "Apptainer at TACC",
    "moduleLoads": [{"moduleLoadCommand": "module load", "modulesToLoad": ["tacc-apptainer"]}],
    "hiddenOptions": ["MEM"],
    # Of an answer that is sent back, these are let pass.
    "tenant": "elsewhere", "uuid": "x", "created": "then", "updated": "then", "owner": "somebody",
}  # fmt: skip


@pytest.fixture
def profiles(database, clock):
    return ProfileCatalog(database, clock.now)


def test_a_profile_is_its_makers_whatever_it_says(profiles, other):
    made = profiles.create(other, TACC)
    assert (made.owner, made.tenant) == (other.name, None)
    assert made.uuid != "x"
    assert profiles.get("tacc-apptainer") == made == profiles.find("tacc-apptainer")
    assert made.for_job().module_lines == ("module load tacc-apptainer",)
    assert profiles.every() == [made]


def test_a_name_is_taken_once_in_the_tenant(profiles, owner, other):
    profiles.create(owner, TACC)
    with pytest.raises(ConflictError, match="already exists"):
        profiles.create(other, TACC)


def test_an_unknown_profile_is_told_with_the_nearest_name(profiles, owner):
    with pytest.raises(NotFoundError, match="There are none yet"):
        profiles.get("tacc")
    profiles.create(owner, TACC)
    with pytest.raises(NotFoundError, match="Did you mean 'tacc-apptainer'"):
        profiles.get("tac-apptainer")
    with pytest.raises(InvalidInputError, match="Did you mean 'tacc-apptainer'"):
        profiles.find("tac-apptainer")


def test_a_profile_is_deleted_by_its_owner_or_the_servers_user(profiles, owner, other):
    profiles.create(owner, TACC)
    with pytest.raises(NotAllowedError):
        profiles.delete(other, "tacc-apptainer")
    assert profiles.delete(owner, "tacc-apptainer") == 1
    with pytest.raises(NotFoundError):
        profiles.delete(owner, "tacc-apptainer")
    profiles.create(other, TACC)
    assert profiles.delete(owner, "tacc-apptainer") == 1


def test_a_profile_is_used_by_its_owner_or_comes_from_the_servers_user(profiles, owner, other):
    profiles.create(other, TACC)
    assert profiles.usable(other, "tacc-apptainer", trusted=owner.name).name == "tacc-apptainer"
    assert profiles.usable(owner, "tacc-apptainer", trusted=other.name).name == "tacc-apptainer"
    with pytest.raises(NotAllowedError, match="would run as you"):
        profiles.usable(owner, "tacc-apptainer", trusted=owner.name)
