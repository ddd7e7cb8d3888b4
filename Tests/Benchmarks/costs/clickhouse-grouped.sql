-- For prices that do not depend on a call's size: grouped first, priced then.
SELECT day, plan, feature, provider, model, requests, users, i, r, w, o,
    i * p_input + r * p_read + w * p_write + o * p_output AS cost, if(p_model = '', requests, 0) AS unpriced
FROM (
    SELECT toDate(ts, 'UTC') AS day, plan, feature, provider, model, coalesce(service_tier, 'standard') AS tier, count() AS requests,
        uniqExact(user) AS users, sum(input_tokens) AS i, sum(cache_read_tokens) AS r, sum(cache_write_5m_tokens) AS w,
        sum(output_tokens) AS o
    FROM file('{parts}', 'Parquet') GROUP BY day, plan, feature, provider, model, tier
) AS calls LEFT JOIN (
    SELECT provider AS p_provider, model AS p_model, tier AS p_tier, valid_from, valid_to,
        input AS p_input, cache_read AS p_read, cache_write_5m AS p_write, output AS p_output
    FROM file('{prices}', 'CSVWithNames', 'provider String, model String, tier String, above Int64, up_to Int64, valid_from Date, valid_to Date, input Int64, cache_read Int64, cache_write_5m Int64, output Int64')
) AS prices
ON provider = p_provider AND model = p_model AND tier = p_tier AND day >= valid_from AND day <= valid_to
ORDER BY day, plan, feature, provider, model
