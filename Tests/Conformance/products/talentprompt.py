"""TalentPrompt's stories: spend by day against its limit, and what is wasted."""

from stories import AGAIN, BROKEN_LINES, NOT_EXPORTED, OWN, Product, late_file

VIEWS = """
CREATE VIEW llm AS SELECT * FROM calls WHERE source = 'llm_requests';
CREATE VIEW production AS SELECT * FROM llm WHERE environment = 'prod';
CREATE VIEW days AS SELECT day, sum(low) AS low FROM production GROUP BY 1;
CREATE VIEW spent AS SELECT CAST(day AS DATE) AS spent_on, low AS units FROM days;
-- Of so many days before a day, as often as the sample has them all.
CREATE MACRO mean(d, span) AS (SELECT half_even(sum(units), span) FROM spent
    WHERE spent_on BETWEEN CAST(d AS DATE) - span AND CAST(d AS DATE) - 1 HAVING count(*) = span);
CREATE VIEW october AS SELECT * FROM invoices WHERE in_month(period_start) = '2026-10';
"""


def spend(days):
    """A day's spend, and what it is to the days before."""
    means = {f"mean_of_{count}_days_before": f"SELECT usd(mean($day, {count}))" for count in days}
    ratios = {f"ratio_to_mean_of_{count}": f"SELECT ratio(low, mean($day, {count})) FROM days WHERE day = $day" for count in days}
    unpriced = {"unpriced_requests": "SELECT count(*) FROM production WHERE day = $day AND unpriced"}
    return {"spend": "SELECT usd(low) FROM days WHERE day = $day", **unpriced, **means, **ratios}


WINDOWS = [7, 14, 28]
# The model that each class is meant for.
MEANT = "CASE model WHEN 'gpt-3.5-turbo' THEN 'simple' WHEN 'gpt-4-turbo' THEN 'medium' WHEN 'o4-mini' THEN 'complex' END"
MISROUTED = f"FROM production WHERE {MEANT} <> coalesce(x_complexity, 'complex')"

