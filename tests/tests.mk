# The test programs of a variant, and who runs them, for the Makefile. A fuzz target is a fuzzer in variant
# fuzz; in the others it has a main that replays its corpus.

unit-src := $(wildcard tests/unit/*/test_*.c)
fuzz-src := $(wildcard tests/fuzz/fuzz_*.c)
unit := $(unit-src:tests/unit/%.c=$(B)/unit/%)
fuzz := $(fuzz-src:tests/fuzz/%.c=$(B)/fuzz/%)
checked-src := $(lib-src) $(app-src) $(unit-src) $(fuzz-src) $(wildcard lib/*/*_main.c tests/fuzz/replay.c)

tests: $(B)/egressbox $(unit) $(fuzz)
fuzzers: $(fuzz)
objects: $(call obj,$(checked-src))

$(unit): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(libs)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(link)

replay := $(if $(filter fuzz,$(VARIANT)),,$(call obj,tests/fuzz/replay.c))
$(fuzz): $(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(replay) $(libs)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(link) $(if $(replay),,-fsanitize=fuzzer)

# clang-tidy, again only for what changed: the object stands for the headers. Its analyzer, which takes most of
# the time, looks at what is shipped.
tidy: $(checked-src:%.c=$(B)/tidy/%.ok)
$(B)/tidy/%.ok: %.c $(B)/obj/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D) && clang-tidy --quiet --warnings-as-errors='*' $(if $(filter tests/%,$<),--checks='-clang-analyzer-*') $< -- $(own-flags) 2>$@.err || { cat $@.err; exit 1; }
	$(Q)touch $@

# Without our job server, but with what was set on the command line.
run = MAKEFLAGS= $(MAKEOVERRIDES) tests/run

# What does not compile is a failed test, not the end of testing.
test-programs:
	$(Q)for v in release asan; do $(MAKE) --no-print-directory -k VARIANT=$$v tests || :; done
test: test-programs
	$(Q)$(run)
check:
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(Q)$(run) meta/

-include $(patsubst %.o,%.d,$(call obj,$(checked-src)))
