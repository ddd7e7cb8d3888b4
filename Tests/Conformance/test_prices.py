"""`vesper prices` on the community's own map and on the sample: what is read of it, what new prices do to a period, and that they are
applied whole or not at all."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from decimal import Decimal

import pytest

from books import joined, json5, price_book
from conftest import NOW, ROOT, SECONDS, digests, open_lake, peak_memory
from oracle import costs, priced
from shown import PERIOD, amount

# The release that carries the map, and the prices below. 1.109.1 has the same ones.
LITELLM = "1.110.2"
SOURCE = f"LiteLLM {LITELLM}"
BOOK = """{ currency: "USD", prices: [
  { provider: "anthropic", model: ["claude-haiku-4-5", "claude-haiku-4.5"], valid_from: "2026-11-04", known_from: "2026-11-04",
    rates: { input: "2.00", cache_read: "0.10", cache_write_5m: "1.25", output: "5.00" }, source: "made up" },
] }"""


@pytest.fixture(scope="session")
def community_map():
    """The map as the Python package carries it, kept in .build for the next time."""
    folder = ROOT / ".build" / "litellm" / LITELLM
    place = folder / "model_prices_and_context_window.json"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), f"litellm=={LITELLM}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        except OSError as problem:
            pytest.skip(f"pip cannot be run: {problem}")
        wheels = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            pytest.skip(f"pip could not fetch litellm {LITELLM}: {done.stderr.strip()[-200:]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            name = next(name for name in wheel.namelist() if re.search(r"/model_prices_and_context_window[^/]*\.json$", name))
            place.with_suffix(".part").write_bytes(wheel.read(name))
        place.with_suffix(".part").rename(place)
    return place


@pytest.fixture(scope="session")
def entries(community_map):
    """Every entry of the map with its numbers as exact decimals."""
    found = json.loads(community_map.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    del found["sample_spec"]
    return found


def prices(vesper, verb, *words, code=0):
    command = [vesper.binary, "prices", verb, *map(str, words), "--now", NOW]
    done = subprocess.run(
        command, env=vesper.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == code, f"exit code {done.returncode} instead of {code}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done


def imported(vesper, place, into, *flags):
    """Imports into a file; what became of the keys, and the book."""
    done = prices(vesper, "import", place, "--source", SOURCE, "--into", into, "--format", "json", *flags)
    return json.loads(done.stdout), json5(into.read_text(encoding="utf-8"))["prices"]


@pytest.fixture(scope="session")
def whole(vesper, community_map, tmp_path_factory):
    return imported(vesper, community_map, tmp_path_factory.mktemp("whole") / "book.json5", "--provider", "*", "--known-from", "2026-11-20")


# MARK: The community's map

MONEY = ("cost", "pric", "multiplier", "uplift", "billing", "provider_specific_entry", "search_free_requests")
NO_MONEY = re.compile(r"(max_.*|rpm|tpm|output_vector_size|prompt_cache_min_tokens|token_count_.*|metadata|rules)")


def numbers(value):
    if isinstance(value, dict):
        return any(map(numbers, value.values()))
    if isinstance(value, list):
        return any(map(numbers, value))
    return isinstance(value, Decimal)


def test_every_cost_key_of_the_map_is_told_of_as_often_as_it_stands_there(whole, entries):
    wanted = {}
    for entry in entries.values():
        if "litellm_provider" in entry:
            for key, value in entry.items():
                if any(word in key for word in MONEY) or (numbers(value) and not NO_MONEY.fullmatch(key)):
                    wanted[key] = wanted.get(key, 0) + 1
    table, _ = whole
    found = {}
    for row in table["rows"]:
        found[row["key"]] = found.get(row["key"], 0) + row["entries"]
        assert row["example"] in entries and (row["key"] in entries[row["example"]] or row["key"].startswith("tiered_pricing."))
    assert found == wanted and len(found) > 150
    assert [row["key"] for row in table["rows"] if row["state"] == "not understood"] == []
    assert all(row["what"] for row in table["rows"])


def test_a_key_that_nobody_knows_is_told_of(vesper, community_map, tmp_path):
    place = tmp_path / "map.json"
    text = community_map.read_text(encoding="utf-8")
    for known, unknown in [("input_cost_per_token_batches", "input_cost_per_token_on_sundays"), ("max_input_tokens", "moon_phase")]:
        text = text.replace(f'"{known}"', f'"{unknown}"')
    place.write_text(text, encoding="utf-8")
    table, book = imported(vesper, place, tmp_path / "book.json5", "--provider", "anthropic")
    unknown = {row["key"]: row["entries"] for row in table["rows"] if row["state"] == "not understood"}
    assert unknown.keys() == {"input_cost_per_token_on_sundays", "moon_phase"} and min(unknown.values()) > 5
    assert any("2 cost keys not understood" in note for note in table["notes"])
    batch = [entry["rates"] for entry in book if entry.get("tier") == "batch" and "above_input_tokens" not in entry]
    assert batch and not any("input" in rates for rates in batch)


def rates_of(book):
    """The rates of a book by (provider, model, tier, threshold, what): for one token or one unit, at both ends."""
    found = {}
    for entry in book:
        names = [entry["model"]] if isinstance(entry["model"], str) else entry["model"]
        ends = {meter: rate for meter, rate in entry.get("rates", {}).items()} or {entry["per"]: entry["rate"]}
        for name in names:
            for meter, rate in ends.items():
                low, high = (rate, rate) if isinstance(rate, str) else rate
                share = 1_000_000 if "rates" in entry else 1
                key = (entry["provider"], name, entry.get("tier", "standard"), entry.get("above_input_tokens", -1), meter)
                assert key not in found, "one question has two answers"
                found[key] = (Decimal(low) / share, Decimal(high) / share)
    return found


TOKEN_KEY = re.compile(
    r"(?P<base>input_cost_per_token|output_cost_per_token|output_cost_per_reasoning_token|cache_read_input_token_cost"
    r"|cache_creation_input_token_cost)(?P<hour>_above_1hr)?(?:_above_(?P<above>\d+)k_tokens)?"
    r"(?:_(?P<tier>batches|flex|priority|ultrafast|balanced|decisions))?")
METERS = {
    "input_cost_per_token": "input", "output_cost_per_token": "output", "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read", "cache_creation_input_token_cost": "cache_write_5m"}


def test_every_token_rate_of_the_map_is_in_the_book_to_the_last_digit_and_no_other(whole, entries):
    _, book = whole
    wanted = {}
    for name, entry in entries.items():
        if "litellm_provider" not in entry:
            continue
        for key, value in entry.items():
            if match := TOKEN_KEY.fullmatch(key):
                meter = "cache_write_1h" if match["hour"] else METERS[match["base"]]
                tier = {"batches": "batch", None: "standard"}.get(match["tier"], match["tier"])
                above = int(match["above"]) * 1000 if match["above"] else -1
                wanted[entry["litellm_provider"], name, tier, above, meter] = (value, value)
        for tier in entry.get("tiered_pricing", []):
            if "range" in tier:
                above = int(tier["range"][0]) or -1
                for key, value in tier.items():
                    if key != "range":
                        wanted[entry["litellm_provider"], name, "standard", above, METERS[key]] = (value, value)
    found = {key: value for key, value in rates_of(book).items() if key[1] in entries and "litellm_provider" in entries[key[1]]}
    assert len(wanted) > 15_000
    assert {key: value for key, value in found.items() if key[4] in [*METERS.values(), "cache_write_1h"]} == wanted


# By hand from LiteLLM's map 1.109.1, in USD per million tokens or per unit, and still so in 1.110.2.
BY_HAND = [
    ("anthropic", "claude-sonnet-4-5", "standard", -1, "input=3 output=15 cache_write_5m=3.75 cache_write_1h=6 cache_read=0.3 search=0.01"),
    ("anthropic", "claude-sonnet-4-5", "batch", -1, "input=1.5 output=7.5 cache_write_5m=1.875 cache_read=0.15"),
    ("anthropic", "claude-opus-5-5", "standard", -1, "input=4 output=20 cache_write_5m=5 cache_write_1h=8 cache_read=0.2 search=0.01"),
    ("anthropic", "claude-haiku-5-5", "standard", 100_000, "input=0.5 output=2.5 cache_write_5m=0.625 cache_write_1h=1 cache_read=0.05"),
    ("openai", "gpt-6-astra", "standard", 272_000, "input=20 output=75 cache_write_5m=25 cache_read=2"),
    ("openai", "gpt-6-astra", "ultrafast", -1, "input=60 output=300 cache_write_5m=75 cache_read=6"),
    ("openai", "whisper-1", "standard", -1, "second=0.0001"),
    ("openai", "tts-1", "standard", -1, "character=0.000015"),
    ("openai", "sora-2", "standard", -1, "second=0.1"),
    ("deepseek", "deepseek-chat", "standard", -1, "input=0.28 output=0.42 cache_read=0.028"),
    ("cohere", "rerank-english-v3.0", "standard", -1, "input=0 output=0 query=0.002"),
    ("vertex_ai-language-models", "gemini-2.5-pro", "standard", 200_000, "input=2.5 output=15 cache_read=0.25 cache_write_5m=0.25"),
]


@pytest.mark.parametrize("provider,model,tier,above,wanted", BY_HAND, ids=[f"{row[1]}-{row[2]}-{row[3]}" for row in BY_HAND])
def test_prices_are_those_that_a_person_reads_in_the_map(whole, provider, model, tier, above, wanted):
    _, book = whole
    units = {"second", "character", "query", "search", "image", "page", "session", "request", "message"}
    found = {
        key[4]: low * (1 if key[4] in units else 1_000_000)
        for key, (low, high) in rates_of(book).items() if key[:4] == (provider, model, tier, above) and low == high}
    assert found == {name: Decimal(rate) for name, rate in (pair.split("=") for pair in wanted.split())}


def test_the_same_map_gives_the_same_bytes_and_reads_as_one_book(vesper, community_map, whole, home, tmp_path):
    for name in ("one", "two"):
        imported(vesper, community_map, tmp_path / name, "--provider", "*", "--known-from", "2026-11-20")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    done = prices(
        vesper, "apply", ROOT / "Jobs" / "kalei.json5", tmp_path / "one", "--home", home, "--dry-run", "--format", "json")
    shown = json.loads(done.stdout)
    assert len(shown["rows"]) > 15_000 and done.stderr == "", "a rate of the map is said to be odd"
    listed = {
        (row["provider"], row["what"], row["tier"], row["above"] or -1, row["per"] if row["counted"] == "quantity" else row["counted"])
        for row in shown["rows"]}
    assert listed <= rates_of(whole[1]).keys()


@pytest.mark.parametrize("providers", ["anthropic", "*"])
def test_reading_takes_no_more_memory_than_a_few_times_the_map(vesper, community_map, tmp_path, providers):
    entry = json.loads(community_map.read_text(encoding="utf-8"))
    del entry["sample_spec"]
    place = tmp_path / "map.json"
    with place.open("w", encoding="utf-8") as file:
        copies = (f"{json.dumps(f'{name}-{copy}')}: {json.dumps(value, indent=4)}" for copy in range(6) for name, value in entry.items())
        file.write("{" + ",\n".join(copies) + "}")
    command = [vesper.binary, "prices", "import", place, "--provider", providers, "--source", SOURCE, "--quiet"]
    process = subprocess.Popen([*map(str, command)], env=vesper.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, peak_memory(process))
    assert process.returncode == 0
    size = place.stat().st_size // 1024
    # The program alone takes some 10 MB.
    assert size > 15_000 and most < 20_000 + 6 * size, f"{most} kB for a map of {size} kB"


def hostile(name):
    """Files that are no map, and what is said of them."""
    nested = "[" * 150 + "]" * 150
    return {
        "nested": ('{"m": {"litellm_provider": "p", "x": ' + "[" * 100_000 + "}}", "nested more than 200 levels"),
        "wide": ('{"m": {"litellm_provider": "p", "x": [' + ",".join([nested] * 100_000) + "]}}", "more values than anything"),
        "empty objects": ('{"m": {"litellm_provider": "q", "x": [' + "{}," * 8_000_000 + "{}]}}", "more values than anything"),
        "too large": (" " * (65 << 20) + "{}", "no price map has more than"),
        "cut short": ('{"m": {"litellm_provider": "p", "input_cost_per_token": 1e-0', "this object is never closed"),
        "text": ('{"m": {"litellm_provider": "p", "input_cost_per_token": "free"}}', '"input_cost_per_token" of "m" must be a number'),
        "negative": ('{"m": {"litellm_provider": "p", "input_cost_per_token": -1e-06}}', "is negative, which no price is"),
        "twice": ('{"m": {"litellm_provider": "p", "input_cost_per_token": 1e-06, "input_cost_per_token": 2e-06}}', "is written twice"),
        "no entry": ('{"m": ["litellm_provider"]}', "must be an object"),
        "not text": ('{"m": {"litellm_provider": 7}}', '"litellm_provider" of "m" must be text'),
    }[name]


@pytest.mark.parametrize("name", [
    "nested", "wide", "empty objects", "too large", "cut short", "text", "negative", "twice", "no entry", "not text"])
def test_a_hostile_map_gets_a_sentence_with_its_place_and_little_memory(vesper, tmp_path, name):
    text, sentence = hostile(name)
    place = tmp_path / "map.json"
    place.write_text(text, encoding="utf-8")
    command = [vesper.binary, "prices", "import", str(place), "--provider", "p", "--source", SOURCE, "--into", f"{tmp_path}/book"]
    process = subprocess.Popen(command, env=vesper.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None:
        most = max(most, peak_memory(process))
    said = process.stderr.read()
    process.stderr.close()
    assert process.returncode == 1 and sentence in said, said
    assert re.match(re.escape(str(place)) + (": error" if name == "too large" else r":\d+:\d+: error"), said)
    assert most < 30_000 + 4 * (place.stat().st_size // 1024) and not (tmp_path / "book").exists()


def test_an_imported_book_prices_the_sample_as_duckdb_does(vesper, home, community_map, tmp_path):
    jobs = tmp_path / "Jobs"
    shutil.copytree(ROOT / "Jobs", jobs)
    _, book = imported(
        vesper, community_map, jobs / "Prices" / "imported.json5", "--provider", "anthropic", "--known-from", "2026-09-01",
        "--valid-from", "2026-09-01")
    # Fixed costs refer to services, of which the map has none.
    services = [entry for entry in price_book()["prices"] if "service" in entry]
    (jobs / "Prices" / "services.json5").write_text(json.dumps({"currency": "USD", "prices": services}), encoding="utf-8")
    text = (jobs / "kalei.json5").read_text(encoding="utf-8")
    assert '"Prices/kalei.json5"' in text
    text = text.replace('"Prices/kalei.json5"', '"Prices/imported.json5", "Prices/services.json5"')
    (jobs / "kalei.json5").write_text(text, encoding="utf-8")
    shown = vesper.json("costs", home, job=jobs / "kalei.json5", flags=[*PERIOD, "--by", "model"])
    lake = priced(open_lake(home), {"prices": book, "aliases": {}})
    found = costs(lake, ["model"])
    assert {row["model"] if isinstance(row["model"], str) else None: amount(row["cost"])[0] for row in shown["rows"]} == {
        key[0]: row["low"] for key, row in found.items()}
    assert found["claude-haiku-4-5-20251001",]["low"] > 20


# MARK: A changed book


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    place = tmp_path_factory.mktemp("book") / "new.json5"
    place.write_text(BOOK, encoding="utf-8")
    return place


@pytest.fixture
def own(home, tmp_path):
    """A home of one's own, as a whole run leaves it."""
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "home"


