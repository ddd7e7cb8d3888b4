-- Every call is joined with its price of the day, in whole units of 1e-12 a token, and added up exactly.
SELECT toDate(ts, 'UTC') AS day, plan, feature, provider, model, count() AS requests, uniqExact(user) AS users,
    sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(output_tokens),
    sum(coalesce(input_tokens * p_input, 0) + coalesce(cache_read_tokens * p_read, 0)
        + coalesce(cache_write_5m_tokens * p_write, 0) + coalesce(output_tokens * p_output, 0)) AS cost,
    countIf(p_model = '') AS unpriced
FROM file('{parts}', 'Parquet') AS calls LEFT JOIN (
    SELECT provider AS p_provider, model AS p_model, tier AS p_tier, above, up_to, valid_from, valid_to,
        input AS p_input, cache_read AS p_read, cache_write_5m AS p_write, output AS p_output
    FROM file('{prices}', 'CSVWithNames', 'provider String, model String, tier String, above Int64, up_to Int64, valid_from Date, valid_to Date, input Int64, cache_read Int64, cache_write_5m Int64, output Int64')
) AS prices
ON provider = p_provider AND model = p_model AND coalesce(service_tier, 'standard') = p_tier
    AND toDate(ts, 'UTC') >= valid_from AND toDate(ts, 'UTC') <= valid_to
    AND coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) > above
    AND coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) <= up_to
GROUP BY day, plan, feature, provider, model ORDER BY day, plan, feature, provider, model
