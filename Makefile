# The words everyone knows; Meson does the work. `make demo` and `make test` install from Debian what is missing.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all demo serve test check bench install clean help

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@tools/packages.sh build
	meson setup $(BUILD) --prefix=$(PREFIX) --libdir=lib

# A custody service on SQLite and what programs do with it, with the times beside those of one call after the other.
demo: custody
	@$(BUILD)/custody/demo/custody-demo $(BUILD)/custody/cli/custody

# The custody service until Ctrl-C; says where its page is, and a token.
serve: custody
	@$(BUILD)/custody/cli/custody sandbox $(if $(PORT),--port $(PORT)) --database $(if $(DATABASE),$(DATABASE),:memory:)

# The service and its SDK alone, in $(BUILD)/custody.
.PHONY: custody
custody:
	@tools/packages.sh demo
	@$(MAKE) --no-print-directory all
	@tools/custody.sh $(BUILD)

# Everything that guards a change, in minutes.
test:
	@tools/packages.sh test
	@tools/test.sh

# Everything there is: analysers, fuzzers, valgrind, a second compiler, aarch64 by emulation.
check: test
	@tools/packages.sh check
	@tools/check.sh

# The marks, against floors and peers, into $(BUILD)/bench/report.json.
bench:
	@tools/packages.sh bench
	@$(MAKE) --no-print-directory all
	python3 bench/run.py --build-dir $(BUILD)

# Under PREFIX, below DESTDIR. A build that was set up with another prefix keeps it unless PREFIX is given.
install: all
	@$(if $(filter file,$(origin PREFIX)),,meson configure $(BUILD) --prefix=$(PREFIX))
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet

clean:
	rm -rf $(BUILD) build-*

help:
	@sed -n 's/^# \(.*\)/  \1/p; s/^\([a-z]*\):.*/make \1/p' Makefile | head -40