def by_day(lake, book):
    found = costs(priced(lake, book), ["day", "model"])
    return {key: (row["low"], row["unpriced"]) for key, row in found.items()}


def test_a_diff_is_that_of_duckdb_and_only_the_days_that_the_book_is_about_move(vesper, home, book):
    before = by_day(open_lake(home), price_book())
    after = by_day(open_lake(home), joined([{"currency": "USD", **price_book()}, json5(BOOK)]))
    shown = json.loads(prices(
        vesper, "diff", ROOT / "Jobs" / "kalei.json5", book, *PERIOD, "--home", home, "--by", "model", "--format", "json").stdout)
    moved = {day for day, model in before if before[day, model] != after[day, model]}
    assert moved == {f"2026-11-{day:02}" for day in range(4, 16)}
    for row in shown["rows"]:
        model = row["model"] if isinstance(row["model"], str) else None
        days = [key for key in before if key[1] == model]
        assert amount(row["now"])[0] == sum(before[key][0] for key in days)
        assert amount(row["then"])[0] == sum(after[key][0] for key in days)
        assert Decimal(row["difference"]) == sum(after[key][0] - before[key][0] for key in days)
        assert row["days"] == sum(before[key] != after[key] for key in days)
    total = shown["totals"]
    for name in ("requests", "newly_priced", "newly_unpriced"):
        assert total[name] == sum(row[name] for row in shown["rows"])
    for name in ("now", "then"):
        assert amount(total[name])[0] == sum(amount(row[name])[0] for row in shown["rows"])
    assert Decimal(total["difference"]) == sum(Decimal(row["difference"]) for row in shown["rows"]) > 0
    assert total["which"] == "2026-11-04 to 2026-11-15" and len(shown["rows"]) == 5


