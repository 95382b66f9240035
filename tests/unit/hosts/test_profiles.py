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


@pytest.fixture
def commands(profiles, other):
    """A profile of another user whose command would run as whoever uses it."""
    loads = [{"moduleLoadCommand": ". $WORK/setup", "modulesToLoad": []}]
    profiles.create(other, TACC | {"name": "setup", "moduleLoads": loads})
    return "setup"


def test_commands_of_a_profile_are_its_owners_the_servers_users_or_a_lenders(
    profiles, commands, owner, other
):
    assert profiles.usable(other, commands, server_user=owner.name).name == commands
    assert profiles.usable(owner, commands, server_user=other.name).name == commands
    # Whoever lets one use a system or app may say what its profile does.
    assert profiles.usable(owner, commands, (None, other.name), server_user=owner.name).name == commands
    with pytest.raises(NotAllowedError, match="would run as you"):
        profiles.usable(owner, commands, server_user=owner.name)


def test_a_profile_that_only_loads_modules_of_the_site_is_for_all(profiles, owner, other):
    profiles.create(other, TACC)
    assert profiles.usable(owner, "tacc-apptainer", server_user=owner.name).name == "tacc-apptainer"


@pytest.mark.parametrize(
    ("command", "modules"),
    [
        ("module load", ["/home/eve/evil"]),
        ("module load", ["../evil"]),
        ("module load", ["-q --force"]),
        ("module use /home/eve", []),
        ("source", ["setup"]),
        ("module load", ["$HOME/evil"]),
    ],
)
def test_a_module_that_is_a_path_or_another_command_is_not_harmless(profiles, owner, other, command, modules):
    loads = [{"moduleLoadCommand": command, "modulesToLoad": modules}]
    profiles.create(other, TACC | {"moduleLoads": loads})
    with pytest.raises(NotAllowedError):
        profiles.usable(owner, "tacc-apptainer", server_user=owner.name)
