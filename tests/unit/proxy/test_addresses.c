#include "../unit.h"

#include "proxy/addresses.h"

static struct addresses memory;

static void forget(void)
{
	memset(&memory, 0, sizeof memory);
}

static struct addr v4(uint8_t last)
{
	return (struct addr){.family = 4, .port = 80, .bytes = {192, 0, 2, last}};
}

static struct addr v6(uint8_t last)
{
	return (struct addr){.family = 6, .port = 80, .bytes = {0x20, 1, 0xd, 0xb8, [15] = last}};
}

static void a_rest_is_longer_each_time_and_bounded(void)
{
	struct addr a = v4(1), other = v4(2);
	uint64_t now = 5000, rest = ADDRESSES_REST_MIN_MS;

	forget();
	CHECK_INT(addresses_state(&memory, &a, now), ADDRESSES_FINE);
	for (int i = 0; i < 10; i++) {
		addresses_failed(&memory, &a, now);
		CHECK_INT(addresses_rest_ms(&memory, &a, now), rest);
		CHECK_INT(addresses_state(&memory, &a, now + rest - 1), ADDRESSES_RESTING);
		CHECK_INT(addresses_rest_ms(&memory, &a, now + rest), 0);
		CHECK_INT(addresses_state(&memory, &a, now + rest), ADDRESSES_ON_PROBATION);
		CHECK_INT(addresses_state(&memory, &other, now), ADDRESSES_FINE);
		now += rest;
		rest = rest * 2 < ADDRESSES_REST_MAX_MS ? rest * 2 : ADDRESSES_REST_MAX_MS;
	}
	CHECK_INT(rest, ADDRESSES_REST_MAX_MS);
	CHECK_INT(addresses_state(&memory, &a, now + 3600000), ADDRESSES_FINE);
}

static void failures_of_one_moment_count_as_one(void)
{
	struct addr a = v4(1);

	forget();
	for (int i = 0; i < 50; i++)
		addresses_failed(&memory, &a, 5000 + (uint64_t)i);
	CHECK_INT(addresses_rest_ms(&memory, &a, 5000), ADDRESSES_REST_MIN_MS);
}

static void an_address_that_works_is_fine_at_once(void)
{
	struct addr a = v4(1);

	forget();
	addresses_worked(&memory, &a);
	addresses_failed(&memory, &a, 5000);
	addresses_worked(&memory, &a);
	CHECK_INT(addresses_state(&memory, &a, 5000), ADDRESSES_FINE);
	addresses_failed(&memory, &a, 5000);
	CHECK_INT(addresses_rest_ms(&memory, &a, 5000), ADDRESSES_REST_MIN_MS);
}

static void who_is_outrun_on_probation_rests_as_long_again(void)
{
	struct addr a = v4(1);

	forget();
	addresses_outrun(&memory, &a, 1000);
	CHECK_INT(addresses_state(&memory, &a, 1000), ADDRESSES_FINE);
	addresses_failed(&memory, &a, 1000);
	addresses_failed(&memory, &a, 2000);
	CHECK_INT(addresses_rest_ms(&memory, &a, 2000), 2000);
	addresses_outrun(&memory, &a, 3000);
	CHECK_INT(addresses_rest_ms(&memory, &a, 3000), 1000);
	addresses_outrun(&memory, &a, 4000);
	CHECK_INT(addresses_rest_ms(&memory, &a, 4000), 2000);
}

static void ports_are_told_apart(void)
{
	struct addr a = v4(1), b = v4(1);

	forget();
	b.port = 443;
	addresses_failed(&memory, &a, 1000);
	CHECK_INT(addresses_state(&memory, &b, 1000), ADDRESSES_FINE);
}

static void a_full_table_forgets_and_goes_on(void)
{
	unsigned resting = 0;

	forget();
	for (unsigned i = 0; i < 2000; i++) {
		struct addr a = v4((uint8_t)i);

		a.port = (uint16_t)(i + 1);
		addresses_failed(&memory, &a, 1000 + i / 100);
		CHECK_INT(addresses_state(&memory, &a, 1000 + i / 100), ADDRESSES_RESTING);
	}
	for (unsigned i = 0; i < 2000; i++) {
		struct addr a = v4((uint8_t)i);

		a.port = (uint16_t)(i + 1);
		resting += addresses_state(&memory, &a, 1020) == ADDRESSES_RESTING;
	}
	CHECK_INT(resting, ADDRESSES_SLOTS);
}

/* What is picked until nothing is left, as digits. */
static const char *picks(struct addresses_choice *c, uint64_t now)
{
	static char text[64];
	int index;
	size_t len = 0;

	c->tried = 0;
	while ((index = addresses_pick(&memory, c, now)) >= 0) {
		c->tried |= UINT32_C(1) << index;
		text[len++] = (char)('0' + index);
	}
	text[len] = 0;
	return text;
}

