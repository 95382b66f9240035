"""What a person gives as a template of jobs, checked before it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InvalidInputError
from .given_names import refuse_bad_name
from .request import parse_request
from .request_shape import refuse_odd_parts
from .template import missing
from .texts import is_blank, refuse_control, shown

#: Characters of a name and of a description; names in ``required``; bytes of the request as JSON.
NAME_LENGTH, DESCRIPTION_LENGTH, MOST_REQUIRED, MOST_BYTES = 80, 2048, 100, 1024 * 1024
#: What a partial request is given, so that it can be read as a whole one.
_WHOLE = {"name": "template", "appVersion": "0"}


def checked_template(
    name: Any, request: Mapping[str, Any], required: Sequence[str], description: str
) -> dict[str, Any]:
    """Return the fields of a ``JobTemplate`` that a person gives, as they are stored.

    Raises ``InvalidInputError`` for a name that cannot be in an address, for fields and values that no
    request has, and for a name in *required* that has a value already.
    """
    refuse_bad_name(name, "a template", longest=NAME_LENGTH, is_word=True)
    refuse_control(description, "description")
    if len(description) > DESCRIPTION_LENGTH:
        raise InvalidInputError(
            f"description has {len(description):,} characters; at most {DESCRIPTION_LENGTH:,} are kept.",
            field="description",
        )
    _check_request(name, request)
    _check_required(name, request, required)
    text = json.dumps(request, ensure_ascii=False)
    if len(text.encode()) > MOST_BYTES:
        raise InvalidInputError(
            f"Template {name} is larger than {MOST_BYTES // 1024:,} KiB. Keep large inputs on a system, and "
            "name them by tapis://system/path.",
            field="request",
        )
    return {"name": name, "description": description, "request": text, "required": tuple(required)}


def _check_request(name: str, request: Mapping[str, Any]) -> None:
    app = request.get("appId")
    if not isinstance(app, str) or is_blank(app):
        raise InvalidInputError(f"Which app is template {name} for? Give appId.", field="appId", value=app)
    refuse_odd_parts(request)
    parse_request({**_WHOLE, **request})


def _check_required(name: str, request: Mapping[str, Any], required: Sequence[str]) -> None:
    if len(required) > MOST_REQUIRED:
        raise InvalidInputError(
            f"required has {len(required):,} names; at most {MOST_REQUIRED} are kept.", field="required"
        )
    for word in required:
        refuse_control(word, "required")
        if is_blank(word) or len(word) > NAME_LENGTH:
            raise InvalidInputError(
                f"required holds {shown(word)}, which names nothing: text of 1 to {NAME_LENGTH} characters.",
                field="required",
                value=word,
            )
    absent = missing(request, required)
    given = next((word for word in required if word not in absent), None)
    if given is not None:
        raise InvalidInputError(
            f"{given} is required in template {name} and has a value in it too. Leave it out of one of both.",
            field="required",
            value=given,
        )
