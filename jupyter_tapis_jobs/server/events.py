"""News of the caller's jobs as server-sent events (WHATWG HTML, "Server-sent events")."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from pydantic_core import to_json

from ..model.errors import InvalidInputError
from ..model.wire import event_to_wire, summary_to_wire
from .call import Call
from .feed import News
from .reply import Stream

#: Milliseconds after which a browser comes back.
_RETRY = 1000
#: News that are written without a pause: Jupyter's own calls are answered in between.
_AT_ONCE = 50


def news_to_wire(news: News) -> dict[str, Any]:
    """Return {"event": history row or null, "job": summary row} with what a card shows beside."""
    job, event = news.job, news.event
    return {
        "event": event and {**event_to_wire(event), "jobUuid": event.job_uuid},
        "job": {
            **summary_to_wire(job),
            "lastMessage": job.last_message,
            "exitCode": job.exit_code,
            "remoteStarted": job.remote_started,
            "remoteJobId": job.remote_job_id,
            "launchMode": job.launch_mode,
            "cohortId": job.cohort_id,
            "progress": job.progress,
            "progressMessage": job.progress_message,
        },
    }


async def stream_events(call: Call) -> Stream:
    """Send the caller's events as they are stored; a comment when there is none for a while."""
    listening = call.service.feed.listen(call.user, after=_after(call), keepalive=call.service.keepalive)
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return Stream(chunks=_texts(listening), headers=headers)


def _after(call: Call) -> int | None:
    """Return the event to begin after; the header wins, as a browser that comes back keeps its URL."""
    last = call.headers.get("Last-Event-ID", "").strip()
    if not last:
        after: int | None = call.query.after
        return after
    if not last.isdecimal() or len(last) > 18:
        raise InvalidInputError(
            f"Last-Event-ID '{last}' is not the number of an event.", field="Last-Event-ID"
        )
    return int(last)


async def _texts(listening: AsyncGenerator[list[News], None]) -> AsyncIterator[bytes]:
    """Write news; the first text, and so the headers, are sent when nothing more can be missed.

    Who has the headers asks where the jobs stand, and counts on hearing of all that happens after that.
    """
    async with aclosing(listening):
        await anext(listening)
        yield f"retry: {_RETRY}\n\n: listening\n\n".encode()
        async for news in listening:
            if not news:
                yield b": nothing new\n\n"
            for begin in range(0, len(news), _AT_ONCE):
                yield b"".join(map(_text, news[begin : begin + _AT_ONCE]))
                await asyncio.sleep(0)


def _text(news: News) -> bytes:
    data = to_json(news_to_wire(news))
    if news.event is None:
        # Not stored, so without a number to come back to.
        return b"event: JOB_MESSAGE\ndata: %b\n\n" % data
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (news.event.id, news.event.event.encode(), data)
