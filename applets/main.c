/*
 * egressbox: one executable, dispatching on the name it was called by.
 *
 * The name is argv[0]'s last component; called as "egressbox" (or egressbox-ANYTHING) the first
 * argument names the applet. --help and --version are handled here, once for all applets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"
#include "licenses.h"
#include "sys/fd.h"
#include "tls/anchors_embedded.h"
#include "version.h"

#define BOX_NAME "egressbox"

static const struct applet *const applets[] = {
#define X(applet) &applet,
	APPLETS(X)
#undef X
};

#define APPLET_COUNT (sizeof applets / sizeof applets[0])

void applet_complain(const char *name, const char *text)
{
	char storage[2048];
	struct buf line;

	BUF_INIT_ARRAY(&line, storage);
	buf_printf(&line, "%s: %s", name, text);
	if (line.truncated)
		line.len = line.cap - 2;
	buf_add_byte(&line, '\n');
	fd_write_all(STDERR_FILENO, buf_span(&line), &(struct error){0});
}

void applet_emit(struct diag *d, enum diag_level level, const char *text)
{
	static const char *const words[] = {
		[DIAG_NOTE] = "note: ", [DIAG_WARNING] = "warning: ", [DIAG_ERROR] = ""};
	char storage[1200];
	struct buf line;

	BUF_INIT_ARRAY(&line, storage);
	buf_printf(&line, "%s%s", words[level], text);
	applet_complain(d->context, buf_cstr(&line));
}

static const char *first_set(const char *a, const char *b)
{
	return a != NULL && a[0] != '\0' ? a : b;
}

void applet_access_env(struct access *access)
{
	access->kubeconfig_env = getenv("KUBECONFIG");
	access->home = getenv("HOME");
	access->host = getenv("KUBERNETES_SERVICE_HOST");
	access->port = first_set(getenv("KUBERNETES_SERVICE_PORT_HTTPS"),
				 getenv("KUBERNETES_SERVICE_PORT"));
}

static int print(struct span text)
{
	struct error e;

	if (fd_write_all(STDOUT_FILENO, text, &e))
		return APPLET_DONE;
	applet_complain(BOX_NAME, e.text);
	return APPLET_FAILED;
}

static int print_buf(struct buf *text)
{
	int status = print(buf_span(text));

	buf_fini(text);
	return status;
}

static const struct applet *find(const char *name)
{
	for (size_t i = 0; i < APPLET_COUNT; i++)
		if (strcmp(applets[i]->name, name) == 0)
			return applets[i];
	return NULL;
}

static int print_list(void)
{
	struct buf out;

	buf_init_heap(&out, 4096);
	for (size_t i = 0; i < APPLET_COUNT; i++)
		buf_printf(&out, "%s\n", applets[i]->name);
	return print_buf(&out);
}

static int print_version(void)
{
	struct buf out;

	buf_init_heap(&out, 4096);
	buf_printf(&out, "egressbox %s\n", EGRESSBOX_VERSION);
	buf_printf(&out, "BearSSL %s\nlibyaml %s\nmusl %s\n", BEARSSL_VERSION, LIBYAML_VERSION,
		   MUSL_VERSION);
	buf_printf(&out, "CA bundle %s\n", anchors_embedded_date);
	return print_buf(&out);
}

static int print_box_help(void)
{
	struct buf out;

	buf_init_heap(&out, 16384);
	buf_add_cstr(&out, "usage: egressbox APPLET [ARGUMENT]...\n"
			   "   or: APPLET [ARGUMENT]...       through a link of the applet's name\n"
			   "   or: egressbox --list           names of the applets\n"
			   "   or: egressbox --install [-s] DIR\n"
			   "                                  links in DIR, -s symbolic ones\n"
			   "   or: egressbox --version        versions of what is inside\n"
			   "   or: egressbox --licenses       notices of what is inside\n"
			   "   or: egressbox --help [APPLET]  this text, or the applet's manual\n"
			   "\n"
			   "Reaching the world outside a Kubernetes cluster, in one static file.\n"
			   "\n"
			   "applets:\n");
	for (size_t i = 0; i < APPLET_COUNT; i++)
		buf_printf(&out, "  %-16s %s\n", applets[i]->name, applets[i]->summary);
	buf_add_cstr(&out, "\nexit status:\n"
			   "  0    done\n"
			   "  1    failed, or \"no\"\n"
			   "  2    usage or configuration\n"
			   "  127  no such applet\n");
	return print_buf(&out);
}

static int print_manual(const struct applet *applet)
{
	struct buf out;

	buf_init_heap(&out, 65536);
	opt_print_manual(applet->manual, applet->name, &out);
	return print_buf(&out);
}

static int not_found(const char *name)
{
	char storage[256];
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	buf_add_cstr(&text, "no such applet: \"");
	buf_add_escaped(&text, span_from_cstr(name), 64);
	buf_add_cstr(&text, "\" (egressbox --list names them)");
	applet_complain(BOX_NAME, buf_cstr(&text));
	return APPLET_NOT_FOUND;
}

/* Is `path` this very file already? Then there is nothing to do. */
static bool is_same_file(const char *path, const char *self)
{
	struct stat a, b;

	return stat(path, &a) == 0 && stat(self, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static bool install_one(const char *self, const char *dir, const char *name, bool symbolic,
			struct error *e)
{
	char storage[4096];
	struct buf path;

	BUF_INIT_ARRAY(&path, storage);
	buf_printf(&path, "%s/%s", dir, name);
	if (path.truncated)
		return error_set(e, "%s: the path is too long", dir);
	if (is_same_file(path.ptr, self))
		return true;
	if ((symbolic ? symlink(self, path.ptr) : link(self, path.ptr)) == 0)
		return true;
	return error_set_sys(e, "cannot install %s", path.ptr);
}

/* Everything that can be linked is; what is in the way is named, left alone, and makes it fail. */
static int install(int argc, char **argv)
{
	bool symbolic = argc > 0 && strcmp(argv[0], "-s") == 0;
	int status = APPLET_DONE;
	char self[4096];
	ssize_t len;
	struct error e;

	argc -= symbolic;
	argv += symbolic;
	if (argc != 1) {
		applet_complain(BOX_NAME, "--install: expected [-s] DIR");
		return APPLET_USAGE;
	}
	len = readlink("/proc/self/exe", self, sizeof self - 1);
	if (len < 0) {
		error_set_sys(&e, "--install: cannot tell where this file is (/proc/self/exe)");
		applet_complain(BOX_NAME, e.text);
		return APPLET_FAILED;
	}
	self[len] = '\0';
	for (size_t i = 0; i < APPLET_COUNT; i++) {
		if (install_one(self, argv[0], applets[i]->name, symbolic, &e))
			continue;
		applet_complain(BOX_NAME, e.text);
		status = APPLET_FAILED;
	}
	return status;
}

/* `argv[0]` is the applet's name. Help and version win wherever they stand before a "--". */
static int run_applet(const struct applet *applet, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return print_manual(applet);
		if (strcmp(argv[i], "--version") == 0)
			return print_version();
	}
	return applet->run(argc, argv);
}

static int run_box(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "--help";
	const struct applet *applet;

	if (strcmp(word, "--list") == 0)
		return print_list();
	if (strcmp(word, "--version") == 0)
		return print_version();
	if (strcmp(word, "--licenses") == 0)
		return print(span_of(licenses_text, licenses_text_size));
	if (strcmp(word, "--install") == 0)
		return install(argc - 2, argv + 2);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		if (argc < 3)
			return print_box_help();
		applet = find(argv[2]);
		return applet != NULL ? print_manual(applet) : not_found(argv[2]);
	}
	applet = find(word);
	return applet != NULL ? run_applet(applet, argc - 1, argv + 1) : not_found(word);
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = argc == 0 ? BOX_NAME : slash != NULL ? slash + 1 : argv[0];
	const struct applet *applet = find(name);

	if (applet != NULL)
		return run_applet(applet, argc, argv);
	if (strncmp(name, BOX_NAME, sizeof BOX_NAME - 1) == 0)
		return run_box(argc, argv);
	return not_found(name);
}
