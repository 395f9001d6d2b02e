"""
The database that the tests copy, so that they migrate once and not once for each process.

`make test` makes it (core/embedded/checks.py). On a server of somebody's own it stays, and the
next run puts its own in its place.
"""

import os

import django
from django.db import connection

#: Names it, for the processes that copy it.
VARIABLE = "TEST_DATABASE_TEMPLATE"


def make_template() -> None:
    """Make the database from all migrations, in the place of one that is there."""
    connection.settings_dict["TEST"]["NAME"] = os.environ[VARIABLE]
    # The timeouts are for those who wait for an answer; a busy machine may take longer to migrate.
    connection.settings_dict["OPTIONS"].pop("options", None)
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # A database to which somebody is connected cannot be copied.
    connection.close()
    connection.close_pool()


def copy_template() -> None:
    """Make this process copy the database, if there is one, when it makes its own."""
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get(VARIABLE)


if __name__ == "__main__":
    django.setup()
    make_template()
