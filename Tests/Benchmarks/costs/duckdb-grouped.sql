-- For prices that do not depend on a call's size: grouped first, priced then.
WITH calls AS (
    SELECT CAST(ts AS DATE) AS day, plan, feature, provider, model, coalesce(service_tier, 'standard') AS tier, count(*) AS requests,
        count(DISTINCT "user") AS users, sum(input_tokens) AS i, sum(cache_read_tokens) AS r, sum(cache_write_5m_tokens) AS w,
        sum(output_tokens) AS o
    FROM read_parquet('{parts}', hive_partitioning = false) GROUP BY ALL)
SELECT day, plan, feature, calls.provider, calls.model, requests, users, i, r, w, o,
    i * p.input + r * p.cache_read + w * p.cache_write_5m + o * p.output AS cost,
    CASE WHEN p.model IS NULL THEN requests ELSE 0 END AS unpriced
FROM calls LEFT JOIN read_csv('{prices}') AS p
ON calls.provider = p.provider AND calls.model = p.model AND calls.tier = p.tier AND day BETWEEN p.valid_from AND p.valid_to
ORDER BY ALL
