"""Voyager's stories: communities, the archive, and what a dump can know of a moment."""

from stories import AGAIN, NOT_EXPORTED, Product, late_file, personal_data, versions

# The community is that of the conversation, the plan that of the newest dump of the users.
FOUND = f"""
CREATE TABLE found AS
SELECT n, coalesce(own_tenant, home.value) AS tenant, own_user AS "user", coalesce(own_plan, agreed.value) AS plan
FROM events LEFT JOIN {versions('conversation', 'tenant')} AS home ON home.key = session AND home.since <= ts AND ts < home.until
LEFT JOIN {versions('user', 'plan')} AS agreed ON agreed.key = own_user AND agreed.since <= ts AND ts < agreed.until;
"""

VIEWS = """
CREATE VIEW dumped AS SELECT on_day(updated_at) AS dump, id, tenant, status = 'archived' AS archived,
    CAST(attributes ->> 'views' AS INT) AS views, moment(attributes ->> 'created_at') AS created,
    moment(attributes ->> 'last_update') AS last_update, attributes ->> 'public' = 'true' AS public,
    attributes ->> 'deleted_at' IS NOT NULL AS deleted FROM snapshots WHERE kind = 'conversation';
CREATE VIEW homes AS SELECT id AS session, any_value(tenant) AS community FROM dumped GROUP BY 1;
CREATE VIEW messages AS SELECT sessions.*, coalesce(community, '') AS community, in_month(ts) AS month
    FROM sessions LEFT JOIN homes USING (session) WHERE kind = 'message';
CREATE VIEW silent AS SELECT * FROM dumped WHERE NOT archived AND NOT deleted;
CREATE VIEW judged AS SELECT dump, id FROM silent WHERE public;
CREATE VIEW moving AS SELECT *, in_month(ts) AS month FROM payments WHERE NOT sandbox;
CREATE VIEW months AS SELECT month, usd(sum(low)) AS cost, sum(low) AS low, count(DISTINCT day) AS days,
    day(last_day(CAST(month || '-01' AS DATE))) AS length FROM calls GROUP BY 1;
-- A month's cost at the rate of the days that the sample covers.
CREATE VIEW projected AS SELECT month, half_even(low * length, days) AS units FROM months;
CREATE VIEW counted_months AS SELECT month, moment(least(last_day(CAST(month || '-01' AS DATE)) + 1, DATE '2026-11-16')) AS ends
    FROM (SELECT DISTINCT month FROM calls WHERE month >= '2026-10');
CREATE VIEW homes_of_members AS SELECT month, ends, people.id, coalesce(joined.tenant, '') AS community,
        (SELECT arg_max(plan, updated_at) FROM snapshots WHERE kind = 'user' AND id = people.id AND updated_at <= ends) AS plan
    FROM counted_months JOIN (SELECT id, min(moment(attributes ->> 'created_at')) AS created FROM snapshots WHERE kind = 'user' GROUP BY 1)
        AS people ON created < ends
    LEFT JOIN (SELECT id, tenant, updated_at, lead(updated_at, 1, 'infinity') OVER (PARTITION BY id ORDER BY updated_at) AS until
        FROM snapshots WHERE kind = 'membership') AS joined ON joined.id = people.id AND updated_at <= ends AND ends < until;
CREATE MACRO within(t, a, b) AS t >= moment(a) AND t < moment(b);
CREATE MACRO growth(before, after) AS (SELECT ratio(b.units - a.units, a.units) FROM projected AS a, projected AS b
    WHERE (a.month, b.month) = (before, after));
-- Half a year before: the last day of a shorter month stands for those that it lacks.
CREATE VIEW old AS SELECT * FROM silent WHERE last_update < CAST(dump AS DATE) - INTERVAL 6 MONTH AND views < 5;
"""

COMMUNITIES = """
WITH members AS (SELECT month, community, count(*) AS members, count(*) FILTER (plan = 'pro') AS pro, count(*) FILTER (plan = 'max') AS max
        FROM homes_of_members GROUP BY ALL),
    people AS (SELECT month, community, count(DISTINCT "user") FILTER (NOT x_poll) AS active, count(DISTINCT session) AS conversations,
        count(*) FILTER (NOT x_poll) AS messages FROM messages GROUP BY ALL),
    spent AS (SELECT month, coalesce(tenant, '') AS community, sum(cost) AS cost FROM calls GROUP BY ALL)
SELECT month, community, active, conversations, cost, max, members, messages, pro
FROM members JOIN people USING (month, community) JOIN spent USING (month, community)"""

# Idle before the cut-off in the dump that a run sees.
IDLE = "FROM silent WHERE dump = $dump AND last_update < moment($cut_off)"
GROWN = f"(SELECT id FROM dumped WHERE dump > '2026-09-28' AND id IN (SELECT id {IDLE}) GROUP BY id HAVING count(DISTINCT views) > 1)"
HEAVY = """FROM calls WHERE "user" = $user AND month"""


