SELECT toDate(ts, 'UTC') AS day, plan, feature, provider, model, count() AS requests, uniqExact(user) AS users,
    sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens) AS cache_write_5m_tokens, sum(output_tokens) AS output_tokens
FROM file('{parts}', 'Parquet') GROUP BY day, plan, feature, provider, model ORDER BY day, plan, feature, provider, model
