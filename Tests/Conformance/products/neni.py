"""Neni's stories: what is metered, recorded and agreed for each kindergarten."""

from stories import AGAIN, NOT_EXPORTED, Product, late_file, versions

# A call's plan is that of the kindergarten's agreement at its time.
FOUND = f"""
CREATE TABLE found AS
SELECT n, own_tenant AS tenant, own_user AS "user", coalesce(own_plan, agreed.value) AS plan
FROM events LEFT JOIN {versions('subscription', 'plan', 'tenant')} AS agreed ON key = own_tenant AND since <= ts AND ts < until;
"""

VIEWS = """
CREATE VIEW tenants AS SELECT DISTINCT tenant FROM snapshots WHERE kind = 'tenant';
CREATE VIEW agreements AS SELECT * FROM snapshots WHERE kind = 'subscription'
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1;
CREATE VIEW bands AS SELECT plan AS code, CAST(attributes ->> 'childMin' AS INT) AS least,
    coalesce(CAST(attributes ->> 'childMax' AS INT), 1000000) AS most
    FROM snapshots WHERE kind = 'plan' AND attributes ->> 'archivedAt' IS NULL
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1;
CREATE VIEW children AS SELECT subject AS tenant, on_day(period_start) AS day, CAST(value AS INT) AS children, code AS band
    FROM meters JOIN bands ON value BETWEEN least AND most WHERE metric = 'CHILDREN_ACTIVE';
CREATE VIEW links AS SELECT DISTINCT snapshots.id, parent AS child, child.tenant
    FROM snapshots JOIN (SELECT DISTINCT id, tenant FROM snapshots WHERE kind = 'child') AS child ON child.id = parent
    WHERE kind = 'parent_link';
CREATE VIEW bills AS SELECT payments.*, agreements.tenant AS kindergarten
    FROM payments JOIN agreements ON payments.x_subscription = attributes ->> 'subscription';
CREATE MACRO metered(name) AS (SELECT CAST(sum(value) AS HUGEINT) FROM meters WHERE metric = name);
CREATE MACRO within(t, a, b) AS t >= moment(a) AND t < moment(b);
CREATE MACRO cents(amount) AS CAST(coalesce(sum(amount), 0) * 100 AS BIGINT);
CREATE VIEW changes AS
    SELECT *, lag(children) OVER one AS children_before, lag(band) OVER one AS band_before FROM children
    WINDOW one AS (PARTITION BY tenant ORDER BY day) QUALIFY band <> lag(band) OVER one;
"""

TENANTS = """
SELECT tenants.tenant,
    (SELECT count(DISTINCT id) FROM snapshots WHERE kind = 'branch' AND tenant = tenants.tenant) AS branches,
    (SELECT arg_min(children, day) FROM children WHERE tenant = tenants.tenant) AS children_first,
    (SELECT arg_max(children, day) FROM children WHERE tenant = tenants.tenant) AS children_last,
    attributes ->> 'currency' AS currency,
    (SELECT count(*) FROM children WHERE tenant = tenants.tenant) AS days_counted,
    (SELECT CAST(sum(value) AS BIGINT) FROM meters WHERE metric = 'EGRESS_BYTES' AND subject = tenants.tenant) AS egress_bytes,
    plan, (SELECT cents(amount) FROM charges WHERE tenant = tenants.tenant) AS recorded_cents, status,
    (SELECT CAST(arg_max(value, period_start) AS BIGINT) FROM meters WHERE metric = 'STORAGE_BYTES' AND subject = tenants.tenant)
        AS storage_bytes_last
FROM tenants JOIN agreements USING (tenant)"""


def shadow(metric, price):
    """What a metered service would have cost each kindergarten."""
    return f"""SELECT tenant, coalesce(sum(value), 0) * CAST({price} AS DECIMAL(8, 6))
        FROM tenants LEFT JOIN meters ON subject = tenant AND metric = '{metric}' GROUP BY 1"""


def ranked(take):
    return f"SELECT {take} FROM changes WHERE tenant = $tenant ORDER BY day LIMIT 1"


