"""What happened at Kalei in these seven weeks, as the rows of the lake alone tell it (truth.json, stories)."""

import gzip
import hmac
import json
from decimal import Decimal

import pytest

from books import price_book
from conftest import PUBLIC_KEY, open_lake
from oracle import ZONE, money, priced

pytest.importorskip("duckdb")

LOCAL = f"strftime(ts AT TIME ZONE '{ZONE}', '%Y-%m-%d')"
UTC = "strftime(ts, '%Y-%m-%d')"


@pytest.fixture(scope="module")
def lake(home):
    return priced(open_lake(home), price_book())


def rows(lake, query, *values):
    return lake.execute(query, list(values)).fetchall()


def row(lake, query, *values):
    return rows(lake, query, *values)[0]


def calls(lake, where):
    """Priced calls as truth.json lists them."""
    query = f"""SELECT id, "user", plan, feature, week, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ'), low FROM priced WHERE {where} ORDER BY ts"""
    names = ["id", "member", "plan", "feature", "week", "ts"]
    return [{**dict(zip(names, found)), "cost": money(found[6])} for found in rows(lake, query)]


@pytest.mark.parametrize("name,where", [
    ("sonnet_calls", "model LIKE 'claude-sonnet%'"),
    ("fallback_vendor", "provider <> 'anthropic'"),
    ("spectrum_leak", "feature = 'spectrum_weekly' AND plan <> 'prism_plus'"),
])
def test_single_calls_that_stand_out_are_found_with_their_cost(lake, truth, name, where):
    story = truth["stories"][name]
    found = calls(lake, where)
    assert found == [{**call, "cost": Decimal(call["cost"])} for call in story["calls"]]
    assert (len(found), sum(call["cost"] for call in found)) == (story["count"], Decimal(story["cost"]))


def test_a_model_without_a_price_is_counted_and_not_priced(lake, truth):
    story = truth["stories"]["unknown_model"]
    names = ["input_tokens", "output_tokens", "cache_write_5m_tokens"]
    found = row(lake, f"SELECT count(*), sum(low), {', '.join(f'sum({name})' for name in names)} FROM priced WHERE unpriced")
    assert found == (story["requests"], 0, *(story[name] for name in names))
    assert rows(lake, "SELECT DISTINCT model, week FROM priced WHERE unpriced") == [(story["model"], week) for week in story["weeks"]]


def test_the_weekly_insights_of_the_product_cost_half_by_batch(lake, truth):
    query = "SELECT week, count(*), sum(low) FROM priced WHERE service_tier = 'batch' GROUP BY week"
    expected = truth["stories"]["spectrum_runs"]["by_week"]
    assert {week: (count, money(cost)) for week, count, cost in rows(lake, query)} == {
        week: (found["rows"], Decimal(found["cost"])) for week, found in expected.items()}


def test_the_hour_without_calls_has_sessions(lake, truth):
    story = truth["stories"]["missing_hour"]
    inside = "ts >= CAST(? AS TIMESTAMPTZ) AND ts < CAST(? AS TIMESTAMPTZ)"
    hour = (story["from"], story["to"])
    assert row(lake, f"SELECT count(*) FROM usage WHERE {inside}", *hour) == (story["usage_rows"],)
    found = dict(rows(lake, f"SELECT kind, count(*) FROM sessions WHERE {inside} GROUP BY kind", *hour))
    assert found == {"fragment": story["fragment_rows"], "mirror": story["mirror_rows"], "turn": story["turn_rows"]}


def test_the_member_who_ran_away_is_found_on_the_day(lake, truth):
    story = truth["stories"]["runaway_member"]
    tokens = "input_tokens + cache_read_tokens + cache_write_5m_tokens + output_tokens"
    found = row(lake, f"""SELECT count(*), sum(low), sum({tokens}), min(plan), max(plan)
        FROM priced WHERE "user" = ? AND day = ?""", story["member"], story["day"])
    assert (found[0], money(found[1]), found[2]) == (story["calls"], Decimal(story["cost"]), story["tokens"])
    assert found[3:] == (story["plan"], story["plan"])
    assert money(row(lake, "SELECT sum(low) FROM priced WHERE day = ?", story["day"])[0]) == Decimal(story["day_cost"])
    turns = rows(lake, f"""SELECT "user", {LOCAL}, count(*) FROM sessions WHERE kind = 'turn' GROUP BY 1, 2 ORDER BY 3 DESC""")
    assert turns[0] == (story["member"], story["day"], story["turns"])
    assert max(count for member, _, count in turns if member != story["member"]) == story["next_busiest_turns"]


def test_a_member_who_upgrades_has_two_plans_that_week(lake, truth):
    story = truth["stories"]["plan_change"]
    query = """SELECT count(*), coalesce(sum(low), 0) FROM priced
        WHERE "user" = ? AND week = ? AND plan = ? AND (ts >= CAST(? AS TIMESTAMPTZ)) = ?"""
    for side, plan, after in [("before", story["from"], False), ("after", story["to"], True)]:
        count, cost = row(lake, query, story["member"], story["week"], plan, story["at"], after)
        assert (count, money(cost)) == (story[f"calls_{side}"], Decimal(story[f"cost_{side}"])), side
    assert row(lake, 'SELECT count(*) FROM priced WHERE "user" = ? AND week = ?', story["member"], story["week"]) == (
        story["calls_before"] + story["calls_after"],)


