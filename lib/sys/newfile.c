#include "sys/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

/* Pieces are gathered up to this size; larger ones are written from where they are. */
#define GATHERED_MAX ((size_t)65536)
/* As the kernel does it. */
#define LINKS_MAX 40
/* Of the target's name in the temporary one, so that the whole stays within NAME_MAX (255). */
#define NAME_SHOWN 200
/* Another name is tried when one is taken. With 64 random bits once is much. */
#define NAMES_TRIED 8

/* The directory with its slash, or nothing. */
static struct span dir_part(struct span path)
{
	return span_first(path, span_rfind(path, '/') + 1);
}

static bool is_on_proc(const struct stat *st)
{
	struct stat proc;

	return stat("/proc", &proc) == 0 && proc.st_dev == st->st_dev;
}

/* Where the link at `path` leads, one step, in the arena. */
static const char *follow_link(struct arena *a, const char *path)
{
	struct span dir = dir_part(span_from_cstr(path)), to;
	char link[4096]; /* PATH_MAX: the kernel makes no longer one */
	ssize_t len = readlink(path, link, sizeof link);
	char *next;
	struct buf b;

	if (len < 0)
		return NULL;
	to = span_of(link, (size_t)len);
	if (span_starts_with(to, SPAN("/")))
		dir.len = 0;
	next = arena_get(a, dir.len + to.len + 1);
	if (next == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	buf_init(&b, next, dir.len + to.len + 1);
	buf_add(&b, dir);
	buf_add(&b, to);
	return next;
}

/*
 * The place to which links lead, or NULL with errno. The last part only: the kernel follows those
 * in front of it. *is_open_file: a link in /proc, which is no place.
 */
static const char *resolve(struct arena *a, const char *path, bool *is_open_file)
{
	struct stat st;

	*is_open_file = false;
	for (int links = 0; lstat(path, &st) == 0 && S_ISLNK(st.st_mode); links++) {
		*is_open_file = is_on_proc(&st);
		if (*is_open_file)
			return path;
		if (links == LINKS_MAX) {
			errno = ELOOP;
			return NULL;
		}
		path = follow_link(a, path);
		if (path == NULL)
			return NULL;
	}
	return path;
}

/* DIR/.NAME.RANDOM.tmp: hidden, so that no one who lists the directory takes it for a file. */
static bool temp_name(struct arena *a, struct span target, const char **out, struct error *e)
{
	struct span dir = dir_part(target);
	struct span name = span_first(span_from(target, dir.len), NAME_SHOWN);
	size_t size = dir.len + name.len + sizeof "..0123456789abcdef.tmp";
	char *storage = arena_get(a, size);
	uint64_t random;
	struct buf b;

	if (storage == NULL)
		return error_set(e, "out of memory");
	/* Up to 256 bytes come whole or not at all. */
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return error_set_sys(e, "cannot be written: no random name");
	buf_init(&b, storage, size);
	buf_add(&b, dir);
	buf_add_byte(&b, '.');
	buf_add(&b, name);
	buf_add_byte(&b, '.');
	buf_add_hex(&b, random);
	buf_add(&b, SPAN(".tmp"));
	*out = storage;
	return true;
}

static bool open_temp(struct newfile *f, struct arena *a, mode_t mode, struct error *e)
{
	for (int i = 0; i < NAMES_TRIED; i++) {
		if (!temp_name(a, span_from_cstr(f->target), &f->temp, e))
			return false;
		f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (f->fd != -1)
			return true;
		if (errno != EEXIST)
			break;
	}
	return error_set_sys(e, "cannot be written: no file can be made beside it");
}

/* Owner first, since a change of owner takes set-id bits away. */
static bool keep_rights(int fd, const struct stat *old, struct error *e)
{
	mode_t mode = old->st_mode & 07777;
	struct stat now;

	if (fstat(fd, &now) != 0)
		return error_set_sys(e, "cannot be written");
	if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid) != 0) {
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
		/* The group alone is ours to give when we are in it. */
		if (now.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid) != 0)
			mode &= ~(mode_t)S_IRWXG | (mode & S_IRWXO) << 3;
	}
	if (fchmod(fd, mode) != 0)
		return error_set_sys(e, "cannot be given the permissions of the old file");
	return true;
}

static bool open_directly(struct newfile *f, struct error *e)
{
	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	return f->fd != -1 || error_set_sys(e, "cannot be opened");
}

