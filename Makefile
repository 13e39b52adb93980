# make help says what there is.

GO      ?= go
TOOLS   := $(CURDIR)/.cache/bin
LINTER  := $(TOOLS)/golangci-lint-v2.13.1

.DEFAULT_GOAL := help
.PHONY: help setup build demo lint test test-all simulate storm mutations fuzz clean

# How much of what takes as long as one likes.
SEEDS   ?= 20000
STORMS  ?= 10
MINUTES ?= 1
FUZZ    ?= 4s

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Fetch the real Kafka and Redis for the tests, into .cache
	./internal/realparts/setup.sh

build: ## Build bin/toplu
	$(GO) build -trimpath -o bin/toplu ./cmd/toplu

demo: ## Run everything in one process, with nothing to install
	$(GO) run ./cmd/toplu demo

lint: $(LINTER) ## Look for mistakes, forbidden imports and unformatted code
	$(GO) vet ./...
	$(GO) vet -tags 'integration slow mutation' ./...
	cd docs && $(GO) vet ./...
	$(LINTER) run ./...

test: setup lint ## Lint, unit tests with the race detector, simulation, fuzzing, tests on real parts
	$(GO) test -race -shuffle=on $$($(GO) list ./... | grep -v /internal/simulation)
	$(GO) test -race ./internal/simulation -seeds 100
	$(GO) test ./internal/simulation -seeds 2500 -v -run '^TestSimulation$$'
	$(GO) test -tags mutation ./internal/simulation -run '^TestMutationsFit$$'
	./.ci/fuzz $(FUZZ)
	$(GO) test -count=1 -tags integration -p 1 -timeout 20m $$($(GO) list ./... | grep -v /internal/simulation)

test-all: setup ## The long tests, on top of those of make test: all are called TestSlow...
	$(GO) test -count=1 -tags 'integration slow' -p 1 -timeout 60m -run '^TestSlow' ./...

simulate: ## Run the protocol in a simulation of everything that can go wrong, for SEEDS seeds
	$(GO) test ./internal/simulation -run '^TestSimulation$$' -seeds $(SEEDS) -timeout 0 -v

storm: setup ## Let everything go wrong with real parts: STORMS storms of MINUTES minutes
	$(GO) test -tags integration ./internal/e2e -run '^TestStorm$$' -storm.count $(STORMS) -storm.minutes $(MINUTES) -timeout 0 -v

mutations: ## Take each safety rule away and have the simulation find out (4,000 seeds each; a rule a few seconds)
	$(GO) test -tags mutation ./internal/simulation -run '^TestMutations$$' -timeout 0 -v

fuzz: ## Fuzz every decoder, FUZZ each
	./.ci/fuzz $(FUZZ)

clean: ## Remove what was built and fetched
	rm -rf bin .cache

# Built by this Go, as linters must be; it takes a minute or two, once.
$(LINTER):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
	mv $(TOOLS)/golangci-lint $@
