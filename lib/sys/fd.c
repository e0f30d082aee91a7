#include "sys/fd.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int error_number = errno;

	/* Not repeated after EINTR: Linux has released the descriptor by then. */
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = error_number;
}

bool fd_write_all(int fd, struct span bytes, struct error *e)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n > 0)
			bytes = span_from(bytes, (size_t)n);
		else if (n == 0)
			return error_set(e, "cannot write: nothing was taken");
		else if (errno != EINTR)
			return error_set_sys(e, "cannot write");
	}
	return true;
}

size_t fd_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024; /* what every kernel starts with */
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur < SIZE_MAX ? (size_t)limit.rlim_cur : SIZE_MAX;
}
