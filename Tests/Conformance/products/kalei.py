"""Kalei's stories are told by tests of their own, as most of them follow a whole run."""

from oracle import KALEI, ZONE
from stories import AGAIN, Product, late_file, personal_data

ELSEWHERE = {
    "broken_lines": "test_the_quarantine_holds_every_refused_record_with_its_bytes",
    "cap": "test_the_month_crosses_the_warning_of_its_cap_at_one_call",
    "costs": "test_the_costs_are_those_of_the_truth",
    "duplicated_file": AGAIN,
    "fallback_vendor": "test_single_calls_that_stand_out_are_found_with_their_cost",
    "free_over_quota": "test_free_members_over_their_quota_are_found_among_the_sessions",
    "hostile_strings": "test_hostile_texts_are_stored_as_they_are",
    "id_reused": "test_an_id_that_comes_again_with_other_values_is_refused",
    "invoices": "test_the_bills_stand_beside_the_computed_costs",
    "members": "test_the_active_members_of_every_day_are_distinct_users",
    "missing_hour": "test_the_hour_without_calls_has_sessions",
    "out_of_range": "test_a_line_that_was_refused_or_is_out_of_range_is_no_row",
    "overlapping_day": AGAIN,
    "plan_change": "test_a_member_who_upgrades_has_two_plans_that_week",
    "runaway_member": "test_the_member_who_ran_away_is_found_on_the_day",
    "sonnet_calls": "test_single_calls_that_stand_out_are_found_with_their_cost",
    "spectrum_leak": "test_single_calls_that_stand_out_are_found_with_their_cost",
    "spectrum_runs": "test_the_weekly_insights_of_the_product_cost_half_by_batch",
    "unknown_model": "test_a_model_without_a_price_is_counted_and_not_priced",
    "w46_funnel": "test_exactly_the_members_of_the_funnel_are_asked_about",
}

STORIES = {"personal_data_in_texts": personal_data("+49 30 23125", "4111 1111")}

PRODUCT = Product("kalei", STORIES, {"late_file": late_file("api_usage")}, ELSEWHERE, KALEI, zone=ZONE)
