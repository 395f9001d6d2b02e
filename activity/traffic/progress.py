"""How far a run is: a bar on a terminal, a line every few seconds anywhere else."""

import sys
from types import TracebackType
from typing import Never

from tqdm import tqdm

from activity.traffic.tally import Tally

LINE_EVERY_S = 5.0


class Progress:
    """Shows on standard error how many of the requests are answered."""

    def __init__(self, request_count: int) -> None:
        self._request_count = request_count
        self._next_line_s = LINE_EVERY_S
        self._bar: tqdm[Never] | None = None
        if sys.stderr.isatty():
            self._bar = tqdm(total=request_count, unit=" requests", file=sys.stderr, leave=False)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, tally: Tally, elapsed_s: float) -> None:
        """Show the tally so far."""
        if self._bar is not None:
            self._bar.set_postfix(refused=tally.refused_count, refresh=False)
            self._bar.update(tally.request_count - self._bar.n)
        elif elapsed_s >= self._next_line_s:
            self._next_line_s += LINE_EVERY_S
            sys.stderr.write(
                f"{elapsed_s:4.0f} s  {tally.request_count} of {self._request_count} requests, "
                f"{tally.refused_count} refused\n"
            )
            sys.stderr.flush()
