"""
The servers of a running `make run`, for a command that is typed beside it.

`make run` leaves their addresses in DATA_DIR. What the environment says wins.
"""

import environ

from config.settings.folders import DATA_DIR

environ.Env.read_env(DATA_DIR / "servers.env")
