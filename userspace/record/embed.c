/* SPDX-License-Identifier: MIT */
/* embed.c - the compiled probes, carried inside the program. */
#include "record/embed.h"

#ifndef BPF_OBJECT
#error "BPF_OBJECT is the path of the compiled probes; the Makefile gives it"
#endif

__asm__(".section .rodata\n"
	".balign 16\n"
	".global corun_bpf_object\n"
	"corun_bpf_object:\n"
	".incbin \"" BPF_OBJECT "\"\n"
	"0:\n"
	".balign 8\n"
	".global corun_bpf_object_size\n"
	"corun_bpf_object_size:\n"
	".quad 0b - corun_bpf_object\n"
	".previous\n");
