"""
The servers inside: PostgreSQL and Valkey from pip, and everything that runs on them.

`make run` and `make test` need no service on the machine because of this package. It imports
nothing of the application, so that it can start it, report why it will not start, and stop it.
"""
