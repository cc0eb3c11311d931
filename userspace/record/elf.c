/* SPDX-License-Identifier: MIT */
#include "record/elf.h"

#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE_MAX ((u64)64 << 20)  /* of symbols that elf_find() looks through, and of their names */
#define TABLES_MAX ((u64)512 << 20) /* of a sound file: a browser's have some 200 MiB */

static void take_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *head, struct elf_symbol *symbols,
			 size_t n)
{
	Elf_Data *data;
	GElf_Sym sym;

	if (!head->sh_entsize)
		return;
	data = elf_getdata(section, NULL);
	if (!data || !data->d_buf)
		return;
	for (size_t i = 0; i < data->d_size / head->sh_entsize && i < INT32_MAX; i++) {
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF || !sym.st_value)
			continue;
		name = elf_strptr(elf, head->sh_link, sym.st_name);
		for (size_t k = 0; name && k < n; k++) {
			if (symbols[k].value || strcmp(name, symbols[k].name))
				continue;
			symbols[k].value = sym.st_value;
			symbols[k].size = sym.st_size;
		}
	}
}

static bool string_table_sane(Elf *elf, size_t index)
{
	Elf_Scn *section = elf_getscn(elf, index);
	GElf_Shdr strings;

	return section && gelf_getshdr(section, &strings) && strings.sh_type == SHT_STRTAB &&
	       strings.sh_size <= TABLE_MAX;
}

static void take_sections(Elf *elf, struct elf_symbol *symbols, size_t n)
{
	Elf_Scn *section = NULL;
	GElf_Shdr head;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) || !string_table_sane(elf, names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;

		for (size_t k = 0; name && k < n; k++) {
			if (symbols[k].name[0] != '.' || strcmp(name, symbols[k].name))
				continue;
			symbols[k].value = head.sh_addr;
			symbols[k].size = head.sh_size;
		}
	}
}

static bool all_found(const struct elf_symbol *symbols, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!symbols[i].value)
			return false;
	return true;
}

/*
 * A file with more sections than its header can count says their number in the first of them: up to a
 * third of its bytes, and libelf makes 250 bytes of each. No program has so many.
 */
static bool header_sound(int fd)
{
	Elf64_Ehdr head;

	return pread(fd, &head, sizeof(head), 0) == sizeof(head) &&
	       !memcmp(head.e_ident, ELFMAG, SELFMAG) && head.e_ident[EI_CLASS] == ELFCLASS64 &&
	       head.e_machine == EM_X86_64 && (head.e_shnum || !head.e_shoff);
}

/* Sections do not overlap, so that together they are no larger than the file. */
static bool sections_sound(Elf *elf, u64 file_size)
{
	Elf_Scn *section = NULL;
	u64 all = 0, tables = 0;
	GElf_Shdr head;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &head))
			return false;
		if (head.sh_type == SHT_NOBITS || head.sh_type == SHT_NULL)
			continue;
		if (head.sh_size > file_size)
			return false;
		all += head.sh_size;
		if (head.sh_type == SHT_SYMTAB || head.sh_type == SHT_DYNSYM || head.sh_type == SHT_STRTAB)
			tables += head.sh_size;
	}
	return all <= file_size && tables <= TABLES_MAX;
}

/* 0, -EINVAL or -ENOMEM. */
static int open_sound(int fd, Elf **out)
{
	struct stat st;
	Elf *elf;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !header_sound(fd) || elf_version(EV_CURRENT) == EV_NONE)
		return -EINVAL;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOMEM;
	if (elf_kind(elf) != ELF_K_ELF || !sections_sound(elf, (u64)st.st_size)) {
		elf_end(elf);
		return -EINVAL;
	}
	*out = elf;
	return 0;
}

bool elf_sound(int fd)
{
	Elf *elf;

	if (open_sound(fd, &elf))
		return false;
	elf_end(elf);
	return true;
}

static int find_base(Elf *elf, u64 *base)
{
	GElf_Phdr segment;
	size_t n;

	if (elf_getphdrnum(elf, &n) || n > 1024)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment))
			return -EINVAL;
		if (segment.p_type == PT_LOAD && segment.p_offset < 4096) {
			*base = segment.p_vaddr - segment.p_offset;
			return 0;
		}
	}
	return -EINVAL;
}

static void find_offsets(Elf *elf, struct elf_symbol *symbols, size_t n)
{
	GElf_Phdr segment;
	size_t segments;

	if (elf_getphdrnum(elf, &segments))
		return;
	for (size_t i = 0; i < segments && gelf_getphdr(elf, (int)i, &segment); i++) {
		if (segment.p_type != PT_LOAD)
			continue;
		for (size_t k = 0; k < n; k++)
			if (symbols[k].value - segment.p_vaddr < segment.p_filesz)
				symbols[k].offset = symbols[k].value - segment.p_vaddr +
						    segment.p_offset;
	}
}

int elf_find(int fd, struct elf_symbol *symbols, size_t n, u64 *base)
{
	static const u32 tables[] = {SHT_DYNSYM, SHT_SYMTAB};
	u64 room = TABLE_MAX;
	Elf *elf;
	int code;

	for (size_t i = 0; i < n; i++)
		symbols[i].value = symbols[i].size = symbols[i].offset = 0;
	code = open_sound(fd, &elf);
	if (code)
		return code;
	code = find_base(elf, base);
	if (!code)
		take_sections(elf, symbols, n);
	for (size_t t = 0; !code && t < ARRAY_SIZE(tables) && !all_found(symbols, n); t++) {
		Elf_Scn *section = NULL;
		GElf_Shdr head;

		while ((section = elf_nextscn(elf, section))) {
			if (!gelf_getshdr(section, &head) || head.sh_type != tables[t] ||
			    head.sh_size > room || !string_table_sane(elf, head.sh_link))
				continue;
			room -= head.sh_size;
			take_symbols(elf, section, &head, symbols, n);
		}
	}
	if (!code)
		find_offsets(elf, symbols, n);
	elf_end(elf);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		if (symbols[i].value)
			return 0;
	return -ENOENT;
}
