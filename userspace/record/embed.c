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
	".global corun_bpf_object_end\n"
	"corun_bpf_object_end:\n"
	".byte 0\n"
	".previous\n");
