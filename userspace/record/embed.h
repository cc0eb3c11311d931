/* SPDX-License-Identifier: MIT */
/* embed.h - the compiled probes (bpf/corun.bpf.c), an ELF object in read-only memory. */
#ifndef CORUN_RECORD_EMBED_H
#define CORUN_RECORD_EMBED_H

extern const char corun_bpf_object[], corun_bpf_object_end[];

#endif
