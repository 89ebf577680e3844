# What a person runs. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUILD_PACKAGES := libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libsqlite3-dev libpcre2-dev pkg-config
TEST_PACKAGES  := kcat python3-venv e2fsprogs mount dpkg-dev systemd influxdb influxdb-client
BENCH_PACKAGES := gcc libc6-dev librdkafka-dev nats-server influxdb ripgrep zstd

CHECK_IMPORTS := --explicit-target-dependency-import-check error
SWIFT_BUILD  := swift build $(CHECK_IMPORTS)
RELEASE      := -c release --static-swift-stdlib -Xlinker -s
BINARY       := .build/release/millrace
# The whole C library inside too: such a binary runs where there is nothing but a kernel and /proc. It is not the default,
# because it resolves names only where the same C library is installed, and nothing can be preloaded into it.
STATIC       := -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s
STATIC_BUILD := .build-static
PYTHON       := .build/venv/bin/python
SOURCES      := Package.swift Sources Tests Fuzz

.PHONY: help
help: ## list these targets
	@echo "Millrace: one binary for everything your systems say"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: build
build: deps ## build the release binary, .build/release/millrace
	$(SWIFT_BUILD) $(RELEASE) --product millrace

.PHONY: static
static: deps ## build a binary without shared libraries, under dist/
	$(SWIFT_BUILD) $(STATIC) --scratch-path $(STATIC_BUILD) --product millrace
	mkdir -p dist && rm -f dist/millrace-*
	install -m 755 $(STATIC_BUILD)/release/millrace \
		"dist/millrace-$$($(STATIC_BUILD)/release/millrace --version)-linux-$$(uname -m)"

.PHONY: deb
deb: build deps-test ## build a Debian package, with a systemd unit, under dist/
	mkdir -p dist && rm -f dist/millrace_*
	python3 Packaging/make_deb.py --binary $(BINARY) --output dist

.PHONY: dist
dist: static deb ## both, with their checksums in dist/SHA256SUMS
	cd dist && sha256sum -- millrace[-_]* > SHA256SUMS && sha256sum --check SHA256SUMS

.PHONY: run
run: build ## build, and serve with data under ./data
	@echo
	@echo "  When the line 'ready kafka=…' appears, type in another terminal:"
	@echo
	@echo "    make demo                                           watch this machine's logs and figures arrive"
	@echo "    echo hello | $(BINARY) produce greetings    write a record (any Kafka client can)"
	@echo "    $(BINARY) consume greetings --from beginning"
	@echo "    curl http://127.0.0.1:8086/metrics"
	@echo
	@echo "  Stop with Ctrl-C; the records stay in ./data."
	@echo
	@exec $(BINARY) serve --data ./data

.PHONY: demo
demo: deps-test ## send this machine's logs and figures to a running server, and watch them arrive
	@python3 Demo/demo.py --millrace $(BINARY)

.PHONY: test
test: deps deps-test venv lint test-swift build test-peers test-crash test-allocations test-dist ## the whole suite, real clients and crash rounds included

.PHONY: test-swift
test-swift: deps ## the Swift tests
	$(SWIFT_BUILD) --build-tests
	swift test --skip-build

.PHONY: test-engines
test-engines: deps ## the engines alone, without SwiftNIO: the quickest loop
	MILLRACE_ENGINES=1 swift test --scratch-path .build-engines

.PHONY: test-peers
test-peers: venv build ## real Kafka clients, raw protocol and bad input against the release binary
	MILLRACE_BINARY=$(BINARY) $(PYTHON) -m pytest -q Tests/Peers

.PHONY: test-crash
test-crash: venv build ## 20 rounds of kill -9 under load
	MILLRACE_BINARY=$(BINARY) $(PYTHON) Tests/Peers/crash/crash.py --rounds 20
	MILLRACE_BINARY=$(BINARY) $(PYTHON) Tests/Peers/crash/series.py --rounds 20
	MILLRACE_BINARY=$(BINARY) $(PYTHON) Tests/Peers/crash/search.py --rounds 20

.PHONY: test-dist
test-dist: dist venv ## the package and the static binary: what they hold, and that they run
	MILLRACE_DIST=$(CURDIR)/dist $(PYTHON) -m pytest -q Tests/Packaging

.PHONY: test-allocations
test-allocations: deps-bench build ## heap allocations per request, against the thresholds in Bench/
	python3 Bench/allocations.py --millrace $(BINARY) --check

.PHONY: lint
lint: ## formatter and generated code; the tidy rules are in test-swift
	swift format lint --strict --recursive --parallel $(SOURCES)
	swift run -q $(CHECK_IMPORTS) GenerateKafkaWire --check

.PHONY: format
format: ## format every Swift file
	swift format --in-place --recursive --parallel $(SOURCES)

.PHONY: generate
generate: ## write Sources/KafkaWire/Generated from the declarations
	swift run -q $(CHECK_IMPORTS) GenerateKafkaWire

.PHONY: bench
bench: deps-bench build ## ratios against a C program, fdatasync and NATS JetStream, in one run
	python3 Bench/bench.py --millrace $(BINARY)

FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: deps ## libFuzzer on every decoder, FUZZ_SECONDS=60 each
	cd Fuzz && MILLRACE_ENGINES=1 swift build -c release --sanitize=address -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld \
		-Xswiftc -enable-testing
	cd Fuzz && .build/release/MakeCorpus
	cd Fuzz && for target in FuzzRequests FuzzBatches FuzzCodecs FuzzStored FuzzSeries FuzzManifests FuzzQuery \
			FuzzLines FuzzPushes; do \
		ASAN_OPTIONS=detect_leaks=0 .build/release/$$target Corpus/$$target \
			-max_total_time=$(FUZZ_SECONDS) -max_len=32768 -timeout=10 -print_final_stats=1; \
	done

.PHONY: soak
soak: venv build ## 200 crash rounds and a long simulation of the log
	MILLRACE_ENGINES=1 MILLRACE_ROUNDS=2000 swift test --scratch-path .build-engines --filter Simulation
	MILLRACE_BINARY=$(BINARY) $(PYTHON) Tests/Peers/crash/crash.py --rounds 200

.PHONY: venv
venv: .build/venv/installed .build/venv-2023/installed .build/venv-2024/installed
.build/venv/installed: Tests/Peers/requirements.txt | deps-test
	$(call make_environment,.build/venv,$<)
.build/venv-%/installed: Tests/Peers/requirements-%.txt | deps-test
	$(call make_environment,.build/venv-$*,$<)

# A virtual environment for Python: where, and the file that lists what it holds.
define make_environment
	mkdir -p .build
	python3 -m venv $(1)
	$(1)/bin/pip install -q --disable-pip-version-check -r $(2)
	touch $(1)/installed
endef

.PHONY: clean
clean: ## remove everything that was built; ./data stays
	rm -rf .build .build-engines .build-static Fuzz/.build Bench/build dist

# Installs what is missing and asks nothing; does nothing when all is there.
define install_packages
	@missing=""; for package in $(1); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
		echo "installing$$missing"; \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq; \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
endef

.PHONY: deps deps-test deps-bench
deps:
	$(call install_packages,$(BUILD_PACKAGES))
deps-test:
	$(call install_packages,$(TEST_PACKAGES))
deps-bench: deps-test
	$(call install_packages,$(BENCH_PACKAGES))
