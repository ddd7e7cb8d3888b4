"""Aspendos's stories: the gateway's requests, voice, payments and privacy."""

from stories import AGAIN, BROKEN_LINES, NOT_EXPORTED, Product, late_file, personal_data, versions

# A call that does not name its user belongs to the owner of its conversation.
FOUND = f"""
CREATE TABLE found AS
SELECT n, own_tenant AS tenant, coalesce(own_user, home.value) AS "user", own_plan AS plan
FROM events LEFT JOIN {versions('conversation', 'parent')} AS home ON key = session AND since <= ts AND ts < until;
"""

VIEWS = """
CREATE VIEW requests AS SELECT * FROM calls WHERE source = 'requests';
CREATE VIEW members AS SELECT id, arg_max(plan, updated_at) AS tier FROM snapshots WHERE kind = 'user' GROUP BY 1;
CREATE VIEW owners AS SELECT id AS session, parent AS owner, updated_at AS created FROM snapshots WHERE kind = 'conversation';
CREATE VIEW turns AS SELECT sessions.* EXCLUDE ("user"), owner AS "user", created FROM sessions LEFT JOIN owners USING (session)
    WHERE kind = 'voice_turn';
CREATE VIEW real AS SELECT * FROM payments WHERE NOT sandbox AND day >= '2026-09-28';
CREATE VIEW payers AS SELECT DISTINCT "user" AS id FROM payments WHERE status = 'paid' AND NOT sandbox;
CREATE VIEW cost_logs AS SELECT * FROM charges WHERE source = 'cost_logs';
CREATE VIEW user_days AS SELECT day, "user", plan AS tier, sum(cost) AS cost FROM requests GROUP BY ALL;
-- Their own rule, section 3.5, for every first attempt that was neither a comparison nor refused.
CREATE VIEW judged AS SELECT *, budget - x_spent_today < 0.5 AS degraded,
    CASE WHEN x_requires_reasoning AND x_est_tokens > 1000 THEN 'complex' WHEN x_est_tokens > 500 THEN 'medium' ELSE 'simple' END AS class
    FROM (SELECT *, CASE plan WHEN 'ULTRA' THEN 30 ELSE 10 END AS budget FROM requests)
    WHERE model IS NOT NULL AND route IS NULL AND feature <> '/v1/compare';
CREATE VIEW ruled AS SELECT *, CASE WHEN degraded THEN 'deepseek-chat'
    WHEN class = 'complex' THEN CASE WHEN budget - x_spent_today > 2 THEN 'claude-3-5-sonnet-20241022' ELSE 'gpt-4o' END
    WHEN class = 'medium' THEN CASE plan WHEN 'ULTRA' THEN 'gpt-5' ELSE 'gpt-4o' END ELSE 'gpt-4o-mini' END AS expected FROM judged;
CREATE VIEW repeated AS FROM requests WHERE model IS NOT NULL
    QUALIFY ts - lag(ts) OVER (PARTITION BY model, fingerprint, x_temperature, x_top_p ORDER BY ts) <= INTERVAL 1 DAY;
CREATE VIEW outage AS SELECT * FROM requests WHERE hour(ts) IN (10, 11);
-- The days that a payment covers: a month from its own day on.
CREATE VIEW covered AS SELECT DISTINCT in_week(paid_for) AS week, plan AS tier, paid_for, "user" FROM (
    SELECT plan, "user", unnest(generate_series(CAST(day AS DATE), CAST(day AS DATE) + INTERVAL 1 MONTH - INTERVAL 1 DAY, INTERVAL 1 DAY))
        AS paid_for FROM payments WHERE status = 'paid' AND NOT sandbox) WHERE paid_for BETWEEN '2026-09-28' AND '2026-11-15';
CREATE VIEW speech AS SELECT provider || '/' || model AS name, count(*) AS calls,
    CAST(sum(CASE unit WHEN 'second' THEN quantity * 1000 ELSE quantity END) AS BIGINT) AS quantity
    FROM calls WHERE source IN ('voice_stt', 'voice_tts') GROUP BY 1;
CREATE MACRO within(t, a, b) AS t >= moment(a) AND t < moment(b);
CREATE MACRO coverage() AS TABLE SELECT week, ratio(count(*) - count(*) FILTER (unpriced), count(*)) AS coverage, count(*) AS requests,
    count(*) FILTER (unpriced) AS unpriced_requests, CAST(sum(unpriced_tokens) AS BIGINT) AS unpriced_tokens
    FROM requests GROUP BY ROLLUP (week);
"""

NAMED = "coalesce(provider || '/' || model, '')"
LIMIT = "SELECT {limit} AS allowed, count(*) AS count, {period} AS period, owner AS \"user\""


