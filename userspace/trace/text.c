/* SPDX-License-Identifier: MIT */
#include "trace/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "trace/fields.h"
#include "trace/syscall.h"

/* ---- printing ---- */

static void put_string(struct buf *buf, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strlen(text);

	buf_putc(buf, '"');
	for (size_t i = 0; i < len;) {
		int n = utf8_sequence(s + i, len - i);

		if (s[i] == '"' || s[i] == '\\') {
			buf_putc(buf, '\\');
			buf_putc(buf, (char)s[i]);
		} else if (s[i] == '\n') {
			buf_puts(buf, "\\n");
		} else if (s[i] == '\t') {
			buf_puts(buf, "\\t");
		} else if (n > 1 || (n == 1 && s[i] >= 0x20 && s[i] != 0x7f)) {
			buf_put(buf, text + i, (size_t)n);
			i += (size_t)n;
			continue;
		} else {
			buf_printf(buf, "\\x%02x", s[i]);
		}
		i++;
	}
	buf_putc(buf, '"');
}

static void put_flags(struct buf *buf, const char *const *names, u32 flags)
{
	bool first = true;

	for (int bit = 0; flags; bit++, names += *names != NULL) {
		if (!(flags & 1u << bit))
			continue;
		flags &= ~(1u << bit);
		if (!first)
			buf_putc(buf, '|');
		first = false;
		if (*names)
			buf_puts(buf, *names);
		else
			buf_printf(buf, "bit%d", bit);
	}
}

