/* SPDX-License-Identifier: MIT */
/* base/: strings, JSON, UTF-8, maps and files that appear whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/out.h"
#include "base/utf8.h"

static void test_buf_grows(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	buf_put_u64(&b, 0);
	buf_put_u64(&b, UINT64_MAX);
	assert_false(b.failed);
	assert_int_equal(strlen(b.data), b.len);
	assert_non_null(strstr(b.data, "999,018446744073709551615"));
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	buf_free(&b);
}

/* Whatever bytes go in, valid JSON comes out, and plain text comes back the same. */
static void test_json_any_bytes(void **state)
{
	static const char *const same[] = {"", "plain", "quote\" back\\slash", "한국어 텍스트",
					   "tab\tnew\nline\r", "</script><img onerror=1>", "\x01\x1f\x7f",
					   "\xe2\x80\xae right to left"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct buf b = BUF_INIT;
		cJSON *json;

		buf_put_json(&b, same[i]);
		assert_null(strchr(b.data, '<'));
		json = cJSON_Parse(b.data);
		assert_non_null(json);
		assert_string_equal(json->valuestring, same[i]);
		cJSON_Delete(json);
		buf_free(&b);
	}
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct buf b = BUF_INIT;
		char bytes[24];
		cJSON *json;
		int len = rand() % (int)sizeof(bytes);

		for (int i = 0; i < len; i++)
			bytes[i] = (char)(1 + rand() % 255);
		buf_put_json_n(&b, bytes, (size_t)len);
		for (size_t i = 0; i < b.len;) {
			int n = utf8_sequence((const unsigned char *)b.data + i, b.len - i);

			assert_true(n > 0);
			i += (size_t)n;
		}
		json = cJSON_Parse(b.data);
		assert_non_null(json);
		cJSON_Delete(json);
		buf_free(&b);
	}
}

static void test_utf8_sequences(void **state)
{
	static const struct {
		const char *bytes;
		int length;
	} cases[] = {
		{"a", 1}, {"\xc2\xa9", 2}, {"\xed\x95\x9c", 3}, {"\xf0\x9f\x98\x80", 4},
		{"\xc0\x80", 0}, {"\xed\xa0\x80", 0}, {"\xf4\x90\x80\x80", 0}, {"\xff", 0}, {"\xe2\x82", 0},
		{"\xe0\x80\x80", 0}, {"\xf0\x80\x80\x80", 0}, {"\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(utf8_sequence((const unsigned char *)cases[i].bytes,
					       strlen(cases[i].bytes)), cases[i].length);
	assert_int_equal(utf8_columns("한 a", strlen("한 a")), 4);
	assert_int_equal(utf8_columns("\xff\xff", 2), 2);
}

/* Against a plain array as the model. */
static void test_map_like_an_array(void **state)
{
	static void *model[512];
	struct map map = {0};
	struct map_slot *slot;
	size_t live = 0;

	(void)state;
	srand(7);
	for (int round = 0; round < 200000; round++) {
		u32 key = (u32)rand() % 512;
		/* Keys that differ in high bits alone, as addresses do. */
		u64 spread = (u64)key << 32 | (key & 1);

		if (rand() % 2) {
			void *value = &model[rand() % 512];

			live += !model[key];
			model[key] = value;
			assert_int_equal(map_set(&map, spread, value), 0);
		} else {
			assert_ptr_equal(map_del(&map, spread), model[key]);
			live -= model[key] != NULL;
			model[key] = NULL;
		}
		assert_ptr_equal(map_get(&map, spread), model[key]);
		assert_int_equal(map.len, live);
	}
	for (size_t i = 0; (slot = map_next(&map, &i));) {
		assert_ptr_equal(slot->value, model[slot->key >> 32]);
		live--;
	}
	assert_int_equal(live, 0);
	map_free(&map);
	assert_null(map_get(&map, 1));
	assert_null(map_del(&map, 1));
}

static char folder[] = "/tmp/corun-test-XXXXXX";

