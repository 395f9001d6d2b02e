"""
Emptying the database after a test that committed.

Django truncates every table, and then makes all content types and permissions anew: two hundred
files and as many statements, after a test that wrote into ten tables. Here only what holds rows
is emptied, and what migrations and Django made of the code itself stays.
"""

from typing import Any

from django.db import connection

#: Made of the code, the same for every test.
_KEPT = ("django_migrations", "django_content_type", "auth_permission")

# Row by row, because few rows are quicker to delete than files to make anew; as a replica, because
# what a trigger protects from the product has to go all the same.
_EMPTY = f"""
    DO $$
    DECLARE
        name text;
        has_rows boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN
            SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT IN {_KEPT}
        LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO has_rows;
            IF has_rows THEN
                EXECUTE 'DELETE FROM ' || name;
            END IF;
        END LOOP;
    END $$
"""


def empty_tables(_test_case: Any) -> None:
    """Empty every table that holds rows; stands in for Django's own way."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
