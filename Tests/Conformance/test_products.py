"""Every product's export, ingested: all that truth.json says of it which the rows show, as DuckDB, sqlite3 and Python find it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from conftest import files, ledger, lines, records
from products import PRODUCTS, aspendos, kalei, neni, talentprompt, voyager
from shown import PERIOD, amount, assert_costs, keys
from stories import AGAIN, ask, left_over, like, shaped, told
from told import OUTCOMES, exact, figures, objects, raw_records, reasons, tally

pytest.importorskip("duckdb")

TRUTH = {product.name: json.loads((product.sample / "truth.json").read_text(encoding="utf-8")) for product in PRODUCTS}
OF_LOGS = [(product, log) for product in PRODUCTS for log, found in TRUTH[product.name].items() if "days" in found]
OF_KINDS = [(product, log) for product, log in OF_LOGS if "by_kind" in TRUTH[product.name][log]]
LATE = [(product, log) for product in PRODUCTS for log in TRUTH[product.name]["late"]]
FIGURES = [(product, *figure) for product in PRODUCTS for figure in told(product, TRUTH[product.name])]
# Which column of a log says what kind its rows are.
KIND = {"sessions": "kind", "snapshots": "kind", "texts": "part", "meters": "metric"}


def named(value):
    return getattr(value, "name", value if isinstance(value, str) else None)


def over(cases, names="product,log"):
    """A case for each, known by its product and its words."""
    ids = ["-".join(word for word in map(named, case) if word and " " not in word) for case in cases]
    return pytest.mark.parametrize(names, cases, ids=ids)


each_product = pytest.mark.parametrize("product", PRODUCTS, ids=named)


# MARK: - Logs

@over(OF_LOGS)
def test_every_utc_day_has_the_rows_and_sums_of_the_truth(homes, product, log):
    lake, expected = homes.lake(product), TRUTH[product.name][log]["days"]
    names = sorted({name for day in expected.values() for name in day})
    days = [row[0] for row in lake.execute(f"SELECT DISTINCT day FROM {log} ORDER BY 1").fetchall()]
    assert {day: figures(lake, log, names, day) for day in days} == {day: exact(found) for day, found in expected.items()}


@over(OF_LOGS)
def test_the_whole_lake_has_the_rows_and_sums_of_the_truth(homes, product, log):
    expected = TRUTH[product.name][log]
    found = figures(homes.lake(product), log, ["rows", *expected["sums"]])
    assert found == {"rows": expected["accepted"], **exact(expected["sums"])}


@over(OF_LOGS)
def test_the_ledger_counts_every_record_of_every_file(homes, product, log):
    expected = TRUTH[product.name][log]
    counts = [row for row in ledger(homes.home(product), "counts") if row["log"] == log]
    assert tally(counts) == {name: expected[name] for name in [*OUTCOMES, "records"]}
    found = {file: tally(row for row in counts if row["file"] == file) for file in {row["file"] for row in counts}}
    assert found == expected["by_file"]
    assert reasons(counts) == expected["reasons"]


@over(OF_KINDS)
def test_the_ledger_counts_every_record_of_every_kind(homes, product, log):
    """A source is of the kind that its rows say, where truth.json does not go by the source itself."""
    expected = TRUTH[product.name][log]["by_kind"]
    counts = [row for row in ledger(homes.home(product), "counts") if row["log"] == log]
    sources = {row["source"] for row in counts}
    kinds = {source: product.kinds.get(source, source) for source in sources}
    if not set(kinds.values()) <= expected.keys():
        kinds = dict(homes.lake(product).execute(f"SELECT DISTINCT source, {KIND[log]} FROM {log}").fetchall())
    assert kinds.keys() == sources
    assert {kind: tally(row for row in counts if kinds[row["source"]] == kind) for kind in kinds.values()} == expected


def test_no_log_is_filled_of_which_the_truth_does_not_tell(homes):
    for product in PRODUCTS:
        found = {folder.name for folder in (homes.home(product) / "lake" / product.name).iterdir()}
        assert found == {log for of, log in OF_LOGS if of is product and TRUTH[product.name][log]["accepted"]}, product.name


@each_product
def test_the_counts_add_up_to_the_records_of_the_files(homes, product):
    counts = ledger(homes.home(product), "counts")
    for row in ledger(homes.home(product), "files"):
        counted = tally(c for c in counts if (c["source"], c["file"]) == (row["source"], row["path"]))
        assert counted["records"] == row["lines"] == len(raw_records(product.sample / row["path"])), row["path"]


@each_product
def test_the_ledger_knows_the_rows_of_every_file_and_day(homes, product):
    rows = ledger(homes.home(product), "stored_days")
    found = {(row["log"], row["source"], row["file"], row["day"]): row["rows"] for row in rows if row["rows"]}
    logs = [log for of, log in OF_LOGS if of is product]
    query = " UNION ALL ".join(f"SELECT '{log}', source, source_file, day, count(*) FROM {log} GROUP BY ALL" for log in logs)
    assert found == {tuple(row[:4]): row[4] for row in homes.lake(product).execute(query).fetchall()}


@each_product
def test_the_quarantine_holds_every_refused_record_with_its_bytes(homes, product):
    home = homes.home(product)
    refused = [json.loads(line) for path in files(home, "quarantine").values() for line in lines(path)]
    log_of = {row["source"]: row["log"] for row in ledger(home, "counts")}
    assert Counter((log_of[row["source"]], row["reason"]) for row in refused) == {
        (log, reason): count for of, log in OF_LOGS if of is product for reason, count in TRUTH[product.name][log]["reasons"].items()}
    found = {(row["file"], row["record"], row["reason"]) for row in refused}
    broken = {(line["file"], line["record"], line["reason"]) for line in TRUTH[product.name]["stories"]["broken_lines"]["lines"]}
    others = {"kalei": "id_reused", "neni": "bad_value"}.get(product.name)
    assert broken <= found and {reason for _, _, reason in found - broken} == ({others} if others else set())
    for row in refused:
        raw = raw_records(product.sample / row["file"])[row["record"] - 1]
        assert row["raw"].encode() == raw and row["bytes"] == len(raw) and row["detail"]


@over(LATE)
def test_a_late_file_adds_its_rows_and_nothing_else(homes, product, log):
    expected = TRUTH[product.name]["late"][log]
    lake, before = homes.lake(product, late=True), homes.lake(product)
    late = f"(FROM {log} WHERE source_file LIKE '%-late.%')"
    assert figures(lake, late, ["rows", *expected["sums"]]) == {"rows": expected["accepted"], **exact(expected["sums"])}
    days = [row[0] for row in lake.execute(f"SELECT DISTINCT day FROM {late}").fetchall()]
    assert {day: figures(lake, late, list(expected["days"][day]), day) for day in days} == {
        day: exact(found) for day, found in expected["days"].items()}
    kept = lake.execute(f"SELECT count(*) FROM {log} WHERE source_file NOT LIKE '%-late.%'").fetchone()
    assert kept == before.execute(f"SELECT count(*) FROM {log}").fetchone()
    counts = [row for row in ledger(homes.home(product, late=True), "counts") if row["log"] == log and "-late." in row["file"]]
    assert [tally(counts)] == list(expected["by_file"].values())


# MARK: - Stories

@over(FIGURES, "product,late,story,figure,query,expected")
def test_a_figure_of_a_story_is_what_the_rows_show(homes, product, late, story, figure, query, expected):
    names, rows = ask(homes.lake(product, late), query, TRUTH[product.name]["stories"][story])
    found = shaped(names, rows, expected)
    assert found == like(expected, found), query


@each_product
def test_every_figure_of_every_story_is_checked_or_listed_with_a_reason(product):
    assert left_over(product, TRUTH[product.name]) == ([], [])
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named_tests = {reason for reason in product.elsewhere.values() if reason.startswith("test_")}
    assert {name for name in named_tests if f"def {name}(" not in here} == set()


AGAIN_FILES = [(product, story) for product in PRODUCTS for story, found in TRUTH[product.name]["stories"].items()
               if product.elsewhere.get(story) == AGAIN]


@over(AGAIN_FILES, "product,story")
def test_a_file_that_comes_again_adds_only_what_is_new(homes, product, story):
    found = TRUTH[product.name]["stories"][story]
    first, second = (raw_records(product.sample / name) for name in found["files"])
    assert len(set(first) & set(second)) == found.get("duplicates", found.get("records"))
    # What either file holds is there once, and every record that is not has been counted.
    home, lake = homes.home(product), homes.lake(product)
    for log in {row["log"] for row in ledger(home, "counts") if row["file"] == found["files"][0]}:
        ids = lake.execute(f"SELECT source, id FROM {log} WHERE source_file IN (?, ?)", found["files"]).fetchall()
        assert len(ids) == len(set(ids))
        counts = [row for row in ledger(home, "counts") if row["log"] == log and row["file"] in found["files"]]
        sources = {row["source"] for row in counts}
        assert tally(counts)["records"] == len(sources) * (len(first) + len(second))
        assert tally(counts)["accepted"] == len(ids) and tally(counts)["duplicate"] >= tally(counts)["accepted"] // 4
    if product is not voyager.PRODUCT:
        whole = lake.execute("SELECT count(*) FROM usage WHERE source_file IN (?, ?)", found["files"]).fetchone()[0]
        assert whole == len(set(first) | set(second))


def test_what_comes_twice_in_a_webhook_is_in_the_exports(homes):
    product, story = aspendos.PRODUCT, TRUTH["aspendos"]["stories"]["repeated_webhook"]
    dumps = [raw_records(path) for path in sorted((product.sample / "payments").iterdir())]
    event = story["event"].encode()
    assert [sum(record.startswith(event) for record in dump) for dump in dumps] == story["rows_by_dump"]
    assert homes.lake(product).execute("SELECT count(*) FROM payments WHERE id = ?", [story["event"]]).fetchone() == (1,)


def repaired(text):
    """What a text was before its UTF-8 was taken for Windows-1252; the text itself where that cannot be."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except ValueError:
        return text