def test_requests_that_get_a_price_are_counted(vesper, home, tmp_path):
    place = tmp_path / "preview.json5"
    text = BOOK.replace('"claude-haiku-4-5", "claude-haiku-4.5"', '"claude-haiku-4-6-preview"').replace("2026-11-04", "2026-09-01")
    place.write_text(text, encoding="utf-8")
    shown = json.loads(prices(
        vesper, "diff", ROOT / "Jobs" / "kalei.json5", place, *PERIOD, "--home", home, "--format", "json").stdout)
    rows = {row["model"]: row for row in shown["rows"] if isinstance(row["model"], str)}
    assert (rows["claude-haiku-4-6-preview"]["newly_priced"], shown["totals"]["newly_priced"]) == (6, 6)
    assert isinstance(shown["totals"]["then"], str) and "at_least" in shown["totals"]["now"]


def test_new_prices_of_a_metric_are_compared_as_metered_costs_come_out(vesper, tmp_path):
    """What diff says of metered costs before is what they have moved by after."""
    job, home, place = ROOT / "Jobs" / "neni.json5", tmp_path / "home", tmp_path / "s3.json5"
    place.write_text("""{ currency: "USD", prices: [
      { provider: "s3", metric: "STORAGE_BYTES", unit: "byte", rate: "0.030", per: "GB-month", valid_from: "2026-11-01",
        known_from: "2026-11-01", source: "made up" } ] }""", encoding="utf-8")
    vesper("ingest", home, job=job)

    def metered():
        rows = vesper.json("costs", home, job=job, flags=[*PERIOD, "--parts", "metered", "--by", "name"])["rows"]
        return {row["name"]: amount(row["cost"]) for row in rows}

    before = metered()
    shown = json.loads(prices(vesper, "diff", job, place, *PERIOD, "--home", home, "--by", "model", "--format", "json").stdout)
    prices(vesper, "apply", job, place, "--home", home)
    after = metered()
    rows = {row["model"]: row for row in shown["rows"] if row["part"] == "metered"}
    assert {name: (amount(row["now"]), amount(row["then"])) for name, row in rows.items()} == {
        name: (before[name], after[name]) for name in before}
    assert Decimal(rows["STORAGE_BYTES"]["difference"]) == after["STORAGE_BYTES"][0] - before["STORAGE_BYTES"][0] > 0
    assert [row["model"] for row in shown["rows"] if row["days"]] == ["STORAGE_BYTES"]
    assert shown["totals"]["which"] == "2026-11-01 to 2026-11-15"


