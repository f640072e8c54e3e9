# Yumen is built with Go and make alone. `make help` lists what there is.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The products are pure Go. Only the race detector asks for a C compiler.
export CGO_ENABLED := 0

# --- use -------------------------------------------------------------------

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: ## the whole way, once: a city, questions, refusals, receipts verified
	$(GO) run ./cmd/yumen demo

.PHONY: demo-encrypted
demo-encrypted: ## three departments, three key holders, a gateway that cannot read: a million rows, compared with the clear result
	$(GO) build -o bin/ ./cmd/yumen ./cmd/yumen-party
	bin/yumen demo encrypted --out .yumen/demo-encrypted

.PHONY: run
run: ## the demo, and the gateway keeps serving; its files stay in .yumen/demo
	$(GO) run ./cmd/yumen demo --keep --out .yumen/demo

# --- build -----------------------------------------------------------------

COMMANDS  := $(notdir $(wildcard cmd/*))
PLATFORMS := linux-amd64 linux-arm64
BINARIES  := $(foreach p,$(PLATFORMS),$(addprefix bin/$(p)/,$(COMMANDS))) bin/windows-amd64/yumen-verify.exe

.PHONY: build
build: $(BINARIES) ## static binaries for every platform in bin/<os>-<arch>/

# Go knows what is stale: the recipes always run. The version stamp is ours,
# so that the bytes do not depend on the state of the working tree.
.PHONY: $(BINARIES)
$(BINARIES): bin/%:
	GOOS=$(word 1,$(subst -, ,$(*D))) GOARCH=$(word 2,$(subst -, ,$(*D))) \
		$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $@ ./cmd/$(basename $(*F))

# --- test ------------------------------------------------------------------

.PHONY: test
test: ## all tests, without cgo
	$(GO) test -timeout 15m ./...

# Packages whose state is shared between goroutines.
SHARED := gateway/audit gateway/ledger gateway/governance gateway/keyring gateway/release \
	gateway/job gateway/encrypted gateway/feed gateway/rpc gateway/rest gateway/server gateway/client compute/lookup masking

.PHONY: test-race
test-race: ## the race detector where state is shared; needs a C compiler
	@if ! cc=$$($(GO) env CC) || ! command -v $${cc%% *} >/dev/null; then \
		echo "test-race: SKIPPED, the race detector needs a C compiler and none was found"; \
	else \
		set -x; CGO_ENABLED=1 $(GO) test -race -timeout 25m $(patsubst %,./%/...,$(wildcard $(SHARED))); \
	fi

.PHONY: test-services
test-services: ## whole-system tests with real processes
	.ci/test-services

.PHONY: attack
attack: ## a clever analyst against gateways of its own: what each attack learned beside what it may
	$(GO) run ./gateway/e2e/attack

# The long run of the crash harness; `make test` holds the short one.
CHAOS := -kills 2000 -processes 400 -faults 100 -flips 1000 -rollbacks 100 -requests 1000000 -seed 1

.PHONY: chaos
chaos: ## kill -9, faults, tampering, rollbacks and races, at length; ends with one line of counts
	@status=0; mkdir -p bin; rm -f bin/chaos.json; \
	$(GO) test -count=1 -timeout 4h -v -run TestChaos ./gateway/e2e/chaos -args $(CHAOS) -report $(CURDIR)/bin/chaos.json || status=$$?; \
	cat bin/chaos.json; exit $$status

.PHONY: bench
bench: ## short benchmarks, then the harness against a gateway of its own
	.ci/bench

# --- hold ------------------------------------------------------------------

.PHONY: check
check: check-format check-vet check-lint check-law check-generated check-modules check-cross ## everything that can be said without running the tests

.PHONY: check-format
check-format:
	@out=$$(find . -name '*.go' -not -path './.git/*' -not -path './bin/*' \
		-not -name '*.pb.go' -not -name '*.pb.gw.go' -print0 | xargs -0 gofmt -l); \
	if [[ -n $$out ]]; then echo "not formatted:"; echo "$$out"; exit 1; fi

.PHONY: check-vet
check-vet:
	$(GO) vet ./...
	$(GO) vet -tags services ./...

.PHONY: check-lint
check-lint: tools
	bin/tools/golangci-lint run ./...

.PHONY: check-law
check-law:
	$(GO) test ./gateway

.PHONY: check-generated
check-generated: tools
	.ci/check-generated

.PHONY: check-modules
check-modules:
	$(GO) mod tidy -diff
	$(GO) mod verify

.PHONY: check-cross
check-cross:
	GOOS=linux GOARCH=amd64 $(GO) build -buildvcs=false ./...
	GOOS=linux GOARCH=arm64 $(GO) build -buildvcs=false ./...
	GOOS=windows GOARCH=amd64 $(GO) build -buildvcs=false -o /dev/null ./cmd/yumen-verify

# --- generate --------------------------------------------------------------

.PHONY: generate
generate: generate-lanes tools ## the code and the OpenAPI document of gateway/api, the assembly of masking
	cd gateway/api/v1 && PATH="$(CURDIR)/bin/tools:$$PATH" buf generate

.PHONY: generate-lanes
generate-lanes:
	$(GO) run -C .ci/tools ./lanes $(CURDIR)/masking/sm3lanes
	$(GO) run -C .ci/tools ./fpelanes $(CURDIR)/masking/fpe
	$(GO) run -C .ci/tools ./redactlanes $(CURDIR)/masking/redact

# The tools are pinned in .ci/tools and built once for each state of the pins.
PINS  := $(firstword $(shell cat .ci/tools/go.mod .ci/tools/go.sum | cksum))
STAMP := bin/tools/.built-$(PINS)

.PHONY: tools
tools: $(STAMP) ## buf, the generators and the linter in bin/tools

$(STAMP):
	rm -rf bin/tools && mkdir -p bin/tools
	$(GO) build -C .ci/tools -trimpath -buildvcs=false -o $(CURDIR)/bin/tools/ tool
	touch $@
