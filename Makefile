# Everything a person does with this repository. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help run build test conformance echo-client lint format bench compare fuzz faults coverage asan tsan clean setup setup-test

# What `make run` starts, e.g. make run ARGS="echo --port 9001"
ARGS ?= serve --demo

# Tests are built with the run-time checks of exclusive access; the program goes without them: a third of its own time a
# message (docs/performance.md).
RELEASE_FLAGS := -Xswiftc -enforce-exclusivity=unchecked

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@scripts/setup build

setup-test: setup
	@scripts/setup test

run: build  ## build, then start the server with the demo pages (ARGS="echo" starts another command)
	@exec .build/release/martlet $(ARGS)

build: setup  ## build the program: .build/release/martlet
	swift build -c release --product martlet $(RELEASE_FLAGS)

test: setup-test  ## run every test: units, JavaScript client, interoperability, browser, conformance
	@scripts/test

conformance: setup-test build echo-client  ## run the Autobahn test suite, whole, or CASES="7.* 9.1.1" of it
	@.build/venv/bin/python Tests/Interop/autobahn/conformance.py $(foreach case,$(CASES),'$(case)')

echo-client:
	swift build -c release --product echo-client $(RELEASE_FLAGS)

lint:  ## check the style of the Swift sources
	swift format lint --strict --parallel --recursive Sources Tests Benchmarks/Sources Benchmarks/Package.swift Benchmarks/Allocations/Program Fuzz/Targets Package.swift

format:  ## rewrite the Swift sources in the project's style
	swift format --in-place --parallel --recursive Sources Tests Benchmarks/Sources Benchmarks/Package.swift Benchmarks/Allocations/Program Fuzz/Targets Package.swift

bench:  ## load the release build from a second process: idle connections, churn, echo
	Benchmarks/run

compare:  ## measure Martlet beside other servers and write docs/performance.md (ARGS="--quick")
	@Benchmarks/compare $(if $(filter file,$(origin ARGS)),,$(ARGS))

SECONDS ?= 60
fuzz: setup  ## fuzz the decoders: each target for SECONDS=60, or TARGET=name alone
	@scripts/fuzz $(SECONDS) $(TARGET)

faults: setup  ## break servers at random in simulated time for SECONDS=60, or until TIME=1h of that is over
	@scripts/faults $(if $(TIME),--simulated-time $(TIME),$(SECONDS))

coverage: setup  ## line coverage of HTTPCore and WebSocketCore, which must be complete
	@scripts/coverage

asan: setup  ## unit tests under AddressSanitizer, with its search for leaks
	@scripts/sanitize address

tsan: setup  ## unit tests under ThreadSanitizer
	@scripts/sanitize thread

clean:  ## remove everything that was built or installed under .build
	rm -rf .build