static bool open_for(struct newfile *f, struct arena *a, struct error *e)
{
	struct stat old;
	struct span dir;
	bool exists = stat(f->path, &old) == 0, is_open_file;

	if (exists && S_ISDIR(old.st_mode))
		return error_set(e, "is a directory");
	if (exists && !S_ISREG(old.st_mode))
		return open_directly(f, e);
	if (!exists && errno != ENOENT)
		return error_set_sys(e, "cannot be opened");
	f->target = resolve(a, f->path, &is_open_file);
	if (f->target == NULL)
		return errno == ENOMEM ? error_set(e, "out of memory")
				       : error_set_sys(e, "cannot be opened");
	if (is_open_file)
		return open_directly(f, e);
	dir = dir_part(span_from_cstr(f->target));
	if (dir.len == strlen(f->target))
		return error_set(e, "names no file");
	if (!arena_copy(a, dir.len > 0 ? dir : SPAN("."), &dir))
		return error_set(e, "out of memory");
	f->dir = dir.ptr;
	/* What was readable to few is not readable to more in between. */
	if (!open_temp(f, a, exists ? 0600 : 0666, e))
		return false;
	return !exists || keep_rights(f->fd, &old, e);
}

bool newfile_open(struct newfile *f, struct arena *a, const char *path, struct error *e)
{
	struct span copy;

	*f = (struct newfile){.fd = -1, .path = path};
	if (!arena_copy(a, span_from_cstr(path), &copy)) {
		error_set(e, "out of memory");
		return error_prefix_path(e, path);
	}
	f->path = copy.ptr;
	if (!open_for(f, a, e)) {
		if (f->fd != -1 && f->temp != NULL)
			unlink(f->temp);
		fd_close(&f->fd);
		return error_prefix_path(e, path);
	}
	buf_init_heap(&f->unwritten, GATHERED_MAX);
	f->state = NEWFILE_OPEN;
	return true;
}

static bool flush(struct newfile *f, struct error *e)
{
	if (!fd_write_all(f->fd, buf_span(&f->unwritten), e))
		return error_prefix_path(e, f->path);
	buf_clear(&f->unwritten);
	return true;
}

bool newfile_write(struct newfile *f, struct span bytes, struct error *e)
{
	if (bytes.len > GATHERED_MAX - f->unwritten.len && !flush(f, e))
		return false;
	if (bytes.len >= GATHERED_MAX)
		return fd_write_all(f->fd, bytes, e) || error_prefix_path(e, f->path);
	buf_add(&f->unwritten, bytes);
	if (!f->unwritten.truncated)
		return true;
	error_set(e, "out of memory");
	return error_prefix_path(e, f->path);
}

/* EINVAL: the file system has nothing to bring to a disk. */
static bool sync_fd(int fd)
{
	int result;

	do {
		result = fsync(fd);
	} while (result != 0 && errno == EINTR);
	return result == 0 || errno == EINVAL;
}

bool newfile_finish(struct newfile *f, struct error *e)
{
	int fd = f->fd;

	if (!flush(f, e))
		return false;
	buf_fini(&f->unwritten);
	if (f->temp != NULL && !sync_fd(fd)) {
		error_set_sys(e, "cannot write");
		return error_prefix_path(e, f->path);
	}
	f->fd = -1;
	/* Some file systems report a failed write no earlier. Linux closes even at EINTR. */
	if (close(fd) != 0 && errno != EINTR) {
		error_set_sys(e, "cannot write");
		return error_prefix_path(e, f->path);
	}
	f->state = NEWFILE_FINISHED;
	return true;
}

/* So that the new name is still there after a power cut. */
static bool sync_dir(const struct newfile *f, struct error *e)
{
	int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	/* One that may be written but not read can't be asked to. */
	if (fd == -1 && errno == EACCES)
		return true;
	ok = fd != -1 && sync_fd(fd);
	if (!ok)
		error_set_sys(e, "is replaced, but its directory cannot be synced");
	fd_close(&fd);
	return ok || error_prefix_path(e, f->path);
}

bool newfile_commit(struct newfile *f, struct error *e)
{
	if (f->temp != NULL && rename(f->temp, f->target) != 0) {
		error_set_sys(e, "cannot be replaced");
		return error_prefix_path(e, f->path);
	}
	f->state = NEWFILE_CLOSED;
	return f->temp == NULL || sync_dir(f, e);
}

void newfile_abort(struct newfile *f)
{
	int error_number = errno;

	if (f->state == NEWFILE_CLOSED)
		return;
	fd_close(&f->fd);
	buf_fini(&f->unwritten);
	if (f->temp != NULL)
		unlink(f->temp);
	f->state = NEWFILE_CLOSED;
	errno = error_number;
}
