# SPDX-License-Identifier: MIT
# Builds lxcore (freestanding, lives in every guest process) and lxrun (hosted command).
# All output goes to build/. Targets that need packages or a Debian root call scripts/.

VERSION := 0.1.0
PREFIX  ?= /usr/local
B       := build

CC       := gcc
CPPFLAGS := -iquote include -DLXRUN_VERSION='"$(VERSION)"'
COMMON   := -std=gnu11 -O2 -g -Wall -Wextra -Werror -MMD -MP

# lxcore runs on the guest's threads: no libc, no TLS (stack protector), no vector registers.
# -fPIE is only for addressing (it links above 2 GiB); the result stands at one fixed address.
# CET stays off because the door enters by a jump that no endbr64 marks. Unwind tables are for debuggers
# only (.debug_frame): they take no memory, and lead through the door to the guest's frames.
CORE_CFLAGS := $(COMMON) -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none \
               -mgeneral-regs-only -ffunction-sections -fno-asynchronous-unwind-tables
CORE_SCRIPT := loader/lxcore.ld
# Where it stands; below, for an lxrun that runs inside lxrun (include/layout.h).
CORE_PLACE := 0x7e9000000000
NESTED_PLACE := 0x7e8000000000
# Its first 128 KiB, where what often runs lies, begin at a multiple of that in the file too. And the
# file is a copy: the page cache has what is written in one piece in large folios, which are mapped as
# one at a page fault, and what the linker writes in single pages (docs/bench.md, fork).
CORE_LDFLAGS := -static -nostdlib -no-pie -Wl,--no-relax -Wl,-z,noexecstack -Wl,-z,norelro \
                -Wl,--build-id=none -Wl,--gc-sections -Wl,-z,max-page-size=0x20000 -T $(CORE_SCRIPT)
# Strings stay with their file: merged with those of capstone they would lie scattered over its
# tables, and each that is used would bring 64 KiB of them into memory.
HOSTED_CFLAGS := $(COMMON) -fno-merge-constants