def test_applied_prices_move_only_their_days_and_the_figures_of_before_are_still_there(vesper, own, home, book, tmp_path):
    def shown(*flags):
        rows = vesper.json("costs", own, flags=[*PERIOD, "--every", "day", "--by", "model", *flags])["rows"]
        return {(row["day"], row["model"] if isinstance(row["model"], str) else None): amount(row["cost"])[0] for row in rows}

    before, reports = shown(), digests(own, "reports")
    prices(vesper, "apply", ROOT / "Jobs" / "kalei.json5", book, "--home", own, "--note", "a test")
    after = by_day(open_lake(own), joined([{"currency": "USD", **price_book()}, json5(BOOK)]))
    assert shown() == {key: low for key, (low, _) in after.items()}
    assert {day for day, model in before if before[day, model] != shown()[day, model]} == {f"2026-11-{day:02}" for day in range(4, 16)}
    assert shown("--known-as-of", "2026-11-16") == before
    assert shown("--known-as-of", "2026-11-17") == shown()

    # A run makes the reports of the weeks anew that the prices are about, and no other.
    vesper("run", own)
    again = digests(own, "reports")
    changed = {name.split("/")[2] for name in again if again[name] != reports.get(name) and name.count("/") > 2}
    assert changed == {"2026-W45", "2026-W46"}
    assert (own / "reports" / "kalei" / "2026-W45" / "revisions" / "1").is_dir()
    assert "up to date" in vesper("run", own).stdout
    vesper("verify", own, job=None)


