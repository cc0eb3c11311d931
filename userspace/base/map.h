/* SPDX-License-Identifier: MIT */
/*
 * map.h - a hash table from u64 keys to pointers, open addressing, grows by itself.
 *
 * Start from zeroed memory; end with map_free(). The map does not own the values. Iterate with
 * map_next(); order is not defined, so sort what users see.
 */
#ifndef CORUN_BASE_MAP_H
#define CORUN_BASE_MAP_H

#include "base/types.h"

struct map_slot {
	u64 key;
	void *value; /* NULL: free */
};

struct map {
	struct map_slot *slots;
	size_t cap; /* power of two, or 0 */
	size_t len;
};

void *map_get(const struct map *map, u64 key);
/* Set @key to @value (not NULL). 0 or -ENOMEM. */
int map_set(struct map *map, u64 key, void *value);
/* Take @key out and return what was there, or NULL. */
void *map_del(struct map *map, u64 key);
/* for (size_t i = 0; (slot = map_next(&map, &i)); ) */
struct map_slot *map_next(const struct map *map, size_t *i);
void map_free(struct map *map);

#endif
