/*
 * fuzz_dnsmsg: whatever comes in reply to a question, the answer agrees with itself; and a question
 * can be asked for any name that is taken as one, and is recognised in its answer.
 *
 * The first byte chooses the question for www.example.com with id 0x1234: 1 AAAA, 2 without EDNS, 4
 * capitals at will. The rest is the message.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dns/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_answer(const struct dnsmsg_query *q, enum dnsmsg_result result,
			 const struct dnsmsg_answer *a)
{
	bool has_problem = result == DNSMSG_MALFORMED || result == DNSMSG_MISMATCH;

	expect((a->problem != NULL) == has_problem);
	expect((result == DNSMSG_OK) == (a->addr_count > 0));
	expect(a->addr_count <= DNSMSG_MAX_ADDRS && a->ttl_s <= INT32_MAX);
	expect(!a->has_ttl || result <= DNSMSG_NODATA);
	expect(a->has_ttl || a->ttl_s == 0);
	expect(result != DNSMSG_OK || a->has_ttl);
	expect(result != DNSMSG_NOEDNS || q->edns);
	expect(result != DNSMSG_CASE_LOST || q->exact_case);
	for (unsigned i = 0; i < a->addr_count; i++)
		expect(a->addrs[i].family == (q->type == DNSMSG_A ? 4 : 6));
}

static void check_question(struct span name)
{
	uint8_t random[DNSMSG_CASE_BYTES] = {0xa5, 0x5a, 0xff};
	uint8_t message[DNSMSG_QUERY_MAX];
	struct dnsmsg_query q;
	struct dnsmsg_answer a;
	size_t len;

	if (!dnsmsg_query_init(&q, name, DNSMSG_A, 7))
		return;
	dnsmsg_query_mix_case(&q, random);
	len = dnsmsg_query_write(&q, message);
	expect(len <= sizeof message);
	expect(dnsmsg_read(&q, span_of(message, len), &a) == DNSMSG_MISMATCH);
	message[2] |= 0x80;
	expect(dnsmsg_read(&q, span_of(message, len), &a) == DNSMSG_NODATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t random[DNSMSG_CASE_BYTES] = {0};
	struct dnsmsg_query q;
	struct dnsmsg_answer a;
	struct span message;

	if (size == 0)
		return 0;
	message = span_of(data + 1, size - 1);
	expect(dnsmsg_query_init(&q, SPAN("www.example.com"),
				 (data[0] & 1) != 0 ? DNSMSG_AAAA : DNSMSG_A, 0x1234));
	q.edns = (data[0] & 2) == 0;
	if ((data[0] & 4) == 0)
		dnsmsg_query_mix_case(&q, random);
	check_answer(&q, dnsmsg_read(&q, message, &a), &a);
	check_question(message);
	return 0;
}