STORIES = {
    "costs": {
        "total_cost": "SELECT sum(cost) FROM calls",
        "by_day_utc": "SELECT day, sum(cost) FROM calls GROUP BY 1",
        "by_tenant": "SELECT tenant, sum(cost) FROM calls GROUP BY 1",
        "by_week": "SELECT week, sum(cost) FROM calls GROUP BY 1",
        "unpriced_requests": "SELECT count(*) FROM calls WHERE unpriced",
    },
    "tenants": {
        "by_tenant": TENANTS,
        "without_tenant_cents": "SELECT cents(amount) FROM charges WHERE tenant IS NULL",
        "counted_on": "SELECT max(day) FROM children",
    },
    "trial_ends": {
        "starts": "SELECT DISTINCT iso(moment(attributes ->> 'createdAt')) FROM snapshots WHERE kind = 'tenant' AND tenant = $tenant",
        "ends": """SELECT DISTINCT iso(moment(attributes ->> 'trialEndsAt')) FROM snapshots
            WHERE kind = 'subscription' AND tenant = $tenant AND attributes ->> 'trialEndsAt' IS NOT NULL""",
        "plan_before": """SELECT arg_max(plan, updated_at) FROM snapshots
            WHERE kind = 'subscription' AND tenant = $tenant AND updated_at < moment($ends)""",
        "plan_after": """SELECT arg_min(plan, updated_at) FROM snapshots
            WHERE kind = 'subscription' AND tenant = $tenant AND updated_at >= moment($ends)""",
        "recorded_cents_on_trial": "SELECT cents(amount) FROM charges WHERE tenant = $tenant AND ts < moment($ends)",
        "videos_as_starter": """SELECT count(*) FROM sessions
            WHERE kind = 'upload' AND label = 'video' AND tenant = $tenant AND ts >= moment($ends)""",
    },
    "band_change": {
        "day": ranked("day"), "children_before": ranked("children_before"), "children_after": ranked("children"),
        "band_before": ranked("band_before"), "band_after": ranked("band"),
        "branches": "SELECT count(DISTINCT id) FROM snapshots WHERE kind = 'branch' AND tenant = $tenant",
    },
    "paused": {
        "since": "SELECT on_day(min(updated_at)) FROM snapshots WHERE kind = 'subscription' AND status = 'PAUSED' AND tenant = $tenant",
        "egress_rows_since": """SELECT count(*) FROM meters
            WHERE metric = 'EGRESS_BYTES' AND subject = $tenant AND period_start >= moment($since)""",
        "storage_rows_since": """SELECT count(*) FROM meters
            WHERE metric = 'STORAGE_BYTES' AND subject = $tenant AND period_start >= moment($since)""",
        "storage_cents_since": "SELECT cents(amount) FROM charges WHERE provider = 's3' AND tenant = $tenant AND ts >= moment($since)",
    },
    "custom_in_uzs": {
        "band": "SELECT arg_max(band, day) FROM children WHERE tenant = $tenant",
        "invoices": "SELECT count(*) FROM bills WHERE kindergarten = $tenant",
        "net_UZS": "SELECT sum(x_net) FROM bills WHERE kindergarten = $tenant AND currency = 'UZS'",
        "vat_UZS": "SELECT sum(tax) FROM bills WHERE kindergarten = $tenant AND currency = 'UZS'",
    },
    "past_due": {
        "invoice": "SELECT arg_max(id, ts) FROM bills WHERE kindergarten = $tenant",
        "total_USD": "SELECT gross FROM bills WHERE id = $invoice AND currency = 'USD'",
        "paid": "SELECT iso(ts) FROM bills WHERE id = $invoice",
    },
    "third_parents": {
        "links": "SELECT tenant, count(*) FROM links GROUP BY 1",
        "third_and_further": """SELECT tenant, CAST(sum(further) AS BIGINT)
            FROM (SELECT tenant, greatest(0, count(*) - 2) AS further FROM links GROUP BY tenant, child) GROUP BY 1""",
    },
    "mocked_services": {
        "rekognition_rows": "SELECT count(*) FROM charges WHERE provider = 'rekognition'",
        "whisper_rows": "SELECT count(*) FROM charges WHERE provider = 'whisper'",
        "recorded_cents": "SELECT cents(amount) FROM charges WHERE provider IN ('rekognition', 'whisper')",
        "face_calls": "SELECT metered('AI_FACE_CALLS')",
        "speech_minutes": "SELECT metered('AI_STT_MINUTES')",
        "face_shadow_cost": shadow("AI_FACE_CALLS", "$face_price"),
        "speech_shadow_cost": shadow("AI_STT_MINUTES", "$speech_price"),
    },
    "media_sizes": {
        "tenant": "SELECT DISTINCT tenant FROM sessions WHERE kind = 'upload'",
        "files": "SELECT count(*) FROM sessions WHERE kind = 'upload'",
        "without_size": "SELECT count(*) FROM sessions WHERE kind = 'upload' AND x_bytes IS NULL",
        "photos": "SELECT count(*) FROM sessions WHERE kind = 'upload' AND label = 'photo'",
        "videos": "SELECT count(*) FROM sessions WHERE kind = 'upload' AND label = 'video'",
        "brand": "SELECT count(*) FROM sessions WHERE kind = 'upload' AND label = 'brand'",
        "known_photo_bytes": "SELECT sum(x_bytes) FROM sessions WHERE kind = 'upload' AND label = 'photo'",
        "known_video_bytes": "SELECT sum(x_bytes) FROM sessions WHERE kind = 'upload' AND label = 'video'",
    },
    "rejections": {
        "by_tenant": """SELECT tenant, count(*) AS attempts, count(*) FILTER (status <> 'PENDING') AS decided,
            count(*) FILTER (status = 'REJECTED') AS rejected
            FROM (SELECT tenant, id, arg_max(status, updated_at) AS status FROM snapshots WHERE kind = 'face_suggestion' GROUP BY ALL)
            GROUP BY 1""",
    },
    "heavy_chat": {
        "tenant": "SELECT tenant FROM usage GROUP BY 1 ORDER BY sum(input_tokens + output_tokens) DESC LIMIT 1",
        "tokens": "SELECT sum(input_tokens + output_tokens) FROM usage WHERE tenant = $tenant",
        "all_tokens": "SELECT sum(input_tokens + output_tokens) FROM usage",
        "calls": "SELECT count(*) FROM usage WHERE tenant = $tenant",
        "turns": 'SELECT count(DISTINCT "group") FROM usage WHERE tenant = $tenant',
        "most_steps": 'SELECT max(steps) FROM (SELECT count(*) AS steps FROM usage GROUP BY "group")',
    },
    "tokens_compared": {
        "metered": "SELECT metered('LLM_TOKENS')",
        "logged": "SELECT sum(input_tokens + output_tokens) FROM usage",
        "lost": "SELECT metered('LLM_TOKENS') - sum(input_tokens + output_tokens) - $late FROM usage",
    },
    "missing_midnight": {
        "gauge_rows": """SELECT on_day(CAST($day AS DATE) + CAST(step AS INT)), count(id)
            FROM (SELECT unnest([-1, 0, 1]) AS step) LEFT JOIN meters ON gauge AND period_start = CAST($day AS DATE) + CAST(step AS INT)
            GROUP BY 1""",
    },
    "egress_at_departure": {
        "day": """SELECT on_day(period_start) FROM meters
            WHERE metric = 'EGRESS_BYTES' AND subject = $tenant ORDER BY value DESC LIMIT 1""",
        "bytes": "SELECT value FROM meters WHERE metric = 'EGRESS_BYTES' AND subject = $tenant AND on_day(period_start) = $day",
        "median_other_working_day": """SELECT list_sort(list(value))[count(*) // 2 + 1] FROM meters WHERE metric = 'EGRESS_BYTES'
            AND subject = $tenant AND on_day(period_start) <> $day AND isodow(period_start) <= 5""",
        "canceled_from": """SELECT on_day(min(updated_at)) FROM snapshots
            WHERE kind = 'subscription' AND tenant = $tenant AND status = 'CANCELED'""",
    },
    "telegram_codes": {
        "codes": "SELECT count(*) FROM charges WHERE provider = 'telegram'",
        "cents": "SELECT cents(amount) FROM charges WHERE provider = 'telegram'",
        "by_price": "SELECT CAST(amount * 100 AS INT), count(*) FROM charges WHERE provider = 'telegram' GROUP BY 1",
        "without_tenant": "SELECT count(*) FROM charges WHERE provider = 'telegram' AND tenant IS NULL",
        "metered": "SELECT metered('OTP_SENT')",
    },
    "whole_cents": {
        "by_provider": """SELECT provider, cents(amount) AS recorded_cents, count(*) AS rows,
            count(*) FILTER (amount = 0) AS rows_of_no_cent FROM charges WHERE provider IN ('resend', 's3', 'vercel-ai') GROUP BY 1""",
        "by_provider.resend.exact_USD": "SELECT metered('EMAIL_SENT') * CAST($mail_price AS DECIMAL(8, 6))",
        "mails": "SELECT metered('EMAIL_SENT')",
    },
    "refused_metric": {
        "rows": "SELECT count(*) FROM refused WHERE source = 'UsageRecord' AND raw ->> 'metric' = $metric",
        "reason": "SELECT reason FROM refused WHERE source = 'UsageRecord'",
        "tenant": "SELECT raw ->> 'kindergartenId' FROM refused WHERE source = 'UsageRecord'",
    },
    "unknown_model": {
        "requests": "SELECT count(*) FROM calls WHERE model = $model AND unpriced",
        "input_tokens": "SELECT sum(input_tokens) FROM calls WHERE model = $model",
        "output_tokens": "SELECT sum(output_tokens) FROM calls WHERE model = $model",
    },
    "missing_hour": {
        "rows": "SELECT count(*) FROM usage WHERE source = $log AND within(ts, $from, $to)",
        "siblings.LLM_TOKENS": "SELECT count(*) FROM meters WHERE metric = 'LLM_TOKENS' AND within(period_start, $from, $to)",
        "siblings.FaceRecognitionSuggestion": """SELECT count(DISTINCT id) FROM snapshots
            WHERE kind = 'face_suggestion' AND within(moment(attributes ->> 'createdAt'), $from, $to)""",
    },
    "hostile_strings": {
        "display_name": "SELECT DISTINCT attributes ->> 'displayName' FROM snapshots WHERE kind = 'plan' AND attributes ->> 'displayName' LIKE '%<%'",
        "promo_code": """SELECT DISTINCT attributes ->> 'promoCode' FROM snapshots
            WHERE kind = 'subscription' AND attributes ->> 'promoCode' LIKE '=%'""",
        "queue.jobs": "SELECT id FROM sessions WHERE kind = 'job' AND label = $queue__text ORDER BY ts",
    },
    "broken_lines": {
        "lines": "SELECT file, reason, record FROM refused WHERE source <> 'UsageRecord' ORDER BY source DESC, file, record",
    },
}

LATE = {
    "costs": {"with_late_file": "SELECT sum(cost) FROM calls"},
    "tokens_compared": {"late": "SELECT sum(input_tokens + output_tokens) FROM usage WHERE source_file LIKE '%-late.%'"},
    "late_file": late_file("ai_gateway"),
}

ELSEWHERE = {
    "duplicated_file": AGAIN,
    "overlapping_day": AGAIN,
    "custom_in_uzs.list_price": "report: that a plan has no list price is said by the job's plans",
    "past_due.issued": "report: the job reads when a bill was paid, and not when it was written",
    "media_sizes.unknown_bytes": "the export does not say it: that is the story",
    "missing_hour.lost_rows": NOT_EXPORTED,
    "whole_cents.by_provider.s3.exact_USD": "price: the book has no price of stored and read bytes",
    "whole_cents.by_provider.vercel-ai.exact_USD": "the lost hour and the late file count here: that is the story of costs",
}

PRODUCT = Product("neni", STORIES, LATE, ELSEWHERE, FOUND, VIEWS)