def test_a_text_that_was_encoded_twice_is_stored_as_it_was_meant(homes):
    product, story = aspendos.PRODUCT, TRUTH["aspendos"]["stories"]["double_encoding"]
    said = {}
    for path in sorted((product.sample / "transcripts").iterdir()):
        for turn in map(json.loads, raw_records(path)):
            said |= {(turn["timestamp"], part): turn[part] for part in ("user", "assistant")}
    stored = {(row["id"], row["part"]): row["text"] for row in records(homes.lake(product), "SELECT id, part, text FROM texts")}
    assert stored == {key: repaired(text) for key, text in said.items()}
    broken = [at.replace(" ", "T").replace("+00", "Z") for (at, _), text in said.items() if repaired(text) != text]
    assert broken == story["replies"] and repaired(story["title"]) == story["meant"]
    counts = [row["count"] for row in ledger(homes.home(product), "counts") if row["outcome"] == "repaired"]
    assert sum(counts) == len(broken)


@over([
    (kalei.PRODUCT, "users", "email"), (aspendos.PRODUCT, "users", "email"), (aspendos.PRODUCT, "users", "firebase_uid"),
    (aspendos.PRODUCT, "conversations", "title"), (voyager.PRODUCT, "user", "email"), (voyager.PRODUCT, "conversation", "title"),
], "product,table,field")
def test_what_no_mapping_names_stays_outside(homes, product, table, field):
    """Mail addresses, sign-in ids and titles are in the exports, and in no column of the lake."""
    left_out = {row[field] for path in (product.sample / table).iterdir() for row in objects(path) if len(row.get(field) or "") > 12}
    assert len(left_out) > 25
    rows = "\n".join(row[0] for row in homes.lake(product).execute("SELECT CAST(t AS VARCHAR) FROM snapshots AS t").fetchall())
    assert [text for text in left_out if text in rows] == []


