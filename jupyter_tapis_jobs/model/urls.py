"""Where an input comes from: the URLs that a request may name.

- ``tapis://<system>/<path>``: a file or directory of a system, relative to its rootDir;
- ``http://``, ``https://``: a single file, without signing in;
- ``tapislocal://exec.tapis/<path>``: already on the execution system, not copied;
- ``data:[<type>][;base64],<data>`` (RFC 2397): the bytes themselves; ours, for small inputs.
"""

from __future__ import annotations

import base64
import binascii
import urllib.parse

from .errors import InvalidInputError, did_you_mean
from .paths import normalise
from .texts import refuse_control, shown

SCHEMES = ("tapis", "http", "https", "tapislocal", "data")
#: How the URL of a path on a system begins.
TAPIS = "tapis://"
LOCAL_HOST = "exec.tapis"
_EXAMPLE_HOSTS = {"tapis": "system", "tapislocal": LOCAL_HOST}


def system_and_path(url: str) -> tuple[str, str]:
    """Return the system that a ``tapis://`` URL names, and the rest as it is written there; '' is neither."""
    system, _, path = url.removeprefix(TAPIS).partition("/")
    return system, path


def last_segment(url: str) -> str:
    """Return the name that *url* ends in, percent-decoded; '' when it names none."""
    scheme, _, rest = url.partition(":")
    if scheme == "data":
        return ""
    path = rest.partition("?")[0].partition("#")[0] if scheme in ("http", "https") else rest
    host_and_path = path.removeprefix("//")
    _, slash, tail = host_and_path.partition("/")
    return urllib.parse.unquote(tail.rpartition("/")[2]) if slash else ""


def checked_url(url: str, field: str) -> str:
    """Return *url* as it is kept; raises ``InvalidInputError`` when no input can come from it."""
    refuse_control(url, field)
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in SCHEMES:
        raise InvalidInputError(
            f"{field} {shown(url)} is not a URL of: tapis://system/path, http(s)://host/path, "
            f"tapislocal://{LOCAL_HOST}/path, data:.{did_you_mean(scheme, SCHEMES)}",
            field=field,
            value=url,
        )
    if scheme == "data":
        # Only base64 text can be damaged.
        header, comma, _ = rest.partition(",")
        if not comma or header.endswith(";base64"):
            data_bytes(url)
        return url
    host, slash, path = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not host or (not slash and scheme.startswith("tapis")):
        example = f"{scheme}://{_EXAMPLE_HOSTS.get(scheme, 'host')}/path"
        raise InvalidInputError(
            f"{field} {shown(url)} is not complete. Write it as {example}.", field=field, value=url
        )
    if scheme.startswith("tapis"):
        normalise(urllib.parse.unquote(path), field)
    # Whatever host it names, it is the execution system.
    return f"tapislocal://{LOCAL_HOST}/{path}" if scheme == "tapislocal" else url


def is_data(url: str) -> bool:
    """True for a URL that holds the bytes themselves."""
    return url.startswith("data:")


def data_bytes(url: str) -> bytes:
    """Return the bytes that a ``data:`` URL holds; raises ``InvalidInputError`` when it is malformed."""
    header, comma, body = url.removeprefix("data:").partition(",")
    if not comma:
        raise _bad_data(url, "it has no comma before the data")
    raw = urllib.parse.unquote_to_bytes(body)
    if not header.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as fault:
        raise _bad_data(url, f"its base64 text is damaged ({fault})") from fault


def _bad_data(url: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"sourceUrl {shown(url)} is not a data: URL: {why}. Write data:,text or data:;base64,...",
        field="fileInputs.sourceUrl",
        value=url[:200],
    )
