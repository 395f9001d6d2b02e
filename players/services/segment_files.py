"""Segments from files: one player id a line, up to a million, never held in memory."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.db import connection, transaction

from core.actors import Actor
from core.errors import InvalidRequest
from operators.models import Operator
from players.models import Segment
from players.rules import can_be_reference, canonical_reference
from players.services.segments import write_segment

LINES_MAX = 1_000_000
FILE_BYTES_MAX = 64 * 1024 * 1024
#: An id has 64 characters at most; a line that is this long is no id.
LINE_BYTES_MAX = 1_024
_CHUNK_BYTES = 4_096
#: Enough to find the mistakes by.
FAULTS_NAMED_MAX = 10

_HEADERS = frozenset({"player_id", "player id", "player", "player_ids", "playerid", "id"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_UPLOADED = """
CREATE TEMPORARY TABLE IF NOT EXISTS players_uploaded (line integer, reference text)
ON COMMIT DROP;
TRUNCATE players_uploaded
"""
_UNKNOWN = """
SELECT uploaded.line, uploaded.reference, count(*) OVER ()
FROM players_uploaded AS uploaded
WHERE NOT EXISTS (
    SELECT FROM players_player AS player
    WHERE player.operator_id = %s AND player.reference = uploaded.reference)
ORDER BY uploaded.line
LIMIT %s
"""
_MEMBERS = """
INSERT INTO players_segmentmember (segment_id, player_id)
SELECT %s, player.id
FROM (SELECT DISTINCT reference FROM players_uploaded) AS uploaded
JOIN players_player AS player
  ON player.operator_id = %s AND player.reference = uploaded.reference
ORDER BY player.id
"""
_MEMBER_COUNT = """
SELECT count(DISTINCT reference), count(*) FROM players_uploaded
"""


@dataclass(frozen=True, slots=True)
class UploadedSegment:
    """A segment that was made from a file, and how many lines named somebody again."""

    segment: Segment
    size: int
    repeated_count: int


@transaction.atomic(durable=True)
def create_segment_from_file(
    *, operator: Operator, name: str, file: IO[bytes], actor: Actor, now: datetime
) -> UploadedSegment:
    """
    Create a segment of the players whose ids the file names, one a line: all of them or none.

    The file is read once, from its start, as UTF-8, with line ends of any system. A first
    line that only names the column is left out, empty lines too; a player who is named twice is
    in it once.

    :raises InvalidRequest: if a line names nobody, or is not an id; the first few are named.
    """
    with connection.cursor() as cursor:
        # A million rows take longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(_UPLOADED)
        with cursor.copy("COPY players_uploaded (line, reference) FROM STDIN") as copy:
            for row in _read(file):
                copy.write_row(row)
        cursor.execute("ANALYZE players_uploaded")
        cursor.execute(
            "DELETE FROM players_uploaded WHERE line = 1 AND lower(reference) = ANY(%s)"
            " AND NOT EXISTS (SELECT FROM players_player AS player WHERE player.operator_id = %s"
            " AND player.reference = players_uploaded.reference)",
            [list(_HEADERS), operator.pk],
        )
        cursor.execute(_UNKNOWN, [operator.pk, FAULTS_NAMED_MAX])
        _refuse_unknown(cursor.fetchall())
        cursor.execute(_MEMBER_COUNT)
        size, line_count = cursor.fetchone()
        if size == 0:
            raise _refusal(["The file names no player."])
        segment = write_segment(
            operator=operator,
            name=name,
            rules=None,
            actor=actor,
            now=now,
            size=size,
            repeated=line_count - size,
        )
        cursor.execute(_MEMBERS, [segment.pk, operator.pk])
        assert cursor.rowcount == size, f"{cursor.rowcount} members of {size}"
    return UploadedSegment(segment=segment, size=size, repeated_count=line_count - size)


def _read(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    file.seek(0)
    faults: list[str] = []
    byte_count = 0
    for number, raw in enumerate(_lines(file), start=1):
        byte_count += len(raw)
        if len(raw) > LINE_BYTES_MAX:
            raise _refusal([f"Line {number} is too long. One player id a line is expected."])
        if number > LINES_MAX:
            raise _refusal([f"The file has more than {LINES_MAX:,} lines. Split it."])
        if byte_count > FILE_BYTES_MAX:
            raise _refusal(["The file is too large. Split it."])
        reference, fault = _parse(_decode(raw, number))
        if fault:
            faults.append(f"Line {number} {fault}")
            if len(faults) == FAULTS_NAMED_MAX:
                break
        elif reference:
            yield number, reference
    if faults:
        raise _refusal(faults)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    r"""
    Yield the lines, which end with \n, \r\n or \r; one that is too long is the last.

    Not "for line in file": that knows no \r, and reads a file without line ends whole.
    """
    held = b""
    while chunk := file.read(_CHUNK_BYTES):
        lines = (held + chunk).splitlines(keepends=True)
        # Its end may be in the next chunk; of a line that ends with \r, the \n.
        held = lines.pop()
        yield from lines
        if len(held) > LINE_BYTES_MAX:
            break
    if held:
        yield held


def _parse(line: str) -> tuple[str, str]:
    """Return the id that the line names, or what is wrong with the line."""
    text = line.strip()
    if text.startswith('"') or "," in text:
        try:
            cells = next(csv.reader([text], strict=True))
        except csv.Error:
            return "", "has a quote that does not close, or something behind it."
        if any(cell.strip() for cell in cells[1:]):
            return "", "has more than one column."
        text = cells[0].strip()
    elif ";" in text:
        return "", "has more than one column."
    reference = canonical_reference(text)
    if reference and not can_be_reference(reference):
        return "", "is not a player id: it is too long, or cannot be printed."
    return reference, ""


def _decode(raw: bytes, number: int) -> str:
    try:
        text = (raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _refusal([f"Line {number} is not UTF-8. Save the file as CSV in UTF-8."]) from None
    if "\x00" in text:
        raise _refusal([f"Line {number} is not text. Save the file as CSV in UTF-8."])
    return text


def _refuse_unknown(unknown: list[tuple[int, str, int]]) -> None:
    if not unknown:
        return
    faults = [f"Line {line}: there is no player {reference}." for line, reference, _ in unknown]
    more = unknown[0][2] - len(unknown)
    if more:
        faults.append(f"And {more:,} more line{'' if more == 1 else 's'} that name nobody.")
    raise _refusal(faults)


def _refusal(faults: list[str]) -> InvalidRequest:
    return InvalidRequest(
        "The file cannot be used.",
        errors=[{"pointer": "/file", "code": "invalid", "detail": fault} for fault in faults],
    )
