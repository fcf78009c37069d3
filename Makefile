# make            build/libevy.so
# make help       what else there is
#
# A configuration (CC, SAN) builds in a directory of its own, so that switches never mix objects.
# Own settings may go into config.mak.

.DEFAULT_GOAL := all
-include config.mak

VERSION := $(shell sed -n 's|^\#define EVY_VERSION "\(.*\)"|\1|p' include/evy.h)
SONAME := libevy.so.0
SSL_SONAME := libevy-ssl.so.0

prefix ?= /usr/local
bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/libevy
completiondir ?= $(datadir)/bash-completion/completions
# gdb loads scripts by itself from here, by the name of the library they are for.
gdbdir ?= $(datadir)/gdb/auto-load$(libdir)
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
pkgconfigdir ?= $(libdir)/pkgconfig

ifeq ($(origin CC),default)
CC := gcc
CXX := g++
endif
ifneq ($(findstring clang,$(notdir $(firstword $(CC)))),)
ifeq ($(origin CXX),default)
CXX := $(patsubst clang%,clang++%,$(CC))
endif
endif
PYTHON ?= /usr/bin/python3
PKG_CONFIG ?= pkg-config

# Where other goals follow `deps`, they run in a make of their own: nothing that this one found out
# about the compiler and the libraries holds after the installation.
.PHONY: deps
deps:
	@tools/build/deps.sh

ifneq ($(and $(filter deps,$(MAKECMDGOALS)),$(filter-out deps,$(MAKECMDGOALS))),)

.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
$(filter-out deps,$(MAKECMDGOALS)): deps
	+@$(MAKE) --no-print-directory $@

else

ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)))

# gcc without switches is plain build/; everything else says its name.
cc_name := $(notdir $(firstword $(CC)))
config := $(if $(filter gcc cc,$(cc_name)),,$(cc_name)-)$(if $(SAN),san-$(SAN)-)
B := build$(config:%-=/%)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

WERROR ?= -Werror
CFLAGS ?= -O2 -g
warnings := -Wall -Wextra $(WERROR) $(if $(filter thread,$(SAN)),-Wno-tsan)
san := $(SAN:%=-fsanitize=%) $(if $(SAN),-fno-omit-frame-pointer -fno-sanitize-recover=all)
san_wrap := $(if $(filter address,$(SAN)),-Xlinker --wrap=__asan_handle_no_return)

includes := -I. -Iinclude -Ilibevy -Ilibevy/arch/$(ARCH) -Ilibevy/san/$(if $(filter thread,$(SAN)),thread,none)

depend = -MMD -MP -MT $@ -MF $@.d

# -U_FORTIFY_SOURCE: where a distribution turns it on, its inline read() & co. fight our own.
# -fno-strict-aliasing: the words of pthread objects are seen through types of ours.
evy_cflags = -std=gnu11 -D_GNU_SOURCE -U_FORTIFY_SOURCE $(CFLAGS) $(warnings) $(san) $(includes) \
	-fPIC -fexceptions -fvisibility=hidden -ftls-model=initial-exec -fno-strict-aliasing $(depend)

# -Bsymbolic-functions: calls to our own exported functions stay inside.
# nodelete: a dlclose must not unmap code that threads stand on.
so_ldflags := -shared -Wl,-soname,$(SONAME) -Wl,--version-script=libevy/libevy.map \
	-Wl,--exclude-libs,ALL -Wl,-Bsymbolic-functions -Wl,-z,nodelete -Wl,-z,noexecstack \
	-Wl,-z,relro,-z,now -Wl,-z,text -Wl,--as-needed $(san) $(san_wrap) $(if $(SAN),,-Wl,--no-undefined)

# Test programs are compiled as a stranger would; the first line may say `// flags: ...`.
program_flags = -U_FORTIFY_SOURCE $(CFLAGS) -pthread $(warnings) $(depend)
own_flags = $$(sed -n '1s|^// flags: ||p' $<)

floors := libevy/base libevy/arch/$(ARCH) libevy/real libevy/body libevy/core libevy/io libevy/sync libevy/proc \
	libevy/api preload $(SAN:%=libevy/san/%)
