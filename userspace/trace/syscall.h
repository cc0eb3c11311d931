/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - the x86-64 system calls by number, with what corun needs to know of each.
 * Source: arch/x86/entry/syscalls/syscall_64.tbl of Linux 6.18.
 */
#ifndef CORUN_TRACE_SYSCALL_H
#define CORUN_TRACE_SYSCALL_H

#include "base/types.h"

#define SYSCALL_NR_MAX 512

/* "read", or NULL for a number without a call. */
const char *syscall_name(int nr);
/* The number of a name, or -1. */
int syscall_number(const char *name);

#endif
