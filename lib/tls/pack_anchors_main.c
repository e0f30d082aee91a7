/*
 * pack-anchors OUT PEM...: a tool of the build. Writes the certificates of all PEM files in the
 * packed form of anchors.h, for embedding. Runs on the machine that builds, not on the target.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "tls/anchors.h"

__attribute__((noreturn)) static void die(const char *file, const char *why)
{
	fprintf(stderr, "pack-anchors: %s: %s\n", file, why);
	exit(1);
}

/* Appends a file, and a line end in case that it lacks one. */
static void add_file(struct buf *text, const char *file)
{
	FILE *f = fopen(file, "rb");
	size_t start = text->len, n;
	char chunk[4096];

	if (f == NULL)
		die(file, strerror(errno));
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(text, span_of(chunk, n));
	if (ferror(f) != 0 || text->truncated)
		die(file, "cannot be read, or is too large");
	fclose(f);
	buf_add_byte(text, '\n');
	/* Among many files, one that has lost its content would not be missed otherwise. */
	if (strstr(text->ptr + start, "-----BEGIN") == NULL)
		die(file, "no certificate in it");
}

/* All files together were refused: complains about the one that is to blame, if it is one. */
__attribute__((noreturn)) static void blame(char **files, const char *why)
{
	for (; *files != NULL; files++) {
		struct buf text;
		struct error e;

		buf_init_heap(&text, ANCHORS_PEM_MAX);
		add_file(&text, *files);
		if (anchors_from_pem(buf_span(&text), &e) == NULL)
			die(*files, e.text);
		buf_fini(&text);
	}
	die("all files together", why);
}

static void write_file(const char *file, struct span bytes)
{
	FILE *f = fopen(file, "wb");

	if (f == NULL || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0)
		die(file, strerror(errno));
}

int main(int argc, char **argv)
{
	struct buf text, packed;
	struct error e;
	struct anchors *a;

	if (argc < 3) {
		fputs("usage: pack-anchors OUT PEM...\n", stderr);
		return 2;
	}
	buf_init_heap(&text, ANCHORS_PEM_MAX);
	buf_init_heap(&packed, 2 * ANCHORS_PEM_MAX);
	for (int i = 2; i < argc; i++)
		add_file(&text, argv[i]);
	a = anchors_from_pem(buf_span(&text), &e);
	if (a == NULL)
		blame(argv + 2, e.text);
	if (anchors_skipped(a) > 0)
		fprintf(stderr, "pack-anchors: left out %zu with a kind of key not supported\n",
			anchors_skipped(a));
	if (!anchors_pack(a, &packed))
		die(argv[1], "too large");
	write_file(argv[1], buf_span(&packed));
	anchors_free(a);
	buf_fini(&packed);
	buf_fini(&text);
	return 0;
}
