"""Segments from files: all or nothing, every mistake named with its line, whatever the file."""

import io
import tracemalloc
from datetime import datetime
from typing import IO

import pytest

from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from players import selectors
from players.models import Player, Segment
from players.services import segment_files
from players.services.segment_files import UploadedSegment, create_segment_from_file
from tests.factories.operators import LONG_AGO
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db

QUOTE = "has a quote that does not close, or something behind it."
NO_ID = "is not a player id: it is too long, or cannot be printed."


@pytest.fixture
def crowd(operator: Operator) -> None:
    for reference in ("anna", "bert", "Zo\u00eb", "a,b", "c;d"):
        PlayerFactory.create(operator=operator, reference=reference)
    PlayerFactory.create(reference="stranger")


def upload(
    operator: Operator, actor: Actor, now: datetime, file: bytes | IO[bytes]
) -> UploadedSegment:
    return create_segment_from_file(
        operator=operator,
        name="Lapsed",
        file=io.BytesIO(file) if isinstance(file, bytes) else file,
        actor=actor,
        now=now,
    )


def faults_in(
    operator: Operator, actor: Actor, now: datetime, file: bytes | IO[bytes]
) -> list[str]:
    with pytest.raises(InvalidRequest) as refusal:
        upload(operator, actor, now, file)
    assert Segment.objects.exists() is False
    assert AuditEntry.objects.exists() is False
    return [error["detail"] for error in refusal.value.members["errors"]]


def members_of(segment: Segment) -> list[str]:
    found = selectors.list_segment_players(segment=segment)
    return sorted(found.values_list("reference", flat=True))


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    "file",
    [
        b"anna\nbert\n",
        b"anna\r\nbert",
        b"\xef\xbb\xbfplayer_id\r\nanna\r\nbert\r\n",
        b'"Player ID"\n"anna"\n\n  bert  \n',
        b"id,\nanna,\nbert,\n",
        b"anna\rbert\r",
        b"\xef\xbb\xbfplayer_id,\ranna,\r\rbert,",
        b'"anna"\n\r\nbert\r\n',
        b'\xef\xbb\xbf"anna",\r"bert", \r\n',
    ],
    ids=[
        "plain",
        "windows",
        "marked",
        "quoted",
        "empty-column",
        "old-mac",
        "old-mac-marked",
        "mixed",
        "quoted-marked",
    ],
)
def test_the_players_named_are_the_segment(
    file: bytes, operator: Operator, actor: Actor, now: datetime
) -> None:
    made = upload(operator, actor, now, file)

    assert members_of(made.segment) == ["anna", "bert"]
    assert (made.size, made.repeated_count, made.segment.rules) == (2, 0, None)
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.after["size"]) == ("player.segment.created", 2)


