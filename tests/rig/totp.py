"""One-time codes by the clock (RFC 6238), as a phone shows them."""

from __future__ import annotations

import hashlib
import hmac
import struct

STEP_SECONDS = 30
_DIGITS = 6


def totp(secret: str, step: int) -> str:
    """Return the code of a time step (seconds since 1970 // 30) for a *secret* in hexadecimal."""
    digest = hmac.new(bytes.fromhex(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"