core_src   := $(wildcard $(addsuffix /*.c,host task fs loader syscalls trap) \
                         $(addsuffix /*.S,host task fs loader syscalls trap))
hosted_src := $(wildcard cli/*.c rewrite/*.c vm/*.c)
core_obj   := $(core_src:%=$(B)/core/%.o)
hosted_obj := $(hosted_src:%=$(B)/hosted/%.o)
# The utility VM's first process.
init_obj   := $(patsubst %,$(B)/hosted/%.o,$(wildcard vm/init/*.c) vm/frames.c)
image_obj  := $(patsubst %,$(B)/hosted/%.o,$(wildcard vm/image/*.c))
sources    := $(wildcard $(addsuffix /*.[ch],include host task fs loader syscalls trap \
                                             cli rewrite vm vm/init vm/image vm/uml tests tests/guest tests/fuzz bench))

# States of the cache that the guest tests run under, as root.
STATES := ,rewrite+cold,rewrite+corrupt,rewrite+readonly,rewrite+full,rewrite+racing

.PHONY: all deps rootfs run test test-all check soak bench compare install clean format
all: $(B)/lxcore $(B)/lxcore-nested $(B)/lxrun $(B)/lxinit $(B)/lximage $(B)/lxuml.so

$(B)/lxcore: $(core_obj) $(CORE_SCRIPT) loader/often.ld
	$(CC) $(CORE_LDFLAGS) -Wl,--defsym=place=$(CORE_PLACE) -o $@.ld $(core_obj)
	cp $@.ld $@.new && mv $@.new $@ && rm $@.ld

$(B)/lxcore-nested: $(core_obj) $(CORE_SCRIPT) loader/often.ld
	$(CC) $(CORE_LDFLAGS) -Wl,--defsym=place=$(NESTED_PLACE) -o $@.ld $(core_obj)
	cp $@.ld $@.new && mv $@.new $@ && rm $@.ld

# At a fixed address, and static: capstone has 80,000 places to relocate at each start, and loading
# and linking libc was a quarter of what a start costs.
$(B)/lxrun: $(hosted_obj)
	$(CC) -static -no-pie -o $@ $(hosted_obj) -lcapstone -lnettle

$(B)/lxinit: $(init_obj)
	$(CC) -static -s -Wl,--gc-sections -o $@ $(init_obj)

$(B)/lximage: $(image_obj)
	$(CC) -o $@ $(image_obj) -Wl,-Bstatic -lext2fs -lcom_err -Wl,-Bdynamic

# Loaded into User-Mode Linux.
$(B)/lxuml.so: $(B)/hosted/vm/uml/xstate.c.o
	$(CC) -shared -o $@ $<

# Everything depends on the Makefile: flags and version live here.
$(B)/core/%.o: % Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CORE_CFLAGS) -c -o $@ $<

$(B)/hosted/%.o: % Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(HOSTED_CFLAGS) -c -o $@ $<

$(B)/hosted/vm/uml/%.o: HOSTED_CFLAGS += -fPIC

# memcpy must not be compiled into a call to memcpy.
$(B)/core/host/lib.c.o: CORE_CFLAGS += -fno-tree-loop-distribute-patterns

deps:
	scripts/deps.sh

# Goals in a sub-make, because deps may install the compiler that `all` needs.
rootfs: deps
	$(MAKE) all
	scripts/rootfs.sh

run: rootfs
	scripts/demo.sh

check: deps
	$(MAKE) all
	tests/run.py --level check

# Where lxcore walks without openat2 (Linux before 5.6): what has to do with paths and descriptors.
OLD_HOST := path race openat2 open openat fd exec_at exec_ways exec_script overlay perm mount chroot \
	link rename renameat2 close_range eintr_fifo procfs_closed_fd scm_rights_dirs

# What an overlay has of its own: other numbers, more than one place of a file, paths and names, what others do to a
# name or a descriptor meanwhile.
OVERLAY := exec_busy exec_text* open_tmpfile thread_leader_ended proc_fd_* lock_posix_survives chroot_* \
	race_getcwd race_create race_swap_link_xattr race_change_renamed race_fd_swap race_proc_fd* unix_blocked_connect sig_unasked \
	path_* stat* rename* link* unlink* open_* chmod_* chown_* acl_* xattr_* inotify_* exec_self_* mem_maps dev_chmod fcntl_status_flags \
	mount_* pivot_* uts_*

test: rootfs
	tests/run.py --level test --user --trap default,rewrite,seccomp,container
	tests/run.py --level test --user --trap old $(OLD_HOST:%='guest/%*')
	tests/run.py --level test --user --trap overlay $(OVERLAY:%='guest/%')

test-all: rootfs
	tests/run.py --level all --user --trap default,rewrite,sud,seccomp,ptrace,nested,container,old$(if $(filter 0,$(shell id -u)),$(STATES))

soak: rootfs
	tests/soak.sh

# BENCH holds options and names: make bench BENCH='--quick getpid,stat'
bench: rootfs
	bench/run.py $(BENCH)

# Translation beside the utility VMs and the peers: the whole benchmark, and a page of it. Takes long;
# COMPARE as BENCH above.
compare: rootfs
	bench/run.py --vm --rounds 3 --ms 20 --divisor 20 --limit 150 --minutes 22 -v \
		--json $(B)/compare/result.json $(COMPARE)
	bench/page.py $(B)/compare/result.json

# lxrun looks for lxcore beside itself, then in ../lib/lxrun.
install: all
	install -D -m 755 $(B)/lxrun $(DESTDIR)$(PREFIX)/bin/lxrun
	install -D -m 755 $(B)/lxcore $(DESTDIR)$(PREFIX)/lib/lxrun/lxcore
	install -D -m 755 $(B)/lxcore-nested $(DESTDIR)$(PREFIX)/lib/lxrun/lxcore-nested
	install -D -m 755 $(B)/lxinit $(DESTDIR)$(PREFIX)/lib/lxrun/lxinit
	install -D -m 755 $(B)/lximage $(DESTDIR)$(PREFIX)/lib/lxrun/lximage
	install -D -m 755 $(B)/lxuml.so $(DESTDIR)$(PREFIX)/lib/lxrun/lxuml.so
	install -D -m 755 scripts/vm-kernel.py $(DESTDIR)$(PREFIX)/lib/lxrun/vm-kernel.py

format:
	clang-format -i $(sources)

clean:
	rm -rf $(B)

-include $(core_obj:.o=.d) $(hosted_obj:.o=.d) $(init_obj:.o=.d) $(image_obj:.o=.d) $(B)/hosted/vm/uml/xstate.c.d
