"""Chained requests of studies (ours): one job that goes on with the outputs of all cases."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.errors import NotFoundError
from ..model.extensions import Extension
from ..model.texts import shown
from .call import Call
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_studies import StudyTold
from .wire_study_chains import ChainRow, NewChain, chain_to_wire

#: An id in the store has fewer digits.
_DIGITS = 19


async def add_chain(call: Call) -> Reply:
    """Keep a request and submit it once no case is in flight; the same again is the same one."""
    name, body = call.path["name"], call.body
    chain = await call.door.ask(
        lambda engine: engine.studies.then(call.user, name, body.request, body.outputs)
    )
    told = chain_to_wire(chain, await _counts(call))
    return Reply(told, f"JOBS_STUDY_CHAINED {told['name']} {told['message']}.")


async def get_chains(call: Call) -> Reply:
    """List the chained requests of a study, oldest first."""
    found = await call.door.ask(lambda engine: engine.studies.chained(call.user, call.path["name"]))
    counts = await _counts(call)
    return Reply(
        Rows(found, lambda chain: chain_to_wire(chain, counts)), f"JOBS_CHAINS_FOUND Found: {len(found)}."
    )


async def delete_chain(call: Call) -> Reply:
    """Take back a chained request that is not a job yet."""
    name, text = call.path["name"], call.path["chainId"]
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise NotFoundError(f"study {name} has no chained request {shown(text)}.")
    await call.door.ask(lambda engine: engine.studies.unchain(call.user, name, int(text)))
    words = f"The chained request {text} of study {name} is taken back."
    return Reply({"name": name, "message": words, "asked": 0}, f"JOBS_STUDY_UNCHAINED {words}")


async def _counts(call: Call) -> Mapping[str, int]:
    ((_, counts),) = await call.door.ask(lambda engine: engine.studies.told(call.user, call.path["name"]))
    found: Mapping[str, int] = counts
    return found


_CHAINS = "/v3/tapisjobs/studies/{name}/then"
_OURS = Extension.STUDIES
ROUTES = (
    Route("GET", _CHAINS, "getStudyChains", get_chains, result=list[ChainRow], extension=_OURS),
    Route("POST", _CHAINS, "addStudyChain", add_chain, body=NewChain, takes=Takes.MODEL, result=ChainRow,
          extension=_OURS),
    Route("DELETE", f"{_CHAINS}/{{chainId}}", "deleteStudyChain", delete_chain, result=StudyTold,
          extension=_OURS),
)  # fmt: skip
