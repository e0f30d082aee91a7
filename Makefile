# egressbox: `make` builds build/egressbox; V=1 shows the commands. The sources of BearSSL and libyaml
# are put in place by build.sh, which is the usual way in.
#
#   make [VARIANT=release|asan|fuzz]    the program; goal `tests` adds that variant's test programs
#   make test | check | clean           run the tests; look at the sources; start again
#
# Honoured: CC CFLAGS LDFLAGS BUILD_CC BEARSSL_SRC YAML_SRC EMBED_CA=0 CA_BUNDLE=FILE WERROR=1

EGRESSBOX_VERSION := 0.1.0
VARIANT ?= release
EMBED_CA ?= 1
BUILD_CC ?= cc
BEARSSL_SRC ?= build/src/bearssl-0.6
YAML_SRC ?= build/src/libyaml-0.2.5
CFLAGS ?= -g
ifeq ($(origin CC),default)
CC := musl-gcc
endif
ifeq ($(wildcard $(BEARSSL_SRC)/inc/bearssl.h)$(filter clean,$(MAKECMDGOALS)),)
$(error no BearSSL in $(BEARSSL_SRC); ./build.sh puts it there)
endif

# A variant is a compiler, flags for all code, flags for our own code, and flags for linking. gcc and clang
# exist for `make check` and only compile: the one against musl, the other against the host's libc.
asan := -fsanitize=address -fno-omit-frame-pointer
ubsan := -fsanitize=undefined -fno-sanitize-recover=all
CC.release = $(CC)
ALL.release = $(CFLAGS) -fPIE -fstack-protector-strong -fno-asynchronous-unwind-tables $(fortify)
LINK.release = $(static-pie) $(packed) -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections
CC.asan := gcc
ALL.asan := -O1 -g $(asan)
OWN.asan := $(ubsan)
LINK.asan := $(asan) $(ubsan)
CC.fuzz := clang
ALL.fuzz := -O1 -g $(asan) -fsanitize=fuzzer-no-link
OWN.fuzz := $(ubsan)
LINK.fuzz := $(asan) $(ubsan)
CC.gcc := musl-gcc
ALL.gcc := -O2 -Werror
CC.clang := clang
ALL.clang := -O0 -Werror

# What the compiler is: its libc, and whether -static-pie finds the right start file. A wrapper such as
# Debian's musl-gcc takes the option but links Scrt1.o, so there the option is spelt out by hand.
, := ,
cc := $(CC.$(VARIANT))
glibc := $(filter-out __GLIBC__,$(shell printf '\043include <features.h>\n__GLIBC__' | $(cc) -E -P - 2>&1))
fortify = $(if $(glibc),-D_FORTIFY_SOURCE=2)
start := $(shell $(cc) -static-pie -\#\#\# -x c /dev/null 2>&1 | tr ' "' '\n\n' | grep crt1.o)
static-pie := $(if $(filter %/Scrt1.o,$(start)),-static -nostartfiles -Wl$(,)-pie$(,)--no-dynamic-linker$(,)-z$(,)text \
	$(addprefix $(dir $(start)),rcrt1.o crti.o crtn.o),-static-pie)
# Relocations in a hundredth of the room; lib/sys/relr.h says why that takes an entry of its own.
packed := $(if $(filter 1/1,$(shell printf __x86_64__/__LP64__ | $(cc) -E -P -)),-Wl$(,)-z$(,)pack-relative-relocs$(,)-e$(,)relr_start)
AR := $(shell $(cc) -print-prog-name=ar)
STRIP := $(shell $(cc) -print-prog-name=strip)

# The kernel's own headers, which a wrapper such as musl-gcc hides. Behind all others, and for redirect/ alone.
uapi := $(shell printf '\043include <linux/netfilter/nf_tables.h>\n' | $(cc) -E - >/dev/null 2>&1 || \
	echo -idirafter /usr/include -idirafter /usr/include/$$($(BUILD_CC) -print-multiarch))

B := build/$(VARIANT)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))
# $(call put,FILE): standard input to FILE, touched only when it says something new.
put = { new=$(1).$$$$ && cat >$$new && if cmp -s $$new $(1); then rm $$new; else mv $$new $(1); fi; }
define nl


endef
$(shell mkdir -p $(B)/gen build/gen)

warnings := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wcast-qual -Wundef $(if $(filter 1,$(WERROR)),-Werror)
all-flags := -std=c11 -D_GNU_SOURCE -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)/= $(ALL.$(VARIANT))
own-flags := $(all-flags) $(OWN.$(VARIANT)) $(warnings) -Ilib -I$(B)/gen -isystem $(BEARSSL_SRC)/inc -isystem $(YAML_SRC)/include
yaml-flags = $(all-flags) -w -I$(YAML_SRC)/include -I$(YAML_SRC)/src -include lib/ydoc/libyaml.h -DYAML_VERSION_STRING='"$(yaml-version)"' \
	$(join -DYAML_VERSION_MAJOR= -DYAML_VERSION_MINOR= -DYAML_VERSION_PATCH=,$(subst ., ,$(yaml-version)))
