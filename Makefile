# SPDX-License-Identifier: MIT
# corun: what really runs at the same time. `make help` lists the targets.
#
#   V=1                     show full commands
#   DEBUG=1                 -O0 -g
#   SAN=address,undefined   sanitizers
#   STATIC=1                one binary to copy to another machine
#
# Each kind of build has a directory of its own under build/, so that they do not mix.

CC ?= gcc
BPF_CC ?= clang
# <asm/types.h> of Debian and Ubuntu lies in the multiarch folder, which the BPF target does not know.
BPF_INC := $(addprefix -idirafter ,$(wildcard /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)))
PREFIX ?= /usr/local
VERSION := $(shell cat VERSION 2>/dev/null || echo 0)

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

B := build
ifneq ($(DEBUG),)
B := $(B)/debug
endif
ifneq ($(SAN),)
comma := ,
B := $(B)/san-$(subst $(comma),-,$(SAN))
endif
ifneq ($(STATIC),)
B := $(B)/static
endif

Q := $(if $(V),,@)
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(V)$(silent),,@printf '  %-7s %s\n' '$(1)' '$(2)')

WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wpointer-arith
CPPFLAGS += -D_GNU_SOURCE -DCORUN_VERSION='"$(VERSION)"' -DVIEWER='"viewer"' -Iuserspace -Ibpf -I$(B)
CFLAGS_OPT := $(if $(DEBUG),-O0 -g3,-O2 -g)
CFLAGS += -std=gnu11 $(CFLAGS_OPT) $(WARN) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
LDFLAGS += $(if $(SAN),-fsanitize=$(SAN)) $(if $(STATIC),-static)

# The library needs no libbpf: everything but recording and the verbs.
LIB_LIBS := -lz -lm -pthread
BPF_LIBS := -lbpf -lelf -lz
# --stacks: elfutils' libdw unwinds and finds lines, libstdc++ demangles. Its static library asks for
# every kind of compression: one binary to copy does without.
DW_LIBS := $(if $(STATIC),,-ldw -lstdc++)
CPPFLAGS += $(if $(STATIC),-DNO_LIBDW)
# Debian's static libmicrohttpd asks for GnuTLS: one binary to copy does without `view`.
HTTP_LIBS := $(if $(STATIC),,-lmicrohttpd)
# Nor does it have a static cJSON: one binary to copy records; lessons are for where they are installed.
LESSON_LIBS := $(if $(STATIC),,-lcjson -lcmark)
# `corun top`: the screen.
SCREEN_LIBS := -lncursesw -ltinfo
CPPFLAGS += $(if $(STATIC),-DNO_MICROHTTPD -DNO_LESSONS)

