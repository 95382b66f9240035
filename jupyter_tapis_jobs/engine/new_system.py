"""A system that is stored only after its host was asked: with a credential, or a rootDir of the host's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.errors import InvalidInputError
from ..model.macros import host_variables, strictly
from ..model.new_host import NewCredential
from ..model.paths import normalise
from ..model.system import System, parse_system
from ..model.user import User
from .new_credential import Tried
from .rights import effective_user
from .systems import without_secret

_FIELD = "rootDir"


def person_of(system: System, user: User) -> str:
    """Return the effective user of *user* on a system, by whom credentials are known."""
    return effective_user(system, user.name)


def as_given(user: User, raw: Mapping[str, Any], given: NewCredential | None) -> System:
    """Return a new system as *user*'s; raises when it cannot come with a credential."""
    system = parse_system(without_secret(raw))[0].model_copy(update={"owner": user.name})
    if given is not None and system.effective_user_id in (None, "${apiUserId}"):
        raise InvalidInputError(
            f"authnCredential of system {system.id} needs a fixed effectiveUserId. Where each user works "
            "as themself, each gives a credential of their own (createUserCredential).",
            field="authnCredential",
        )
    return system


async def resolved_root(system: System, tried: Tried | None) -> str | None:
    """Return rootDir with the host's variables in it (Tapis Systems: once, when the system is created)."""
    root = system.root_dir
    names = host_variables([root])
    if not names or root is None:
        return root
    if tried is None or tried.door is None:
        raise InvalidInputError(
            f"{_FIELD} {root!r} is looked up on the host when the system is created, "
            "which needs a credential: give authnCredential with a fixed effectiveUserId, "
            "or write the directory out.",
            field=_FIELD,
            value=root,
        )
    found = await tried.door.transport.environment(sorted(names))
    return normalise(strictly(root, {}, _FIELD, found), _FIELD)
