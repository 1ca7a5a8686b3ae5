"""Lists of images: bulk files in the form of the IDR's, and lists in YAML."""

from pathlib import Path

import pytest

from idr.errors import IdrError
from idr.importer import command_line
from idr.importer.rows import Row
from idr.imports import bulk

IDR = Path(__file__).with_name("idr-metadata")
SCREEN = IDR / "idr0000-demo-screen" / "screenA" / "idr0000-screenA-bulk.yml"
EXPERIMENT = IDR / "idr0000-demo-screen" / "experimentA" / "idr0000-experimentA-bulk.yml"


def test_a_bulk_file_of_plates_is_read_with_the_one_that_it_includes() -> None:
    rows = bulk.read(SCREEN)
    options = {"checksum_algorithm": "File-Size-64", "continue": "true"}
    target = "Screen:name:idr0000-demo-screen/screenA"
    assert rows == [
        Row("/uod/idr/filesets/idr0000-demo-screen/P101/P101.screen", target, {"name": "P101", **options}),
        Row("/uod/idr/filesets/idr0000-demo-screen/P 102", target, {"name": "P102 (second)", **options}),
    ]


def test_columns_of_a_study_override_those_that_it_includes() -> None:
    rows = bulk.read(EXPERIMENT)
    assert [(row.target, row.options["name"], row.path) for row in rows] == [
        ("Project:name:idr0000/experimentA/Dataset:name:DKO", "first", "/uod/idr/filesets/idr0000/a, b.czi"),
        ("Project:name:idr0000/experimentA/Dataset:name:WT", 'a "b"', "/uod/idr/filesets/idr0000/c.czi"),
    ]


def test_the_command_line_of_a_row() -> None:
    row = Row(
        "/a b.tiff", "Dataset:name:x y", {"name": "-n", "skip": ["all"], "continue": "true", "parallel_upload": "4"}
    )
    assert command_line.import_command(row) == [
        *("omero", "import", "--transfer=ln_s", "--exclude=clientpath", "--output=yaml", "--skip=upgrade"),
        *("--checksum-algorithm=File-Size-64", "--skip=all", "-c", "--name=-n", "--parallel-upload=4"),
        *("--target=Dataset:name:x y", "/a b.tiff"),
    ]


