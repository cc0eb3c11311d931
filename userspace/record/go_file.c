/* SPDX-License-Identifier: MIT */
#include "record/go_file.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/process.h"

#define TABLE_MAX ((u64)256 << 20)
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define REASONS_MAX 64
#define REASON_LEN 40
#define LINES_MAX 4096 /* steps in the tables of one function that are gone through */

/* Words of the table's head, behind its 8 first bytes. */
enum head_word { N_FUNCTIONS, N_FILES, TEXT_START, NAMES_AT, UNITS_AT, FILES_AT, PCS_AT, FUNCTIONS_AT, HEAD_WORDS };

/* struct _func, as u32 words. */
enum func_word { FUNC_ENTRY, FUNC_NAME, FUNC_ARGS, FUNC_DEFER, FUNC_PCSP, FUNC_PCFILE, FUNC_PCLINE, FUNC_NPCDATA,
		 FUNC_UNIT, FUNC_WORDS };

struct go_file {
	u8 *table;
	size_t size;
	u64 head[HEAD_WORDS];
	u64 text;        /* address of runtime.text, from which the table counts */
	u64 reasons_at;  /* address of runtime.waitReasonStrings; 0: not found */
	bool asked;      /* the reasons were read */
	char reasons[REASONS_MAX][REASON_LEN];
	u64 segment[16][3]; /* loaded from the file: address, offset, size */
	u32 n_segments;
};

/* ---- reading what may be anything ---- */

static u32 get_u32(const struct go_file *f, u64 at)
{
	u32 value;

	if (at > f->size - sizeof(value))
		return 0;
	memcpy(&value, f->table + at, sizeof(value));
	return value;
}

/* A string of the table: it ends in it. "" if not. */
static const char *get_string(const struct go_file *f, u64 at)
{
	if (at >= f->size || !memchr(f->table + at, 0, f->size - at))
		return "";
	return (const char *)f->table + at;
}

static u32 get_varint(const struct go_file *f, u64 *at)
{
	u32 value = 0;

	for (u32 shift = 0; *at < f->size && shift < 35; shift += 7) {
		u8 byte = f->table[(*at)++];

		value |= (u32)(byte & 0x7f) << (shift & 31);
		if (!(byte & 0x80))
			break;
	}
	return value;
}

/* ---- the file ---- */

/* The array of strings that begins "", "GC assist marking", "IO wait", "chan receive (nil chan)", "chan
 * send (nil chan)": a Go string is a pointer and a length, and no other array has these lengths. */
static u64 find_reasons(Elf_Data *data, u64 address)
{
	static const u64 lengths[] = {0, 17, 7, 23, 20};
	const u8 *bytes = data->d_buf;

	for (size_t at = 0; at + 16 * ARRAY_SIZE(lengths) <= data->d_size; at += 8) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(lengths); i++)
			if (memcmp(bytes + at + 16 * i + 8, &lengths[i], 8))
				break;
		if (i == ARRAY_SIZE(lengths))
			return address + at;
	}
	return 0;
}

static int take_table(struct go_file *f, Elf_Data *data, u64 text)
{
	u32 magic;

	if (f->table || !data || !data->d_buf || data->d_size < 8 + 8 * HEAD_WORDS || data->d_size > TABLE_MAX)
		return 0;
	memcpy(&magic, data->d_buf, sizeof(magic));
	/* What follows the magic: two zeros, the least instruction's length, the pointers' size. */
	if ((magic != MAGIC_1_18 && magic != MAGIC_1_20) || memcmp((u8 *)data->d_buf + 4, "\0\0\1\10", 4))
		return 0;
	f->table = malloc(data->d_size);
	if (!f->table)
		return -ENOMEM;
	f->size = data->d_size;
	memcpy(f->table, data->d_buf, f->size);
	memcpy(f->head, f->table + 8, sizeof(f->head));
	if (f->head[FUNCTIONS_AT] > f->size || f->head[N_FUNCTIONS] > (f->size - f->head[FUNCTIONS_AT]) / 8)
		return -EINVAL;
	/* A position-independent file's loader fills it in; the text begins where its section does. */
	f->text = f->head[TEXT_START] ? f->head[TEXT_START] : text;
	return 0;
}

static int take_section(struct go_file *f, Elf_Scn *section, const GElf_Shdr *head, const char *name, u64 text)
{
	if (head->sh_type != SHT_PROGBITS || !(head->sh_flags & SHF_ALLOC) || head->sh_size > TABLE_MAX)
		return 0;
	if (!strcmp(name, ".gopclntab") || !strcmp(name, ".data.rel.ro.gopclntab"))
		return take_table(f, elf_getdata(section, NULL), text);
	/* The linker puts it where pointers are: .data, or read-only once they are filled in. */
	if (!f->reasons_at && (!strncmp(name, ".data", 5) || !strcmp(name, ".noptrdata"))) {
		Elf_Data *data = elf_getdata(section, NULL);

		if (data && data->d_buf)
			f->reasons_at = find_reasons(data, head->sh_addr);
	}
	return 0;
}