def requests(where):
    """Calls that go where no other goes."""
    return {
        "requests": f"SELECT count(*) FROM requests WHERE {where}",
        "cost": f"SELECT sum(cost) FROM requests WHERE {where}",
        "ids": f"SELECT id FROM requests WHERE {where} ORDER BY ts",
    }


def unpaid(tier):
    return f"SELECT count(*) FROM members WHERE tier = '{tier}' AND id NOT IN (FROM payers)"


NAMED_MODEL = requests("model = $model AND provider = $provider")

STORIES = {
    "costs": {
        "at_least": "SELECT sum(cost) FROM requests",
        "coverage": "SELECT * EXCLUDE (week) FROM coverage() WHERE week IS NULL",
        "coverage_by_week": "SELECT * FROM coverage() WHERE week IS NOT NULL",
        "by_day": "SELECT day, sum(cost) FROM requests GROUP BY 1",
        "by_week": "SELECT week, sum(cost) FROM requests GROUP BY 1",
        "by_month": "SELECT month, sum(cost) FROM requests GROUP BY 1",
        "by_endpoint": "SELECT feature, sum(cost) FROM requests GROUP BY 1",
        "by_tier": "SELECT plan, sum(cost) FROM requests GROUP BY 1",
        "by_model": f"SELECT {NAMED}, sum(cost) FROM requests GROUP BY 1",
        "unpriced_by_model": f"SELECT {NAMED}, count(*) FROM requests WHERE unpriced GROUP BY 1",
    },
    "accounts": {
        "paying_pro": "SELECT count(*) FROM members JOIN payers USING (id) WHERE tier = 'PRO'",
        "paying_ultra": "SELECT count(*) FROM members JOIN payers USING (id) WHERE tier = 'ULTRA'",
        "pro_that_never_paid": unpaid("PRO"), "ultra_that_never_paid": unpaid("ULTRA"),
        "never_paid": "SELECT id FROM members WHERE id NOT IN (FROM payers) ORDER BY id",
        "cost_of_never_paid": 'SELECT sum(cost) FROM requests WHERE "user" NOT IN (FROM payers)',
    },
    "budget_days": {
        "user_days": "SELECT count(*) FROM user_days",
        "above_ceiling": """SELECT cost, day, tier, "user" FROM user_days
            WHERE cost * 300 > CASE tier WHEN 'ULTRA' THEN 129 ELSE 49 END * 7 ORDER BY day, "user\"""",
    },
    "over_budget": {
        "user_days_above": """SELECT count(*) FROM (SELECT day, "user" FROM cost_logs GROUP BY ALL
            HAVING sum(amount) > CAST($limit AS DECIMAL(8, 2)))""",
        "booked": 'SELECT sum(amount) FROM cost_logs WHERE "user" = $user AND day = $day',
        "cost": 'SELECT sum(cost) FROM requests WHERE "user" = $user AND day = $day',
        "requests": 'SELECT count(*) FROM requests WHERE "user" = $user AND day = $day',
        "blocked": """SELECT count(*) FROM requests WHERE "user" = $user AND day = $day AND status = 'blocked'""",
        "tier": "SELECT tier FROM members WHERE id = $user",
    },
    "routing": {
        "requests": "SELECT count(*) FROM judged",
        "agree": "SELECT count(*) FROM ruled WHERE model = expected",
        "by_complexity": "SELECT class, count(*) FROM judged GROUP BY 1",
        "at_a_limit_exactly": "SELECT count(*) FROM judged WHERE x_est_tokens IN (500, 1000)",
        "degraded_requests": "SELECT count(*) FROM judged WHERE degraded",
        "degraded_user_days": 'SELECT count(DISTINCT day || "user") FROM judged WHERE degraded',
    },
    "comparisons": {
        "rows": "SELECT count(*) FROM requests WHERE feature = '/v1/compare'",
        "by_pro": """SELECT count(DISTINCT "group") FROM requests WHERE feature = '/v1/compare' AND plan = 'PRO'""",
        "by_ultra": """SELECT count(DISTINCT "group") FROM requests WHERE feature = '/v1/compare' AND plan = 'ULTRA'""",
        "leaks": """SELECT DISTINCT "group" FROM requests WHERE feature = '/v1/compare' AND plan = 'PRO' ORDER BY 1""",
        "cost": "SELECT sum(cost) FROM requests WHERE feature = '/v1/compare'",
        # The first answer is shown.
        "cost_not_shown": """SELECT sum(rest) FROM (SELECT sum(cost) - arg_min(cost, latency_ms) AS rest FROM requests
            WHERE feature = '/v1/compare' GROUP BY "group")""",
    },
    "outage": {
        "failed": """SELECT count(*) FROM requests
            WHERE within(ts, $from, $to) AND status = 'unavailable' AND provider = $provider""",
        "answered_by_provider": """SELECT count(*) FROM requests
            WHERE within(ts, $from, $to) AND status = 'ok' AND x_cache <> 'response' AND provider = $provider""",
        "fallback": "SELECT count(*) FROM requests WHERE within(ts, $from, $to) AND model = 'llama-3.1-70b'",
        "known_cost": "SELECT sum(cost) FROM requests WHERE within(ts, $from, $to)",
        "mean_cost_of_the_same_hours_in_the_week_before": """SELECT usd(half_even(sum(low), 7)) FROM outage
            WHERE ts < moment($from) AND ts >= moment($from) - INTERVAL 7 DAY AND ts < moment($to)""",
    },
    "repeated_prompts": {
        "requests": "SELECT count(*) FROM requests",
        "repeated": "SELECT count(*) FROM repeated",
        "share": "SELECT ratio((SELECT count(*) FROM repeated), count(*)) FROM requests",
        "answered_from_cache": "SELECT count(*) FROM requests WHERE x_cache = 'response'",
        "cost_of_repeated": "SELECT sum(cost) FROM repeated",
    },
    "two_providers": NAMED_MODEL, "opus_calls": NAMED_MODEL, "unknown_model": NAMED_MODEL,
    "voice": {
        "sessions": "SELECT count(DISTINCT session) FROM turns",
        "turns": "SELECT count(*) FROM turns",
        "logged_turns": "SELECT count(*) FROM usage WHERE source = 'voice_llm'",
        "interrupted": "SELECT count(*) FROM usage WHERE source = 'voice_tts' AND x_interrupted",
        "captured_ms": "SELECT sum(x_captured_ms) FROM usage WHERE source = 'voice_stt'",
        "billed_ms": "SELECT sum(quantity) * 1000 FROM usage WHERE source = 'voice_stt'",
        "characters": "SELECT sum(quantity) FROM usage WHERE source = 'voice_tts'",
        "speech": "FROM speech",
        "model_requests": "SELECT count(*) FROM requests WHERE feature = '/v1/voice'",
        "model_cost": "SELECT sum(cost) FROM requests WHERE feature = '/v1/voice'",
    },
    "unlogged_turns": {
        name: f"SELECT {take} FROM turns ANTI JOIN (FROM usage WHERE source = 'voice_stt') AS heard USING (session, ts)"
        for name, take in [("turns", "count(*)"), ("from", "iso(min(ts))"), ("to", "iso(max(ts))"), ("sessions", "count(DISTINCT session)")]
    },
    "media": {
        "done": """SELECT replace(feature, 'video', 'video_5s') || '/' || model, count(*) FILTER (status = 'ok')
            FROM usage WHERE source = 'media_jobs' GROUP BY 1""",
        "failed": "SELECT count(*) FROM usage WHERE source = 'media_jobs' AND status <> 'ok'",
        "video_on_pro": """SELECT usage.id, "user" FROM usage JOIN members ON members.id = "user"
            WHERE feature = 'video' AND tier = 'PRO' ORDER BY ts""",
    },
    "limits": {
        "conversations": LIMIT.format(limit=50, period="in_month(created)") + """ FROM owners JOIN members ON id = owner
            WHERE tier = 'PRO' GROUP BY ALL HAVING count(*) > 50 ORDER BY period, owner""",
        "voice_sessions": LIMIT.format(limit=1, period="on_day(created)") + """ FROM owners JOIN members ON id = owner
            WHERE tier = 'PRO' AND session IN (SELECT session FROM turns) GROUP BY ALL HAVING count(*) > 1 ORDER BY period, owner""",
    },
    "payments": {
        "events": "SELECT count(*) FROM payments",
        "sandbox": "SELECT count(*) FROM payments WHERE sandbox",
        "failed": "SELECT count(*) FROM real WHERE status = 'failed'",
        "refunded": "SELECT count(*) FROM real WHERE status = 'refunded'",
        "by_month_and_currency": """SELECT in_month(ts) || ' ' || currency, sum(fee) FILTER (status = 'paid') AS fee,
            coalesce(sum(gross) FILTER (status = 'refunded'), 0) AS given_back, sum(gross) FILTER (status = 'paid') AS gross,
            count(*) FILTER (status = 'paid') AS paid, sum(tax) FILTER (status = 'paid') AS tax
            FROM real WHERE status <> 'failed' GROUP BY 1""",
    },
    "profit": {
        "by_week": """SELECT week, tier, (SELECT sum(cost) FROM requests WHERE (week, plan) = (covered.week, tier)) AS cost,
            count(*) AS paying_user_days, count(*) * CASE tier WHEN 'ULTRA' THEN 129 ELSE 49 END AS thirty_times_revenue
            FROM covered GROUP BY week, tier""",
    },
    "turkish_price": {
        name: f"SELECT {take} FROM real WHERE currency = 'TRY' AND status = 'paid' AND (day >= $from) = {after}"
        for name, take, after in [("old", "min(gross)", "false"), ("new", "max(gross)", "true"),
                                  ("payments_before", "count(*)", "false"), ("payments_after", "count(*)", "true")]
    },
    "repeated_webhook": {"events": "SELECT count(*) FROM payments WHERE id = $event"},
    "day_without_rates": {
        "payments": "SELECT id FROM payments WHERE day = $day AND currency <> 'USD' ORDER BY ts",
        "rates": "SELECT count(*) FROM meters WHERE metric = 'fx_rate' AND on_day(period_start) = $day",
    },
    "charges": {
        "rows": "SELECT count(*) FROM charges WHERE source = 'usage_logs'",
        "cost_logs": "SELECT sum(amount) FROM cost_logs",
        "usage_logs": "SELECT sum(amount) FROM charges WHERE source = 'usage_logs'",
        "unpriced_rows_booked_as_zero": "SELECT count(*) FROM cost_logs WHERE amount = 0 AND tokens > 0",
        "rows_in_the_missing_hour": "SELECT count(*) FROM cost_logs WHERE within(ts, '2026-11-11T14:00:00Z', '2026-11-11T15:00:00Z')",
    },
    "twin_usage_rows": {
        "rows": """SELECT count(*) FROM charges WHERE source = 'usage_logs' AND "user" = $user AND ts = moment($at)
            GROUP BY feature, amount""",
        "at": """SELECT iso(ts) FROM charges WHERE source = 'usage_logs' GROUP BY "user", feature, amount, ts HAVING count(*) > 1""",
    },
    "withdrawal": {
        "withdrawals": "SELECT count(*) FROM snapshots WHERE starts_with(kind, 'consent_') AND status = 'withdrawn'",
        **{name: f"SELECT {take} FROM snapshots WHERE starts_with(kind, 'consent_') AND status = 'withdrawn'" for name, take in [
            ("user", "id"), ("kind", "replace(kind, 'consent_', '')"), ("at", "iso(updated_at)"), ("week", "in_week(updated_at)")]},
        "voice_turns_after": 'SELECT count(*) FROM turns WHERE "user" = $user AND ts >= moment($at)',
    },
    "erasure": {
        "erasures": "SELECT count(*) FROM sessions WHERE label = 'erasure_requested'",
        "user": """SELECT "user" FROM sessions WHERE label = 'erasure_requested'""",
        "asked": "SELECT iso(ts) FROM sessions WHERE label = 'erasure_requested'",
        "done": """SELECT iso(ts) FROM sessions WHERE label = 'erasure_done' AND "user" = $user""",
        "deadline": "SELECT on_day(moment($asked) + INTERVAL 30 DAY)",
        "week": "SELECT in_week(moment($asked))",
        "requests": 'SELECT count(*) FROM requests WHERE "user" = $user',
        "conversations": "SELECT count(*) FROM owners WHERE owner = $user",
    },
    "audit": {
        "rows": "SELECT count(*) FROM sessions WHERE kind = 'audit'",
        "without_purpose": "SELECT count(*) FROM sessions WHERE kind = 'audit' AND x_purpose IS NULL",
        "by_action": "SELECT label, count(*) FROM sessions WHERE kind = 'audit' GROUP BY 1",
    },
    "hostile_strings": {"requested_model.requests": "SELECT id FROM requests WHERE x_requested_model = $requested_model__text"},
    "personal_data_in_texts": {"texts": "SELECT count(*) FROM texts", **personal_data("+49 30 23125", "4111 1111")},
    "missing_hour": {
        "request_rows": "SELECT count(*) FROM requests WHERE within(ts, $from, $to)",
        "charge_rows": "SELECT count(*) FROM cost_logs WHERE within(ts, $from, $to)",
    },
    "broken_lines": BROKEN_LINES,
}

LATE = {
    "costs": {"with_late_file": "SELECT sum(cost) FROM requests"},
    "late_file": late_file("requests"),
}

TITLES = "titles are personal and not read"
ELSEWHERE = {
    "duplicated_file": AGAIN,
    "overlapping_day": AGAIN,
    "costs.source": "the log that the others are counted from",
    "charges.daily_costs": "their rollup of cost_logs is read by no source",
    "repeated_webhook.rows_by_dump": "test_what_comes_twice_in_a_webhook_is_in_the_exports",
    "double_encoding.replies": "test_a_text_that_was_encoded_twice_is_stored_as_it_was_meant",
    **{f"double_encoding.{name}": TITLES for name in ["conversations", "meant", "title"]},
    "hostile_strings.titles.*": TITLES,
    "missing_hour.lost_rows": NOT_EXPORTED,
    "voice.speech.*.cost": "price: the book has no prices by second or character yet",
}

PRODUCT = Product("aspendos", STORIES, LATE, ELSEWHERE, FOUND, VIEWS)
