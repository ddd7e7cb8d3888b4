SELECT CAST(ts AS DATE) AS day, plan, feature, provider, model, count(*) AS requests, count(DISTINCT "user") AS users,
    sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens) AS cache_write_5m_tokens, sum(output_tokens) AS output_tokens
FROM read_parquet('{parts}', hive_partitioning = false) GROUP BY ALL ORDER BY ALL
