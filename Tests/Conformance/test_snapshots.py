"""Versions of things: the newest one wins, older ones answer as of their time, also where a plan, owner or kindergarten is looked up."""

import gzip
import json
import re
import shutil

import pytest

from conftest import lines, records
from oracle import costs
from products import aspendos, kalei, neni, voyager
from shown import amount, assert_costs
from stories import open_product

pytest.importorskip("duckdb")

THURSDAY = "2026-10-22"
WEEK = "2026-W43"


@pytest.fixture
def sample(tmp_path):
    """Copies the sample of a product, to change it."""
    def copied(product):
        shutil.copytree(product.sample, tmp_path / "data" / product.name)
        return tmp_path / "data" / product.name
    return copied


@pytest.fixture
def ingested(vesper, tmp_path):
    """Ingests what was copied and changed; gives the home and its lake."""
    def run(product):
        vesper("run", tmp_path / "home", data=tmp_path / "data", job=product.job, flags=["--until", "ingest"])
        return tmp_path / "home", open_product(product, tmp_path / "home")
    return run


def rewrite(path, change):
    """Changes the lines of a gzip file, given and returned as objects."""
    rows = change([json.loads(line) for line in lines(path)])
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), mtime=0))


def shown_plans(vesper, home, product, data, *filters):
    """Requests and cost by plan in the week, as the command shows them."""
    flags = ["--week", WEEK, "--by", "plan", *(flag for name in filters for flag in ("--where", name))]
    rows = vesper.json("costs", home, flags=flags, data=data, job=product.job)["rows"]
    return {row["plan"]: (row["requests"], amount(row["cost"])[0]) for row in rows}


def plans_of_duckdb(lake, where):
    found = costs(lake, ["plan"], f"week = '{WEEK}' AND {where}")
    return {key[0]: (row["requests"], row["low"]) for key, row in found.items()}


def test_who_upgrades_on_thursday_has_two_plans_that_week(vesper, sample, ingested):
    product = kalei.PRODUCT
    data = sample(product)
    subscribed = {row["user_id"] for path in data.glob("subscriptions/*.gz") for row in map(json.loads, lines(path))}
    calls = [json.loads(line) for path in data.glob("api_usage/*-2026-10-2[1-3].jsonl.gz") for line in lines(path) if line.endswith(b"}")]
    before, after = ({call["user_id"] for call in calls if call["ts"][:10] == day} for day in ("2026-10-21", "2026-10-23"))
    member = min((before & after) - subscribed)
    moment = f"{THURSDAY}T12:00:00Z"
    agreed = {"id": "upgrade", "user_id": member, "plan": "prism", "started_at": moment, "ends_at": None}
    for dump in data.glob("subscriptions/*.gz"):
        if "subscriptions-2026-10-26" <= dump.name:
            rewrite(dump, lambda rows: rows + [{**rows[0], **agreed}])
    home, lake = ingested(product)
    found = shown_plans(vesper, home, product, data.parent, f"user={member}")
    assert found.keys() == {"free", "prism"}
    assert found == plans_of_duckdb(lake, f""""user" = '{member}'""")
    # By hand: the calls on either side of the moment.
    counted = {row["after"]: row["calls"] for row in records(lake, f"""SELECT ts >= moment('{moment}') AS after, count(*) AS calls
        FROM calls WHERE "user" = '{member}' AND week = '{WEEK}' GROUP BY 1""")}
    assert (found["free"][0], found["prism"][0]) == (counted[False], counted[True])
    assert_costs(vesper, home, lake, "week", ["plan"], data=data.parent, job=product.job)


@pytest.mark.parametrize("back", [False, True], ids=["for good", "until Monday"])
def test_a_dump_in_the_middle_of_a_week_changes_the_plan_from_its_day_on(vesper, sample, ingested, back):
    """Neni's agreements bear no times of their own: each version counts from its dump until the next one's."""
    product = neni.PRODUCT
    data = sample(product)
    # The id that the database gives to the plan network.
    changed = {"planId": "cmb1x0q7k0005pl4n8w2v5h3d"}
    monday = data / "Subscription" / "Subscription-2026-10-19.jsonl.gz"
    tenant = "cmji5d4f495nhcies44nrv8rn"
    between = monday.with_name(f"Subscription-{THURSDAY}.jsonl.gz")
    shutil.copy(monday, between)
    for path in [between, *([] if back else [path for path in sorted(monday.parent.iterdir()) if path.name > between.name])]:
        rewrite(path, lambda rows: [{**row, **changed} if row["kindergartenId"] == tenant else row for row in rows])
    home, lake = ingested(product)
    found = shown_plans(vesper, home, product, data.parent, f"tenant={tenant}")
    assert found == plans_of_duckdb(lake, f"tenant = '{tenant}'")
    days = costs(lake, ["day", "plan"], f"tenant = '{tenant}' AND week = '{WEEK}'")
    assert {day: plan for day, plan in days} == {
        "2026-10-19": "chain", "2026-10-20": "chain", "2026-10-21": "chain", "2026-10-22": "network", "2026-10-23": "network"}
    later = {plan for _, plan in costs(lake, ["day", "plan"], f"tenant = '{tenant}' AND day > '2026-10-25'")}
    assert later == ({"chain"} if back else {"network"})
    assert_costs(vesper, home, lake, "day", ["tenant", "plan"], data=data.parent, job=product.job)