sources := $(foreach d,$(floors),$(sort $(wildcard $(d)/*.c $(d)/*.S)))
objects := $(sources:%=$(B)/obj/%.o)
floor_objects := $(filter-out $(B)/obj/preload/%,$(objects))

ssl_objects := $(patsubst %,$(B)/obj/%.o,$(sort $(wildcard libevy/ssl/*.c)))

lib := $(B)/libevy.so
libevent := $(B)/libevent_private.a

units := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*.c))
programs := $(patsubst %,$(B)/%,$(basename $(wildcard $(foreach d,preload programs bench, \
	tests/$(d)/*.c tests/$(d)/*.cc))))
programs := $(filter-out $(B)/tests/bench/api_%,$(programs))

launcher := $(B)/evy
man_pages := $(patsubst tools/man/%,$(B)/man/%,$(wildcard tools/man/*.[1-8]) \
	$(basename $(wildcard tools/man/*.in))) $(patsubst include/evy/%.h,$(B)/man/evy_%.3,$(wildcard include/evy/*.h))
test_libraries := $(patsubst %.cc,$(B)/%.so,$(wildcard tests/preload/lib/*.cc))

linked := $(patsubst %.c,$(B)/%,$(wildcard tests/api/*.c tests/examples/*.c \
	tests/bench/api_*.c)) \
	$(patsubst %.c,$(B)/%.so,$(wildcard tests/api/lib/*.c))

.PHONY: all
all: $(lib) $(B)/$(SONAME) $(B)/libevy-ssl.so $(B)/$(SSL_SONAME) $(B)/hooknames.txt $(launcher) $(man_pages)

$(lib): $(objects) $(libevent) libevy/libevy.map $(B)/flags
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(so_ldflags) $(LDFLAGS) $(objects) $(libevent) -o $@

$(B)/$(SONAME): | $(lib)
	$(Q)ln -sf libevy.so $@

# TLS stands beside: the only thing that links OpenSSL.
$(B)/libevy-ssl.so: $(ssl_objects) libevy/libevy.map $(B)/flags | $(lib) $(B)/$(SONAME)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(subst $(SONAME),$(SSL_SONAME),$(so_ldflags)) $(LDFLAGS) $(ssl_objects) \
		-L$(B) -levy -Wl,-rpath,'$$ORIGIN' $$($(PKG_CONFIG) --libs openssl) -o $@

$(B)/$(SSL_SONAME): | $(B)/libevy-ssl.so
	$(Q)ln -sf libevy-ssl.so $@

$(B)/obj/%.c.o: %.c $(B)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(evy_cflags) -c $< -o $@

$(B)/obj/%.S.o: %.S $(B)/flags
	$(call say,AS,$<)mkdir -p $(@D) && $(CC) $(evy_cflags) -c $< -o $@

# Changes whenever a command line does.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(command_lines)' | cmp -s - $@ || echo '$(command_lines)' >$@

command_lines = $(CC) $(CXX) $(evy_cflags) $(program_flags) $(so_ldflags) $(LDFLAGS)

.PHONY: FORCE
FORCE:

libevent_core = $(firstword $(wildcard $(shell $(PKG_CONFIG) --variable=libdir libevent_core)/libevent_core.a) \
	$(shell $(CC) -print-file-name=libevent_core.a))

$(libevent): tools/build/private-libevent.sh tools/build/libevent.syms
	$(call say,EVENT,$@)mkdir -p $(@D) && tools/build/private-libevent.sh "$(libevent_core)" \
		tools/build/libevent.syms $@

$(B)/hooknames.txt: tools/build/hooknames.sh tools/build/hooknames.h $(wildcard preload/hooks.def)
	$(call say,GEN,$@)mkdir -p $(@D) && tools/build/hooknames.sh "$(CC) -I." tools/build/hooknames.h >$@.new
	@mv $@.new $@

# The launcher; it looks for libevy.so beside itself, then in $(libdir).
launcher_cflags = -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(warnings) $(san) -I. -Iinclude -Ilibevy \
	-DEVY_LIBDIR='"$(libdir)"' $$($(PKG_CONFIG) --cflags libelf libdw ncursesw) $(depend)
# Changes when the place of the library does: `make` and `make install libdir=...` need not name the same.
$(B)/libdir: FORCE
	@mkdir -p $(@D); echo '$(libdir)' | cmp -s - $@ || echo '$(libdir)' >$@

$(B)/obj/tools/evy/library.c.o: $(B)/libdir

launcher_objects := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tools/evy/*.c))

$(launcher): $(launcher_objects)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(san) $(LDFLAGS) $^ $$($(PKG_CONFIG) --libs libelf libdw ncursesw) -lm -o $@

$(launcher_objects): $(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(launcher_cflags) -c $< -o $@

$(B)/man/%: tools/man/%
	$(Q)mkdir -p $(@D) && cp $< $@

$(B)/man/evy_%.3: include/evy/%.h tools/build/man3.py
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/build/man3.py $< "$$(sed -n 's/^\.Dd //p' tools/man/evy.1)" >$@

$(B)/man/%: tools/man/%.in tools/build/man.sh tools/build/groups.h preload/hooks.def
	$(call say,MAN,$@)mkdir -p $(@D) && tools/build/man.sh "$(CC) -I." tools/build/groups.h $< >$@

# $(call each_function_page,COMMAND): with $page, COMMAND is run for the page of each function that it describes.
each_function_page = for path in $(filter %.3,$(man_pages)); do page=$${path\#\#*/}; \
	for name in $$(sed -n 's/^\.Nm \([a-z_]*\).*/\1/p' $$path); do \
		[ $$name.3 = $$page ] || $(1) $(DESTDIR)$(mandir)/man3/$$name.3; done; done

# Tests

.PHONY: tests check check-aarch64 demo bench soak leaks
tests: all $(units) $(programs) $(test_libraries) $(linked)

ifneq ($(SAN),thread)
check: tests check-aarch64
	$(Q)$(PYTHON) tests/run.py --build $(B)
else
# ThreadSanitizer cannot follow threads that become green (annotate.h): these make theirs by the runtime itself. It does not
# know our mutexes from glibc's, so it is not to judge who unlocks them.
thread_units := $(patsubst %,$(B)/tests/unit/test_%,lot timers share sync blocking timeout \
	queue event_sem mixed)
check: $(thread_units)
	$(Q)for t in $^; do TSAN_OPTIONS=report_mutex_bugs=0 $$t || exit 1; done
endif

demo: all $(B)/tests/programs/echo_threads
	$(Q)$(PYTHON) tools/demo/demo.py

# The mixed load of tests/preload/soak.c for longer than `check` has time for.
MINUTES ?= 30
soak: all $(B)/tests/preload/soak
	$(Q)SOAK_REPORT=/dev/stderr EVY_HUBS=2 LD_PRELOAD=$(abspath $(lib)) $(B)/tests/preload/soak $$(($(MINUTES) * 60))

# A million connections, ten million requests: what tests/programs/test_leaks.py does a hundredth of in `check`.
leaks: all $(programs)
	$(Q)LEAK_CONNECTIONS=1000000 $(PYTHON) tests/programs/one.py $(B) $(B)/tests/logs test_leaks test_connections 2

bench: all $(programs) $(linked)
	$(Q)$(PYTHON) tests/bench/run.py
	$(Q)$(PYTHON) tests/bench/scale.py

# Unit tests see internals: they link the floors' objects as an archive, never the hooks.
$(B)/libevy_floors.a: $(floor_objects)
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $(floor_objects)

$(units): $(B)/%: %.c $(wildcard tests/*.h tests/unit/*.h) $(B)/libevy_floors.a $(libevent) $(B)/flags
	$(call say,CCLD,$<)mkdir -p $(@D) && $(CC) $(evy_cflags) -pthread $< $(san_wrap) -Wl,--start-group \
		$(B)/libevy_floors.a $(libevent) -Wl,--end-group $$($(PKG_CONFIG) --libs check) -o $@

# Programs that use the API, linked as a stranger would; the libraries that some of them load.
$(filter-out %.so,$(linked)): $(B)/%: %.c $(wildcard include/evy.h include/evy/*.h) $(B)/flags | $(lib) $(B)/$(SONAME) $(B)/libevy-ssl.so $(B)/$(SSL_SONAME)
	$(call say,CCLD,$<)mkdir -p $(@D) && $(CC) -std=gnu11 $(program_flags) -Iinclude $< -o $@ \
		-L$(B) $(own_flags) -levy -Wl,--disable-new-dtags,-rpath,'$(abspath $(B)):$$ORIGIN/lib'

$(B)/tests/api/lib/%.so: tests/api/lib/%.c $(B)/flags
	$(call say,CCLD,$<)mkdir -p $(@D) && $(CC) -std=gnu11 $(program_flags) -fPIC -shared $< -o $@ \
		-L$(@D) -Wl,-rpath,'$$ORIGIN' $(own_flags)

$(B)/tests/%: tests/%.c $(B)/flags
	$(call say,CCLD,$<)mkdir -p $(@D) && $(CC) -std=gnu11 $(program_flags) $< $(own_flags) -o $@

$(B)/tests/%: tests/%.cc $(B)/flags
	$(call say,CXXLD,$<)mkdir -p $(@D) && $(CXX) -std=gnu++17 $(program_flags) $< $(own_flags) -o $@

$(B)/tests/preload/lib/%.so: tests/preload/lib/%.cc $(B)/flags
	$(call say,CXXLD,$<)mkdir -p $(@D) && $(CXX) -std=gnu++17 $(program_flags) -fPIC -shared $< $(own_flags) -o $@

# The aarch64 switch, cross-compiled and run in qemu where both are at hand.
CROSS_CC ?= aarch64-linux-gnu-gcc
QEMU ?= qemu-aarch64
arch64_sources := $(wildcard tests/unit/arch_switch.c libevy/arch/aarch64/*.[cS])

check-aarch64: $(if $(and $(filter tests/%,$(arch64_sources)),$(shell command -v $(CROSS_CC) >/dev/null && \
		command -v $(QEMU))),$(B)/aarch64/arch_switch)
	$(if $^,$(Q)$(QEMU) $< && echo 'aarch64: arch_switch ok',@echo 'aarch64: no $(CROSS_CC) or $(QEMU), skipped')

$(B)/aarch64/arch_switch: $(arch64_sources) $(wildcard libevy/arch/*.h libevy/arch/aarch64/*.h libevy/base/*.h)
	$(call say,CROSS,$@)mkdir -p $(@D) && $(CROSS_CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(warnings) -static -pthread \
		-I. -Iinclude -Ilibevy -Ilibevy/arch/aarch64 $(arch64_sources) -lm -o $@

# The tree

.PHONY: help clean format lint dist install uninstall
help:
	@echo 'targets:  all check demo bench soak leaks deps install uninstall deb clean format lint dist'
	@echo 'switches: V=1  MINUTES=30 (soak)  CC=clang  SAN=address|undefined|thread  WERROR=  prefix=  DESTDIR='

clean:
	$(Q)rm -rf build

own_sources = $(shell find libevy preload include tests tools -name '*.[ch]' -o -name '*.cc')

format:
	$(Q)clang-format -i $(own_sources)

# cppcheck takes a call through the real-function table for a use of what it fills; the compilers know better.
cppcheck_blind := --suppress=uninitvar --suppress=ctuuninitvar --suppress=ignoredReturnValue \
	--suppress=getcontextCalled

lint:
	$(Q)clang-format --dry-run -Werror $(own_sources)
	$(Q)if command -v shellcheck >/dev/null; then \
		grep -rlE '^#!/bin/(ba)?sh' .ci libevy preload tests tools | xargs shellcheck -x; fi
	$(Q)if command -v cppcheck >/dev/null; then \
		cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr $(cppcheck_blind) --std=c11 \
		--library=posix -D_GNU_SOURCE $(includes) libevy preload; fi
	$(Q)$(MAKE) --no-print-directory CC=$(if $(findstring clang,$(CC)),gcc,clang) tests

dist:
	$(Q)mkdir -p build
	$(Q)git archive --prefix=libevy-$(VERSION)/ HEAD | gzip -9n >build/libevy-$(VERSION).tar.gz
	@echo build/libevy-$(VERSION).tar.gz

# Built for where Debian keeps libraries, in a directory of its own.
.PHONY: deb
deb:
	$(Q)rm -rf build/deb/stage
	$(Q)$(MAKE) --no-print-directory B=build/deb prefix=/usr libdir=/usr/lib/$$($(CC) -print-multiarch) \
		DESTDIR=build/deb/stage install
	$(Q)tools/build/deb.sh build/deb/stage build/deb/packages $(VERSION)

install: all
	$(Q)install -d $(DESTDIR)$(libdir) $(DESTDIR)$(pkgconfigdir) $(DESTDIR)$(includedir)/evy
	$(Q)install -d $(DESTDIR)$(bindir) $(DESTDIR)$(gdbdir)
	$(Q)install -m 755 $(launcher) $(DESTDIR)$(bindir)/evy
	$(Q)for page in $(man_pages); do \
		install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	$(Q)$(call each_function_page,ln -sf $$page)
	$(Q)install -D -m 644 tools/evy.bash $(DESTDIR)$(completiondir)/evy
	$(Q)install -d $(DESTDIR)$(docdir)/examples
	$(Q)install -m 644 tools/systemd.conf $(wildcard tests/examples/*.[ch]) $(DESTDIR)$(docdir)/examples
	$(Q)install -m 644 tools/evy-gdb.py $(DESTDIR)$(gdbdir)/libevy.so.$(VERSION)-gdb.py
	$(Q)install -m 755 $(lib) $(DESTDIR)$(libdir)/libevy.so.$(VERSION)
	$(Q)ln -sf libevy.so.$(VERSION) $(DESTDIR)$(libdir)/$(SONAME)
	$(Q)ln -sf $(SONAME) $(DESTDIR)$(libdir)/libevy.so
	$(Q)install -m 755 $(B)/libevy-ssl.so $(DESTDIR)$(libdir)/libevy-ssl.so.$(VERSION)
	$(Q)ln -sf libevy-ssl.so.$(VERSION) $(DESTDIR)$(libdir)/$(SSL_SONAME)
	$(Q)ln -sf $(SSL_SONAME) $(DESTDIR)$(libdir)/libevy-ssl.so
	$(Q)for h in $(headers); do install -m 644 include/$$h $(DESTDIR)$(includedir)/$$h; done
	$(Q)for pc in libevy libevy-ssl; do \
		sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|' \
			-e 's|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' \
			tools/$$pc.pc.in >$(DESTDIR)$(pkgconfigdir)/$$pc.pc || exit 1; done

uninstall:
	$(Q)rm -f $(DESTDIR)$(bindir)/evy $(DESTDIR)$(completiondir)/evy \
		$(DESTDIR)$(gdbdir)/libevy.so.$(VERSION)-gdb.py \
		$(addprefix $(DESTDIR)$(libdir)/,libevy.so.$(VERSION) $(SONAME) libevy.so \
			libevy-ssl.so.$(VERSION) $(SSL_SONAME) libevy-ssl.so) \
		$(addprefix $(DESTDIR)$(includedir)/,$(headers)) $(addprefix $(DESTDIR)$(pkgconfigdir)/,libevy.pc libevy-ssl.pc)
	$(Q)for page in $(man_pages); do \
		rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	$(Q)$(call each_function_page,rm -f)
	$(Q)rm -rf $(DESTDIR)$(docdir)
	$(Q)rmdir $(DESTDIR)$(includedir)/evy 2>/dev/null || true
	$(Q)cd $(DESTDIR)$(datadir) && rmdir -p --ignore-fail-on-non-empty $(patsubst $(datadir)/%,%,$(gdbdir)) 2>/dev/null || true

headers = $(patsubst include/%,%,$(wildcard include/evy.h include/evy/*.h))

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)

endif
