"""The naive version as something to send requests to."""

from collections.abc import Iterator

from bench.servers import Bench, Web
from bench.workloads import Workload
from bench.world import PLAYERS, World, player

DATABASE = "naive"
SECRET = "naive-secret"  # noqa: S105  # of a server that lives for minutes


def serve_naive(bench: Bench) -> tuple[Web, str]:
    """
    Start the naive version on a database of its own; return it and its main jackpot.

    :raises CannotRun: if it does not start.
    """
    environment = bench.environment(DATABASE, DJANGO_SETTINGS_MODULE="bench.naive.settings")
    bench.create_database(DATABASE)
    printed = bench.run(
        "naive-prepare", "-m", "bench.naive.prepare", SECRET, str(PLAYERS), environment=environment
    )
    web = bench.serve(
        "naive", "bench.naive.wsgi:application", environment=environment, ready_path="/readyz"
    )
    return web, printed.split()[-1]


class NaiveContributions(Workload):
    """The same contributions, to the naive version."""

    def __init__(self, world: World, *, instance: str) -> None:
        super().__init__(world)
        self._instance = instance

    def requests(self) -> Iterator[bytes]:
        path = f"/instances/{self._instance}/contributions"
        while True:
            number = self._random.randrange(PLAYERS)
            body = {"player_id": player(number), "base_wager": "100.00", "currency": "USD"}
            yield self._post(path, body, api_key=SECRET)

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        with bench.connect(DATABASE) as connection:
            rows = connection.execute("SELECT value FROM naive_pot").fetchall()
        return [
            f"naive pot: {value}, answered were {self.accepted}"
            for (value,) in rows
            if value != self.accepted
        ]