def test_a_list_in_yaml(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(
        "- path: /a.tiff\n- {path: /b.tiff, target: 'Dataset:7', name: 5, skip: [minmax]}\n- {path: /c, r: 9}\n"
    )
    assert bulk.read(file) == [
        Row("/a.tiff"),
        Row("/b.tiff", "Dataset:7", {"name": "5", "skip": ["minmax"]}),
        Row("/c", "Screen:9"),
    ]


@pytest.mark.parametrize(("name", "text"), [("list.txt", "'/a b' x\n\n"), ("list.csv", "/a b,x\n\n")])
def test_files_of_rows_by_their_ending(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    file = tmp_path / "bulk.yml"
    file.write_text(f"path: {name}\ncolumns: [path, name]\nno-thumbnails: true\n")
    assert bulk.read(file) == [Row("/a b", None, {"name": "x", "skip": ["thumbnails"]})]


def test_without_columns_each_line_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("/a b\n\n/c\td\n")
    file = tmp_path / "bulk.yml"
    file.write_text("path: list.tsv\n")
    assert [row.path for row in bulk.read(file)] == ["/a b", "/c\td"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_of_spreadsheets_are_read(tmp_path: Path, mark: str, end: str) -> None:
    rows = [
        'Screen:name:a\t"two\nlines"\t/a b',
        'Screen:name:a\t"a ""b"""\t/c',
        'Screen:name:a\t5" plate\t"/d #e"\t\t',
        "",
    ]
    (tmp_path / "rows.tsv").write_text(mark + end.join(rows), newline="")
    file = tmp_path / "bulk.yml"
    file.write_text(
        f"{mark}# Plates{end}path: rows.tsv{end}columns: [target, name, path] # of the file{end}", newline=""
    )
    assert [(row.path, row.options["name"]) for row in bulk.read(file)] == [
        ("/a b", "two\nlines"),
        ("/c", 'a "b"'),
        ("/d #e", '5" plate'),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path: rows.tsv\ntransfer: upload", r"line 1: 'transfer' can only be ln_s: images are imported in place"),
        ("path: rows.tsv\nexclude: filename", r"line 1: 'exclude' can only be clientpath"),
        ("path: rows.tsv\ndry_run: 'x-%s.sh'", r"has 'dry_run'; take it out, or give --check"),
        (
            "path: rows.tsv\nclientdir: /tmp",
            r"line 1: cannot have clientdir; possible are path, target, ",
        ),
        ("path: rows.tsv\nskip: everything", r"line 1: 'skip' knows all, checksum, minmax, thumbnails, upgrade"),
        ("path: rows.tsv\ncolumns: [path, name]", r"rows.tsv, line 1: has 1 columns instead of 2 \(path, name\)"),
        ("path: rows.tsv\nd: 1\ntarget: Dataset:2", r"line 1: has more than one target: Dataset:2, Dataset:1"),
        ("path: none.tsv", r"none.tsv: No such file or directory"),
        ("path: empty.tsv", r"bulk.yml: there are no rows in it"),
        ("name: x", r"bulk.yml: has no 'path', the name of a file with rows"),
        ("include: bulk.yml\npath: rows.tsv", r"bulk.yml: includes .*bulk.yml, which includes it"),
        ("5", r"bulk.yml: neither a mapping with 'path', as a bulk file is, nor a list of rows"),
        ("[", r"bulk.yml: no YAML: while parsing"),
        ("- {name: x}", r"bulk.yml, entry 1: has no 'path'"),
        ("path: rows.tsv\ncolumns: path", r"bulk.yml: 'columns' is no list of names"),
        ("path: quote.txt\ncolumns: [path]", r"quote.txt, line 2: No closing quotation"),
        ("path: rows.tsv\ncolumns: [path, path]", r"bulk.yml: 'columns' has path twice"),
        ("path: rows.tsv\ntarget: Plate:1", r"line 1: target 'Plate:1' is none, as Screen:7, Dataset:name:x, Project:"),
        ("path: rows.tsv\ntarget: 'Dataset:name:'", r"line 1: target 'Dataset:name:' is none"),
        ("path: rows.tsv\ntarget: -x", r"line 1: target '-x' is none"),
        ("- {path: /a, target: [Screen:1]}", r"entry 1: target has a value that is no text"),
        ("- {path: /a, name: {b: c}}", r"entry 1: name has a value that is no text"),
        ("path: rows.tsv\ndepth: deep", r"line 1: 'depth' is a whole number, and not deep"),
        ("path: rows.tsv\nparallel_upload: 0", r"line 1: 'parallel_upload' is a whole number from 1, and not 0"),
        ("path: rows.tsv\nchecksum_algorithm: MD5", r"line 1: 'checksum_algorithm' knows Adler-32, .*, and not MD5"),
        ("[" * 5000, r"bulk.yml: no YAML: nested too deeply"),
        ("path: long.csv\ncolumns: [name, path]", r"long.csv, line 1: field larger than field limit"),
        ("path: zero.tsv\ncolumns: [name, path]", r"zero.tsv, line 1: has a character of code 0"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "rows.tsv").write_text("/a\n")
    (tmp_path / "empty.tsv").write_text("\n")
    (tmp_path / "quote.txt").write_text("/a\nit's\n")
    (tmp_path / "long.csv").write_text(f"{'x' * 200_000},/a\n")
    (tmp_path / "zero.tsv").write_text("x\0y\t/a\n")
    file = tmp_path / "bulk.yml"
    file.write_text(f"{text}\n")
    with pytest.raises(IdrError, match=why):
        bulk.read(file)


def test_a_cell_may_be_empty(tmp_path: Path) -> None:
    (tmp_path / "rows.tsv").write_text("/a\t\t\t\t\n")
    file = tmp_path / "bulk.yml"
    file.write_text("path: rows.tsv\ncolumns: [path, target, name, depth, checksum_algorithm]\n")
    assert [(row.path, row.target or None, dict(row.options)) for row in bulk.read(file)] == [("/a", None, {})]


@pytest.mark.parametrize("ending", ["tsv", "csv", "txt"])
def test_a_file_of_rows_alone_is_refused_with_what_to_give(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"rows.{ending}"
    file.write_text("plate 1\t/uod/idr/plate1.screen\n")
    with pytest.raises(
        IdrError, match=rf"rows.{ending}: is a file of rows; give the YAML file that names it as 'path'"
    ):
        bulk.read(file)
