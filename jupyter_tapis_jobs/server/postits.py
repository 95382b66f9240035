"""Links to files for people without an account (Tapis Files, "PostIts")."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..engine.catalog import Listing
from ..engine.postits import SUMMARY
from ..model import search as searches
from ..model.search import Kind
from ..store.postits import PostItRow
from . import queries, wire_files
from .call import Call
from .catalogs import counted, cut, page
from .download import OCTETS, attachment
from .reply import Reply, Stream
from .route import Answers, Route, Takes
from .wire_definitions import Changes
from .wire_files import ChangedPostIt, NewPostIt

#: What postits are sorted by.
_ATTRIBUTES = dict.fromkeys(("id", "postit_id", "system_id", "owner", "path", "redeem_url"), Kind.TEXT) | {
    "allowed_uses": Kind.NUMBER,
    "times_used": Kind.NUMBER,
    "expiration": Kind.TIME,
    "created": Kind.TIME,
    "updated": Kind.TIME,
}
#: What a browser may show in its place; all other text is shown as plain text, the rest is downloaded.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
_TEXT = frozenset({"application/json", "application/xml", "application/javascript", "application/x-sh"})


async def create_postit(call: Call) -> Reply:
    """Make a link that lets anybody read a file or a directory."""
    system, path, asked = (
        call.path["systemId"],
        call.path["path"],
        call.body or NewPostIt.model_validate({}),
    )
    row = await call.door.ask(
        lambda e: e.postits.create(
            call.user,
            system,
            path,
            allowed_uses=asked.allowed_uses,
            valid_seconds=asked.valid_seconds,
            unlimited=asked.unlimited,
        )
    )
    return Reply(_wire(call)(row), f"POSTITS_CREATED PostIt created: {row.id}.")


async def list_postits(call: Call) -> Reply:
    """List one's own links."""
    query = call.query
    wanted = Listing(
        limit=100 if query.limit is None else query.limit,
        skip=query.skip,
        order_by=searches.order_by(query.order_by or "", _ATTRIBUTES),
        start_after=query.start_after,
        compute_total=query.compute_total,
    )
    found = await call.door.ask(lambda e: e.postits.search(call.user, wanted, _wire(call)))
    return page(call, found, _wire(call), SUMMARY, "PostIts")


async def get_postit(call: Call) -> Reply:
    """Tell about one of one's own links, without using it."""
    row = await call.door.ask(lambda e: e.postits.get(call.user, call.path["postitId"]))
    return Reply(cut(call, _wire(call)(row), SUMMARY), f"POSTITS_FOUND PostIt found: {row.id}.")


async def update_postit(call: Call) -> Reply:
    """Change how often and until when a link can be used."""
    asked = call.body
    row = await call.door.ask(
        lambda e: e.postits.change(
            call.user,
            call.path["postitId"],
            allowed_uses=asked.allowed_uses,
            valid_seconds=asked.valid_seconds,
            expiration=asked.expiration,
            unlimited=asked.unlimited,
        )
    )
    return Reply(_wire(call)(row), f"POSTITS_UPDATED PostIt updated: {row.id}.")


async def delete_postit(call: Call) -> Reply:
    """Take a link back."""
    changes = await call.door.ask(lambda e: e.postits.delete(call.user, call.path["postitId"]))
    return counted(changes, f"POSTITS_DELETED PostIt deleted: {call.path['postitId']}.")


async def redeem_postit(call: Call) -> Stream:
    """Send what a link leads to, without sign-in, and count the use."""
    query = call.query
    found = await call.door.ask(
        lambda e: e.postits.redeem(call.path["postitId"], call.service.user, as_zip=query.zip)
    )
    sent = attachment(found.name, await call.door.bridged(found.chunks), found.size)
    media = OCTETS if query.download else _media_type(found.name)
    if media == OCTETS:
        return sent
    disposition = sent.headers["Content-Disposition"].replace("attachment", "inline", 1)
    return replace(sent, headers={**sent.headers, "Content-Disposition": disposition, "Content-Type": media})


def _media_type(name: str) -> str:
    """Return as what a browser may show a file: never as a page, which would be ours."""
    guess = mimetypes.guess_type(name)[0] or ""
    if guess in _SHOWN:
        return guess
    return "text/plain; charset=utf-8" if guess.startswith("text/") or guess in _TEXT else OCTETS


def _wire(call: Call) -> Callable[[PostItRow], dict[str, Any]]:
    """Return what writes a postit in Tapis's words, with the link as the caller reaches this server."""

    def told(row: PostItRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "postitId": row.id,
            "systemId": row.system_id,
            "owner": row.owner,
            "tenantId": call.service.tenant,
            "path": row.path,
            "allowedUses": row.allowed_uses,
            "timesUsed": row.times_used,
            "jwtUser": row.owner,
            "jwtTenantId": call.service.tenant,
            "redeemUrl": f"{call.base}/v3/files/postits/redeem/{row.id}",
            "expiration": row.expires,
            "created": row.created,
            "updated": row.updated,
        }

    return told


_POSTITS = "/v3/files/postits"
_POSTIT = f"{_POSTITS}/{{postitId}}"
ROUTES = (
    Route("POST", f"{_POSTITS}/{{systemId}}/{{path}}", "createPostIt", create_postit,
          body=NewPostIt | None, takes=Takes.MODEL, result=wire_files.PostIt),
    Route("GET", _POSTITS, "listPostIts", list_postits, queries.PostItList, result=list[dict[str, Any]]),
    Route("GET", _POSTIT, "getPostIt", get_postit, queries.CatalogItem, result=wire_files.PostIt),
    Route("PATCH", _POSTIT, "updatePostIt", update_postit, body=ChangedPostIt, takes=Takes.MODEL,
          result=wire_files.PostIt),
    Route("DELETE", _POSTIT, "deletePostIt", delete_postit, result=Changes),
    Route("GET", f"{_POSTITS}/redeem/{{postitId}}", "redeemPostIt", redeem_postit, queries.Redeemed,
          answers=Answers.BYTES, public=True),
)  # fmt: skip
