#include "proxy/announce.h"

#include "base/buf.h"
#include "sys/fd.h"
#include "sys/log.h"

static void add_address(struct buf *out, const char *what, const struct addr *at)
{
	buf_printf(out, "%s ", what);
	addr_format(at, out);
	buf_add_byte(out, '\n');
}

void announce_to_fd(int fd, const struct control_listen *listen, size_t count,
		    const struct addr *admin)
{
	char storage[(CONTROL_LISTENERS_MAX + 1) * (ADDR_TEXT_MAX + 16)];
	struct buf text;
	struct error e;

	if (fd == -1)
		return;
	BUF_INIT_ARRAY(&text, storage);
	for (size_t i = 0; i < count; i++)
		add_address(&text, listen[i].transparent ? "transparent" : "listener",
			    &listen[i].at);
	if (admin->family != 0)
		add_address(&text, "admin", admin);
	if (!fd_write_all(fd, buf_span(&text), &e))
		log_event(LOG_WARN, "nobody reads the ready descriptor");
	fd_close(&fd);
}

void announce_in_log(const struct view *view, size_t workers, size_t names,
		     const struct control_listen *listen, size_t count, const struct addr *admin)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "serving");
	for (size_t i = 0; i <= count; i++) {
		const struct addr *at = i < count ? &listen[i].at : admin;
		char storage[ADDR_TEXT_MAX];
		struct buf text;

		if (at->family == 0)
			continue;
		BUF_INIT_ARRAY(&text, storage);
		addr_format(at, &text);
		log_text(&line,
			 at == admin		 ? "admin"
			 : listen[i].transparent ? "transparent"
						 : "listen",
			 buf_span(&text));
	}
	log_u64(&line, "workers", workers);
	log_u64(&line, "routes", view_table(view)->route_count);
	log_u64(&line, "names", names);
	log_end(&line);
}
