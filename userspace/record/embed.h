/* SPDX-License-Identifier: MIT */
/* embed.h - the compiled probes (bpf/corun.bpf.c), an ELF object in read-only memory. */
#ifndef CORUN_RECORD_EMBED_H
#define CORUN_RECORD_EMBED_H

#include <stddef.h>

extern const char corun_bpf_object[];
extern const size_t corun_bpf_object_size;

#endif
