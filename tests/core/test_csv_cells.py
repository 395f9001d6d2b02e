"""No cell of a file that we hand out is run by a spreadsheet program."""

import csv
import io

import pytest

from core.csv_cells import iterate_csv, safe_cell


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_cell_that_would_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(f"x{text}") == f"x{text}"


def test_every_cell_of_a_row_is_made_safe_and_quoted() -> None:
    text = "".join(iterate_csv(["a", "b"], [["=1", 'x,"y"'], ["", "-2"]]))

    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], ["'=1", 'x,"y"'], ["", "'-2"]]
