/*
 * fuzz_objstream: a list or a watch in pieces gives the same objects as in one, and what is kept of
 * an object is JSON. The first byte says which of the two.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "kubeapi/objstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool on_token(void *context, const struct jsonr_token *token, struct error *e)
{
	(void)e;
	*(unsigned *)context += token->event == JSONR_DOCUMENT_END;
	return true;
}

/* One whole document. */
static void expect_json(struct span text)
{
	unsigned documents = 0;
	struct jsonr r;
	struct error e;

	jsonr_init(&r, on_token, &documents);
	expect(jsonr_feed(&r, text, &e) && jsonr_end(&r, &e) && documents == 1);
	jsonr_fini(&r);
}

static bool on_object(void *context, const struct objstream_object *object, struct error *e)
{
	uint64_t *hash = context;

	(void)e;
	if (object->json.len > 0)
		expect_json(object->json);
	*hash = hash_u64(hash_span(*hash, object->json), object->type);
	*hash = hash_span(hash_span(*hash, object->name), object->namespace);
	*hash = hash_u64(hash_span(*hash, object->version), object->code);
	return true;
}

static uint64_t read_all(bool is_list, struct span text, size_t step)
{
	uint64_t hash = HASH_INIT;
	struct error e = {""};
	struct objstream s;
	bool ok = true;

	objstream_init(&s, is_list, SPAN("\"kind\":\"K\""), on_object, &hash);
	for (size_t at = 0; ok && at < text.len; at += step)
		ok = objstream_feed(&s, span_first(span_from(text, at), step), &e);
	ok = ok && objstream_end(&s, &e);
	expect(ok || e.text[0] != '\0');
	if (ok)
		hash = hash_span(hash_span(hash, objstream_version(&s)), objstream_token(&s));
	objstream_fini(&s);
	return hash_u64(hash, ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_from(span_of(data, size), 1);
	bool is_list = size > 0 && (data[0] & 1) != 0;

	expect(read_all(is_list, text, 1) == read_all(is_list, text, size + 1));
	return 0;
}
