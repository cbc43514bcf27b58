# make             build/overlap
# make bench       the suite, its figures and summary, in results/ (QUICK=1: within 45 s; FULL=1: all
#                  cells in all 30 rounds, to be cited)
# make story       the figures of the talk, from the newest results (or OUT=DIR; THEME=dark)
# make map         which strategy wins when: the suite map and its figure (5 minutes)
# make test        all tests
# make lint        formatting, static analysis, shell scripts, man page
# make format      lay out the sources
# make install     PREFIX=/usr/local DESTDIR=
#
# What is missing on the machine, bench and test install through scripts/deps (NO_INSTALL=1: they
# only say what). SANITIZE=address,undefined or SANITIZE=thread builds into a folder of its own.

CC       ?= cc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
comma    := ,
BUILD    ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

version  := $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION)
liburing := $(shell pkg-config --exists 'liburing >= 2.3' 2>/dev/null && echo liburing)
packages := jansson gsl $(liburing)
http     := $(shell pkg-config --exists libllhttp 2>/dev/null && echo llhttp || echo http_parser)
cppflags := -D_GNU_SOURCE -Iworkloads -Istrategies -Iharness $(if $(liburing),-DHAVE_LIBURING) \
            $(shell pkg-config --cflags $(packages) 2>/dev/null) -idirafter /usr/include/libev
libs     := -lev -l$(http) $(shell pkg-config --libs $(packages) 2>/dev/null || echo -ljansson -lgsl -lgslcblas) -lm
flags     = -std=c17 -pthread -Wall -Wextra -Wshadow -Wconversion $(CFLAGS) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)

sources  := $(wildcard workloads/*.c strategies/*.[cS] harness/*.c)
objects   = $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(sources))))
parts     = $(filter-out %/main.o,$(objects))
tests     = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*.c))
yardsticks = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))

all: $(BUILD)/overlap

$(BUILD)/overlap: $(objects)
	@echo "  LINK $@"
	@$(CC) $(flags) $(LDFLAGS) -o $@ $^ $(libs)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(flags) $(cppflags) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  AS   $<"
	@$(CC) $(flags) -c -o $@ $<

$(tests): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(parts)
	@echo "  LINK $@"
	@$(CC) $(flags) $(LDFLAGS) -o $@ $^ -lcmocka $(libs)

$(yardsticks): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	@echo "  LINK $@"
	@$(CC) $(flags) $(LDFLAGS) -o $@ $^ $(libs)

# One of them compares the switch of fiber with Boost.Context's, where there is one.
switch    = $(BUILD)/tests/bench/switch
boost     = $(shell echo 'int main(void) {}' | $(CC) -x c - -lboost_context -o /dev/null 2>&1 || echo none)
$(switch).o: cppflags += $(if $(boost),,-DHAVE_BOOST_CONTEXT)
$(switch): $(filter %_x86_64.o %_aarch64.o $(BUILD)/strategies/context_%,$(objects))
$(switch): libs = $(if $(boost),,-lboost_context)

# Written when the compiler or its flags change, so that everything is built anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(flags) $(cppflags)' | cmp -s - $@ || echo '$(CC) $(flags) $(cppflags)' > $@

# Every result says what it was built from, and how.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(version)' | cmp -s - $@ || echo '$(version)' > $@
$(BUILD)/harness/environment.o: $(BUILD)/version
$(BUILD)/harness/environment.o: cppflags += -DOVERLAP_VERSION='"$(version)"' \
	-DOVERLAP_FLAGS='"$(CFLAGS)$(if $(SANITIZE), -fsanitize=$(SANITIZE))"'

bench:
	@scripts/deps build bench
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) FULL=$(FULL) scripts/bench $(if $(QUICK),quick,default) $(OUT)

# From the newest run of the default suite; when there is none, or none in OUT, it is run first.
story:
	@dir='$(OUT)'; [ -n "$$dir" ] || dir=$$(grep -ls '"suite": "default"' \
		results/[0-9]*/environment.json | xargs -r ls -t | sed -n '1s|/environment.json||p'); \
	if [ -f "$$dir/summary.csv" ]; then \
		scripts/deps bench && scripts/story "$$dir" && echo "story: $$dir/figures/story"; \
	else $(MAKE) --no-print-directory bench; fi

map:
	@scripts/deps build bench
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) scripts/bench map $(OUT)

test:
	@scripts/deps build bench test
	@$(MAKE) --no-print-directory all programs
	@OVERLAP=$(BUILD)/overlap tests/run $(tests)

programs: $(tests) $(yardsticks)

lint:
	@scripts/deps build lint
	@scripts/lint

format:
	@scripts/deps lint
	@scripts/format

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/overlap/suites \
		$(DESTDIR)$(PREFIX)/share/overlap/scripts/charts $(DESTDIR)$(PREFIX)/share/man/man1
	install $(BUILD)/overlap $(DESTDIR)$(PREFIX)/bin
	install -m 644 harness/suites/*.suite $(DESTDIR)$(PREFIX)/share/overlap/suites
	install -m 644 harness/claims.txt $(DESTDIR)$(PREFIX)/share/overlap
	install scripts/figures scripts/story scripts/referee $(DESTDIR)$(PREFIX)/share/overlap/scripts
	install -m 644 scripts/draw.sh $(DESTDIR)$(PREFIX)/share/overlap/scripts
	install -m 644 scripts/charts/* $(DESTDIR)$(PREFIX)/share/overlap/scripts/charts
	install -m 644 docs/overlap.1 $(DESTDIR)$(PREFIX)/share/man/man1

clean:
	rm -rf build build-*

FORCE:
.PHONY: all bench story map test programs lint format install clean FORCE
.SECONDARY:
-include $(objects:.o=.d) $(tests:=.d) $(yardsticks:=.d)
