"""A running application calls back (ours): look at my job now, and this is how far I am."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..model.extensions import Extension
from ..model.progress import MOST_BYTES, from_callback
from .call import Call
from .reply import Document
from .route import Answers, Route, Takes

if TYPE_CHECKING:
    from ..engine.callbacks import Callbacks

#: The header that carries the job's own token; the call needs no other sign-in.
TOKEN_HEADER = "X-Tapis-Callback-Token"  # noqa: S105 - its name


class CallbackTaken(BaseModel):
    """``success`` is false for a job that has ended; ``message`` then says so."""

    success: bool
    message: str | None = None


async def job_callback(call: Call) -> Document:
    """Look at a job now and keep the progress that the body tells; never its status.

    The token is looked at first: who has none learns nothing of what is wrong with the rest.
    """
    uuid, token = call.path["jobUuid"], call.headers.get(TOKEN_HEADER, "")
    await call.door.ask(lambda engine: _admitted(engine.callbacks, uuid, token))
    told = from_callback(call.body or {})
    if await call.door.ask(lambda engine: engine.callbacks.take(uuid, told)):
        return Document({"success": True})
    return Document({"success": False, "message": f"Job {uuid} has ended; nothing was changed."})


async def _admitted(callbacks: Callbacks, uuid: str, token: str) -> None:
    callbacks.refuse_foreign(uuid, token)


ROUTES = (
    Route(
        "POST", "/v3/jobs/{jobUuid}/callback", "jobCallback", job_callback, body=dict[str, Any] | None,
        takes=Takes.RAW, max_body=MOST_BYTES, result=CallbackTaken, answers=Answers.DOCUMENT, public=True,
        extension=Extension.PROGRESS,
    ),
)  # fmt: skip