bear-flags = $(all-flags) -w -I$(BEARSSL_SRC)/inc -I$(BEARSSL_SRC)/src

# How far each file is optimized, unless CFLAGS says otherwise: small, except the arithmetic of TLS and what
# runs for each request. `fastest` are those that -O3 makes 1.5 times as fast as -O2, by unrolling; its inlining
# only makes them larger. `small` are those of `fast` that are as fast that way, or don't run for requests.
bear = $(addprefix $(BEARSSL_SRC)/src/,$(1))
fastest := $(call bear,ec/ec_p256_% ec/ec_c25519_%) lib/tls/p256field%
fast := $(call bear,int/% hash/% symcipher/%) $(addprefix lib/,base/% net/% http/% ev/% route/% proxy/% json/% cidr/rangewriter% tls/mont%) \
	$(addprefix lib/ydoc/,yalloc% ybuild% ycursor% yparse%)
small := $(call bear,hash/ghash_ctmul64% symcipher/poly1305_ctmulq% symcipher/aes_x86ni%) \
	$(addprefix lib/base/,diag% duration% linediff% nearest% textedit% wrap%) $(addprefix lib/net/,cidr.% portrange% rangelist% special% wide%) $(addprefix lib/http/,h1problem% h1write%) \
	$(addprefix lib/ev/,dnsquery% resolver%) lib/route/table% lib/json/json% $(addprefix lib/proxy/,admin% announce% control% dial% drain% kubesource% listener% \
	logwriter% manifests% metrics% names% ownaddr% pages% reload% reply% tally% upgrade% view%)
level = $(if $(filter $(fastest),$<),-O3 -fno-inline-functions,$(if $(filter $(fast),$(filter-out $(small),$<)),-O2,-Os))

lib-src := $(filter-out %_main.c,$(wildcard lib/*/*.c))
app-src := $(wildcard applets/*.c)
bear-src := $(wildcard $(BEARSSL_SRC)/src/*.c $(BEARSSL_SRC)/src/*/*.c)
yaml-src := $(wildcard $(YAML_SRC)/src/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
libs := $(B)/libegressbox.a $(B)/libbearssl.a $(B)/libyaml.a

all: $(B)/egressbox $(if $(filter release,$(VARIANT)),build/egressbox)

build/egressbox: build/release/egressbox
	$(Q)ln -f $< $@

$(B)/egressbox: $(B)/egressbox.debug
	$(call say,STRIP,$@)
	$(Q)$(if $(filter release,$(VARIANT)),$(STRIP) -s -R .comment -o $@ $<,ln -f $< $@)

link = $(cc) $(ALL.$(VARIANT)) $(LINK.$(VARIANT)) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group
$(B)/egressbox.debug: $(call obj,$(app-src)) $(libs)
	$(call say,LINK,$@)
	$(Q)$(link)

archive = rm -f $@ && $(AR) rcD $@ $(filter %.o,$^)
$(B)/libegressbox.a: $(call obj,$(lib-src)) $(B)/obj/embedded.o $(B)/members
	$(call say,AR,$@)
	$(Q)$(archive)
$(B)/libbearssl.a: $(bear-src:$(BEARSSL_SRC)/%.c=$(B)/bearssl/%.o)
	$(call say,AR,$@)
	$(Q)$(archive)
$(B)/libyaml.a: $(yaml-src:$(YAML_SRC)/%.c=$(B)/libyaml/%.o)
	$(call say,AR,$@)
	$(Q)$(archive)

$(B)/obj/%.o: %.c $(B)/flags | $(B)/gen/version.h $(B)/gen/licenses.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(cc) $(level) $(own-flags) -MMD -MP -c -o $@ $<
$(B)/obj/lib/redirect/%.o: own-flags += $(uapi)
$(B)/bearssl/%.o: $(BEARSSL_SRC)/%.c $(B)/flags
	$(Q)mkdir -p $(@D) && $(cc) $(level) $(bear-flags) -c -o $@ $<
$(B)/libyaml/%.o: $(YAML_SRC)/%.c lib/ydoc/libyaml.h $(B)/flags
	$(Q)mkdir -p $(@D) && $(cc) $(level) $(yaml-flags) -c -o $@ $<
# Rewritten when they change, and then what depends on them is built again.
$(B)/flags: content = $(cc) $(fastest) $(fast) $(small) $(own-flags) $(uapi) $(bear-flags) $(yaml-flags) $(LINK.$(VARIANT)) $(LDFLAGS)
$(B)/members: content = $(lib-src)
build/host/flags: content = $(host-cc)
$(B)/flags $(B)/members build/host/flags: FORCE
	$(Q)mkdir -p $(@D) && echo '$(content)' | $(call put,$@)

include lib/embedded.mk tests/tests.mk

clean:
	rm -rf $(filter-out build/src build/apt,$(wildcard build/*))
FORCE:
.PHONY: all tests fuzzers objects tidy test-programs test check clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
