#include "inject/files.h"

#include <string.h>

#include "base/linediff.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/inputs.h"
#include "ydoc/ydoc.h"

/* A file that is larger is refused with its own words by the reader: one byte more is enough. */
#define FILE_MAX (YDOC_MAX_BYTES + 1)

#define DIFF_MAX ((size_t)2 << 30)
#define BLOCK 65536

void files_init(struct files *f, struct arena *arena)
{
	*f = (struct files){.arena = arena};
}

void files_fini(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		textedit_fini(&f->list[i].edits);
	files_init(f, f->arena);
}

/* ---- Reading ---- */

static bool make_room(struct files *f)
{
	size_t capacity = f->capacity > 0 ? f->capacity * 2 : 16;
	struct files_one *list;

	if (f->count < f->capacity)
		return true;
	list = arena_get_array(f->arena, capacity, sizeof *list);
	if (list == NULL)
		return false;
	if (f->count > 0)
		memcpy(list, f->list, f->count * sizeof *list);
	f->list = list;
	f->capacity = capacity;
	return true;
}

/* Where the files go, and complaints. */
struct reading {
	struct files *files;
	struct diag *diag;
};

static bool read_one(void *context, const char *path)
{
	const struct reading *r = context;
	struct files *f = r->files;
	struct files_one file = {.path = path, .name = inputs_name(path)};
	struct error e;

	if (!make_room(f))
		return diag_report(r->diag, DIAG_ERROR, "out of memory");
	if (!file_read(f->arena, path, FILE_MAX, &file.text, &e))
		return diag_report(r->diag, DIAG_ERROR, "%s", e.text);
	textedit_init(&file.edits);
	f->list[f->count++] = file;
	return true;
}

bool files_read(struct files *f, const char *const *paths, size_t count, bool is_recursive,
		struct diag *diag)
{
	struct inputs in = {paths, count, is_recursive};
	struct reading r = {f, diag};

	return inputs_visit(&in, f->arena, diag, read_one, &r);
}

/* ---- Writing ---- */

/* Where text goes: a new file, or in blocks to a descriptor. */
struct sink {
	struct newfile *file; /* NULL: the descriptor */
	int fd;
	struct buf block;
	struct error *e;
	bool is_line_end; /* what was written last ends a line, or nothing was written */
	size_t skip;	  /* bytes of the next piece that are left out */
};

static bool flush(struct sink *s)
{
	bool ok = fd_write_all(s->fd, buf_span(&s->block), s->e);

	buf_clear(&s->block);
	return ok;
}

static bool write_piece(void *context, struct span piece)
{
	struct sink *s = context;

	piece = span_from(piece, s->skip);
	s->skip = 0;
	if (piece.len == 0)
		return true;
	s->is_line_end = piece.ptr[piece.len - 1] == '\n';
	if (s->file != NULL)
		return newfile_write(s->file, piece, s->e);
	if (piece.len > BLOCK - s->block.len && !flush(s))
		return false;
	if (piece.len > BLOCK)
		return fd_write_all(s->fd, piece, s->e);
	buf_add(&s->block, piece);
	return !s->block.truncated || error_set(s->e, "out of memory");
}

static struct span without_mark(struct span text)
{
	return span_starts_with(text, SPAN("\xef\xbb\xbf")) ? span_from(text, 3) : text;
}

static bool is_json(struct span text)
{
	size_t i = 0;

	text = without_mark(text);
	while (i < text.len && text.ptr[i] != '\0' && strchr(" \t\r\n", text.ptr[i]) != NULL)
		i++;
	return i < text.len && (text.ptr[i] == '{' || text.ptr[i] == '[');
}

/* Between two files of one stream: a line end and a marker, where they are not there. */
static bool write_between(struct sink *s, const struct files_one *before,
			  const struct files_one *next)
{
	if (before->text.len == 0 || next->text.len == 0)
		return true;
	if (!s->is_line_end && !write_piece(s, SPAN("\n")))
		return false;
	if (span_starts_with(without_mark(next->text), SPAN("---")) ||
	    (is_json(before->text) && is_json(next->text)))
		return true;
	return write_piece(s, SPAN("---\n"));
}

static bool write_all(const struct files *f, struct sink *s)
{
	s->is_line_end = true;
	for (size_t i = 0; i < f->count; i++) {
		const struct files_one *file = &f->list[i];

		if (i > 0 && !write_between(s, file - 1, file))
			return false;
		/* A byte order mark begins a stream; inside it is none. */
		s->skip = i > 0 ? file->text.len - without_mark(file->text).len : 0;
		if (!textedit_write(&file->edits, file->text, write_piece, s))
			return false;
	}
	return true;
}

bool files_write(const struct files *f, int fd, struct error *e)
{
	struct sink s = {.fd = fd, .e = e};
	bool ok;

	buf_init_heap(&s.block, BLOCK);
	ok = write_all(f, &s) && flush(&s);
	buf_fini(&s.block);
	return ok;
}

bool files_write_to(const struct files *f, const char *path, struct error *e)
{
	struct newfile target = {.state = NEWFILE_CLOSED};
	struct sink s = {.file = &target, .e = e};
	bool ok = newfile_open(&target, f->arena, path, e) && write_all(f, &s) &&
		  newfile_finish(&target, e) && newfile_commit(&target, e);

	newfile_abort(&target);
	return ok;
}

/* Under a temporary name. */
static bool prepare(struct files *f, struct files_one *file, struct error *e)
{
	struct sink s = {.file = &file->target, .e = e};

	return newfile_open(&file->target, f->arena, file->path, e) &&
	       textedit_write(&file->edits, file->text, write_piece, &s) &&
	       newfile_finish(&file->target, e);
}

bool files_write_back(struct files *f, struct error *e)
{
	bool ok = true;

	/* A full disk then changes none of them. Files that don't change are left alone. */
	for (size_t i = 0; ok && i < f->count; i++)
		ok = f->list[i].edits.count == 0 || prepare(f, &f->list[i], e);
	for (size_t i = 0; ok && i < f->count; i++)
		ok = f->list[i].edits.count == 0 || newfile_commit(&f->list[i].target, e);
	for (size_t i = 0; i < f->count; i++)
		newfile_abort(&f->list[i].target);
	return ok;
}

bool files_write_diff(const struct files *f, int fd, struct error *e)
{
	struct buf out;
	bool ok = true;

	buf_init_heap(&out, DIFF_MAX);
	for (size_t i = 0; ok && i < f->count; i++) {
		const struct files_one *file = &f->list[i];

		ok = linediff_print(file->text, file->edits.list, file->edits.count, file->path,
				    file->path, &out) ||
		     error_set(e, "out of memory");
	}
	ok = ok && fd_write_all(fd, buf_span(&out), e);
	buf_fini(&out);
	return ok;
}
