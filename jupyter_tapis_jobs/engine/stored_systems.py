"""A system's row: what its definition says, and what the catalog keeps beside that."""

from __future__ import annotations

import json
from functools import lru_cache

from ..model.names import wire_name
from ..model.system import System
from ..store.systems import SystemRow
from .rights import OWN_USER

#: What the catalog keeps beside the definition; a definition cannot set it.
KEPT = {
    "tenant",
    "owner",
    "enabled",
    "deleted",
    "uuid",
    "created",
    "updated",
    "has_credentials",
    "is_public",
    "is_dynamic_effective_user",
    "shared_with_users",
    "authn_credential",
}


def definition_of(system: System) -> str:
    """Return what the definition itself says, JSON text; unknown keys are kept, a credential is not."""
    kept = set(map(wire_name, KEPT))
    return json.dumps({k: v for k, v in system.to_wire().items() if k not in kept}, ensure_ascii=False)


@lru_cache(maxsize=256)
def system_of(row: SystemRow, is_public: bool = False, users: tuple[str, ...] = ()) -> System:
    """Return the system of a row; the same object for the same row, so that what follows can be kept."""
    definition = json.loads(row.definition)
    return System.model_validate(
        definition
        | {
            "owner": row.owner,
            "enabled": bool(row.enabled),
            "deleted": bool(row.deleted),
            "uuid": row.uuid,
            "created": row.created,
            "updated": row.updated,
            "isDynamicEffectiveUser": definition.get("effectiveUserId") == OWN_USER,
            "isPublic": is_public,
            "sharedWithUsers": list(users),
        }
    )
