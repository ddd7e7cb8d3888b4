"""Opens a report's page and its JSON with Python's own readers.

    VESPER_PAGE=reports/kalei/2026-W46/index.html pytest Tests/Conformance/test_report_page.py

The JSON is report.json.gz beside the page, unless VESPER_REPORT_JSON names another. Without VESPER_PAGE every test is skipped.
Where chromium is installed it also draws the page: light, dark, narrow and on paper.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

# https://html.spec.whatwg.org/multipage/syntax.html#void-elements
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADING = {"src", "srcset", "href", "xlink:href", "action", "formaction", "poster", "data", "background", "ping", "manifest"}
# Tab and control characters, and what turns the direction of writing (Unicode UAX #9).
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.faults, self.style = [], [], [], ""
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        names = [name for name, _ in attributes]
        if len(names) != len(set(names)):
            self.faults.append(f"line {self.getpos()[0]}: <{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if "svg" not in self.open:
            self.faults.append(f"line {self.getpos()[0]}: <{tag}/> outside of a drawing")

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.faults.append(f"line {self.getpos()[0]}: </{tag}> closes <{self.open[-1] if self.open else 'nothing'}>")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def path_from(variable):
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: give it the path of a report's page")
    return Path(value)


@pytest.fixture(scope="module")
def text():
    return path_from("VESPER_PAGE").read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def report():
    path = Path(os.environ.get("VESPER_REPORT_JSON") or path_from("VESPER_PAGE").with_name("report.json.gz"))
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data, parse_float=Decimal)


# The page


def test_every_tag_is_closed_in_order(text, page):
    assert text.lower().startswith("<!doctype html>\n")
    assert page.faults == []


def test_nothing_runs_and_nothing_is_fetched(page):
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "form", "base", "image", "use"}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag} {name}>"
            if name in LOADING:
                assert value.startswith(("#", "data:")), f'<{tag} {name}="{value}">'
            if name == "style":
                assert re.fullmatch(r"(width|padding-left):[0-9.]+(%|px)", value), f'<{tag} style="{value}">'
        assert attributes.get("http-equiv", "Content-Security-Policy") == "Content-Security-Policy"
    assert "url(" not in page.style and "@import" not in page.style and "expression(" not in page.style


def test_its_policy_forbids_the_rest(page):
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_no_character_acts_unseen(text):
    assert UNSEEN.findall(text) == []


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))
    for _, attributes in page.elements:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_it_can_be_read_aloud(page):
    assert page.all("html")[0].get("lang") == "en"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing.get("role") and drawing.get("aria-label"))


def test_it_has_the_sections_of_the_report_in_their_order(page, report):
    assert [section["id"] for section in page.all("section")] == [section["id"] for section in report["sections"]]


# The JSON

FIGURES = {
    "text": {"text": str},
    "count": {"count": int},
    "cost": {"low": str, "high": str, "complete": bool, "unpriced_requests": int},
    "money": {"amount": str},
    "share": {"share": str},
    "unknown": {"why": str},
}
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]*[1-9])?")


def check(value, members):
    assert {name: type(part) for name, part in value.items()} == members
    for name in ("low", "high", "amount", "share"):
        if name in value:
            assert DECIMAL.fullmatch(value[name])
    if "low" in value:
        assert Decimal(value["low"]) <= Decimal(value["high"])
        assert value["complete"] == (value["unpriced_requests"] == 0)


def check_figure(figure):
    check({name: part for name, part in figure.items() if name != "kind"}, FIGURES[figure["kind"]])


def test_the_envelope(report):
    assert report["schema"] == "vesper.report/1"
    assert list(report) == ["schema", "job", "period", "provisional", "revision", "currency", "verdict", "sections"]
    assert list(report["period"]) == ["name", "first", "last", "zone"]
    assert report["period"]["first"] <= report["period"]["last"]
    assert type(report["provisional"]) is bool and report["revision"] >= 1
    assert len({section["id"] for section in report["sections"]}) == len(report["sections"])
    assert all(re.fullmatch("[a-z0-9-]+", section["id"]) for section in report["sections"])


def test_every_section_has_the_form_of_its_kind(report):
    for section in report["sections"]:
        assert list(section)[:4] == ["id", "title", "kind", "notes"]
        members = list(section)[4:]
        match section["kind"]:
            case "tiles":
                assert members == ["tiles"]
                for tile in section["tiles"]:
                    assert list(tile) == ["label", "value", "before", "usual"]
                    for figure in (tile["value"], tile["before"], tile["usual"]):
                        if figure is not None:
                            check_figure(figure)
            case "stacked-days":
                assert members == ["days", "series"]
                assert section["days"] == sorted(section["days"])
                for series in section["series"]:
                    assert list(series) == ["name", "costs"] and len(series["costs"]) == len(section["days"])
                    for cost in series["costs"]:
                        check(cost, FIGURES["cost"])
            case "table":
                assert members == ["columns", "rows", "totals"]
                for row in section["rows"] + ([section["totals"]] if section["totals"] else []):
                    assert len(row) == len(section["columns"])
                    for figure in row:
                        check_figure(figure)
            case "funnel":
                assert members == ["steps"]
                counts = [step["count"] for step in section["steps"]]
                for before, step in zip(counts, section["steps"][1:]):
                    assert before - step["count"] == sum(loss["count"] for loss in step["lost"]), step["name"]
            case "sample":
                assert members == ["fields"] and all(list(field) == ["name", "value"] for field in section["fields"])
            case "facts":
                assert members == ["facts"] and all(list(fact) == ["label", "value"] for fact in section["facts"])
            case "missing":
                assert members == ["why"] and section["why"]
            case other:
                pytest.fail(f"unknown kind of section: {other}")


def test_the_days_add_up_to_the_first_table(report):
    days = [section for section in report["sections"] if section["kind"] == "stacked-days"]
    tables = [section for section in report["sections"] if section["kind"] == "table" and section["totals"]]
    totals = [figure for figure in tables[0]["totals"] if figure["kind"] == "cost"] if tables else []
    if not days or not totals:
        pytest.skip("the report has no stacked days, or no table with a total cost")
    costs = [cost for series in days[0]["series"] for cost in series["costs"]]
    for end in ("low", "high"):
        assert sum(Decimal(cost[end]) for cost in costs) == Decimal(totals[0][end])
    assert sum(cost["unpriced_requests"] for cost in costs) == totals[0]["unpriced_requests"]


# A browser, where there is one


@pytest.mark.parametrize("form", ["light", "dark", "narrow", "paper"])
def test_a_browser_draws_it(form, text, tmp_path):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    output = tmp_path / (f"{form}.pdf" if form == "paper" else f"{form}.png")
    options = {
        "light": [f"--screenshot={output}", "--window-size=1200,3000"],
        "dark": [f"--screenshot={output}", "--window-size=1200,3000", "--blink-settings=preferredColorScheme=0"],
        "narrow": [f"--screenshot={output}", "--window-size=360,3000"],
        "paper": [f"--print-to-pdf={output}"],
    }[form]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [chromium, "--headless=new", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", *sandbox, *options]
    done = subprocess.run(
        [*command, path_from("VESPER_PAGE").resolve().as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "Refused to" not in done.stderr and "Content Security Policy" not in done.stderr
    assert output.stat().st_size > 10_000
