"""An authenticator app: the codes of RFC 6238 from the secret that a page shows, computed anew."""

import base64
import hashlib
import hmac
import struct
import time

PERIOD_S = 30
DIGITS = 6


def code_of(secret: str, *, periods_ahead: int = 0) -> str:
    """Return the code that an app shows now; or a little later, as a clock that is fast would."""
    key = base64.b32decode(secret.replace(" ", ""))
    counter = int(time.time()) // PERIOD_S + periods_ahead
    digest = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    at = digest[-1] & 0xF
    [number] = struct.unpack(">I", digest[at : at + 4])
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"
