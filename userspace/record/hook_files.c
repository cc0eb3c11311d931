/* SPDX-License-Identifier: MIT */
#include "record/hook_files.h"

/* A file as bytes and a length, both in read-only memory. The path is the build's own folder's. */
#define FILE_BYTES(symbol, name)                                                                   \
	extern const char hook_##symbol[];                                                         \
	extern const size_t hook_##symbol##_len;                                                   \
	__asm__(".section .rodata\n"                                                               \
		".global hook_" #symbol "\n"                                                       \
		"hook_" #symbol ":\n"                                                              \
		".incbin \"userspace/hook/" name "\"\n"                                            \
		"0:\n"                                                                             \
		".balign 8\n"                                                                      \
		".global hook_" #symbol "_len\n"                                                   \
		"hook_" #symbol "_len:\n"                                                          \
		".quad 0b - hook_" #symbol "\n"                                                    \
		".previous\n")

FILE_BYTES(sitecustomize, "sitecustomize.py");
FILE_BYTES(corun_hook, "corun_hook.py");
FILE_BYTES(corun_marks, "corun_marks.py");
FILE_BYTES(corun_graft, "corun_graft.py");
FILE_BYTES(corun_asyncio, "corun_asyncio.py");
FILE_BYTES(corun_jobs, "corun_jobs.py");
FILE_BYTES(corun_others, "corun_others.py");

#define ENTRY(symbol) {#symbol ".py", hook_##symbol, &hook_##symbol##_len}

const struct hook_file hook_files[] = {
	ENTRY(sitecustomize), ENTRY(corun_hook), ENTRY(corun_marks), ENTRY(corun_graft),
	ENTRY(corun_asyncio), ENTRY(corun_jobs), ENTRY(corun_others),
	{NULL, NULL, NULL},
};
