/* SPDX-License-Identifier: MIT */
/* record/queue.c: nearly sorted in, sorted and whole out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "record/queue.h"

/* Entries of every size, some far back in time, taken out in batches: each comes once, whole, in
 * order, equal times as they came. */
static void test_order_and_bytes(void **state)
{
	struct queue queue = {0};
	struct queue_entry entry;
	u64 now = 1000, last = 0, limit = 0;
	int added = 0, taken = 0, last_number = -1;

	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		for (int i = rand() % 200; i > 0; i--) {
			size_t len = (size_t)(rand() % 600) + sizeof(int);
			u64 ts = now - (u64)(rand() % 8 ? rand() % 20 : rand() % 5000);
			char *data;

			if (ts < limit)
				ts = limit;
			data = queue_add(&queue, ts, added & 3, len);
			assert_non_null(data);
			memset(data, added & 0x7f, len);
			memcpy(data, &added, sizeof(added));
			added++;
			now += (u64)(rand() % 30);
		}
		limit = rand() % 5 ? (now > 5000 ? now - 5000 : 0) : limit;
		while (queue_take(&queue, limit, &entry)) {
			int number;

			memcpy(&number, entry.data, sizeof(number));
			assert_int_equal(entry.kind, number & 3);
			assert_true(entry.ts >= last);
			if (entry.ts == last)
				assert_true(number > last_number);
			last = entry.ts;
			last_number = number;
			taken++;
		}
	}
	while (queue_take(&queue, UINT64_MAX, &entry))
		taken++;
	assert_int_equal(taken, added);
	queue_free(&queue);
}

static void test_too_large(void **state)
{
	struct queue queue = {0};

	(void)state;
	assert_null(queue_add(&queue, 1, 0, 1 << 20));
	assert_non_null(queue_add(&queue, 1, 0, 0));
	queue_free(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_bytes),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
