"""The stories of truth.json told once more by DuckDB: one query for each figure, over the rows of the lake alone.

    "twins": {"rows": "SELECT count(*) FROM charges WHERE ts = $at"}   # $at is another figure of the same story

A figure is checked by a query, taken by one (as $name, or $name__inner), or listed as shown elsewhere; nothing may be left over.
"""

import fnmatch
import re
import shutil
from dataclasses import dataclass, field
from decimal import Decimal

from conftest import ROOT, SAMPLE, files, ledger, open_lake
from oracle import price_book, priced

# What a row says of itself is all there is.
OWN = 'CREATE TABLE found AS SELECT n, own_tenant AS tenant, own_user AS "user", own_plan AS plan FROM events;'
NO_FIGURES = {"stage", "currency"}


@dataclass(frozen=True, eq=False)
class Product:
    name: str
    # story → figure → query
    stories: dict
    # Those that are asked of a lake which holds the late file too.
    late: dict
    # "story", "story.figure" or a pattern of them → what shows it, or what would have to
    elsewhere: dict
    # Makes the table `found` of what lookups find (see oracle).
    found: str = OWN
    # Views and macros that several queries share.
    views: str = ""
    # source → what truth.json calls its kind, where that is neither the source's name nor that of its rows
    kinds: dict = field(default_factory=dict)
    zone: str = "UTC"

    @property
    def job(self):
        return ROOT / "Jobs" / f"{self.name}.json5"

    @property
    def sample(self):
        return SAMPLE.parent / self.name


def versions(kind, take, key="id"):
    """The versions of things as (key, value, since, until): each counts from its own time to the next one's, the first also before."""
    return f"""(SELECT {key} AS key, {take} AS value, coalesce(lead(updated_at) OVER one, 'infinity') AS until,
        CASE WHEN lag(updated_at) OVER one IS NULL THEN '-infinity' ELSE updated_at END AS since
        FROM snapshots WHERE kind = '{kind}' WINDOW one AS (PARTITION BY id ORDER BY updated_at))"""


AGAIN = "test_a_file_that_comes_again_adds_only_what_is_new"
NOT_EXPORTED = "the export does not hold them: that is the story"
BROKEN_LINES = {"lines": "SELECT file, reason, record FROM refused ORDER BY file, record"}


def late_file(folder):
    """What a file adds that comes a week late."""
    late = "FROM calls WHERE source_file LIKE '%-late.%'"
    return {
        "rows": f"SELECT count(*) {late}", "week": f"SELECT DISTINCT week {late}", "added_cost": f"SELECT sum(cost) {late}",
        "file": f"SELECT DISTINCT replace(source_file, '{folder}/', 'late/') {late}",
    }


def personal_data(phone, card):
    """How many private texts hold something that redaction must find."""
    marks = {"e_mail": "@example.org", "phone": phone, "card": card, "link": "https://example.com"}
    return {name: f"SELECT count(*) FROM texts WHERE contains(text, '{mark}')" for name, mark in marks.items()}


SHARED = """
CREATE MACRO usd(units) AS CAST(CAST(units AS VARCHAR) || 'e-12' AS DECIMAL(38, 12));
CREATE MACRO ratio(part, whole) AS
    CAST(CAST(half_even(CAST(part AS HUGEINT) * 10000, CAST(whole AS HUGEINT)) AS VARCHAR) || 'e-4' AS DECIMAL(38, 4));
CREATE MACRO on_day(t) AS strftime(t, '%Y-%m-%d');
CREATE MACRO in_week(t) AS strftime(t, '%G-W%V');
CREATE MACRO in_month(t) AS strftime(t, '%Y-%m');
CREATE MACRO iso(t) AS replace(strftime(t, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z');
CREATE MACRO moment(t) AS CAST(t AS TIMESTAMPTZ);

-- A priced call with all of its columns.
CREATE VIEW calls AS
SELECT usage.* EXCLUDE (tenant, "user", plan, day), own_tenant, priced.tenant, priced."user", priced.plan, day_utc AS day, week, month,
    low, usd(low) AS cost, unpriced, unpriced_tokens
FROM usage JOIN priced USING (source, id);
"""


def open_product(product, home):
    """A lake with the priced calls, the refused records and the ledger's counts beside the logs."""
    lake = priced(open_lake(home, product.name), price_book(product.name), product.zone, product.found)
    lake.execute(SHARED + product.views)
    columns = "{source: 'TEXT', file: 'TEXT', record: 'BIGINT', reason: 'TEXT', raw: 'TEXT'}"
    paths = [str(path) for path in files(home, "quarantine").values()]
    lake.execute(f"CREATE VIEW refused AS SELECT * FROM read_json({paths}, columns = {columns}, compression = 'gzip')")
    lake.execute("CREATE TABLE counts (source TEXT, log TEXT, file TEXT, outcome TEXT, reason TEXT, count BIGINT)")
    names = ["source", "log", "file", "outcome", "reason", "count"]
    lake.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?)", [[row[name] for name in names] for row in ledger(home, "counts")])
    return lake


