/* SPDX-License-Identifier: MIT */
#include "record/hook_files.h"

#if !defined(STEP_OBJECT) || !defined(NODE_OBJECT) || !defined(RUBY_OBJECT)
#error "STEP_OBJECT, NODE_OBJECT and RUBY_OBJECT are the paths of the hooks' extension modules; the Makefile gives them"
#endif

/* A file as bytes and a length, both in read-only memory. */
#define FILE_BYTES(symbol, path)                                                                   \
	extern const char hook_##symbol[];                                                         \
	extern const size_t hook_##symbol##_len;                                                   \
	__asm__(".section .rodata\n"                                                               \
		".global hook_" #symbol "\n"                                                       \
		"hook_" #symbol ":\n"                                                              \
		".incbin \"" path "\"\n"                                                           \
		"0:\n"                                                                             \
		".balign 8\n"                                                                      \
		".global hook_" #symbol "_len\n"                                                   \
		"hook_" #symbol "_len:\n"                                                          \
		".quad 0b - hook_" #symbol "\n"                                                    \
		".previous\n")

FILE_BYTES(sitecustomize, "userspace/hook/sitecustomize.py");
FILE_BYTES(corun_hook, "userspace/hook/corun_hook.py");
FILE_BYTES(corun_marks, "userspace/hook/corun_marks.py");
FILE_BYTES(corun_graft, "userspace/hook/corun_graft.py");
FILE_BYTES(corun_asyncio, "userspace/hook/corun_asyncio.py");
FILE_BYTES(corun_methods, "userspace/hook/corun_methods.py");
FILE_BYTES(corun_await, "userspace/hook/corun_await.py");
FILE_BYTES(corun_jobs, "userspace/hook/corun_jobs.py");
FILE_BYTES(corun_step, STEP_OBJECT);
FILE_BYTES(corun_node, "userspace/hook/corun_node.js");
FILE_BYTES(node_marks, NODE_OBJECT);
FILE_BYTES(corun_ruby, "userspace/hook/corun_ruby.rb");
FILE_BYTES(ruby_marks, RUBY_OBJECT);
FILE_BYTES(corun_attach, "userspace/hook/corun_attach.py");
FILE_BYTES(corun_others, "userspace/hook/corun_others.py");

#define ENTRY(symbol) {#symbol ".py", hook_##symbol, &hook_##symbol##_len}

const struct hook_file hook_files[] = {
	ENTRY(sitecustomize), ENTRY(corun_hook), ENTRY(corun_marks), ENTRY(corun_graft),
	ENTRY(corun_asyncio), ENTRY(corun_methods), ENTRY(corun_await), ENTRY(corun_jobs),
	ENTRY(corun_others), ENTRY(corun_attach),
	{"corun_step.so", hook_corun_step, &hook_corun_step_len},
	{HOOK_NODE, hook_corun_node, &hook_corun_node_len},
	{"corun_node.node", hook_node_marks, &hook_node_marks_len},
	{HOOK_RUBY, hook_corun_ruby, &hook_corun_ruby_len},
	{"corun_fibers.so", hook_ruby_marks, &hook_ruby_marks_len},
	{NULL, NULL, NULL},
};