def messages(take, where):
    return f"SELECT {take} FROM messages WHERE {where}"


STORIES = {
    "costs": {
        "total_cost": "SELECT sum(cost) FROM calls",
        "by_community": "SELECT coalesce(tenant, ''), sum(cost) FROM calls GROUP BY 1",
        "by_day": "SELECT day, sum(cost) FROM calls GROUP BY 1",
        "by_week": "SELECT week, sum(cost) FROM calls GROUP BY 1",
        "by_month": "SELECT month, sum(cost) FROM calls GROUP BY 1",
        "by_model": "SELECT model, sum(cost) FROM calls GROUP BY 1",
        "by_plan": "SELECT plan, sum(cost) FROM calls GROUP BY 1",
        "unpriced_requests": "SELECT count(*) FROM calls WHERE unpriced",
    },
    "communities": {"by_month": COMMUNITIES},
    "share_change": {
        "from": "SELECT on_day(max(updated_at)) FROM snapshots WHERE kind = 'community' AND id = $community",
        "kept_share_before": """SELECT arg_min(attributes ->> 'revenue_share', updated_at) FROM snapshots
            WHERE kind = 'community' AND id = $community""",
        "kept_share_after": """SELECT arg_max(attributes ->> 'revenue_share', updated_at) FROM snapshots
            WHERE kind = 'community' AND id = $community""",
    },
    "sonnet_share": {
        "requests_by_week": 'SELECT week, count(*) AS "all", count(*) FILTER (model LIKE \'%sonnet-4%\') AS sonnet FROM calls GROUP BY 1',
        "from_week": "SELECT min(week) FROM (SELECT week FROM calls GROUP BY 1 HAVING count(*) FILTER (model LIKE '%sonnet%') * 3 > count(*))",
        "days": "SELECT days FROM months WHERE month = $month",
        "cost": "SELECT cost FROM months WHERE month = $month",
        "cost_before": "SELECT cost FROM months WHERE month = $month_before",
        "projected_cost": "SELECT usd(units) FROM projected WHERE month = $month",
        "growth": "SELECT growth($month_before, $month)",
    },
    "heavy_free_user": {
        "user": """SELECT "user" FROM calls GROUP BY 1 ORDER BY sum(low) DESC LIMIT 1""",
        "plan": """SELECT DISTINCT plan FROM calls WHERE "user" = $user""",
        "requests": f"SELECT count(*) {HEAVY} = $month",
        "cost": f"SELECT sum(cost) {HEAVY} = $month",
        "requests_above_100000_tokens": f"SELECT count(*) {HEAVY} = $month AND input_tokens + cache_read_tokens > 100000",
        "cost_by_month": f"SELECT month, sum(cost) {HEAVY} >= '2026-10' GROUP BY 1",
    },
    "payments": {
        "by_month": """SELECT month, sum(fee) AS fee, sum(gross) AS gross, count(*) FILTER (status = 'paid') AS payments,
            count(*) FILTER (status = 'refunded') AS refunds FROM moving GROUP BY 1""",
        "test_payments": "SELECT count(*) FROM payments WHERE sandbox",
        "events_without_money": "SELECT sum(count) FROM counts WHERE source = 'stripe_events' AND outcome = 'filtered'",
    },
    "vendor_bills": {
        "lines": "SELECT count(*) FROM invoices",
        "lines_if_numbers_lost_their_zeros": "SELECT count(DISTINCT ltrim(id, '0')) FROM invoices",
        "computed_by_month": "SELECT month, cost FROM months WHERE days = length",
    },
    "archive_plan": {
        "dump": "SELECT max(dump) FROM dumped WHERE dump <= $run",
        "cut_off": "SELECT iso(moment(CAST($run AS DATE) - INTERVAL 6 MONTH))",
        "conversations": "SELECT count(*) FROM dumped WHERE dump = (SELECT max(dump) FROM dumped)",
        "archived": "SELECT count(*) FROM dumped WHERE dump = $dump AND archived",
        "on_the_cut_off": "SELECT id FROM dumped WHERE dump = $dump AND last_update = moment($cut_off) ORDER BY id",
        "idle_or_on_the_cut_off": "SELECT count(*) FROM silent WHERE dump = $dump AND last_update <= moment($cut_off)",
        "qualify": f"SELECT count(*) {IDLE} AND views < 5",
        "views_changed_between_dumps": f"SELECT id {IDLE} AND id IN {GROWN} ORDER BY id",
        "exactly_five_views": f"SELECT id {IDLE} AND views = 5 AND id NOT IN {GROWN} ORDER BY id",
        "more_than_five_views": f"SELECT count(*) {IDLE} AND views > 5 AND id NOT IN {GROWN}",
        "messages": f"SELECT count(*) FROM messages WHERE session IN (SELECT id {IDLE} AND views < 5)",
        "content_bytes": f"SELECT sum(strlen(text)) FROM texts WHERE session IN (SELECT id {IDLE} AND views < 5)",
        "qualify_by_dump": "SELECT dump, count(*) FROM old GROUP BY 1",
    },
    "restore": {
        "accesses": "SELECT count(*) FROM sessions WHERE kind = 'archive_access'",
        "archived_and_opened": "SELECT count(DISTINCT session) FROM sessions WHERE kind = 'archive_access'",
        "conversations": """SELECT session FROM sessions WHERE kind = 'archive_access' GROUP BY 1 HAVING count(*) >= $openings
            ORDER BY 1""",
    },
    "made_private": {
        "judged_by_dump": "SELECT dump, count(*) FROM judged GROUP BY 1",
        **{name: f"""SELECT id FROM dumped WHERE dump = $dump_after AND deleted = {deleted}
            AND id IN (SELECT id FROM judged WHERE dump = $dump_before) AND id NOT IN (SELECT id FROM judged WHERE dump = $dump_after)
            ORDER BY id""" for name, deleted in [("made_private", "false"), ("deleted", "true")]},
    },
    "silent_metric": {
        "days": """SELECT DISTINCT on_day(period_start) FROM meters
            WHERE period_start NOT IN (SELECT period_start FROM meters WHERE metric = $metric) ORDER BY 1""",
        "readings": "SELECT count(*) FROM meters WHERE metric = $metric",
    },
    "unknown_model": {
        "rows": "SELECT count(*) FROM calls WHERE model = $model AND unpriced",
        **{name: f"SELECT sum({name}) FROM calls WHERE model = $model" for name in ["input_tokens", "cache_read_tokens", "output_tokens"]},
    },
    "community_by_lookup": {
        "messages": messages("count(*)", "tenant IS NULL AND community <> '' AND ts < moment($written_from)"),
        **{name: f"SELECT {take} FROM calls WHERE own_tenant IS NULL AND tenant IS NOT NULL AND ts < moment($written_from)"
           for name, take in [("requests", "count(*)"), ("cost", "sum(cost)")]},
        "written_from": "SELECT iso(date_trunc('day', min(ts))) FROM sessions WHERE tenant IS NOT NULL",
    },
    "answers_without_tokens": {
        "rows": messages("count(*)", "x_spoken_by = 'assistant' AND id NOT IN (SELECT id FROM usage) AND day < '2026-09-28'"),
        "before": messages("max(day)", "x_spoken_by = 'assistant' AND id NOT IN (SELECT id FROM usage) AND day < '2026-09-28'"),
    },
    "polls": {"rows": messages("count(*)", "x_poll"), "messages_without_polls": messages("count(*)", "NOT x_poll")},
    "taken_back": {
        "rows": messages("count(*)", "x_deleted_at IS NOT NULL"),
        "cost_all_the_same": "SELECT sum(cost) FROM calls WHERE x_deleted_at IS NOT NULL",
    },
    "missing_hour": {
        "usage_rows": "SELECT count(*) FROM calls WHERE within(ts, $from, $to)",
        "session_rows": messages("count(*)", "within(ts, $from, $to)"),
    },
    "hostile_strings": {"content.messages": "SELECT id FROM texts WHERE contains(text, $content__text)"},
    "personal_data_in_texts": personal_data("+1 202 555 01", "4242 4242"),
    "broken_lines": {
        "lines": """SELECT file, list(log ORDER BY list_position(['usage', 'sessions', 'texts'], log)) AS logs, any_value(reason) AS reason, record
            FROM refused JOIN (SELECT DISTINCT source, log FROM counts) USING (source) GROUP BY file, record ORDER BY file, record""",
    },
}