static void take_segments(struct go_file *f, Elf *elf)
{
	GElf_Phdr segment;
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return;
	for (size_t i = 0; i < n && f->n_segments < ARRAY_SIZE(f->segment); i++) {
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD)
			continue;
		f->segment[f->n_segments][0] = segment.p_vaddr;
		f->segment[f->n_segments][1] = segment.p_offset;
		f->segment[f->n_segments++][2] = segment.p_filesz;
	}
}

static int read_file(struct go_file *f, Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr head;
	GElf_Ehdr file;
	size_t names;
	u64 text = 0;
	int code = 0;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &file) || file.e_machine != EM_X86_64 ||
	    elf_getshdrstrndx(elf, &names))
		return -ENOENT;
	while (!code && (section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;

		if (!name)
			continue;
		if (!strcmp(name, ".text"))
			text = head.sh_addr;
		code = take_section(f, section, &head, name, text);
	}
	take_segments(f, elf);
	return code ? code : f->table ? 0 : -ENOENT;
}

int go_file_open(struct go_file **out, int fd)
{
	struct go_file *f = calloc(1, sizeof(*f));
	Elf *elf;
	int code;

	if (!f)
		return -ENOMEM;
	elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	code = elf ? read_file(f, elf) : -EINVAL;
	elf_end(elf);
	if (code) {
		go_file_close(f);
		return code;
	}
	*out = f;
	return 0;
}

void go_file_close(struct go_file *f)
{
	if (!f)
		return;
	free(f->table);
	free(f);
}

/* ---- functions ---- */

static u64 entry_of(const struct go_file *f, u64 i)
{
	return f->text + get_u32(f, f->head[FUNCTIONS_AT] + i * 8);
}

/* Where the _func of function @i stands in the table. */
static u64 func_of(const struct go_file *f, u64 i)
{
	return f->head[FUNCTIONS_AT] + get_u32(f, f->head[FUNCTIONS_AT] + i * 8 + 4);
}

static const char *name_of(const struct go_file *f, u64 i)
{
	return get_string(f, f->head[NAMES_AT] + get_u32(f, func_of(f, i) + 4 * FUNC_NAME));
}