# MARK: - Costs

# What the command groups by, and which figure of the story of costs it must give; what that lacks costs nothing known.
SHOWN = [
    (neni.PRODUCT, ["--by", "tenant"], "by_tenant"), (neni.PRODUCT, ["--every", "week"], "by_week"),
    (neni.PRODUCT, ["--every", "day"], "by_day_utc"),
    (talentprompt.PRODUCT, ["--by", "environment"], "by_environment"), (talentprompt.PRODUCT, ["--by", "model"], "by_model"),
    (talentprompt.PRODUCT, ["--every", "week"], "by_week"),
    (aspendos.PRODUCT, ["--by", "feature"], "by_endpoint"), (aspendos.PRODUCT, ["--by", "plan"], "by_tier"),
    (aspendos.PRODUCT, ["--by", "provider,model"], "by_model"), (aspendos.PRODUCT, ["--every", "day"], "by_day"),
    (aspendos.PRODUCT, ["--every", "week"], "by_week"), (aspendos.PRODUCT, ["--every", "month"], "by_month"),
    (voyager.PRODUCT, ["--by", "tenant"], "by_community"), (voyager.PRODUCT, ["--by", "plan"], "by_plan"),
    (voyager.PRODUCT, ["--by", "model"], "by_model"), (voyager.PRODUCT, ["--every", "day"], "by_day"),
    (voyager.PRODUCT, ["--every", "week"], "by_week"), (voyager.PRODUCT, ["--every", "month"], "by_month"),
]


