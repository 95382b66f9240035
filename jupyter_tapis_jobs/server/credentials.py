"""Credentials of the Systems API (Tapis Systems, "Credentials"). Secrets go in and never come out."""

from __future__ import annotations

from ..engine.systems import LOCAL
from ..model.errors import InvalidInputError, NotFoundError
from ..model.new_host import HostCheck, NewCredential
from . import queries
from .call import Call, checked
from .reply import Reply
from .route import Route, Takes
from .wire_definitions import Changes, Credential
from .wire_jobs import Told

#: What a try of a credential may be given besides; tapipy sends nothing.
Check = HostCheck | None


async def create_credential(call: Call) -> Reply:
    """Store a user's credential for a system, once it has let them in."""
    name, person = call.path["systemId"], call.path["userName"]
    if call.query.create_tms_keys:
        raise InvalidInputError(
            "createTmsKeys is not supported by this server, which has no trust manager. Give password, or "
            "privateKey.",
            field="createTmsKeys",
        )
    given = _with_trust(call.body, call.query.trust)
    await call.door.desks(
        lambda d: d.credentials.create(
            call.user, name, person, given, skip_check=call.query.skip_credential_check
        )
    )
    if not call.query.skip_credential_check:
        await call.door.desks(lambda d: d.hosts.learn(call.user, name))
    return Reply({"message": f"{person} can use {name}."}, f"SYSAPI_CRED_UPDATED {name} lets {person} in.")


async def get_credential(call: Call) -> Reply:
    """Tell the kind of a credential and the name on the host; what is secret in it is null."""
    name, person = call.path["systemId"], call.path["userName"]
    told = await call.door.desks(lambda d: d.credentials.get(call.user, name, person))
    return Reply(told, f"SYSAPI_CRED_FOUND {person} has a credential for {name}.")


async def remove_credential(call: Call) -> Reply:
    """Delete a user's credential for a system."""
    name, person = call.path["systemId"], call.path["userName"]
    changes = await call.door.desks(lambda d: d.credentials.remove(call.user, name, person))
    return Reply({"changes": changes}, f"SYSAPI_CRED_REMOVED {person} has no credential for {name} now.")


async def check_credential(call: Call) -> Reply:
    """Sign in to a system with the credential that is stored; this machine needs none."""
    name, person = call.path["systemId"], call.path["userName"]
    if name == LOCAL:
        await _check_local(call, person)
        return Reply({"message": "No credential is needed."}, f"SYSAPI_CRED_VALID {name} is this machine.")
    asked = call.body or HostCheck.model_validate({})
    trust = asked.trust or call.query.trust
    await call.door.desks(
        lambda d: d.credentials.check(call.user, name, person, code=asked.code, trust=trust)
    )
    await call.door.desks(lambda d: d.hosts.learn(call.user, name))
    return Reply({"message": f"{name} lets {person} in."}, f"SYSAPI_CRED_VALID {name} lets {person} in.")


async def get_globus_auth_url(call: Call) -> Reply:
    """Refuse: nothing here leads to Globus."""
    return await _refuse_globus(call)


async def generate_globus_tokens(call: Call) -> Reply:
    """Refuse: nothing here leads to Globus."""
    return await _refuse_globus(call)


async def _refuse_globus(call: Call) -> Reply:
    """Raise, for a system that the caller may know of."""
    system = await call.door.look_up(lambda t: t.systems.get(call.user, call.path["systemId"]))
    raise InvalidInputError(
        f"Globus is not supported by this server; system {system.id} is of type {system.system_type}.",
        field="systemId",
        value=system.id,
        code="SYSAPI_GLOBUS_NOT_SUPPORTED",
    )


async def _check_local(call: Call, person: str) -> None:
    await call.door.look_up(lambda t: t.systems.get(call.user, LOCAL))
    if person != call.service.server_user or not call.user.is_server_user:
        raise NotFoundError(
            f"There is no credential of {person[:80]} for system {LOCAL}.", code="SYSAPI_CRED_NOT_FOUND"
        )


def _with_trust(given: NewCredential, trust: str | None) -> NewCredential:
    """Return a credential with what a query says; tapipy's own call has no other place for it."""
    if trust is None:
        return given
    host_key = checked(HostCheck, {"trust": trust}, "query")
    return given.model_copy(update={"trust": given.trust or host_key.trust})


_OF_SYSTEM = "/v3/systems/credential/{systemId}"
_CREDENTIAL = f"{_OF_SYSTEM}/user/{{userName}}"
ROUTES = (
    Route("POST", _CREDENTIAL, "createUserCredential", create_credential, queries.CredentialGiven,
          body=NewCredential, takes=Takes.SECRET, result=Told),
    Route("GET", _CREDENTIAL, "getUserCredential", get_credential, queries.CredentialAsked,
          result=Credential),
    Route("DELETE", _CREDENTIAL, "removeUserCredential", remove_credential, result=Changes),
    Route("POST", f"{_CREDENTIAL}/check", "checkUserCredential", check_credential, queries.CredentialAsked,
          body=Check, takes=Takes.SECRET, result=Told),
    Route("GET", f"{_OF_SYSTEM}/globus/authUrl", "getGlobusAuthUrl", get_globus_auth_url, result=Told),
    Route("POST", f"{_CREDENTIAL}/globus/tokens/{{authCode}}/{{sessionId}}", "generateGlobusTokens",
          generate_globus_tokens, result=Told),
)  # fmt: skip
