/*
 * replay: runs a fuzz target over the files of its corpus, so that each is an ordinary test.
 *
 *   fuzz_STEM PATH...     a file, or a directory: all files in it, in the order of their names
 *
 * Each input ends flush against an unreadable page. Prints "ok NAME" for each; an input that is
 * mishandled ends the program, and its name was printed before to standard error.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path, const char *what)
{
	printf("not ok %s: %s\n", path, what);
	exit(1);
}

static void replay_file(const char *path)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t size, room;
	uint8_t *map, *data;

	if (fd == -1 || fstat(fd, &st) == -1)
		fail(path, "cannot be opened");
	size = (size_t)st.st_size;
	room = (size + page - 1) / page * page + page;
	map = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + room - page, page, PROT_NONE) == -1)
		fail(path, "no memory");
	data = map + room - page - size;
	if (read(fd, data, size) != (ssize_t)size)
		fail(path, "cannot be read");
	close(fd);

	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	munmap(map, room);
	printf("ok %s\n", path);
	fflush(stdout);
}

static void replay_dir(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	char name[4096];

	if (count == -1)
		fail(path, "cannot be listed");
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
			replay_file(name);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	struct stat st;

	for (int i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == -1)
			fail(argv[i], "is not there");
		else if (S_ISDIR(st.st_mode))
			replay_dir(argv[i]);
		else
			replay_file(argv[i]);
	}
	return 0;
}