@pytest.mark.usefixtures("crowd")
def test_somebody_named_again_is_in_it_once_and_counted(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    made = upload(operator, actor, now, "anna\nanna\nZo\u00eb\nZoe\u0308\nanna".encode())

    assert members_of(made.segment) == ["Zo\u00eb", "anna"]
    assert (made.size, made.repeated_count) == (2, 3)


@pytest.mark.usefixtures("crowd")
def test_an_id_with_a_separator_in_it_is_quoted(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    made = upload(operator, actor, now, b'"a,b"\n"c;d"\n')

    assert members_of(made.segment) == ["a,b", "c;d"]


@pytest.mark.usefixtures("crowd")
def test_lines_that_name_nobody_are_named(operator: Operator, actor: Actor, now: datetime) -> None:
    file = b"anna\nnobody\nbert\nstranger\n"

    assert faults_in(operator, actor, now, file) == [
        "Line 2: there is no player nobody.",
        "Line 4: there is no player stranger.",
    ]


@pytest.mark.usefixtures("crowd")
def test_a_line_end_within_quotes_ends_the_line(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    assert faults_in(operator, actor, now, b'"an\rna"\nb"ert\n') == [f"Line 1 {QUOTE}"]


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("offset", range(3))
def test_lines_are_counted_whatever_they_end_with_and_wherever_the_file_is_cut(
    offset: int, end: bytes, operator: Operator, actor: Actor, now: datetime
) -> None:
    # Of so many lines some end where a piece that is read ends, or just around it.
    file = b" " * offset + (b"anna" + end) * 2_000 + b"nobody" + end

    assert faults_in(operator, actor, now, file) == ["Line 2001: there is no player nobody."]


def test_of_many_mistakes_the_first_are_named_and_the_others_counted(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    file = "\n".join(f"nobody-{number}" for number in range(1, 2_013)).encode()

    faults = faults_in(operator, actor, now, file)

    assert len(faults) == 11
    assert faults[9] == "Line 10: there is no player nobody-10."
    assert faults[10] == "And 2,002 more lines that name nobody."


def test_a_player_who_is_called_like_a_header_is_a_player(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    PlayerFactory.create(operator=operator, reference="id")

    assert upload(operator, actor, now, b"id\n").size == 1


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (b"", "The file names no player."),
        (b"player_id\n\n", "The file names no player."),
        (b"anna\n\xe4nna\n", "Line 2 is not UTF-8. Save the file as CSV in UTF-8."),
        ("anna\n".encode("utf-16"), "Line 1 is not UTF-8. Save the file as CSV in UTF-8."),
        ("anna".encode("utf-16-le"), "Line 1 is not text. Save the file as CSV in UTF-8."),
        (b"anna,12\n", "Line 1 has more than one column."),
        (b"anna;12\n", "Line 1 has more than one column."),
        (b"player_id,\ranna,gold\r", "Line 2 has more than one column."),
        (b'anna\r"bert\r', f"Line 2 {QUOTE}"),
        (b'anna\n"bert', f"Line 2 {QUOTE}"),
        (b'anna\n"a"x\n', f"Line 2 {QUOTE}"),
        (b'anna\n"a";"b"\n', f"Line 2 {QUOTE}"),
        (b'anna\n"a\x00b",\n', "Line 2 is not text. Save the file as CSV in UTF-8."),
        (b'"' + b"x" * 1000 + b'",', f"Line 1 {NO_ID}"),
        (b'"' + b"x" * 200_000, "Line 1 is too long. One player id a line is expected."),
        (b"anna\r" * 3 + b"x" * 200_000, "Line 4 is too long. One player id a line is expected."),
        (b"x" * 65, f"Line 1 {NO_ID}"),
        (b"a\x07b", f"Line 1 {NO_ID}"),
        (b"anna\n" + b"x" * 2000, "Line 2 is too long. One player id a line is expected."),
    ],
)
def test_what_is_no_list_of_players_is_refused_plainly(
    file: bytes, fault: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    assert faults_in(operator, actor, now, file) == [fault]


@pytest.mark.parametrize(
    ("bound", "most", "fault"),
    [
        ("LINES_MAX", 3, "The file has more than 3 lines. Split it."),
        ("FILE_BYTES_MAX", 10, "The file is too large. Split it."),
    ],
)
def test_a_file_that_is_too_large_is_refused(
    bound: str,
    most: int,
    fault: str,
    operator: Operator,
    actor: Actor,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segment_files, bound, most)

    assert faults_in(operator, actor, now, b"ann\n" * 4) == [fault]


def test_a_large_file_is_not_held_in_memory(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    count = 15_000
    Player.objects.bulk_create(
        (
            Player(operator=operator, reference=f"p{number}", currency="EUR", created_at=LONG_AGO)
            for number in range(count)
        ),
        batch_size=5_000,
    )
    file = io.BytesIO(b"".join(b"p%d\n" % number for number in range(count)))
    tracemalloc.start()

    made = upload(operator, actor, now, file)

    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.size == count
    assert selectors.count_segment_players(segment=made.segment) == count
    # A list of the ids alone would take more.
    assert most < 200_000


def test_sizes_are_counted_together_and_up_to_a_bound(operator: Operator) -> None:
    players = PlayerFactory.create_batch(3, operator=operator)
    segments = [
        SegmentFactory.create(operator=operator, players=players[:1]),
        SegmentFactory.create(operator=operator, rules={}),
        SegmentFactory.create(operator=operator, rules={"min_vip_level": 1}),
    ]

    counts = selectors.count_segments_up_to(segments=segments, at_most=1)

    assert [counts[segment.pk] for segment in segments] == [1, 2, 0]
    assert selectors.count_segments_up_to(segments=[], at_most=1) == {}
