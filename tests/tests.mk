# SPDX-License-Identifier: MIT
# Tests. Each kind has its own folder with a script `run` that speaks TAP (tests/check); what those
# scripts need built is here.

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/%)
# The pure parts of record/ and lesson/ are tested like the library; they need no libbpf.
UNIT_LESSON := $(addprefix $(B)/userspace/lesson/,claim.o claim_path.o held.o lesson.o lesson_json.o text.o)
UNIT_RECORD := $(addprefix $(B)/userspace/record/,collect.o convert.o gaps.o members.o queue.o marks.o ring.o \
	       elf.o futex.o process.o python_layout.o python_line.o python_name.o python_object.o python_place.o \
	       python_wait.o python_gil.o runtime_python.o stacks.o chain.o unwind.o symbolize.o code_file.o \
	       kernel_symbols.o go_file.o go_wait.o)

$(B)/tests/unit/%: tests/unit/%.c $(LIB) $(UNIT_RECORD) $(UNIT_LESSON) $(MAKEFILE_LIST)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(UNIT_RECORD) $(UNIT_LESSON) $(LIB) \
		-lcmocka -lcjson -lcmark $(DW_LIBS) -lelf $(LIB_LIBS)

.PHONY: unit
unit: $(UNIT_BIN)
	$(Q)for t in $(UNIT_BIN); do $$t || exit 1; done

# Programs that tests and benchmarks are made of: one C file each.
$(B)/tests/%: tests/%.c $(LIB) $(MAKEFILE_LIST)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(LDLIBS_EXTRA) $(LIB_LIBS) -lpthread

# Fuzzers need clang's libFuzzer and a library built by clang.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
build/fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(MAKEFILE_LIST)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(CPPFLAGS) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -o $@ $< $(LIB_SRC) \
		$(LIB_LIBS)

.PHONY: fuzz
fuzz: $(FUZZ_BIN)
	$(Q)tests/fuzz/run

# What recording costs and how fast the rest is; not part of check, which asserts no times.
BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c))) \
	     $(B)/tests/bench/empty.bpf.o
$(B)/tests/bench/attach: LDLIBS_EXTRA := $(BPF_LIBS)
$(B)/tests/bench/empty.bpf.o: tests/bench/empty.bpf.c $(MAKEFILE_LIST)
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPF_COMPILE) -o $@ $<

.PHONY: bench
bench: all $(BENCH_BIN)
	$(Q)tests/bench/run
