/* SPDX-License-Identifier: MIT */
#include "record/symbolize.h"

#include <string.h>

#define LINES_MAX 8

/* Beginnings of names of the libraries that a program waits through. */
static const char *const runtimes[] = {
	"libc.so", "libc-", "ld-", "ld.so", "libpthread", "libstdc++", "libgcc_s", "libm.so", "librt",
	"libc++", "libunwind", "libasan", "libtsan",
};
static const char *const headers[] = {"/usr/include/", "/usr/lib/gcc/", "/include/c++/", "/usr/lib/llvm"};
static const char *const waits[] = {
	"__lll_", "__futex_", "futex_", "pthread_", "__pthread_", "___pthread_", "__new_sem_", "__libc_",
	"sem_wait", "sem_timed", "sem_clock", "__clock_nanosleep", "clock_nanosleep", "__nanosleep",
	"nanosleep", "usleep", "_start", "start_thread", "__clone", "__internal_syscall_cancel", "__syscall_cancel", "std::mutex::",
	"std::condition_variable::", "std::shared_mutex::", "__gthread_", "std::__condvar::",
};

/* What gcc and clang append to the name of a function that they made another one from. */
static const char *const clones[] = {
	".isra.", ".constprop.", ".part.", ".cold", ".lto_priv.", ".llvm.", ".localalias",
};

static bool begins(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, list[i], strlen(list[i])))
			return true;
	return false;
}

bool symbolize_is_runtime(const char *file)
{
	return begins(runtimes, ARRAY_SIZE(runtimes), file);
}

bool symbolize_is_wait(const char *function)
{
	return begins(waits, ARRAY_SIZE(waits), function);
}

bool symbolize_is_header(const char *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (strstr(source, headers[i]))
			return true;
	return false;
}

size_t symbolize_name_length(const char *symbol)
{
	size_t len = strcspn(symbol, "@"); /* name@@GLIBC_2.2.5 */

	for (size_t i = 0; i < ARRAY_SIZE(clones); i++) {
		const char *at = strstr(symbol, clones[i]);

		if (at && at != symbol && (size_t)(at - symbol) < len)
			len = (size_t)(at - symbol);
	}
	return len;
}

#ifdef NO_LIBDW

void symbolize(struct code_files *files, const struct unwind_frame *frames, u32 n, struct buf *text)
{
	(void)files;
	(void)frames;
	(void)n;
	(void)text;
}

void symbolize_free(struct code_files *files)
{
	(void)files;
}

#else

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <unistd.h>

/* libstdc++'s (Itanium C++ ABI, 3.4); its header <cxxabi.h> is for C++ alone. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

struct symbols {
	Dwfl *dwfl;
	Dwfl_Module *module;
};

struct lines {
	struct buf *text;
	u32 n;
	bool all; /* the runtime's own too: there is nothing else */
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static Dwfl_Module *module_of(struct code_file *file)
{
	struct symbols *s = file->symbols;
	int fd;

	if (s)
		return s->module;
	s = file->symbols = calloc(1, sizeof(*s));
	if (s)
		s->dwfl = dwfl_begin(&callbacks);
	fd = s && s->dwfl ? dup(file->fd) : -1;
	if (fd < 0)
		return NULL;
	dwfl_report_begin(s->dwfl);
	s->module = dwfl_report_elf(s->dwfl, file->name, file->name, fd, 0, true);
	dwfl_report_end(s->dwfl, NULL, NULL);
	if (!s->module)
		close(fd);
	return s->module;
}

void symbolize_free(struct code_files *files)
{
	for (u32 i = 0; i < files->n; i++) {
		struct symbols *s = files->list[i]->symbols;

		if (s && s->dwfl)
			dwfl_end(s->dwfl);
		free(s);
		files->list[i]->symbols = NULL;
	}
}

/* ---- one line ---- */

static void put_name(struct buf *b, const char *symbol)
{
	int status = -1;
	char *name = strndup(symbol, symbolize_name_length(symbol)), *plain = NULL;

	if (name && !strncmp(name, "_Z", 2))
		plain = __cxa_demangle(name, NULL, NULL, &status);
	buf_puts(b, plain && !status ? plain : name ? name : symbol);
	free(plain);
	free(name);
}

static void begin_line(struct lines *l)
{
	if (l->n++)
		buf_putc(l->text, '\n');
}

static void put_source(struct lines *l, const char *source, int line, const char *function)
{
	const char *slash = strrchr(source, '/');

	begin_line(l);
	buf_printf(l->text, "%s:%d", slash ? slash + 1 : source, line);
	if (function) {
		buf_puts(l->text, " (");
		put_name(l->text, function);
		buf_putc(l->text, ')');
	}
}