static size_t names_count(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

static void put_field(struct buf *buf, const struct field *f, const void *at)
{
	u64 number = 0;

	switch (f->type) {
	case FIELD_STRING:
		if (!**(const char *const *)at)
			return;
		buf_printf(buf, " %s=", f->name);
		put_string(buf, *(const char *const *)at);
		return;
	case FIELD_CALL: {
		s16 nr = *(const s16 *)at;

		if (nr == -1)
			return;
		if (syscall_name(nr))
			buf_printf(buf, " %s=%s", f->name, syscall_name(nr));
		else
			buf_printf(buf, " %s=%d", f->name, nr);
		return;
	}
	case FIELD_ARGS: {
		const u64 *args = at;

		if (args[0] | args[1] | args[2] | args[3])
			buf_printf(buf, " %s=0x%" PRIx64 ",0x%" PRIx64 ",0x%" PRIx64 ",0x%" PRIx64,
				   f->name, args[0], args[1], args[2], args[3]);
		return;
	}
	case FIELD_U64:
	case FIELD_HEX:
		number = *(const u64 *)at;
		break;
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_STATE:
	case FIELD_FLAGS32:
		number = *(const u32 *)at;
		break;
	default:
		number = *(const u8 *)at;
	}
	if (!number)
		return;
	buf_printf(buf, " %s=", f->name);
	if (f->type == FIELD_S32)
		buf_printf(buf, "%" PRId32, (s32)number);
	else if (f->type == FIELD_HEX || f->type == FIELD_STATE)
		buf_printf(buf, "0x%" PRIx64, number);
	else if (f->type == FIELD_FLAGS8 || f->type == FIELD_FLAGS32)
		put_flags(buf, f->names, (u32)number);
	else if (f->type == FIELD_NAME8 && number < names_count(f->names) && *f->names[number])
		buf_puts(buf, f->names[number]);
	else
		buf_put_u64(buf, number);
}

void text_print(struct buf *buf, const struct record *rec)
{
	const struct field *f;

	if (rec->type >= REC_TYPES || !record_infos[rec->type].name)
		return;
	buf_printf(buf, "%" PRIu64 ".%09" PRIu64 " %s", rec->ts / NSEC_PER_SEC, rec->ts % NSEC_PER_SEC,
		   record_infos[rec->type].name);
	if (rec->cpu != CORUN_NO_CPU)
		buf_printf(buf, " cpu=%u", rec->cpu);
	for (f = record_infos[rec->type].fields; f->name; f++)
		put_field(buf, f, (const char *)rec + f->offset);
	buf_putc(buf, '\n');
}

/* ---- parsing ---- */

struct cursor {
	const char *line, *at;
	struct error *err;
};

static int fail(const struct cursor *c, const char *what, const char *word)
{
	return error_set(c->err, -EINVAL, "column %d: %s near '%.30s'", (int)(word - c->line) + 1, what,
			 word);
}

static bool is_end(char ch)
{
	return !ch || ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static void skip_blanks(struct cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n')
		c->at++;
}

static int parse_number(struct cursor *c, u64 max, u64 *value)
{
	const char *start = c->at;
	bool negative = *start == '-';
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(start + negative, &end, 0);
	if (end == start + negative || !(start[negative] >= '0' && start[negative] <= '9') || errno)
		return fail(c, "a number is expected", start);
	if (n > max || (negative && max != UINT32_MAX))
		return fail(c, "the number is out of range", start);
	*value = negative ? (u64)(u32) - (s64)n : n;
	c->at = end;
	return 0;
}

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

/* The string's offset in @strings, which may move while it grows: pointers are set at the end. */
static int parse_string(struct cursor *c, struct buf *strings, size_t *offset)
{
	const char *s = c->at;

	if (*s != '"')
		return fail(c, "a string in double quotes is expected", s);
	*offset = strings->len;
	for (s++; *s != '"'; s++) {
		char ch = *s;

		if (!ch || ch == '\n')
			return fail(c, "the string has no end", c->at);
		if (ch == '\\') {
			ch = *++s;
			if (ch == 'n') {
				ch = '\n';
			} else if (ch == 't') {
				ch = '\t';
			} else if (ch == 'x') {
				int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);

				if (low < 0 || !(high | low))
					return fail(c, "\\x takes two digits, not 00", s);
				ch = (char)(high * 16 + low);
				s += 2;
			} else if (ch != '"' && ch != '\\') {
				return fail(c, "an unknown escape", s);
			}
		}
		buf_putc(strings, ch);
	}
	buf_putc(strings, '\0');
	c->at = s + 1;
	return strings->failed ? -ENOMEM : 0;
}

static bool word_is(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !strncmp(word, name, len);
}

static size_t word_length(const char *word, const char *stop)
{
	size_t n = 0;

	while (!is_end(word[n]) && !strchr(stop, word[n]))
		n++;
	return n;
}

static int parse_name(struct cursor *c, const char *const *names, u64 *value)
{
	size_t len = word_length(c->at, "");

	if (*c->at >= '0' && *c->at <= '9')
		return parse_number(c, UINT8_MAX, value);
	for (u32 i = 0; names[i]; i++) {
		if (*names[i] && word_is(c->at, len, names[i])) {
			*value = i;
			c->at += len;
			return 0;
		}
	}
	return fail(c, "an unknown name", c->at);
}

static int parse_flags(struct cursor *c, const char *const *names, u32 bits, u64 *value)
{
	*value = 0;
	for (;;) {
		size_t len = word_length(c->at, "|");
		u32 bit;

		if (!strncmp(c->at, "bit", 3) && c->at[3] >= '0' && c->at[3] <= '9') {
			char *end;

			bit = (u32)strtoul(c->at + 3, &end, 10);
			if (end != c->at + len)
				return fail(c, "an unknown flag", c->at);
		} else {
			for (bit = 0; names[bit] && !word_is(c->at, len, names[bit]); bit++)
				;
			if (!names[bit])
				return fail(c, "an unknown flag", c->at);
		}
		if (bit >= bits)
			return fail(c, "an unknown flag", c->at);
		*value |= 1ULL << bit;
		c->at += len;
		if (*c->at != '|')
			return 0;
		c->at++;
	}
}

static int parse_call(struct cursor *c, s16 *nr)
{
	char name[40];
	size_t len = word_length(c->at, "");
	u64 number = 0;
	int err;

	if ((*c->at >= '0' && *c->at <= '9') || *c->at == '-') {
		err = parse_number(c, UINT32_MAX, &number);
		if (!err && ((s32)number > INT16_MAX || (s32)number < INT16_MIN))
			return fail(c, "no such call", c->at);
		if (!err)
			*nr = (s16)(s32)number;
		return err;
	}
	if (len >= sizeof(name))
		return fail(c, "an unknown call", c->at);
	memcpy(name, c->at, len);
	name[len] = '\0';
	*nr = (s16)syscall_number(name);
	if (*nr < 0)
		return fail(c, "an unknown call", c->at);
	c->at += len;
	return 0;
}

static int parse_args(struct cursor *c, u64 *args)
{
	for (int i = 0; i < 4; i++) {
		int err;

		if (i && *c->at++ != ',')
			return fail(c, "four numbers with commas are expected", c->at - 1);
		err = parse_number(c, UINT64_MAX, &args[i]);
		if (err)
			return err;
	}
	return 0;
}

static int parse_value(struct cursor *c, const struct field *f, void *at, struct buf *strings)
{
	u64 value = 0;
	size_t offset = 0;
	int err;

	switch (f->type) {
	case FIELD_STRING:
		err = parse_string(c, strings, &offset);
		if (!err)
			*(uintptr_t *)at = (uintptr_t)offset + 1; /* 0 stays "not given" */
		return err;
	case FIELD_CALL:
		return parse_call(c, at);
	case FIELD_ARGS:
		return parse_args(c, at);
	case FIELD_U64:
	case FIELD_HEX:
		return parse_number(c, UINT64_MAX, at);
	case FIELD_NAME8:
		err = parse_name(c, f->names, &value);
		break;
	case FIELD_FLAGS8:
		err = parse_flags(c, f->names, 8, &value);
		break;
	case FIELD_FLAGS32:
		err = parse_flags(c, f->names, 32, &value);
		break;
	case FIELD_U8:
		err = parse_number(c, UINT8_MAX, &value);
		break;
	default:
		err = parse_number(c, UINT32_MAX, &value);
	}
	if (err)
		return err;
	if (f->type == FIELD_U8 || f->type == FIELD_NAME8 || f->type == FIELD_FLAGS8)
		*(u8 *)at = (u8)value;
	else
		*(u32 *)at = (u32)value;
	return 0;
}

static int parse_ts(struct cursor *c, u64 *ts)
{
	const char *start = c->at;
	u64 seconds, ns = 0;
	char *end;
	int digits = 0;

	if (*start < '0' || *start > '9')
		return fail(c, "a time in seconds is expected", start);
	errno = 0;
	seconds = strtoull(start, &end, 10);
	if (errno)
		return fail(c, "the time is out of range", start);
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9' && digits < 9; end++, digits++)
			ns = ns * 10 + (u64)(*end - '0');
		for (; digits < 9; digits++)
			ns *= 10;
	}
	if (!is_end(*end))
		return fail(c, "a time has at most nine decimals", start);
	if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &seconds) ||
	    __builtin_add_overflow(seconds, ns, ts))
		return fail(c, "the time is out of range", start);
	c->at = end;
	return 0;
}