def test_a_call_without_a_user_belongs_to_the_owner_of_its_conversation(vesper, sample, ingested):
    product = aspendos.PRODUCT
    data = sample(product)
    for path in sorted(data.glob("requests/*-2026-1*.gz")):
        # Every second line loses its user, unless it is broken.
        kept = [re.sub(rb'"user_id":"[^"]*"', b'"user_id":null', line) if number % 2 else line for number, line in enumerate(lines(path))]
        path.write_bytes(gzip.compress(b"\n".join(kept) + b"\n", mtime=0))
    home, lake = ingested(product)
    lost, found = lake.execute("""SELECT count(*), count(priced."user") FROM priced JOIN usage USING (source, id)
        WHERE source = 'requests' AND usage."user" IS NULL""").fetchone()
    assert lost > found > 500
    assert_costs(vesper, home, lake, "all", ["feature"], data=data.parent, job=product.job)
    shown = vesper.json("costs", home, flags=["--by", "user"], data=data.parent, job=product.job)["rows"]
    by_user = {key[0]: (row["requests"], row["low"]) for key, row in costs(lake, ["user"]).items()}
    names = [None if isinstance(row["user"], dict) else row["user"] for row in shown]
    assert {name: (row["requests"], amount(row["cost"])[0]) for name, row in zip(names, shown)} == by_user


@pytest.fixture(scope="module")
def voyager_home(vesper, tmp_path_factory):
    home = tmp_path_factory.mktemp("voyager") / "home"
    vesper("run", home, data=voyager.PRODUCT.sample.parent, job=voyager.PRODUCT.job, flags=["--until", "ingest"])
    return home, open_product(voyager.PRODUCT, home)


def test_a_conversation_made_private_is_out_of_the_newest_versions_and_still_in_the_older_ones(voyager_home):
    _, lake = voyager_home
    truth = json.loads((voyager.PRODUCT.sample / "truth.json").read_text(encoding="utf-8"))["stories"]["made_private"]

    def public(at):
        """What is public by the newest version that a moment knows."""
        rows = lake.execute("""SELECT id FROM snapshots WHERE kind = 'conversation' AND updated_at <= moment($at)
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1 AND attributes ->> 'public' = 'true'
            AND attributes ->> 'deleted_at' IS NULL AND status = 'live'""", {"at": at}).fetchall()
        return {row[0] for row in rows}

    (private,), (deleted,) = truth["made_private"], truth["deleted"]
    before, after = public(truth["dump_before"]), public(truth["dump_after"])
    assert {private, deleted} == before - after and len(after) == truth["judged_by_dump"][truth["dump_after"]]
    # Between the dumps the older version answers; the newest of all is the last dump's.
    assert public(truth["at"]) == before and not public("2026-11-17") & {private, deleted}
    assert len(public("2026-11-17")) == truth["judged_by_dump"]["2026-11-16"]
    versions = lake.execute("SELECT dump, public FROM dumped WHERE id = ? ORDER BY 1", [private]).fetchall()
    assert {public for dump, public in versions if dump <= truth["dump_before"]} == {True}
    assert {public for dump, public in versions if dump >= truth["dump_after"]} == {False}


def test_a_plan_that_changed_between_two_dumps_is_known_from_the_second_on(vesper, voyager_home):
    home, lake = voyager_home
    user, monday, plans = "cm5xw3nag93mscies44nrv8rn", "2026-10-26", ("pro", "free")
    flags = ["--every", "day", "--by", "plan", "--where", f"user={user}"]
    shown = vesper.json("costs", home, flags=flags, data=voyager.PRODUCT.sample.parent, job=voyager.PRODUCT.job)["rows"]
    assert {row["plan"] for row in shown if row["day"] < monday} == {plans[0]}
    assert {row["plan"] for row in shown if row["day"] >= monday} == {plans[1]}
    assert {row["day"]: amount(row["cost"])[0] for row in shown} == {
        key[0]: row["low"] for key, row in costs(lake, ["day"], f""""user" = '{user}'""").items()}