def revisions(home):
    connection = sqlite3.connect(f"file:{home / 'ledger.sqlite'}?mode=ro", uri=True, timeout=SECONDS)
    try:
        return connection.execute("SELECT job, revision, known_from, rows, digest, note FROM price_revisions ORDER BY 1, 2").fetchall()
    finally:
        connection.close()


def test_applying_a_book_twice_is_applying_it_once(vesper, own, book):
    job = ROOT / "Jobs" / "kalei.json5"
    prices(vesper, "apply", job, book, "--home", own)
    once = revisions(own)
    said = prices(vesper, "apply", job, book, "--home", own)
    assert "Nothing new" in said.stderr and revisions(own) == once and len(once) == 1
    said = prices(vesper, "apply", job, ROOT / "Jobs" / "Prices" / "kalei.json5", "--home", own)
    assert revisions(own)[0] == once[0] and len(revisions(own)) == 2, "the old book takes the new price back"
    before = vesper.json("costs", own, flags=[*PERIOD, "--known-as-of", "2026-11-16"])
    assert vesper.json("costs", own, flags=PERIOD)["totals"] == before["totals"]


def test_a_revision_counts_for_its_own_job_only(vesper, own, book):
    prices(vesper, "apply", ROOT / "Jobs" / "kalei.json5", book, "--home", own)
    for job, count in [("kalei", 1), ("neni", 0)]:
        shown = json.loads(prices(vesper, "list", ROOT / "Jobs" / f"{job}.json5", "--home", own, "--format", "json").stdout)
        assert any(row["revision"] == 1 for row in shown["rows"]) == bool(count)


