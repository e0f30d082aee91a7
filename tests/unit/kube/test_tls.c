#include "../unit.h"

#include "../ydoc/collect.h"
#include "kube/tls.h"

/* What was read, one "name value" each, or "-"; then the complaints. */
static void read_annotations(const char *text, struct buf *out)
{
	const struct kube_tls *tls = NULL;
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct arena arena;
	struct collect c;
	struct ykeys_context context = {&c.diag, "f", NULL};

	collect_init(&c);
	arena_init(&arena, 1 << 20);
	ydoc_reader_init(&reader, "f", span_from_cstr(text), &c.diag);
	CHECK_ROW(text, ydoc_reader_next(&reader, &root));
	CHECK_ROW(text, kube_tls_read(&context, root, &arena, &tls));
	/* What is kept must not live in the document. */
	ydoc_reader_fini(&reader);
	if (tls == NULL) {
		buf_add_byte(out, '-');
	} else {
		if (tls->ca.path.ptr != NULL)
			buf_printf(out, "ca %s ", tls->ca.path.ptr);
		if (tls->cert.path.ptr != NULL)
			buf_printf(out, "cert %s %u:%u ", tls->cert.path.ptr, tls->cert.pos.line,
				   tls->cert.pos.col);
		if (tls->key.path.ptr != NULL)
			buf_printf(out, "key %s ", tls->key.path.ptr);
		if (tls->sni.len > 0)
			buf_printf(out, "sni %s ", tls->sni.ptr);
		if (tls->names.len > 0)
			buf_printf(out, "names %s ", tls->names.ptr);
		if (tls->is_unverified)
			buf_add_cstr(out, "unverified ");
	}
	buf_add_byte(out, '\n');
	buf_add(out, buf_span(&c.text));
	arena_fini(&arena);
}

#define OURS "egressbox.io/tls-"

static const struct {
	const char *text, *expected;
} rows[] = {
	{"{a: b, egressbox.io/inject: \"true\"}", "-\n"},
	{OURS "ca-file: /a", "ca /a \n"},
	{OURS "cert-file: /a\n" OURS "key-file: /b", "cert /a 1:29 key /b \n"},
	{OURS "sni: A.test.", "sni A.test \n"},
	{OURS "names: \"a.test, 10.0.0.1 ,::1,b.test.\"", "names a.test,10.0.0.1,::1,b.test \n"},
	{OURS "verify: \"true\"", "\n"},
	{OURS "min-version: \"1.2\"", "\n"},
	{"x: &x {" OURS "ca-file: /a}\n<<: *x", "ca /a \n"},

	{OURS "verify: \"false\"", "unverified \nwarning: f:1:26: " OURS
				   "verify: the host is NOT verified: anybody on the way can read "
				   "and change everything\n"},
	{OURS "min-version: \"1.0\"",
	 "\nwarning: f:1:31: " OURS "min-version: is taken as 1.2: nothing older is spoken\n"},

	{OURS "ca-file: a.pem",
	 "\nf:1:27: " OURS "ca-file: \"a.pem\": expected an absolute path\n"},
	{OURS "cert-file: /a",
	 "cert /a 1:29 \nf:1:29: " OURS "cert-file: needs " OURS "key-file as well\n"},
	{OURS "key-file: /a",
	 "key /a \nf:1:28: " OURS "key-file: needs " OURS "cert-file as well\n"},
	{OURS "sni: 10.0.0.1", "\nf:1:23: " OURS "sni: \"10.0.0.1\": looks like an IP address\n"},
	{OURS "names: a.test,*.b.test",
	 "\nf:1:25: " OURS "names: \"a.test,*.b.test\": expected DNS names and IP "
	 "addresses, separated by commas\n"},
	{OURS "names: a.test,,b.test",
	 "\nf:1:25: " OURS "names: \"a.test,,b.test\": expected DNS names and IP "
	 "addresses, separated by commas\n"},
	{OURS "min-version: \"1.3\"",
	 "\nf:1:31: " OURS "min-version: \"1.3\": TLS 1.2 is the newest that is "
	 "spoken\n"},
	{OURS "min-version: \"12\"", "\nf:1:31: " OURS "min-version: \"12\": expected 1.2\n"},
	{OURS "verify: \"no\"", "\nf:1:26: " OURS "verify: \"no\": expected true or false\n"},
	{OURS "verify: false",
	 "-\nf:1:26: " OURS "verify: expected text, found true or false: put it in quotes\n"},
	{OURS "vrfy: \"true\"",
	 "-\nf:1:1: \"" OURS "vrfy\" is not known: expected ca-file, cert-file, key-file, "
	 "sni, names, min-version or verify behind " OURS "\nwarning: f:1:1: unknown key \"" OURS
	 "vrfy\": did you mean " OURS "verify\n"},
};

static void reads_what_annotations_say(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char storage[4096];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		read_annotations(rows[i].text, &out);
		if (strcmp(buf_cstr(&out), rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  buf_cstr(&out), rows[i].expected);
	}
}

UNIT_TESTS(TEST(reads_what_annotations_say))
