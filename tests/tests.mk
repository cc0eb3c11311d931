# SPDX-License-Identifier: MIT
# Tests. Each kind has its own folder; a test is found by glob, never listed.

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/%)
# record/ parts that are pure (no libbpf) may be tested too: link them by listing them here.
UNIT_RECORD := $(filter-out %/embed.o,$(RECORD_OBJ))

$(B)/tests/unit/%: tests/unit/%.c $(LIB) $(UNIT_RECORD) $(MAKEFILE_LIST)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(LIB) -lcmocka $(LIB_LIBS)

.PHONY: unit
unit: $(UNIT_BIN)
	$(Q)for t in $(UNIT_BIN); do $$t || exit 1; done
