/* SPDX-License-Identifier: MIT */
/*
 * peek.bpf.h - read kernel memory at an address that the verifier knows nothing of, at the price of
 * a load.
 *
 * A helper call costs 15 to 45 ns on a virtual machine with mitigations; bpf_probe_read_kernel()
 * takes 32 ns. bpf_rdonly_cast() (Linux 6.2) makes the verifier turn the read into one load that an
 * exception table guards: nothing that can be measured, and 0 where the address is bad, as there.
 */
#ifndef CORUN_PEEK_H
#define CORUN_PEEK_H

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* Any type of every kernel that begins with 64 plain bits will do. */
struct timespec64 {
	__s64 tv_sec;
} __attribute__((preserve_access_index));

static __always_inline __u64 peek_u64(__u64 address)
{
	__u64 value = 0;

	if (config.rdonly_cast)
		return ((struct timespec64 *)bpf_rdonly_cast(
				(void *)address, bpf_core_type_id_kernel(struct timespec64)))->tv_sec;
	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

#define peek_field(address, type, field) \
	peek_u64((__u64)(address) + bpf_core_field_offset(type, field))

#endif