/* The name that the linker uses, which for C++ says more than DW_AT_name; @die may be inlined. */
static const char *die_name(Dwarf_Die *die)
{
	static const unsigned int names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
	Dwarf_Attribute attr;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &attr));

		if (name)
			return name;
	}
	return NULL;
}

static bool is_function(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram;
}

/* ---- functions inlined at one place ---- */

struct scopes {
	Dwarf_Die *dies; /* the innermost first; to be freed */
	int n;
};

static struct scopes find_scopes(Dwfl_Module *module, Dwarf_Addr address)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias), inner;
	Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
	struct scopes s = {0};

	s.n = unit && dwarf ? dwarf_getscopes(unit, address - bias, &s.dies) : 0;
	if (s.n <= 0)
		return (struct scopes){0};
	/* These go by where the function was declared: those by where it was put are wanted. */
	inner = s.dies[0];
	free(s.dies);
	s.dies = NULL;
	s.n = dwarf_getscopes_die(&inner, &s.dies);
	return s.n > 0 ? s : (struct scopes){0};
}

/* Where the inlined function @die was called. */
static const char *call_place(Dwarf_Die *die, int *line)
{
	Dwarf_Attribute attr;
	Dwarf_Word file, number;
	Dwarf_Files *files;
	Dwarf_Die unit;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &file) ||
	    dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &number) ||
	    !dwarf_diecu(die, &unit, NULL, NULL) || dwarf_getsrcfiles(&unit, &files, NULL))
		return NULL;
	*line = (int)number;
	return dwarf_filesrc(files, file, NULL, NULL);
}

/* The lines of one place whose source is known: what was inlined there, then the function itself. */
static void put_inlined(struct lines *l, Dwfl_Module *module, Dwarf_Addr address, const char *source,
			int line, const char *symbol)
{
	struct scopes s = find_scopes(module, address);

	for (int i = 0; i < s.n && source && l->n < LINES_MAX; i++) {
		const char *name;

		if (!is_function(&s.dies[i]))
			continue;
		if (dwarf_tag(&s.dies[i]) == DW_TAG_subprogram)
			break;
		name = die_name(&s.dies[i]);
		if (l->all || !symbolize_is_header(source))
			put_source(l, source, line, name);
		source = call_place(&s.dies[i], &line);
	}
	if (source && l->n < LINES_MAX && (l->all || !symbolize_is_header(source)))
		put_source(l, source, line, symbol);
	free(s.dies);
}

static void put_offset(struct lines *l, const struct code_file *file, const struct unwind_frame *f,
		       const char *symbol, u64 offset)
{
	begin_line(l);
	if (!symbol) {
		buf_printf(l->text, "%s+0x%llx", file->name, (unsigned long long)f->address);
		return;
	}
	put_name(l->text, symbol);
	buf_printf(l->text, "+0x%llx (%s)", (unsigned long long)offset, file->name);
}

static void put_frame(struct lines *l, struct code_files *files, const struct unwind_frame *f)
{
	struct code_file *file = code_file_by_id(files, f->file);
	Dwfl_Module *module = file ? module_of(file) : NULL;
	Dwarf_Addr bias = 0, address;
	const char *symbol, *source = NULL;
	Dwfl_Line *place;
	GElf_Sym sym;
	GElf_Off offset = 0;
	int line = 0;

	if (!file) {
		begin_line(l);
		buf_puts(l->text, "unknown");
		return;
	}
	if (!l->all && symbolize_is_runtime(file->name))
		return;
	if (!module || !dwfl_module_getelf(module, &bias)) {
		put_offset(l, file, f, NULL, 0);
		return;
	}
	/* A return address may be the first of the next line, even of the next function. */
	address = f->address + bias - !f->exact;
	symbol = dwfl_module_addrinfo(module, address, &offset, &sym, NULL, NULL, NULL);
	if (symbol && (!sym.st_size || offset >= sym.st_size))
		symbol = NULL; /* merely the nearest one */
	if (symbol && !l->all && symbolize_is_wait(symbol))
		return;
	place = dwfl_module_getsrc(module, address);
	if (place)
		source = dwfl_lineinfo(place, NULL, &line, NULL, NULL, NULL);
	if (source && line)
		put_inlined(l, module, address, source, line, symbol);
	else
		put_offset(l, file, f, symbol, offset + !f->exact);
}

void symbolize(struct code_files *files, const struct unwind_frame *frames, u32 n, struct buf *text)
{
	struct lines l = {.text = text};

	for (int all = 0; all < 2 && !l.n; all++) {
		l.all = all;
		for (u32 i = 0; i < n && l.n < LINES_MAX; i++)
			put_frame(&l, files, &frames[i]);
	}
}

#endif
