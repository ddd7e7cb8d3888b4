-- Every call is joined with its price of the day, in whole units of 1e-12 a token, and added up exactly.
SELECT CAST(ts AS DATE) AS day, plan, feature, e.provider AS provider, e.model AS model,
    count(*) AS requests, count(DISTINCT "user") AS users,
    sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens) AS cache_write_5m_tokens, sum(output_tokens) AS output_tokens,
    sum(coalesce(input_tokens * p.input, 0) + coalesce(cache_read_tokens * p.cache_read, 0)
        + coalesce(cache_write_5m_tokens * p.cache_write_5m, 0) + coalesce(output_tokens * p.output, 0)) AS cost,
    count(*) FILTER (p.provider IS NULL) AS unpriced
FROM read_parquet('{parts}', hive_partitioning = false) AS e LEFT JOIN read_csv('{prices}') AS p
ON e.provider = p.provider AND e.model = p.model AND coalesce(e.service_tier, 'standard') = p.tier
    AND CAST(ts AS DATE) BETWEEN p.valid_from AND p.valid_to
    AND coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) > p.above
    AND coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) <= p.up_to
GROUP BY ALL ORDER BY ALL
