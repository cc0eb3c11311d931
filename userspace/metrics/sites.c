/* SPDX-License-Identifier: MIT */
#include "metrics/sites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX 10
#define LINE_SITES 2
#define SITE_COLUMNS 28

static u64 hash(const char *text)
{
	u64 h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (u8)*text) * 0x100000001b3ull;
	return h;
}

int sites_add(struct sites *sites, const char *text, u64 ns)
{
	struct site_figures *site;
	u64 key;

	if (!text || !*text)
		return 0;
	for (key = hash(text); (site = map_get(&sites->map, key)); key++)
		if (!strcmp(site->text, text))
			break;
	if (!site) {
		site = calloc(1, sizeof(*site));
		if (site)
			site->text = strdup(text);
		if (!site || !site->text || map_set(&sites->map, key, site)) {
			if (site)
				free(site->text);
			free(site);
			return -ENOMEM;
		}
	}
	site->waits++;
	site->wait_ns += ns;
	return 0;
}

void sites_free(struct sites *sites)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&sites->map, &i));) {
		struct site_figures *site = slot->value;

		free(site->text);
		free(site);
	}
	map_free(&sites->map);
}

static int by_time(const void *a, const void *b)
{
	const struct site_figures *x = *(struct site_figures *const *)a;
	const struct site_figures *y = *(struct site_figures *const *)b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns < y->wait_ns ? 1 : -1;
	return strcmp(x->text, y->text);
}

struct site_figures **sites_sorted(const struct sites *sites, size_t *n)
{
	struct site_figures **list = malloc((sites->map.len + 1) * sizeof(*list));
	struct map_slot *slot;

	*n = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; (slot = map_next(&sites->map, &i));)
		list[(*n)++] = slot->value;
	qsort(list, *n, sizeof(struct site_figures *), by_time);
	return list;
}

void sites_put_json(const struct sites *sites, const char *key, struct buf *b)
{
	size_t n;
	struct site_figures **list;

	if (!sites->map.len)
		return;
	list = sites_sorted(sites, &n);
	buf_printf(b, ",\"%s\":[", key);
	for (size_t i = 0; list && i < n && i < JSON_MAX; i++) {
		const char *line = list[i]->text;

		buf_puts(b, i ? ",{\"site\":" : "{\"site\":");
		buf_put_json_n(b, line, strcspn(line, "\n"));
		buf_puts(b, ",\"stack\":[");
		for (const char *first = line; *line;) {
			size_t len = strcspn(line, "\n");

			if (line != first)
				buf_putc(b, ',');
			buf_put_json_n(b, line, len);
			line += len + (line[len] == '\n');
		}
		buf_printf(b, "],\"waits\":%" PRIu64 ",\"wait_ns\":%" PRIu64 "}", list[i]->waits,
			   list[i]->wait_ns);
	}
	buf_putc(b, ']');
	free(list);
}

void sites_put_top(const struct sites *sites, struct buf *b)
{
	size_t n = 0;
	struct site_figures **list = sites_sorted(sites, &n);

	if (list && n)
		buf_put_json_n(b, list[0]->text, strcspn(list[0]->text, "\n"));
	else
		buf_puts(b, "null");
	free(list);
}

void sites_put_line(const struct sites *sites, u64 total_ns, struct buf *b)
{
	size_t n, shown = 0;
	struct site_figures **list = sites->map.len ? sites_sorted(sites, &n) : NULL;
	struct sites lines = {0};

	/* By the call site alone: who called that is in the JSON. */
	for (size_t i = 0; list && i < n; i++) {
		char *line = strndup(list[i]->text, strcspn(list[i]->text, "\n"));

		if (line)
			sites_add(&lines, line, list[i]->wait_ns);
		free(line);
	}
	free(list);
	list = sites_sorted(&lines, &n);
	for (; list && shown < n && shown < LINE_SITES; shown++) {
		const char *text = list[shown]->text;
		size_t len = strlen(text), kept = len < SITE_COLUMNS ? len : SITE_COLUMNS;

		/* Not in the middle of a character. */
		while (kept < len && kept && ((u8)text[kept] & 0xc0) == 0x80)
			kept--;
		buf_puts(b, shown ? ", " : "      at ");
		for (size_t i = 0; i < kept; i++)
			buf_putc(b, (u8)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
		buf_puts(b, kept < len ? "..." : "");
		if (total_ns)
			buf_printf(b, " %.0f %%", 100.0 * (double)list[shown]->wait_ns / (double)total_ns);
	}
	free(list);
	sites_free(&lines);
	if (shown)
		buf_putc(b, '\n');
}
