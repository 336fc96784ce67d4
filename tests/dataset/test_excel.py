"""Workbooks: one sheet becomes rows of text, as its owner sees it; the others can be chosen."""

import pytest

from facet.dataset import budget
from facet.dataset.look import look
from facet.dataset.read import open_rows
from facet.errors import DataError, SettingError
from tests.dataset.packed import Date, Formula, old_container, old_workbook, open_document, workbook, zipped

QA = [["question", "answer"], ["Who?", "Me."], ["Where?", "Here."]]


@pytest.fixture
def read(file):
    """The rows of a workbook, its reader, and what it notes."""

    def run(content: bytes, sheet: str | None = None, name: str = "a.xlsx"):
        sniffed, rows = open_rows(file(content, name), name, {"sheet": sheet} if sheet else None)
        assert sniffed.format == "excel"
        return [row for _, row in rows.rows()], rows

    return run


def test_a_sheet_becomes_rows_by_its_first_line(read):
    rows, reader = read(workbook({"One": QA}))
    assert rows == [{"question": "Who?", "answer": "Me."}, {"question": "Where?", "answer": "Here."}]
    assert reader.sheets == ["One"] and not reader.notes


def test_cells_are_what_excel_shows(read):
    values = [7, 12345678901, 0.1 + 0.2, -1.5, True, Date(45293), Date(45293.5), Formula("6*7"), " padded ", "007"]
    rows, _ = read(workbook({"One": [["a", *map(str, range(9))], values]}))
    assert list(rows[0].values()) == [
        "7", "12345678901", "0.3", "-1.5", "TRUE", "2024-01-02", "2024-01-02 12:00:00", "42", "padded", "007",
    ]  # fmt: skip


def test_a_formula_is_never_kept_as_text(read):
    rows, _ = read(workbook({"One": [["question", "answer"], ["x", Formula('HYPERLINK("http://evil.example")')]]}))
    assert rows == [{"question": "x", "answer": "42"}]


def test_the_first_sheet_with_rows_is_read_and_the_others_can_be_chosen(read):
    content = workbook({"Notes": [["Read me"]], "Data": QA, "Old": [["q", "a"], ["x", "y"]]})
    _, reader = read(content)
    assert reader.sheet == "Data" and reader.sheets == ["Notes", "Data", "Old"]
    assert any("3 sheets" in note and "“Sheet”" in note for note in reader.notes)
    assert read(content, "Old")[0] == [{"q": "x", "a": "y"}]


def test_a_sheet_that_is_not_there_is_refused_by_the_name_of_its_control(file):
    with pytest.raises(SettingError, match=r"Its sheets are One\. Choose another one under “Sheet”"):
        open_rows(file(workbook({"One": QA}), "a.xlsx"), "a.xlsx", {"sheet": "Two"})


def test_a_hidden_sheet_is_not_the_first_choice_but_said(read):
    content = workbook({"Secret": [["q", "a"], ["x", "y"]], "Data": QA}, hidden=("Secret",))
    _, reader = read(content)
    assert reader.sheet == "Data"
    assert any("Hidden in Excel" in note and "Secret" in note for note in reader.notes)
    assert read(content, "Secret")[0] == [{"q": "x", "a": "y"}]


def test_merged_cells_count_for_every_line_they_span(read):
    rows = [["topic", "question"], ["Cats", "Who?"], [None, "Where?"], [None, "When?"], ["Dogs", "Why?"]]
    made, _ = read(workbook({"One": rows}, merged=("A2:A4",)))
    assert [row["topic"] for row in made] == ["Cats", "Cats", "Cats", "Dogs"]


def test_titles_above_and_emptiness_around_the_table_are_left_out(read):
    rows = [
        [None],
        ["My data"],
        [None],
        [None, "question", "answer", None],
        [None, "Who?", "Me.", None],
        [None],
        [None],
    ]
    made, reader = read(workbook({"One": rows}))
    assert made == [{"question": "Who?", "answer": "Me."}]
    assert any("Lines above" in note for note in reader.notes)


def test_a_column_without_a_name_but_with_values_gets_one(read):
    made, _ = read(workbook({"One": [["question", None, "answer"], ["Who?", "x", "Me."]]}))
    assert made == [{"question": "Who?", "column 2": "x", "answer": "Me."}]