LATE = {
    "costs": {"with_late_file": "SELECT sum(cost) FROM calls"},
    "sonnet_share": {"growth_with_late_file": "SELECT growth($month_before, $month)"},
    "late_file": {
        **late_file("message"), "rows": messages("count(*)", "source_file LIKE '%-late.%'"),
        "requests": "SELECT count(*) FROM calls WHERE source_file LIKE '%-late.%'",
    },
}

PAYER = "report: payments go by Stripe's customer, and whose community that is needs the communities' section"
TITLES = "titles are personal and not read"
ELSEWHERE = {
    "duplicated_file": AGAIN,
    "overlapping_dump": AGAIN,
    **{f"communities.by_month.*.*.{name}": PAYER for name in ["fee", "gross", "margin", "net", "partner_share"]},
    **{f"share_change.{name}": PAYER for name in ["gross_before", "gross_after", "kept_before", "kept_after"]},
    "heavy_free_user.pro_pays": "report: the price of a plan stands in the job",
    "made_private.at": "the dumps show the week alone: that is the story",
    "missing_hour.lost_*": NOT_EXPORTED,
    "hostile_strings.title": TITLES, "hostile_strings.formula": TITLES,
}

PRODUCT = Product("voyager", STORIES, LATE, ELSEWHERE, FOUND, VIEWS)
