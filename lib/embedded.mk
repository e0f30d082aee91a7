# What the program carries besides code, for the Makefile: versions, the notices of what is linked, and trust
# anchors made from the build machine's Mozilla certificates. Never those of /etc/ssl/certs, where local
# authorities stand among them.

pkg = $(shell dpkg-query -W -f '$${Version}' $(1) 2>/dev/null)
musl-version := $(if $(glibc),none,$(if $(filter %-linux-musl/Scrt1.o,$(start)),$(firstword $(subst -, ,$(call pkg,musl-dev))),unknown))
yaml-version := $(lastword $(subst -, ,$(notdir $(YAML_SRC))))
# A checkout of BearSSL has no version but its commit.
bear-version := $(or $(patsubst bearssl-%,%,$(filter bearssl-%,$(notdir $(BEARSSL_SRC)))),$(shell \
	test -e $(BEARSSL_SRC)/.git && git -C $(BEARSSL_SRC) describe --always --dirty 2>/dev/null || echo unknown))
$(B)/gen/version.h: FORCE
	$(Q)printf '#define %s "%s"\n' EGRESSBOX_VERSION $(EGRESSBOX_VERSION) \
		BEARSSL_VERSION '$(bear-version)' LIBYAML_VERSION '$(yaml-version)' MUSL_VERSION '$(musl-version)' | $(call put,$@)

define asm
	.section .rodata.licenses, "a"
	.globl licenses_text, licenses_text_size
	.type licenses_text, %object
licenses_text:
	.incbin "$(B)/gen/licenses"
1:	.byte 0
	.balign 4
	.type licenses_text_size, %object
licenses_text_size:
	.4byte 1b - licenses_text
	.section .rodata.anchors, "a"
	.globl anchors_embedded, anchors_embedded_size, anchors_embedded_date
	.type anchors_embedded, %object
	.balign 16
anchors_embedded:
	.incbin "build/gen/anchors"
1:	.balign 4
	.type anchors_embedded_size, %object
anchors_embedded_size:
	.4byte 1b - anchors_embedded
	.type anchors_embedded_date, %object
anchors_embedded_date:
	.asciz "$(ca-date)"
	.section .note.GNU-stack, "", %progbits
endef
$(B)/obj/embedded.o: $(B)/gen/embedded.s $(B)/flags $(B)/gen/licenses build/gen/anchors
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D) && $(cc) $(ALL.$(VARIANT)) -c -o $@ $<
$(B)/gen/embedded.s: FORCE
	$(Q)$(file >$@.tmp,$(asm))$(call put,$@) <$@.tmp
$(B)/gen/licenses.h: FORCE
	$(Q)printf 'extern const %s;\n' 'char licenses_text[]' 'unsigned licenses_text_size' | $(call put,$@)

define notices
egressbox $(EGRESSBOX_VERSION), Copyright (c) the egressbox authors, and BearSSL $(bear-version), which is linked into it, are both
under the MIT licence; the terms below, with either notice, are those of both.

$(file <$(BEARSSL_SRC)/LICENSE.txt)
========================================================================
libyaml $(yaml-version), linked:

$(file <$(YAML_SRC)/License)
========================================================================
$(libc-notice)
$(if $(pack),$(if $(CA_BUNDLE),,========================================================================
The trust anchors are made from the certificates of Mozilla's CA program as of $(ca-date)$(,) under the Mozilla Public
License 2.0 <https://mozilla.org/MPL/2.0/>; their source form is in Debian's source package ca-certificates.))
endef
# Debian's list for musl, less what is said of files that are never linked; tests/meta/binary sees to that.
musl-notice := $(firstword $(MUSL_NOTICE) $(wildcard /usr/share/doc/musl-dev/copyright))
define linked-only
BEGIN { RS = ""; ORS = "\n\n" }
match($$0, /License: [^\n]*/) { licence = substr($$0, RSTART, RLENGTH) }
/^Files:/ {
	files = $$0
	sub(/\nCopyright:.*/, "", files)
	gsub(/(src\/math|src\/regex|src\/crypt|debian)\/[^ \n]*/, "", files)
	if (files !~ /^Files:[ \n]*[^ \n]/)
		next
	used[licence]
}
/^License:/ && !(licence in used) { next }
{ print }
endef
$(B)/gen/musl-notice: FORCE
	$(Q)$(file >$@.awk,$(linked-only))awk -f $@.awk $(or $(musl-notice),/dev/null) | $(call put,$@)
libc-notice = $(if $(glibc),GNU C library: LGPL 2.1 or later; a build for testing$(,) not for giving away.,musl $(musl-version)$(,) \
	linked:$(nl)$(nl)$(if $(musl-notice),$(file <$(B)/gen/musl-notice),MIT licence; its text was not found at the build: MUSL_NOTICE=FILE.))
$(B)/gen/licenses: $(B)/gen/musl-notice FORCE
	$(Q)$(file >$@.tmp,$(notices))$(call put,$@) <$@.tmp

mozilla := /usr/share/ca-certificates
ca-list = $(if $(CA_BUNDLE),echo $(CA_BUNDLE),{ grep '^!' /etc/ca-certificates.conf 2>/dev/null; cd $(mozilla) && LC_ALL=C ls mozilla/*.crt; } | \
	awk '/^!/ { drop[substr($$0, 2)]; next } !($$0 in drop) { print "$(mozilla)/" $$0 }')
ca-date := $(if $(filter 0,$(EMBED_CA)),none,$(shell if [ -n '$(CA_BUNDLE)' ]; then date -u -r '$(CA_BUNDLE)' +%F; \
	else echo '$(call pkg,ca-certificates)' | sed 's/^\(....\)\(..\)\(..\).*/\1-\2-\3/'; fi))
pack := $(if $(ca-date:none=),build/host/pack-anchors)
build/gen/anchors: $(pack) build/gen/anchors.list $(CA_BUNDLE)
	$(call say,PACK,$@)
	$(Q)$(if $(pack),xargs -d '\n' $(pack) $@ <build/gen/anchors.list,: >$@)
build/gen/anchors.list: FORCE
	$(Q)$(if $(pack),$(ca-list),:) | $(call put,$@)
	$(if $(pack),$(Q)test -s $@ || { echo 'no certificates in $(mozilla): EMBED_CA=0 leaves them out' >&2; exit 1; })

# The packer runs on the build machine, so it has its own objects, by BUILD_CC.
host-src := $(wildcard lib/base/*.c lib/net/*.c lib/tls/*.c)
host-obj := $(host-src:%.c=build/host/%.o) $(bear-src:$(BEARSSL_SRC)/%.c=build/host/bearssl/%.o)
host-cc = $(BUILD_CC) -std=c11 -D_GNU_SOURCE -O1 -w -ffunction-sections -Ilib -I$(BEARSSL_SRC)/inc -I$(BEARSSL_SRC)/src
pack-main := build/host/lib/tls/pack_anchors_main.o
build/host/pack-anchors: $(pack-main) build/host/lib.a
	$(call say,LINK,$@)
	$(Q)$(BUILD_CC) -Wl,--gc-sections -o $@ $^
build/host/lib.a: $(filter-out $(pack-main),$(host-obj))
	$(Q)rm -f $@ && ar rcD $@ $^
build/host/bearssl/%.o: $(BEARSSL_SRC)/%.c build/host/flags
	$(Q)mkdir -p $(@D) && $(host-cc) -c -o $@ $<
build/host/%.o: %.c build/host/flags
	$(Q)mkdir -p $(@D) && $(host-cc) -MMD -MP -c -o $@ $<

-include $(host-src:%.c=build/host/%.d)