def test_a_macro_workbook_is_read_for_its_cells(read):
    assert len(read(workbook({"One": QA}), name="a.xlsm")[0]) == 2


def test_a_workbook_of_old_is_read(read):
    rows, _ = read(old_workbook([["question", "answer"], ["Who?", "Mé."], ["How many?", 7.0]]), name="a.xls")
    assert rows == [{"question": "Who?", "answer": "Mé."}, {"question": "How many?", "answer": "7"}]


def test_an_open_document_sheet_is_read(read):
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    row = "<table:table-row>{}</table:table-row>"
    content = "".join(row.format("".join(map(cell.format, line))) for line in QA)
    rows, _ = read(open_document(content), name="a.ods")
    assert rows == [{"question": "Who?", "answer": "Me."}, {"question": "Where?", "answer": "Here."}]


def test_a_page_is_told_of_the_sheets(file):
    seen = look(str(file(workbook({"One": QA, "Two": QA}), "a.xlsx")), "a.xlsx", {"sheet": "Two"})
    assert seen["format"] == "excel" and seen["columns"][0]["name"] == "question"


TWO_FAR_CELLS = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    "</sheetData></worksheet>"
)
REPEATED = (
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="1000" '
    'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>'
)
ENDLESS = open_document(
    '<table:table-row><table:table-cell office:value-type="string"/></table:table-row>', "</tabQ: le:table>"
)
FAR_AWAY = old_container("Workbook")[:30] + b"\xff\xff" + bytes(16) + b"\xff" * 4 + bytes(460)
REFUSED = {
    "two cells at the far corners": (workbook({"One": TWO_FAR_CELLS}), "17,179,869,184 cells"),
    "a cell that repeats itself a billion times": (open_document(REPEATED), "1,000,000,000 cells"),
    "more xml than memory": (lambda: workbook({"One": " " * (70 * 2**20)}), "unpacks to far more"),
    "no rows": (workbook({"One": []}), "is empty"),
    "only a header": (workbook({"One": [["question", "answer"]]}), "has no examples"),
    "locked with a password": (old_container("EncryptedPackage"), "locked with a password"),
    "an old one locked with a password": (old_workbook([["a"], ["b"]], locked=True), "locked with a password"),
    "an old workbook cut short": (old_container("Workbook"), "damaged or unusual"),
    "a Word document in the old container": (old_container("WordDocument"), "old Word document"),
    "a header that names a place no disk has": (FAR_AWAY, "inner list of parts cannot be read"),
    "an open document whose table never ends": (ENDLESS, "damaged or unusual"),
    "neither": (old_container("Nothing"), "old Excel or Word file"),
    "parts without a workbook": (zipped({"xl/workbook.xml": "<nothing"}), "damaged or unusual"),
    "cut short": (workbook({"One": QA})[:-40], "Excel workbook is damaged"),
    "the binary kind": (zipped({"xl/workbook.bin": b"x"}), "“Excel workbook (.xlsx)”"),
    "Apple's own": (zipped({"Index/Document.iwa": b"x"}), "Numbers spreadsheet"),
    "a presentation": (zipped({"ppt/presentation.xml": b"x"}), "PowerPoint"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_workbook_that_cannot_be_read_is_refused_in_three_sentences(file, content, words):
    with pytest.raises(DataError) as refused:
        look(str(file(content() if callable(content) else content, "a.xlsx")), "a.xlsx")
    assert words in str(refused.value)
    assert all(sentence.endswith(".") for sentence in refused.value.args)


def test_too_many_rows_and_columns_are_refused_with_the_number(file, monkeypatch):
    monkeypatch.setattr(budget, "MOST_COLUMNS", 5)
    with pytest.raises(DataError, match="6 columns"):
        look(str(file(workbook({"One": [list("abcdef"), list("ghijkl")]}), "a.xlsx")), "a.xlsx")
    monkeypatch.setattr(budget, "MOST_ROWS", 1)
    with pytest.raises(DataError, match="too many rows"):
        look(str(file(workbook({"One": QA}), "a.xlsx")), "a.xlsx")