@over(SHOWN, "product,flags,figure")
def test_the_command_shows_the_costs_of_the_truth(vesper, homes, product, flags, figure):
    story = TRUTH[product.name]["stories"]["costs"]
    # Aspendos's story is that of the gateway: voice and pictures, which are charged by the piece, stand beside it.
    calls = ["--where", "source=requests"] if product is aspendos.PRODUCT else []
    given = {"data": product.sample.parent, "job": product.job}
    shown = vesper.json("costs", homes.home(product), flags=[*PERIOD, *flags, *calls], **given)
    names = flags[1].split(",") if flags[0] == "--by" else [flags[1]]
    found = {}
    for row in shown["rows"]:
        key = "/".join(name for name in keys(row, names) if name)
        # A month that the period cuts is shown by its days.
        found[key[:7] if names == ["month"] else key] = amount(row["cost"])[0]
    # The truth tells of a model as the gateway calls it, and of nothing where no model was called.
    assert {key: cost for key, cost in found.items() if cost} == {key: cost for key, cost in exact(story[figure]).items() if cost}
    assert amount(shown["totals"]["cost"])[0] == exact({"total": story.get("total_cost") or story["at_least"]})["total"]
    assert found.keys() >= {key for key in story[figure] if key}


@over([
    (neni.PRODUCT, "month", "tenant"), (neni.PRODUCT, "week", "plan"), (neni.PRODUCT, "day", "tenant,plan"),
    (talentprompt.PRODUCT, "all", "environment,provider,model"), (talentprompt.PRODUCT, "day", "tenant"),
    (talentprompt.PRODUCT, "week", "route"),
    (aspendos.PRODUCT, "all", "plan,feature"), (aspendos.PRODUCT, "day", "provider,model"), (aspendos.PRODUCT, "month", "route"),
    (voyager.PRODUCT, "all", "tenant,plan"), (voyager.PRODUCT, "day", "tenant"), (voyager.PRODUCT, "day", "plan"),
    (voyager.PRODUCT, "month", "model"),
], "product,every,by")
def test_costs_by_what_is_looked_up_are_those_of_joins_as_of_the_time(vesper, homes, product, every, by):
    given = {"data": product.sample.parent, "job": product.job}
    assert_costs(vesper, homes.home(product), homes.lake(product), every, by.split(","), **given)
