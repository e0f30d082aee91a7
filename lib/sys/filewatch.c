#include "sys/filewatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/span.h"
#include "sys/fd.h"
#include "sys/file.h"

#define MASK                                                                                       \
	(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF |   \
	 IN_MOVE_SELF | IN_ONLYDIR)

/* Of the places and their texts. */
#define MEMORY_MAX ((size_t)64 << 20)

struct filewatch_place {
	struct filewatch_place *next;
	int wd;
	const char *dir;
	struct span name; /* empty: all that a directory is read for */
};

/* Watches `dir`; of what happens in it, `name` matters. Both live in the arena, or longer. */
static bool add_place(struct filewatch *w, const char *dir, struct span name, struct error *e)
{
	struct filewatch_place *place = arena_get(&w->arena, sizeof *place);

	if (place == NULL)
		return error_set(e, "out of memory");
	*place = (struct filewatch_place){w->places, inotify_add_watch(w->fd, dir, MASK), dir,
					  name};
	if (place->wd != -1) {
		w->places = place;
		return true;
	}
	error_set_sys(e, "cannot be watched");
	return error_prefix_path(e, dir);
}

static struct span without_slashes(struct span path)
{
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

/*
 * Watches the directory that `path` is in, for path's name. When there is no such directory, the
 * one that it will be made in.
 */
static bool add_parent(struct filewatch *w, struct span path, struct error *e)
{
	for (;;) {
		struct span dir = SPAN("."), name, copy;
		size_t slash;

		path = without_slashes(path);
		slash = span_rfind(path, '/');
		name = slash == SIZE_MAX ? path : span_from(path, slash + 1);
		if (slash != SIZE_MAX)
			dir = span_first(path, slash > 0 ? slash : 1);
		if (!arena_copy(&w->arena, dir, &copy))
			return error_set(e, "out of memory");
		if (add_place(w, copy.ptr, name, e))
			return true;
		if ((errno != ENOENT && errno != ENOTDIR) || slash == SIZE_MAX || slash == 0)
			return false;
		path = dir;
	}
}

/* Also what is at the end of links, which may be changed where it is. */
static bool add_file(struct filewatch *w, const char *path, struct error *e)
{
	char real[PATH_MAX];
	struct span copy;

	if (!add_parent(w, span_from_cstr(path), e))
		return false;
	if (realpath(path, real) == NULL || strcmp(path, real) == 0)
		return true;
	return arena_copy(&w->arena, span_from_cstr(real), &copy) ? add_parent(w, copy, e)
								  : error_set(e, "out of memory");
}

static bool is_link(const char *path)
{
	char unused;

	return readlink(path, &unused, 1) >= 0;
}

static bool add_input(struct filewatch *w, const char *path, struct error *e)
{
	struct span *found = NULL;
	size_t count = 0;
	bool ok = add_file(w, path, e);

	if (!ok || !file_is_dir(path))
		return ok;
	ok = add_place(w, path, SPAN(""), e) &&
	     file_list_dir(&w->arena, path, inputs_suffixes, &found, &count, e);
	for (size_t i = 0; ok && i < count; i++)
		ok = !is_link(found[i].ptr) || add_file(w, found[i].ptr, e);
	return ok;
}

bool filewatch_open(struct filewatch *w, const struct inputs *in, struct error *e)
{
	bool ok = true;

	*w = (struct filewatch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
	if (w->fd == -1)
		return error_set_sys(e, "no file can be watched");
	arena_init(&w->arena, MEMORY_MAX);
	for (size_t i = 0; ok && i < in->count; i++)
		ok = add_input(w, in->paths[i], e);
	if (!ok)
		filewatch_close(w);
	return ok;
}

bool filewatch_add(struct filewatch *w, const char *path, struct error *e)
{
	struct span copy;

	return arena_copy(&w->arena, span_from_cstr(path), &copy) ? add_file(w, copy.ptr, e)
								  : error_set(e, "out of memory");
}

static bool stat_in(const struct filewatch_place *place, struct span name, struct stat *st,
		    int flags)
{
	char path[PATH_MAX];
	struct buf b;

	BUF_INIT_ARRAY(&b, path);
	buf_add_cstr(&b, place->dir);
	buf_add_byte(&b, '/');
	buf_add(&b, name);
	return fstatat(AT_FDCWD, path, st, flags) == 0;
}

/* A file that is only just made will be written to, and closed; not so a link to one that is. */
static bool is_half_made(const struct filewatch_place *place, struct span name)
{
	struct stat st;

	return stat_in(place, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	       st.st_nlink == 1;
}

static bool is_read(const struct filewatch_place *place, struct span name)
{
	bool ok = false;

	if (place->name.len > 0)
		return span_eq(place->name, name);
	for (const char *const *suffix = inputs_suffixes; *suffix != NULL; suffix++)
		ok = ok || span_ends_with(name, span_from_cstr(*suffix));
	return ok;
}

static bool matters(const struct filewatch *w, const struct inotify_event *event)
{
	struct span name;

	/* The directory itself has gone, or events have been lost. */
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_Q_OVERFLOW)) != 0)
		return true;
	if (event->len == 0)
		return false;
	name = span_from_cstr(event->name);
	for (const struct filewatch_place *p = w->places; p != NULL; p = p->next)
		if (p->wd == event->wd &&
		    (is_read(p, name) ||
		     /* The `..data` of a ConfigMap, through which the links there lead. */
		     span_starts_with(name, SPAN(".."))) &&
		    ((event->mask & IN_CREATE) == 0 || !is_half_made(p, name)))
			return true;
	return false;
}

bool filewatch_has_changed(struct filewatch *w)
{
	_Alignas(struct inotify_event) char events[4096];
	bool changed = false;
	ssize_t n;

	while ((n = read(w->fd, events, sizeof events)) > 0)
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *event = (const void *)at;

			changed = changed || matters(w, event);
			at += sizeof *event + event->len;
		}
	return changed;
}

/* A directory that is itself read, or has a file in it that is; not one that is only watched. */
static bool holds_files(const struct filewatch_place *p)
{
	struct stat st;

	return p->name.len == 0 || (stat_in(p, p->name, &st, 0) && S_ISREG(st.st_mode));
}

void filewatch_visit_dirs(const struct filewatch *w, void (*visit)(void *context, const char *dir),
			  void *context)
{
	for (const struct filewatch_place *p = w->places; p != NULL; p = p->next)
		if (holds_files(p))
			visit(context, p->dir);
}

void filewatch_close(struct filewatch *w)
{
	if (w->fd == -1)
		return;
	fd_close(&w->fd);
	arena_fini(&w->arena);
	w->places = NULL;
}
