/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdlib.h>

/* Multiplicative hashing (Knuth, TAOCP 3, 6.4): the upper bits of the product with 2^64 / phi depend on
 * all bits of the key, and tids and addresses differ in few. cap is a power of two, at least 16. */
static size_t slot_of(const struct map *map, u64 key)
{
	return (size_t)(key * 0x9e3779b97f4a7c15ULL >> (64 - __builtin_ctzll(map->cap)));
}

static struct map_slot *find(const struct map *map, u64 key)
{
	size_t i = slot_of(map, key);

	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

void *map_get(const struct map *map, u64 key)
{
	return map->cap ? find(map, key)->value : NULL;
}

static int grow(struct map *map)
{
	struct map bigger = {.cap = map->cap ? map->cap * 2 : 16, .len = map->len};

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].value)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

int map_set(struct map *map, u64 key, void *value)
{
	struct map_slot *slot;

	if ((map->len + 1) * 4 > map->cap * 3) {
		int err = grow(map);

		if (err)
			return err;
	}
	slot = find(map, key);
	if (!slot->value)
		map->len++;
	*slot = (struct map_slot){key, value};
	return 0;
}

/* Backward shift deletion: no tombstones, so look-ups stay short. */
void *map_del(struct map *map, u64 key)
{
	struct map_slot *slot;
	size_t mask = map->cap - 1, hole, i;
	void *value;

	if (!map->cap)
		return NULL;
	slot = find(map, key);
	value = slot->value;
	if (!value)
		return NULL;
	hole = (size_t)(slot - map->slots);
	for (i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
		size_t home = slot_of(map, map->slots[i].key);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole].value = NULL;
	map->len--;
	return value;
}

struct map_slot *map_next(const struct map *map, size_t *i)
{
	while (*i < map->cap) {
		struct map_slot *slot = &map->slots[(*i)++];

		if (slot->value)
			return slot;
	}
	return NULL;
}

void map_free(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}