STORIES = {
    "costs": {
        "total_cost": "SELECT sum(cost) FROM calls",
        "by_environment": "SELECT environment, sum(cost) FROM llm GROUP BY 1",
        "by_week": "SELECT week, sum(cost) FROM llm GROUP BY 1",
        "by_model": "SELECT model, sum(cost) FROM llm GROUP BY 1",
        "unpriced_requests": "SELECT count(*) FROM llm WHERE unpriced",
        "unpriced_embeddings": "SELECT count(*) FROM calls WHERE source = 'embedding_calls' AND unpriced",
    },
    "daily_spend": {
        "by_day": "SELECT day, sum(cost) FROM production GROUP BY 1",
        "above": "SELECT day FROM days WHERE usd(low) > CAST($limit AS DECIMAL(38, 12)) ORDER BY 1",
    },
    "outage": {
        **spend(WINDOWS),
        "calls_to_second_vendor": "SELECT count(*) FROM production WHERE day = $day AND x_reason = 'outage'",
        "calls_without_class": "SELECT count(*) FROM production WHERE day = $day AND x_complexity IS NULL",
    },
    "ai_spike": {
        **spend(WINDOWS),
        **{f"days_over_150_percent_of_{count}": f"SELECT day FROM days WHERE 2 * low > 3 * mean(day, {count}) ORDER BY 1"
           for count in WINDOWS},
    },
    "exactly_twenty": {
        **spend(WINDOWS),
        "experiment_calls": "SELECT count(*) FROM production WHERE day = $day AND x_reason = 'experiment'",
        "by_arm": "SELECT x_arm, sum(cost) FROM production WHERE day = $day AND x_reason = 'experiment' GROUP BY 1",
    },
    "staging": {
        "requests": "SELECT count(*) FROM llm WHERE environment = 'staging'",
        "cost": "SELECT sum(cost) FROM llm WHERE environment = 'staging'",
        "embeddings": "SELECT count(*) FROM calls WHERE source = 'embedding_calls' AND environment = 'staging'",
    },
    "complexity": {
        "by_class": "SELECT coalesce(x_complexity, 'complex'), sum(cost) AS cost, count(*) AS requests FROM production GROUP BY 1",
        "without_class": "SELECT count(*) FROM production WHERE x_complexity IS NULL",
    },
    "misrouted": {
        "requests": f"SELECT count(*) {MISROUTED}", "cost": f"SELECT sum(cost) {MISROUTED}",
        "ids": f"SELECT id {MISROUTED} ORDER BY ts",
    },
    "second_vendor": {
        "requests": "SELECT count(*) FROM production WHERE provider = 'anthropic'",
        "by_reason": "SELECT x_reason, count(*) FROM production WHERE provider = 'anthropic' GROUP BY 1",
    },
    "cache": {
        "hits": "SELECT count(*) FROM production WHERE route = 'cache'",
        "repeated_without_hit": """SELECT count(*) FROM (FROM production WHERE low > 0
            QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY ts, id) > 1)""",
        "cost_of_repeated": """SELECT sum(cost) FROM (FROM production WHERE low > 0
            QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY ts, id) > 1)""",
    },
    "embedded_twice": {
        "documents": """SELECT count(*) FROM (SELECT document, fingerprint FROM usage WHERE source = 'embedding_calls'
            GROUP BY ALL HAVING count(*) > 1)""",
        "wasted_tokens": """SELECT sum(input_tokens) FROM (FROM usage WHERE source = 'embedding_calls'
            QUALIFY row_number() OVER (PARTITION BY document, fingerprint ORDER BY ts, id) > 1)""",
        "calls_of_one": """SELECT count(*) FROM usage WHERE source = 'embedding_calls' AND "group" IS NULL""",
    },
    "vectors": {
        "day": "SELECT on_day(max(period_start)) FROM meters WHERE metric = 'vectors'",
        "first": "SELECT arg_min(value, period_start) FROM meters WHERE metric = 'vectors'",
        "vectors": "SELECT value FROM meters WHERE metric = 'vectors' AND on_day(period_start) = $day",
        # A line through both ends, in whole days.
        "days_to_limit": """SELECT ceil(($limit - $vectors) * date_diff('day', min(period_start), max(period_start))
            / ($vectors - $first)) FROM meters WHERE metric = 'vectors'""",
    },
    "october": {
        "total": "SELECT sum(amount) FROM october",
        "base": "SELECT sum(amount) FROM october WHERE part = 'base'",
        "usage": "SELECT sum(amount) FROM october WHERE part = 'usage'",
        "staging": "SELECT sum(amount) FROM october WHERE environment = 'staging'",
        "by_category": "SELECT category, sum(amount) FROM october GROUP BY 1",
        "gpt_invoiced": "SELECT sum(amount) FROM october WHERE service = 'gpt'",
        "gpt_computed": "SELECT sum(cost) FROM llm WHERE month = '2026-10'",
    },
    "unknown_model": {
        "requests": "SELECT count(*) FROM calls WHERE model = $model AND unpriced",
        "input_tokens": "SELECT sum(input_tokens) FROM calls WHERE model = $model",
        "output_tokens": "SELECT sum(output_tokens) FROM calls WHERE model = $model",
    },
    "missing_hour": {
        "rows": "SELECT count(*) FROM usage WHERE source = $log AND ts >= moment($from) AND ts < moment($to)",
        "siblings.searches": "SELECT count(*) FROM sessions WHERE kind = 'search' AND ts >= moment($from) AND ts < moment($to)",
    },
    "hostile_strings": {
        "arm": "SELECT DISTINCT x_arm FROM usage WHERE x_arm LIKE '<%'",
        "calls": "SELECT id FROM usage WHERE x_arm = $arm ORDER BY ts",
        "invoice_number": "SELECT DISTINCT x_number FROM invoices WHERE x_number LIKE '=%'",
        "service": "SELECT DISTINCT subject FROM meters WHERE contains(subject, chr(27))",
    },
    "broken_lines": BROKEN_LINES,
}

LATE = {
    "costs": {"with_late_file": "SELECT sum(cost) FROM calls"},
    "late_file": late_file("llm_requests"),
}

ELSEWHERE = {
    "duplicated_file": AGAIN,
    "overlapping_day": AGAIN,
    "missing_hour.lost_rows": NOT_EXPORTED,
}

KINDS = {"llm_requests": "llm", "embedding_calls": "embedding"}
PRODUCT = Product("talentprompt", STORIES, LATE, ELSEWHERE, OWN, VIEWS, KINDS)
