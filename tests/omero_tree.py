"""A database with OMERO's tables and its files, with faults of every kind."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres import DATABASE, ROLE, Server

# Names and types are those of OMERO5.4__0/schema.sql and psql-footer.sql, without columns that nothing here reads.
SCHEMA = """
drop schema public cascade; create schema public;
create table originalfile (id int8 primary key, hash varchar(255), mimetype varchar(255), name varchar(255) not null,
  path text not null, "size" int8, repo varchar(36));
create table fileset (id int8 primary key, templateprefix text not null);
create table filesetentry (id int8 primary key, clientpath text not null, fileset int8 not null,
  originalfile int8 not null);
create table image (id int8 primary key, name varchar(255) not null, fileset int8);
create table pixels (id int8 primary key, image int8 not null, path text, name text, repo varchar(36));
create table project (id int8 primary key, name varchar(255) not null);
create table projectdatasetlink (id int8 primary key, parent int8 not null, child int8 not null);
create table datasetimagelink (id int8 primary key, parent int8 not null, child int8 not null);
create table screen (id int8 primary key, name varchar(255) not null);
create table screenplatelink (id int8 primary key, parent int8 not null, child int8 not null);
create table well (id int8 primary key, plate int8 not null);
create table wellsample (id int8 primary key, image int8, well int8 not null);
"""
REPOSITORY, SCRIPTS = "11111111-aaaa", "22222222-bbbb"
PER_FILESET = 10
SIZE = 20
STUDIES = 7
ODD_NAMES = ("tab\there.tif", "new\nline.tif", "back\\slash.tif", "zellkörper-µ.tif", "a quote's.tif", "\\N")


@dataclass
class Tree:
    """Folders, the rows of each table, and the faults by their kind and path."""

    folder: Path
    faults: set[tuple[str, str]] = field(default_factory=set)
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    _number: int = 0

    @property
    def data(self) -> Path:
        """Return OMERO's data folder."""
        return self.folder / "OMERO"

    @property
    def share(self) -> Path:
        """Return the mount with the raw images."""
        return self.folder / "share"

    @property
    def cache(self) -> Path:
        """Return the folder of memo files."""
        return self.data / "BioFormatsCache"

    @property
    def repository(self) -> Path:
        """Return the managed repository."""
        return self.data / "ManagedRepository"

    def row(self, table: str, *values: object) -> int:
        """Add a row, whose first column is a new number."""
        self._number += 1
        self.rows.setdefault(table, []).append((self._number, *values))
        return self._number

    def original(self, path: str, size: int | None = SIZE, mimetype: str | None = None, repo: str = REPOSITORY) -> int:
        """Add a row for a file of a repository, by its path there."""
        parent, _, name = path.rpartition("/")
        return self.row("originalfile", None, mimetype, name, f"{parent}/", size, repo)

    def count(self, study: str, size: int = SIZE) -> None:
        """Add to the sizes that the report must have for a study."""
        known = self.sizes.setdefault(study, [0, 0])
        known[0] += 1
        known[1] += size

    def write(self, path: Path, size: int = SIZE) -> Path:
        """Write a file of a size."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        return path

    def load(self, server: Server) -> str:
        """Fill the database; return its connection settings."""
        text = [SCHEMA]
        for table, rows in self.rows.items():
            text += [f"copy {table} from stdin;\n", *("\t".join(map(_escaped, row)) + "\n" for row in rows), "\\.\n"]
        server.run("psql", f"--dbname={DATABASE}", "--quiet", "-v", "ON_ERROR_STOP=1", text_input="".join(text))
        where = f"host=127.0.0.1 port={server.port} dbname={DATABASE} user={ROLE}"
        return f"{where} passfile={server.password_file}"


def _escaped(value: object) -> str:
    if value is None:
        return "\\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def make(folder: Path, files: int, planted: int) -> Tree:
    """Make a tree with this number of imported files, and of faults of each kind."""
    tree = Tree(folder)
    tree.row("originalfile", REPOSITORY, "Repository", "ManagedRepository", f"{tree.data}/", 0, None)
    tree.row("originalfile", SCRIPTS, "Repository", "scripts", "/opt/omero/server/lib/", 0, None)
    tree.original("omero/util_scripts/never here.py", repo=SCRIPTS)
    (tree.repository / ".omero" / "repository").mkdir(parents=True)
    tree.write(tree.repository / ".omero" / "repository" / "repo_uuid")
    links = [link for number in range(files // PER_FILESET) for link in _fileset(tree, number)]
    _attachments(tree)
    _zarr(tree)
    _plant(tree, links[:: max(1, len(links) // (planted * 6))], planted)
    return tree


def _fileset(tree: Tree, number: int) -> list[Path]:
    """Import a fileset in place, of a study that is a project or a screen."""
    study = f"idr{number % STUDIES:04}-author-name"
    # The site's tree of links, which is on the share itself.
    disk, linked = tree.share / "disk" / study, tree.share / "filesets" / study
    disk.mkdir(parents=True, exist_ok=True)
    linked.parent.mkdir(exist_ok=True)
    if not linked.is_symlink():
        linked.symlink_to(Path("..") / "disk" / study)
    prefix = f"demo_2/2019-{number % 12 + 1:02}/{number % 28:02}/10-20-30.{number}"
    directory = tree.repository / prefix
    (directory / "plate").mkdir(parents=True)
    tree.original(prefix, 0, "Directory")
    tree.original(f"{prefix}/plate", 0, "Directory")
    fileset = tree.row("fileset", f"{prefix}/")
    image = tree.row("image", "image", fileset)
    _contain(tree, study, image, number)
    # `plate.tif` sorts before the files in `plate`.
    names = ["plate.tif", *(f"plate/{one}.tif" for one in range(PER_FILESET - 1))]
    if number == 0:
        names += ODD_NAMES
    tree.row("pixels", image, prefix, names[0], REPOSITORY)
    tree.row("pixels", image, prefix, names[0], REPOSITORY)
    tree.write(tree.cache / tree.repository.relative_to("/") / prefix / f".{names[0]}.bfmemo", 3)
    links = []
    for name in names:
        raw = tree.write(disk / str(number) / name)
        links.append(directory / name)
        links[-1].symlink_to(linked / raw.relative_to(disk))
        tree.row("filesetentry", f"/somewhere/{name}", fileset, tree.original(f"{prefix}/{name}"))
        tree.count(study)
    # The size is recorded before the last lines are written.
    tree.write(tree.repository / f"{prefix}.log", SIZE + 1)
    tree.original(f"{prefix}.log", SIZE, "application/omero-log-file")
    tree.count("")
    return links


def _contain(tree: Tree, study: str, image: int, number: int) -> None:
    if number % STUDIES % 2:
        project, dataset = tree.row("project", f"{study}/experimentA"), number + 10**6
        tree.row("projectdatasetlink", project, dataset)
        tree.row("datasetimagelink", dataset, image)
    else:
        screen, plate = tree.row("screen", f"{study}/screenB"), number + 10**6
        tree.row("screenplatelink", screen, plate)
        tree.row("wellsample", image, tree.row("well", plate))


def _attachments(tree: Tree) -> None:
    """Add files that are in no repository, in their folders of a thousand."""
    for number, relative in (
        (5_000_007, "Dir-005/Dir-000/5000007"),
        (60_008_000, "Dir-060/Dir-008/60008000"),
        (10**9 + 9, "Dir-001/Dir-000/Dir-000/1000000009"),
    ):
        tree.rows["originalfile"].append((number, None, None, "a.csv", "", SIZE, None))
        tree.write(tree.data / "Files" / relative)
        tree.count("")
    number = tree.row("originalfile", None, None, "gone.csv", "", SIZE, None)
    tree.count("")
    tree.faults.add(
        ("missing", str(tree.data / "Files" / (f"Dir-{number // 1000:03}" if number > 999 else "") / str(number)))
    )
    tree.faults.add(("unknown", str(tree.write(tree.data / "Files" / "Dir-060" / "60009"))))


def _zarr(tree: Tree) -> None:
    """Add an image whose whole folder is a link, as in the IDR for NGFF; the database names a few of its files."""
    raw = tree.share / "zarr" / "one.zarr"
    for chunk in range(3):
        tree.write(raw / "0" / str(chunk))
    tree.write(raw / ".zattrs")
    # Sorts between the folder and the files in it.
    tree.faults.add(("unused", str(tree.write(tree.share / "zarr" / "one.zarr.txt"))))
    link = tree.repository / "demo_2" / "zarr" / "one.zarr"
    link.parent.mkdir()
    link.symlink_to(raw)
    tree.original("demo_2/zarr/one.zarr/.zattrs")
    tree.original("demo_2/zarr/one.zarr/.zgroup")
    tree.original("demo_2/zarr/one.zarr", 0, "Directory")
    tree.faults.add(("missing", f"{link}/.zgroup"))
    tree.count("")
    tree.count("")


def _plant(tree: Tree, links: list[Path], planted: int) -> None:
    for number, link in enumerate(links[: planted * 6]):
        kind, raw = number % 6, link.resolve()
        if kind == 0:
            link.unlink()
            tree.faults |= {("missing", str(link)), ("unused", str(raw))}
        elif kind == 1:
            raw.unlink()
            tree.faults.add(("broken", str(link)))
        elif kind == 2:
            link.unlink()
            link.symlink_to(link.name)  # A link to itself: nothing else is unreadable for root.
            tree.faults |= {("unreadable", str(link)), ("unused", str(raw))}
        elif kind == 3:
            raw.write_bytes(b"short")
            tree.faults.add(("different", str(link)))
        elif kind == 4:
            tree.faults.add(("unknown", str(tree.write(link.with_name(f"unknown-{number}.tif")))))
            tree.faults.add(("unused", str(tree.write(raw.with_name(f"unused-{number}.tif")))))
            broken = link.with_name(f"unknown-link-{number}.tif")
            broken.symlink_to("/nowhere")
            tree.faults.add(("broken", str(broken)))
        else:
            directory = next(one for one in link.parents if one.name.startswith("10-20-30."))
            memo = tree.cache / str(directory).lstrip("/") / ".plate.tif.bfmemo"
            memo.unlink(missing_ok=True)
            tree.faults.add(("no-memo", str(memo)))
