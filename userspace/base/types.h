/* SPDX-License-Identifier: MIT */
/* types.h - short names for fixed-width integers, as in the kernel. */
#ifndef CORUN_BASE_TYPES_H
#define CORUN_BASE_TYPES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC ((u64)1000000000)
#define NSEC_PER_MSEC ((u64)1000000)

#endif
