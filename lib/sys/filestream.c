#include "sys/filestream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/fd.h"

const char *filestream_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static bool open_path(const char *path, int *fd, struct error *e)
{
	struct stat st;

	*fd = STDIN_FILENO;
	if (strcmp(path, "-") == 0)
		return true;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd == -1) {
		error_set_sys(e, "cannot be opened");
		return error_prefix_path(e, path);
	}
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fd_close(fd);
		error_set(e, "is a directory");
		return error_prefix_path(e, path);
	}
	return true;
}

static bool read_pieces(int fd, const char *path, char *room,
			bool (*take)(void *context, struct span piece, struct error *e),
			void *context, struct error *e)
{
	for (;;) {
		ssize_t n = read(fd, room, FILESTREAM_PIECE);

		if (n == 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_sys(e, "cannot be read");
			return error_prefix_path(e, filestream_name(path));
		}
		if (!take(context, span_of(room, (size_t)n), e))
			return false;
	}
}

bool filestream_read(const char *path,
		     bool (*take)(void *context, struct span piece, struct error *e), void *context,
		     struct error *e)
{
	char *room = alloc_get(FILESTREAM_PIECE);
	bool ok = false;
	int fd = -1;

	if (room == NULL)
		error_set(e, "out of memory");
	else if (open_path(path, &fd, e))
		ok = read_pieces(fd, path, room, take, context, e);
	if (fd != STDIN_FILENO)
		fd_close(&fd);
	alloc_put(room);
	return ok;
}