static void equals_take_turns(void)
{
	struct addr addrs[] = {v4(0), v4(1), v4(2)};
	struct addresses_choice c = {.addrs = addrs, .count = 3, .port = 80, .family = 6};

	forget();
	CHECK_TEXT(picks(&c, 1000), "012");
	c.turn = 1;
	CHECK_TEXT(picks(&c, 1000), "120");
	c.turn = 2;
	CHECK_TEXT(picks(&c, 1000), "201");
	c.turn = 3;
	CHECK_TEXT(picks(&c, 1000), "021");
}

static void the_share_of_one_that_rests_goes_to_all_others(void)
{
	struct addr addrs[] = {v6(0), v6(1), v6(2), v4(3), v4(4)};
	struct addresses_choice c = {.addrs = addrs, .count = 5, .family = 6};
	unsigned picked[5] = {0};

	forget();
	addresses_failed(&memory, &addrs[1], 1000);
	for (c.turn = 0; c.turn < 60; c.turn++)
		picked[addresses_pick(&memory, &c, 1500)]++;
	CHECK_INT(picked[0], 30);
	CHECK_INT(picked[2], 30);
}

static void the_preferred_family_comes_first(void)
{
	struct addr addrs[] = {v6(0), v6(1), v4(2), v4(3)};
	struct addresses_choice c = {.addrs = addrs, .count = 4, .turn = 1, .family = 6};

	forget();
	CHECK_TEXT(picks(&c, 1000), "1032");
	c.family = 4;
	CHECK_TEXT(picks(&c, 1000), "3210");
}

static void those_that_rest_come_last_and_are_never_left_out(void)
{
	struct addr addrs[] = {v6(0), v6(1), v4(2), v4(3)};
	struct addresses_choice c = {.addrs = addrs, .count = 4, .family = 6};

	forget();
	addresses_failed(&memory, &addrs[0], 1000);
	CHECK_TEXT(picks(&c, 1500), "1230");
	addresses_failed(&memory, &addrs[1], 1200);
	CHECK_TEXT(picks(&c, 1500), "2301");
	addresses_failed(&memory, &addrs[3], 1100);
	addresses_failed(&memory, &addrs[2], 900);
	CHECK_TEXT(picks(&c, 1500), "2031");
	/* When the rest is over, the order is the usual one. */
	CHECK_TEXT(picks(&c, 3000), "0123");
}

static void an_address_without_a_port_has_the_targets(void)
{
	struct addr addrs[] = {v4(0), v4(1)};
	struct addresses_choice c = {.addrs = addrs, .count = 2, .port = 8080};

	addrs[0].port = 0;
	CHECK_INT(addresses_at(&c, 0).port, 8080);
	CHECK_INT(addresses_at(&c, 1).port, 80);
}

static void a_name_may_have_no_more_than_32(void)
{
	struct addr addrs[40];
	struct addresses_choice c = {.addrs = addrs, .count = 40};

	forget();
	for (uint8_t i = 0; i < 40; i++)
		addrs[i] = v4(i);
	c.tried = UINT32_MAX;
	CHECK_INT(addresses_pick(&memory, &c, 1000), -1);
}

static void the_family_that_won_is_preferred_for_ten_minutes(void)
{
	struct addresses_family own = {0}, other = {0};
	uint64_t now = 1000;

	forget();
	CHECK_INT(addresses_preferred_family(&memory, &own, now), 6);
	addresses_family_won(&memory, &own, 4, now);
	CHECK_INT(addresses_preferred_family(&memory, &own, now), 4);
	/* A name of which nothing is known yet takes it from the others. */
	CHECK_INT(addresses_preferred_family(&memory, &other, now), 4);
	addresses_family_won(&memory, &other, 6, now);
	CHECK_INT(addresses_preferred_family(&memory, &other, now), 6);
	CHECK_INT(addresses_preferred_family(&memory, &own, now), 4);
	/* Winning again, because it was preferred, does not prolong it. */
	addresses_family_won(&memory, &own, 4, now + ADDRESSES_FAMILY_MS - 1);
	CHECK_INT(addresses_preferred_family(&memory, &own, now + ADDRESSES_FAMILY_MS), 4);
	forget();
	CHECK_INT(addresses_preferred_family(&memory, &own, now + ADDRESSES_FAMILY_MS), 6);
}

UNIT_TESTS(TEST(a_rest_is_longer_each_time_and_bounded), TEST(failures_of_one_moment_count_as_one),
	   TEST(an_address_that_works_is_fine_at_once),
	   TEST(who_is_outrun_on_probation_rests_as_long_again), TEST(ports_are_told_apart),
	   TEST(a_full_table_forgets_and_goes_on), TEST(equals_take_turns),
	   TEST(the_share_of_one_that_rests_goes_to_all_others),
	   TEST(the_preferred_family_comes_first),
	   TEST(those_that_rest_come_last_and_are_never_left_out),
	   TEST(an_address_without_a_port_has_the_targets), TEST(a_name_may_have_no_more_than_32),
	   TEST(the_family_that_won_is_preferred_for_ten_minutes))