class Homes:
    """A home of every product after one ingest and with its costs cached, with the late file or without it. Nobody writes to them."""

    def __init__(self, vesper, folder):
        self.vesper, self.folder, self.lakes = vesper, folder, {}

    def home(self, product, late=False):
        place, data = self.folder / f"{product.name}{'-late' if late else ''}", product.sample.parent
        if place.exists():
            return place
        if late:
            data = self.folder / "data"
            shutil.copytree(product.sample, data / product.name)
            (path,) = (data / product.name / "late").iterdir()
            path.rename(self.among(data / product.name, path))
        self.vesper("run", place, data=data, job=product.job, flags=["--until", "price"])
        return place

    @staticmethod
    def among(data, late):
        """Where a late file belongs: beside those that begin as it does."""
        (folder,) = {path.parent for path in data.rglob(f"{late.name.split('-2026')[0]}-2026*") if path.parent != late.parent}
        return folder / late.name

    def lake(self, product, late=False):
        home = self.home(product, late)
        if home not in self.lakes:
            self.lakes[home] = open_product(product, home)
        return self.lakes[home]


# MARK: - Figures

def at(story, path):
    for name in path.split("."):
        story = story[name]
    return story


def taken(query):
    """The figures that a query takes from its story."""
    return {name.replace("__", ".") for name in re.findall(r"\$(\w+)", query)}


def ask(lake, query, story):
    values = {name.replace(".", "__"): at(story, name) for name in taken(query)}
    found = lake.execute(query, values)
    return [column[0] for column in found.description], found.fetchall()


def shaped(names, rows, expected):
    """The rows of a query in the shape of the figure: leading columns are the keys of objects, the others a value, object or list."""
    if isinstance(expected, list):
        objects = bool(expected) and isinstance(expected[0], dict)
        return [dict(zip(names, row)) if objects else row[0] for row in rows]
    if not isinstance(expected, dict):
        return rows[0][0] if len(rows) == 1 and len(names) == 1 else rows
    if set(names) == set(expected):
        return dict(zip(names, rows[0])) if len(rows) == 1 else rows
    groups = {}
    for key, *rest in rows:
        groups.setdefault(str(key), []).append(rest)
    inner = next(iter(expected.values()), None)
    return {key: shaped(names[1:], group, expected.get(key, inner)) for key, group in groups.items()}


def like(expected, found):
    """What truth.json says, with its figures as numbers where the query has numbers."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: like(value, found.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [like(*pair) for pair in zip(expected, found)]
    return Decimal(expected) if isinstance(found, Decimal) and isinstance(expected, str) else expected


def without(expected, path, names):
    """A figure without what others answer for."""
    if not isinstance(expected, dict):
        return expected
    inner = {key: (f"{path}.{key}", value) for key, value in expected.items()}
    return {
        key: without(value, place, names) for key, (place, value) in inner.items()
        if not any(fnmatch.fnmatchcase(place, name) for name in names)
    }


def told(product, truth):
    """Every query with what it must find: (is it asked of the late lake, story, figure, query, expected)."""
    for late, stories in [(False, product.stories), (True, product.late)]:
        for name, queries in stories.items():
            for figure, query in queries.items():
                others = {f"{name}.{other}" for other in queries if other != figure} | product.elsewhere.keys()
                yield late, name, figure, query, without(at(truth["stories"][name], figure), f"{name}.{figure}", others)


def leaves(value, path):
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}")]
    return [path]


def left_over(product, truth):
    """The figures that no query checks or takes and that are not listed, and the listed ones that are checked all the same."""
    figures = {leaf for name, story in truth["stories"].items() for leaf in leaves(story, name)}
    figures -= {figure for figure in figures if figure.partition(".")[2] in NO_FIGURES}
    checked, used = set(), set()
    for stories in (product.stories, product.late):
        for name, queries in stories.items():
            checked |= {f"{name}.{figure}" for figure in queries}
            used |= {f"{name}.{figure}" for query in queries.values() for figure in taken(query)}

    def belongs(figure, names):
        return any(fnmatch.fnmatchcase(figure, name) or fnmatch.fnmatchcase(figure, name + ".*") for name in names)

    listed = {name for name in product.elsewhere if not any(belongs(figure, {name}) for figure in figures)}
    open_figures = sorted(figure for figure in figures if not belongs(figure, checked | used | product.elsewhere.keys()))
    return open_figures, sorted(listed | (product.elsewhere.keys() & (checked | used)))