static int parse_type(struct cursor *c, u16 *type)
{
	size_t len = word_length(c->at, "");

	for (int t = 1; t < REC_TYPES; t++) {
		if (word_is(c->at, len, record_infos[t].name)) {
			*type = (u16)t;
			c->at += len;
			return 0;
		}
	}
	return fail(c, "an unknown record", c->at);
}

static int parse_pair(struct cursor *c, struct record *rec, struct buf *strings)
{
	const char *word = c->at;
	size_t len = word_length(word, "=");
	const struct field *f;
	u64 cpu = 0;
	int err;

	if (word[len] != '=')
		return fail(c, "key=value is expected", word);
	c->at += len + 1;
	if (word_is(word, len, "cpu")) {
		err = parse_number(c, UINT16_MAX, &cpu);
		if (!err)
			rec->cpu = (u16)cpu;
		return err;
	}
	for (f = record_infos[rec->type].fields; f->name; f++)
		if (word_is(word, len, f->name))
			return parse_value(c, f, (char *)rec + f->offset, strings);
	return fail(c, "this record has no such field", word);
}

/* Strings were noted as offsets while they were put together. */
static void settle_strings(struct record *rec, const struct buf *strings)
{
	for (const struct field *f = record_infos[rec->type].fields; f->name; f++) {
		void *at = (char *)rec + f->offset;
		uintptr_t offset;

		if (f->type != FIELD_STRING)
			continue;
		offset = *(uintptr_t *)at;
		*(const char **)at = offset ? strings->data + (offset - 1) : "";
	}
}

int text_parse(const char *line, struct record *out, struct buf *strings, struct error *err)
{
	struct cursor c = {.line = line, .at = line, .err = err};
	struct record rec = {.cpu = CORUN_NO_CPU};
	int code;

	buf_clear(strings);
	skip_blanks(&c);
	if (!*c.at || *c.at == '#')
		return 0;
	code = parse_ts(&c, &rec.ts);
	if (code)
		return code;
	skip_blanks(&c);
	code = parse_type(&c, &rec.type);
	if (code)
		return code;
	record_defaults(&rec);
	for (const struct field *f = record_infos[rec.type].fields; f->name; f++)
		if (f->type == FIELD_STRING)
			*(uintptr_t *)((char *)&rec + f->offset) = 0;
	for (;;) {
		skip_blanks(&c);
		if (!*c.at)
			break;
		code = parse_pair(&c, &rec, strings);
		if (code)
			return code;
		if (!is_end(*c.at))
			return fail(&c, "a blank is expected", c.at);
	}
	settle_strings(&rec, strings);
	*out = rec;
	return 1;
}
