/* SPDX-License-Identifier: MIT */
#include "metrics/hist.h"

#include <math.h>
#include <stdlib.h>

#define SUB_BITS 5 /* log2(HIST_SUB) */

/* Row 0 holds 0..31 one by one; row r > 0 holds [32 << (r - 1), 32 << r) in steps of 1 << (r - 1). */
static unsigned int row_of(u64 value)
{
	return value < HIST_SUB ? 0 : 63 - (unsigned int)__builtin_clzll(value) - SUB_BITS + 1;
}

static unsigned int column_of(u64 value, unsigned int row)
{
	return row ? (unsigned int)(value >> (row - 1)) - HIST_SUB : (unsigned int)value;
}

/* Middle of a bucket. */
static u64 value_of(unsigned int row, unsigned int column)
{
	if (!row)
		return column;
	return ((u64)(HIST_SUB + column) << (row - 1)) + ((1ULL << (row - 1)) >> 1);
}

void hist_add(struct hist *hist, u64 value)
{
	unsigned int row = row_of(value);

	if (!hist->count || value < hist->min)
		hist->min = value;
	if (value > hist->max)
		hist->max = value;
	hist->count++;
	hist->sum += value;
	if (!hist->rows[row]) {
		hist->rows[row] = calloc(HIST_SUB, sizeof(u32));
		if (!hist->rows[row]) {
			hist->dropped++;
			return;
		}
	}
	hist->rows[row][column_of(value, row)]++;
}

u64 hist_percentile(const struct hist *hist, double percent)
{
	u64 have = hist->count - hist->dropped, seen = 0, rank;

	if (!have)
		return hist->max;
	rank = (u64)ceil((double)have * percent / 100);
	if (rank <= 1)
		return hist->min;
	if (rank >= have)
		return hist->max;
	for (unsigned int row = 0; row < HIST_ROWS; row++) {
		if (!hist->rows[row])
			continue;
		for (unsigned int column = 0; column < HIST_SUB; column++) {
			u64 value;

			seen += hist->rows[row][column];
			if (seen < rank)
				continue;
			value = value_of(row, column);
			if (value < hist->min)
				return hist->min;
			return value > hist->max ? hist->max : value;
		}
	}
	return hist->max;
}

void hist_free(struct hist *hist)
{
	for (unsigned int row = 0; row < HIST_ROWS; row++)
		free(hist->rows[row]);
	*hist = (struct hist){0};
}