LIB_SRC := $(sort $(wildcard userspace/base/*.c userspace/trace/*.c userspace/model/*.c \
	     userspace/metrics/*.c userspace/export/*.c))
RECORD_SRC := $(sort $(wildcard userspace/record/*.c))
CMD_SRC := $(sort $(filter-out $(if $(STATIC),%/cmd_lesson.c),$(wildcard userspace/*.c)))
LESSON_SRC := $(if $(STATIC),,$(sort $(wildcard userspace/lesson/*.c)))
BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
RECORD_OBJ := $(RECORD_SRC:%.c=$(B)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/%.o)
LESSON_OBJ := $(LESSON_SRC:%.c=$(B)/%.o)
BPF_OBJ := $(BPF_SRC:%.c=$(B)/%.o)
LIB := $(B)/libcorun.a
CORUN := $(B)/corun

.PHONY: all
all: $(CORUN)

$(CORUN): $(CMD_OBJ) $(LESSON_OBJ) $(RECORD_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(DW_LIBS) $(BPF_LIBS) $(HTTP_LIBS) $(LESSON_LIBS) $(SCREEN_LIBS) $(LIB_LIBS)

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c $(MAKEFILE_LIST)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

BPF_COMPILE = $(BPF_CC) --target=bpf -D__TARGET_ARCH_x86 -O2 -g -mcpu=v3 -Wall -Wextra -Wno-unused-parameter \
	      -Ibpf $(BPF_INC) -MMD -MP -c
# BTF for CO-RE comes from -g; strip the DWARF that would triple the object.
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(MAKEFILE_LIST)
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPF_COMPILE) -o $@ $<
	$(Q)llvm-strip -g $@ 2>/dev/null || llvm-strip-14 -g $@ 2>/dev/null || true

# The BPF objects travel inside the binary (.incbin in record/embed.c).
$(B)/userspace/record/embed.o: $(BPF_OBJ)
$(B)/userspace/record/embed.o: CPPFLAGS += -DBPF_OBJECT='"$(B)/bpf/corun.bpf.o"'

# So do the sources of the Python hook.
$(B)/userspace/record/hook_files.o: $(wildcard userspace/hook/*.py userspace/hook/*.js userspace/hook/*.rb) \
				    $(B)/userspace/hook/step.so $(B)/userspace/hook/node_marks.so \
				    $(B)/userspace/hook/ruby_marks.so
$(B)/userspace/record/hook_files.o: CPPFLAGS += -DSTEP_OBJECT='"$(B)/userspace/hook/step.so"' \
						-DNODE_OBJECT='"$(B)/userspace/hook/node_marks.so"' \
						-DRUBY_OBJECT='"$(B)/userspace/hook/ruby_marks.so"'

# The hooks' extension modules: Python, Node and Ruby load them, so they are shared objects in every kind of build.
$(B)/userspace/hook/%.so: userspace/hook/%.c userspace/hook/step_wait.h userspace/corun.h $(MAKEFILE_LIST)
	$(call say,SO,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -Iuserspace -std=gnu11 -O2 $(WARN) -shared -fPIC -s -o $@ $<

# So do the viewer's files (export/page_files.c), and those of lesson/files.c.
$(B)/userspace/export/page_files.o: $(wildcard viewer/*)
$(B)/userspace/lesson/files.o: $(wildcard viewer/course.*) $(wildcard userspace/lesson/skeleton/*) userspace/hook/corun_marks.py

-include $(shell find $(B) -name '*.d' 2>/dev/null)

include tests/tests.mk

# `make deps` is behind demo and check: both work on a machine where nothing was installed by hand.
# The build itself runs in a second make, because what deps installs was not there when the first
# one looked.
.PHONY: deps
deps:
	$(Q)sh tests/deps.sh

.PHONY: demo
demo:
	$(Q)sh tests/deps.sh build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)sh samples/demo/run $(CORUN) $(CURDIR)/$(B)/demo

# The course site from the recordings that are kept with the lessons: needs no root.
.PHONY: lessons
lessons: all
	$(Q)$(CORUN) lesson all --kept --out $(B)/lessons

.PHONY: check
check:
	$(Q)sh tests/deps.sh
	$(Q)sh tests/check

.PHONY: install
install: all
	install -D -m 755 $(CORUN) $(DESTDIR)$(PREFIX)/bin/corun
	install -D -m 644 userspace/corun.h $(DESTDIR)$(PREFIX)/include/corun.h
	install -D -m 644 userspace/hook/corun_marks.py $(DESTDIR)$(PREFIX)/share/corun/corun_marks.py
	install -D -m 644 userspace/hook/postgresql.probes $(DESTDIR)$(PREFIX)/share/corun/postgresql.probes
	mkdir -p $(DESTDIR)$(PREFIX)/share/corun && cp -rL samples $(DESTDIR)$(PREFIX)/share/corun/
	install -D -m 644 userspace/corun.1 $(DESTDIR)$(PREFIX)/share/man/man1/corun.1

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make            build build/corun'
	@echo 'make demo       record four Python threads, then the same work as processes, and show them'
	@echo 'make lessons    build the course site in build/lessons from the kept recordings'
	@echo 'make check      run every test that this machine can run'
	@echo 'make bench      measure what recording costs and how fast the rest is (root, minutes)'
	@echo 'make deps       install what the build and the tests need'
	@echo 'make install    install under PREFIX (/usr/local)'
	@echo 'make clean      remove build/'

.PHONY: lib
lib: $(LIB) $(UNIT_BIN)