def test_the_month_crosses_the_warning_of_its_cap_at_one_call(lake, truth):
    story = truth["stories"]["cap"]
    query = """SELECT id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ'), before, before + low FROM (
        SELECT *, sum(low) OVER (ORDER BY ts, id) - low AS before FROM priced WHERE month = ?)
        WHERE before < ? AND before + low >= ?"""
    threshold = int(Decimal(story["threshold"]).scaleb(12))
    (found,) = rows(lake, query, story["month"], threshold, threshold)
    assert found[:2] == (story["crossed_by_call"], story["crossed_at"])
    assert (money(found[2]), money(found[3])) == (Decimal(story["spend_before"]), Decimal(story["spend_after"]))
    lens = """SELECT count(*) FILTER (model IS NOT NULL AND ts <= crossed), count(*) FILTER (model IS NOT NULL AND ts > crossed),
        count(*) FILTER (model IS NULL)
        FROM priced, (SELECT CAST(? AS TIMESTAMPTZ) AS crossed) WHERE feature = 'lens_affirmation' AND month = ?"""
    assert row(lake, lens, story["crossed_at"], story["month"]) == (
        story["lens_model_rows_up_to_crossing"], story["lens_model_rows_after_crossing"], story["lens_template_rows"])


@pytest.mark.parametrize("name,day,where", [
    ("daily_actives_local", LOCAL, "TRUE"), ("daily_actives_utc", UTC, "TRUE"),
    ("daily_actives_local_without_batch", LOCAL, "service_tier <> 'batch'"),
])
def test_the_active_members_of_every_day_are_distinct_users(lake, truth, name, day, where):
    query = f'SELECT {day}, count(DISTINCT "user") FROM usage WHERE {where} GROUP BY 1'
    assert dict(rows(lake, query)) == truth["stories"]["members"][name]


def test_the_gauge_of_registered_members_is_that_of_every_day(lake, truth):
    query = "SELECT day, CAST(value AS INTEGER) FROM meters WHERE metric = 'registered_users'"
    assert dict(rows(lake, query)) == truth["stories"]["members"]["registered_by_day_utc"]


def test_free_members_over_their_quota_are_found_among_the_sessions(lake, truth):
    for finding in truth["stories"]["free_over_quota"]["findings"]:
        kind, column, format = ("turn", "day", "%Y-%m-%d") if "day" in finding else ("mirror", "week", "%G-W%V")
        query = f"""SELECT count(*) FROM sessions WHERE "user" = ? AND kind = ? AND strftime(ts AT TIME ZONE '{ZONE}', '{format}') = ?"""
        assert row(lake, query, finding["member"], kind, finding[column]) == (finding[kind + "s"],)


def test_hostile_texts_are_stored_as_they_are(lake, truth):
    story = truth["stories"]["hostile_strings"]
    fragments = [(id,) for id in story["pattern"]["fragments"]]
    assert rows(lake, "SELECT id FROM sessions WHERE label = ?", story["pattern"]["text"]) == fragments
    text = story["input_text"]["text"]
    assert rows(lake, "SELECT id FROM texts WHERE contains(text, ?)", text) == [(id,) for id in story["input_text"]["turns"]]


def test_the_bills_stand_beside_the_computed_costs(lake, truth):
    found = rows(lake, "SELECT strftime(ts, '%Y-%m'), sum(low) FROM priced WHERE ts >= '2026-10-01' GROUP BY 1")
    expected = truth["stories"]["invoices"]["computed_by_month_utc"]
    assert {month: money(cost) for month, cost in found} == {month: Decimal(cost) for month, cost in expected.items()}


def test_exactly_the_members_of_the_funnel_are_asked_about(home, lake, truth):
    story = truth["stories"]["w46_funnel"]
    # An affirmation names its goal, and the goal its member.
    found = rows(lake, f"""SELECT coalesce("user", goals.parent) AS member, count(*)
        FROM sessions LEFT JOIN (SELECT DISTINCT id, parent FROM snapshots WHERE kind = 'goal') AS goals ON goals.id = session
        WHERE strftime(ts AT TIME ZONE '{ZONE}', '%G-W%V') = ? GROUP BY 1""", story["week"])
    assert {member: count for member, count in found if member in story["entitled_members"]} == story["session_rows"]
    lines = gzip.decompress((home / "reports" / "kalei" / story["week"] / "insights.jsonl.gz").read_bytes()).splitlines()
    standings = {line["subject"]: (line["standing"], line["outcome"]) for line in map(json.loads, lines)}
    asked = {subject for subject, found in standings.items() if found == ("eligible", "answered")}
    keyed = {member: pseudonym(member) for member in story["entitled_members"]}
    assert set(standings) == set(keyed.values())
    assert asked == {keyed[member] for member in story["sent_members"]}
    for reason in ("no_consent", "crisis", "too_quiet"):
        (member,) = story[reason + "_members"]
        assert standings[keyed[member]][1] is None, reason


def pseudonym(member):
    """HMAC-SHA-256 over the member's id, as anybody with the key can work it out."""
    return hmac.new(PUBLIC_KEY.encode(), member.encode(), "sha256").hexdigest()[:24]