/* The function that @address lies in, by bisection; N_FUNCTIONS: none. */
static u64 find(const struct go_file *f, u64 address)
{
	u64 low = 0, high = f->head[N_FUNCTIONS];

	if (!high || address < entry_of(f, 0) || address >= entry_of(f, high))
		return high;
	while (high - low > 1) {
		u64 middle = low + (high - low) / 2;

		if (entry_of(f, middle) <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * Length of the instruction at @code if it is one with which Go's functions begin and that leaves AX, BX
 * and CX as they are: room on the stack, the frame pointer, arguments stored, tests. 0: another one.
 */
static size_t prologue_length(const u8 *code)
{
	static const struct { u8 len, n, bytes[4]; } known[] = {
		{4, 4, {0x49, 0x3b, 0x66, 0x10}}, /* cmp 0x10(%r14),%rsp */
		{4, 3, {0x48, 0x83, 0xec}},       /* sub $n,%rsp */
		{7, 3, {0x48, 0x81, 0xec}},
		{5, 4, {0x48, 0x89, 0x6c, 0x24}}, /* mov %rbp,n(%rsp) */
		{8, 4, {0x48, 0x89, 0xac, 0x24}},
		{5, 4, {0x48, 0x8d, 0x6c, 0x24}}, /* lea n(%rsp),%rbp */
		{8, 4, {0x48, 0x8d, 0xac, 0x24}},
		{3, 3, {0x48, 0x89, 0xe5}},       /* mov %rsp,%rbp */
		{5, 4, {0x48, 0x89, 0x44, 0x24}}, /* mov %rax,n(%rsp), then %rbx, %rcx, %ebx, %ecx */
		{8, 4, {0x48, 0x89, 0x84, 0x24}},
		{5, 4, {0x48, 0x89, 0x5c, 0x24}},
		{8, 4, {0x48, 0x89, 0x9c, 0x24}},
		{5, 4, {0x48, 0x89, 0x4c, 0x24}},
		{8, 4, {0x48, 0x89, 0x8c, 0x24}},
		{4, 3, {0x89, 0x5c, 0x24}},
		{7, 3, {0x89, 0x9c, 0x24}},
		{4, 3, {0x89, 0x4c, 0x24}},
		{7, 3, {0x89, 0x8c, 0x24}},
		{4, 3, {0x0f, 0xba, 0xe3}},       /* bt $n,%ebx, %ecx */
		{4, 3, {0x0f, 0xba, 0xe1}},
		{3, 2, {0x83, 0xfb}},             /* cmp $n,%ebx, %ecx */
		{3, 2, {0x83, 0xf9}},
		{6, 2, {0x81, 0xfb}},
		{6, 2, {0x81, 0xf9}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!memcmp(code, known[i].bytes, known[i].n))
			return known[i].len;
	return 0;
}

static bool is_emulated(const u8 *code)
{
	return code[0] == 0x90 || code[0] == 0x55 || (code[0] & 0xf0) == 0x70 ||
	       (code[0] == 0x0f && (code[1] & 0xf0) == 0x80);
}

static size_t cheap_place(int fd, u64 offset)
{
	u8 code[80];
	size_t at = 0, len;

	if (pread(fd, code, sizeof(code), (off_t)offset) != (ssize_t)sizeof(code))
		return 0;
	while (at < sizeof(code) - 8 && !is_emulated(code + at)) {
		len = prologue_length(code + at);
		if (!len)
			return 0;
		at += len;
	}
	return at < sizeof(code) - 8 ? at : 0;
}

bool go_file_function(const struct go_file *f, int fd, const char *name, struct go_function *function)
{
	for (u64 i = 0; i < f->head[N_FUNCTIONS]; i++) {
		u64 address = entry_of(f, i);
		size_t skip;

		if (strcmp(name_of(f, i), name))
			continue;
		for (u32 s = 0; s < f->n_segments; s++) {
			if (address - f->segment[s][0] >= f->segment[s][2])
				continue;
			function->offset = address - f->segment[s][0] + f->segment[s][1];
			skip = cheap_place(fd, function->offset);
			function->offset += skip;
			function->address = address + skip;
			return true;
		}
	}
	return false;
}

const char *go_file_name(const struct go_file *f, u64 address)
{
	u64 i = find(f, address);

	return i < f->head[N_FUNCTIONS] ? name_of(f, i) : NULL;
}

/* Value of a table of a function at @address: pairs of zigzag value and pc differences (symtab.go, step). */
static s32 value_at(const struct go_file *f, u64 table, u64 entry, u64 address)
{
	u64 at = f->head[PCS_AT] + table, pc = entry;
	s32 value = -1;

	for (u32 n = 0; n < LINES_MAX && at < f->size; n++) {
		u32 difference = get_varint(f, &at);

		if (!difference && n)
			break;
		value += (s32)(difference & 1 ? ~(difference >> 1) : difference >> 1);
		pc += get_varint(f, &at);
		if (address < pc)
			return value;
	}
	return -1;
}

static const char *file_at(const struct go_file *f, u64 func, u64 entry, u64 address)
{
	s32 number = value_at(f, get_u32(f, func + 4 * FUNC_PCFILE), entry, address);
	u32 unit = get_u32(f, func + 4 * FUNC_UNIT);
	u32 at;

	if (number < 0)
		return "";
	at = get_u32(f, f->head[UNITS_AT] + 4 * ((u64)unit + (u32)number));
	return at == UINT32_MAX ? "" : get_string(f, f->head[FILES_AT] + at);
}

bool go_file_line(const struct go_file *f, u64 address, char *text, size_t size)
{
	u64 i = find(f, address - 1), entry, func;
	const char *file, *base;
	s32 line;

	if (i >= f->head[N_FUNCTIONS])
		return false;
	entry = entry_of(f, i);
	func = func_of(f, i);
	file = file_at(f, func, entry, address - 1);
	line = value_at(f, get_u32(f, func + 4 * FUNC_PCLINE), entry, address - 1);
	base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	if (*base && line > 0 && !strcmp(file, file_at(f, func, entry, entry)))
		snprintf(text, size, "%s:%d (%s)", base, line, name_of(f, i));
	else
		snprintf(text, size, "%s", name_of(f, i));
	return true;
}

/* ---- why a goroutine waits ---- */

static void read_reasons(struct go_file *f, s32 tgid, u64 bias)
{
	u64 strings[REASONS_MAX][2];
	size_t n = REASONS_MAX;

	/* Past its end lie other variables: what is no short string of letters ends it. */
	while (n > 8 && process_read(tgid, f->reasons_at + bias, strings, n * 16))
		n--;
	for (size_t i = 1; i < n; i++) {
		u64 length = strings[i][1];

		if (!length || length >= REASON_LEN || process_read(tgid, strings[i][0], f->reasons[i], length))
			break;
		f->reasons[i][length] = '\0';
		if (strspn(f->reasons[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-() ") != length) {
			f->reasons[i][0] = '\0';
			break;
		}
	}
	f->asked = !strcmp(f->reasons[2], "IO wait");
}

const char *go_file_reason(struct go_file *f, u32 reason, s32 tgid, u64 bias)
{
	if (!f->asked && f->reasons_at)
		read_reasons(f, tgid, bias);
	return f->asked && reason < REASONS_MAX ? f->reasons[reason] : "";
}