def test_an_apply_that_is_killed_has_applied_all_or_nothing(vesper, home, community_map, tmp_path):
    book = tmp_path / "all.json5"
    imported(vesper, community_map, book, "--provider", "azure*,bedrock*", "--known-from", "2026-11-20")
    job = ROOT / "Jobs" / "kalei.json5"
    command = [vesper.binary, "prices", "apply", str(job), str(book), "--now", NOW, "--quiet", "--home"]

    def started(place):
        return subprocess.Popen(
            [*command, str(place)], env=vesper.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    shutil.copytree(home, tmp_path / "whole")
    begun = time.monotonic()
    assert started(tmp_path / "whole").wait(timeout=SECONDS) == 0
    span = time.monotonic() - begun
    expected = revisions(tmp_path / "whole")
    assert len(expected) == 1 and len(json.loads(expected[0][3])) > 3000

    outcomes = set()
    for attempt in range(8):
        place = tmp_path / f"{attempt}"
        place.mkdir()
        shutil.copy(home / "ledger.sqlite", place)
        wal = place / "ledger.sqlite-wal"
        process = started(place)
        if attempt % 2:
            # While the revision is being written.
            deadline = time.monotonic() + SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                if wal.exists() and wal.stat().st_size > attempt << 17:
                    break
        else:
            time.sleep(span * attempt / 8)
        process.kill()
        process.wait(timeout=SECONDS)
        found = revisions(place)
        assert found in ([], expected)
        outcomes.add(len(found))
        assert started(place).wait(timeout=SECONDS) == 0
        assert revisions(place) == expected
        shutil.rmtree(place)
    assert 0 in outcomes

