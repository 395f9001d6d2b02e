"""Prepared statements, and the connections that threads of the web keep (docs/adr/0011)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signals
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from core.prepared import prepared_cursor

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = "SELECT %s::text || 'prepared'"


def ask(text: str) -> Any:
    cursor = prepared_cursor()
    cursor.execute(STATEMENT, [text])
    row = cursor.fetchone()
    return None if row is None else row[0]


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%''prepared''%%'"
        )
        [count] = cursor.fetchone()
    return int(count)


@pytest.fixture
def in_a_web_thread(settings: Any) -> Callable[[Callable[[], None]], None]:
    """Return a function that runs another in a thread, with a connection as the web has it."""

    def run(work: Callable[[], None]) -> None:
        errors: list[BaseException] = []

        def live() -> None:
            own = connections["default"]
            own.settings_dict = {
                **own.settings_dict,
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    name: value
                    for name, value in own.settings_dict["OPTIONS"].items()
                    if name != "pool"
                },
            }
            try:
                work()
            except BaseException as error:  # noqa: BLE001 -- it is raised again below
                errors.append(error)
            finally:
                own.close()

        thread = threading.Thread(target=live)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]

    return run


def end_of_request() -> None:
    signals.request_finished.send(sender=None)


def kill_own_backend() -> None:
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_statement_is_prepared_once(in_a_web_thread) -> None:
    def work() -> None:
        assert [ask("un"), ask("well ")] == ["unprepared", "well prepared"]
        assert prepared() == 1

    in_a_web_thread(work)


def test_it_is_counted_and_takes_part_in_transactions(in_a_web_thread) -> None:
    def work() -> None:
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            prepared_cursor().execute("SELECT set_config('windfall.test', %s, true)", ["inside"])
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('windfall.test')")
                assert cursor.fetchone() == ("inside",)
        assert len(queries) == 4
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('windfall.test', true)")
            assert cursor.fetchone() == ("",)

    in_a_web_thread(work)


def test_the_log_of_queries_has_its_text_with_its_parameters() -> None:
    with CaptureQueriesContext(connection) as queries:
        ask("it is ")

    assert [query["sql"] for query in queries] == ["SELECT 'it is '::text || 'prepared'"]


def test_a_refused_statement_leaves_the_cursor_usable(in_a_web_thread) -> None:
    def work() -> None:
        with pytest.raises(Exception, match="division by zero"):
            prepared_cursor().execute("SELECT 1 / %s::integer", [0])
        assert ask("well ") == "well prepared"

    in_a_web_thread(work)


def test_a_connection_is_kept_from_request_to_request(in_a_web_thread) -> None:
    def work() -> None:
        ask("first ")
        kept = connection.connection
        end_of_request()
        ask("second ")
        assert connection.connection is kept

    in_a_web_thread(work)


def test_after_a_restart_of_the_server_the_next_request_works(
    in_a_web_thread,
) -> None:
    def work() -> None:
        ask("before ")
        kill_own_backend()
        end_of_request()
        assert ask("after ") == "after prepared"

    in_a_web_thread(work)


def test_a_restart_between_requests_is_met_by_one(in_a_web_thread) -> None:
    def work() -> None:
        ask("before ")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        in_a_web_thread(lambda: terminate(pid))
        with pytest.raises(OperationalError):
            ask("meanwhile ")
        end_of_request()
        assert ask("after ") == "after prepared"

    in_a_web_thread(work)


def terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)


def test_no_transaction_leaks_into_the_next_request(in_a_web_thread) -> None:
    def work() -> None:
        connection.set_autocommit(False)
        ask("left open ")
        left = connection.connection
        end_of_request()
        assert connection.connection is None
        assert left.closed
        ask("next ")
        assert connection.get_autocommit()

    in_a_web_thread(work)
