/* SPDX-License-Identifier: MIT */
/*
 * Any line as a record: the parser never crashes, and what it takes comes back equal after printing
 * and parsing, and after the binary form.
 */
#include <stdlib.h>
#include <string.h>

#include "trace/fields.h"
#include "trace/format.h"
#include "trace/text.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct buf strings = BUF_INIT, again_strings = BUF_INIT, bytes = BUF_INIT;
	struct record rec, again;
	struct error err;
	char *line = malloc(size + 1);

	if (!line)
		abort();
	if (size)
		memcpy(line, data, size);
	line[size] = '\0';
	if (text_parse(line, &rec, &strings, &err) > 0) {
		struct buf printed = BUF_INIT;
		u64 last = 0;
		bool known = false;

		text_print(&printed, &rec);
		if (text_parse(printed.data, &again, &again_strings, &err) != 1 ||
		    !record_equal(&rec, &again))
			abort();
		record_encode(&bytes, &rec, &last);
		last = 0;
		if (record_decode((const u8 *)bytes.data, bytes.len, &again, &last, &known) !=
			    (ssize_t)bytes.len || !known || !record_equal(&rec, &again))
			abort();
		buf_free(&printed);
	}
	buf_free(&strings);
	buf_free(&again_strings);
	buf_free(&bytes);
	free(line);
	return 0;
}
