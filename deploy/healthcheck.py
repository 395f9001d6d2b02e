"""
Ask the web process of this container whether it can serve: the image's health check.

Under a name that ALLOWED_HOSTS lists: under any other, the answer would be 400.
"""

import http.client
import os
import sys

PORT = 8000
TIMEOUT_S = 4


def main() -> int:
    """Return 0 if it is ready, and 1 if it is not or does not answer."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        return 0 if connection.getresponse().status == http.client.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