static void slurp(const char *path, char *data, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	data[fread(data, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void test_out_appears_whole(void **state)
{
	char path[64], link[64], data[64];
	struct error err = {0};
	struct out *out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_int_equal(out_open(&out, path, 0, &err), 0);
	out_puts(out, "whole");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(out_commit(out, &err), 0);
	slurp(path, data, sizeof(data));
	assert_string_equal(data, "whole");

	/* Dropped: what was there stays. */
	assert_int_equal(out_open(&out, path, 0, &err), 0);
	out_puts(out, "half");
	out_abort(out);
	slurp(path, data, sizeof(data));
	assert_string_equal(data, "whole");

	/* A planted link is replaced, not followed. */
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(out_open(&out, link, 0, &err), 0);
	out_puts(out, "other");
	assert_int_equal(out_commit(out, &err), 0);
	slurp(path, data, sizeof(data));
	assert_string_equal(data, "whole");
	unlink(link);

	assert_int_equal(out_open(&out, folder, 0, &err), -EISDIR);
	assert_non_null(strstr(err.text, folder));
	unlink(path);
	rmdir(folder);
}

static void test_out_full_disk(void **state)
{
	struct error err = {0};
	struct out *out;
	char block[4096] = "x";

	(void)state;
	assert_int_equal(out_open(&out, "/dev/full", 0, &err), 0);
	for (int i = 0; i < 200; i++)
		out_put(out, block, sizeof(block));
	assert_int_equal(out_commit(out, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full"));
}

/* Blocks that several threads deflate are one stream, whatever the size and the pieces put. */
static void test_gzip(void **state)
{
	static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 3000000};
	char path[] = "/tmp/corun-test-gzip-XXXXXX";
	u8 *data = malloc(3000000), *back = malloc(3000001);
	int fd = mkstemp(path);
	u64 x = 1;

	(void)state;
	assert_true(fd >= 0 && data && back);
	/* Half of it repeats, over the blocks' borders too. */
	for (size_t i = 0; i < 3000000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		data[i] = i / 4096 % 2 ? data[i - 4096] : (u8)(x >> 60);
	}
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct gzip *gzip;
		gzFile file;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(gzip_open(&gzip, fd), 0);
		for (size_t at = 0, n = 1; at < sizes[s]; at += n, n = n * 3 % 100003) {
			n = n < sizes[s] - at ? n : sizes[s] - at;
			assert_int_equal(gzip_put(gzip, data + at, n), 0);
		}
		assert_int_equal(gzip_close(gzip), 0);
		file = gzopen(path, "rb");
		assert_int_equal(gzread(file, back, 3000001), sizes[s]);
		assert_memory_equal(back, data, sizes[s]);
		assert_true(sizes[s] < 3000000 || gzoffset(file) < 1000000);
		assert_int_equal(gzclose(file), Z_OK);
	}
	/* A full disk shows at the latest at the end; unfinished is no error. */
	close(fd);
	unlink(path);
	for (int finish = 0; finish < 2; finish++) {
		struct gzip *gzip;

		fd = open("/dev/full", O_WRONLY);
		assert_int_equal(gzip_open(&gzip, fd), 0);
		gzip_put(gzip, data, 3000000);
		if (finish)
			assert_int_equal(gzip_close(gzip), -ENOSPC);
		else
			gzip_drop(gzip);
		close(fd);
	}
	free(data);
	free(back);
}

static void test_error_text(void **state)
{
	struct error err = {0};

	(void)state;
	assert_string_equal(error_text(NULL, -ENOENT), strerror(ENOENT));
	assert_int_equal(error_set(NULL, -EIO, "nobody listens"), -EIO);
	assert_int_equal(error_set(&err, -EIO, "two\nlines %d", 1), -EIO);
	assert_string_equal(error_text(&err, -EIO), "two lines 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_grows),      cmocka_unit_test(test_json_any_bytes),
		cmocka_unit_test(test_utf8_sequences), cmocka_unit_test(test_map_like_an_array),
		cmocka_unit_test(test_out_appears_whole), cmocka_unit_test(test_out_full_disk),
		cmocka_unit_test(test_gzip), cmocka_unit_test(test_error_text),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
