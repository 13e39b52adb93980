# make help says what there is.

GO      ?= go
TOOLS   := $(CURDIR)/.cache/bin
LINTER  := $(TOOLS)/golangci-lint-v2.13.1

.DEFAULT_GOAL := help
.PHONY: help setup build demo lint test test-all clean

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
	$(GO) vet -tags 'integration slow' ./...
	$(LINTER) run ./...

test: setup lint ## Lint, unit tests with the race detector, then tests on real parts
	$(GO) test -race -shuffle=on ./...
	$(GO) test -tags integration -p 1 -timeout 20m ./...

test-all: setup ## The long tests, on top of those of make test: all are called TestSlow...
	$(GO) test -tags 'integration slow' -p 1 -timeout 60m -run '^TestSlow' ./...

clean: ## Remove what was built and fetched
	rm -rf bin .cache

# Built by this Go, as linters must be; it takes a minute or two, once.
$(LINTER):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
	mv $(TOOLS)/golangci-lint $@
