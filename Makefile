# Everything a person does here is a target of this file; `make help` lists them.
# `make run` needs Go and a C compiler, `make test` also git and Python 3 with venv.

SHELL      := bash
SERVICES   := file-watcher content-tracker query-service sse-hub
MODULES    := proto internal $(SERVICES) deploy/run deploy/e2e deploy/bench
TAGS       := sqlite_fts5
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS    := -X github.com/obby/go-services/internal/service.version=$(VERSION)
TOOLS      := $(CURDIR)/.tools
VENV       := $(CURDIR)/.venv
PYTHON     ?= python3

# For the oldest versions of what the Python client needs, whose wheels end with 3.11.
PYTHON_OLDEST ?= $(shell for p in python3.10 python3.11 $(PYTHON); do \
	$$p -c 'import sys; sys.exit(sys.version_info >= (3, 12))' 2>/dev/null && echo $$p && break; done)

# What `make run` watches and where it keeps the database.
WATCH      ?=
DATA       ?= data

# How `make parity` prints its report: --json, or nothing for a table.
PARITY     ?=

# Further flags of a benchmark, such as --only storm.
BENCH      ?=

BUF        := github.com/bufbuild/buf/cmd/buf@v1.75.0
GOLANGCI   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PROTOC_GO  := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
PROTOC_RPC := google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start everything on a folder: make run WATCH=~/notes (default: a demo folder)
	@bin/run --data '$(DATA)' --watch '$(WATCH)'

.PHONY: build
build: ## build the four services and the launcher into bin/
	go build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./,$(SERVICES)) ./deploy/run

.PHONY: build-race
build-race: ## the same with the race detector, into bin/race/, for the tests
	go build -race -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/race/ $(addprefix ./,$(SERVICES)) ./deploy/run

.PHONY: test
test: test-go python python-oldest ## every test: Go with the race detector, end to end, browser, Python
	@echo 'all tests passed'

.PHONY: test-go
test-go: build-race browser-notice ## Go tests of every module, the end-to-end tests among them
	GORACE=atexit_sleep_ms=0 OBBY_BIN='$(CURDIR)/bin/race' go test -race -tags $(TAGS) work

.PHONY: crash
crash: build-race ## kill the content-tracker 200 times, and cut its power as often (make test: 40 and 20)
	cd deploy/e2e && OBBY_BIN='$(CURDIR)/bin/race' go test -tags $(TAGS) -timeout 30m -count=1 -v -run 'TestCrash|TestPowerCut' . -kills 200 -cuts 200

.PHONY: browser-notice
browser-notice:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  echo; echo '  NO CHROMIUM FOUND: the tests of the live page in a browser are SKIPPED.'; \
	  echo '  Install one (Debian: apt-get install chromium) to run them.'; echo; }

.PHONY: python
python: build-race $(VENV)/ready ## Python client: ruff, mypy and tests against the built services
	cd clients/python && $(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy
	cd clients/python && GORACE=atexit_sleep_ms=0 OBBY_BIN_DIR='$(CURDIR)/bin/race' $(VENV)/bin/pytest -q -n 4 --dist loadfile

.PHONY: flip
flip: build $(VENV)/ready ## the kill switch ten times under load, then with services killed (make test: smaller)
	cd clients/python && OBBY_BIN_DIR='$(CURDIR)/bin' $(VENV)/bin/python -m tests.backend.flip
	cd clients/python && OBBY_BIN_DIR='$(CURDIR)/bin' $(VENV)/bin/python -m tests.backend.flip --kill

.PHONY: cases
cases: ## which test covers which case of docs/cases
	@cd deploy/e2e && go test -tags $(TAGS) -count=1 -run TestCasesHaveTests -v . | sed -n 's/.*_test.go:[0-9]*: //p; s/=== RUN  *TestCasesHaveTests.//p'

.PHONY: parity
parity: build-race $(VENV)/ready ## compare the services with their Python fallbacks over real files; PARITY=--json for JSON
	@cd clients/python && GORACE=atexit_sleep_ms=0 OBBY_BIN_DIR='$(CURDIR)/bin/race' $(VENV)/bin/python -m tests.parity $(PARITY)

$(VENV)/ready: clients/python/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e 'clients/python[dev]'
	@touch $@

.PHONY: python-oldest
ifeq ($(PYTHON_OLDEST),)
python-oldest: ## the Python tests with the oldest versions that the package declares
	@echo; echo '  NO PYTHON 3.10 OR 3.11 FOUND: the oldest versions that the client declares are NOT TESTED.'
	@echo '  They have no wheels for a newer Python. Name one: make test PYTHON_OLDEST=...'; echo; test -z "$$CI"
else
python-oldest: build-race $(TOOLS)/oldest/ready
	cd clients/python && GORACE=atexit_sleep_ms=0 OBBY_BIN_DIR='$(CURDIR)/bin/race' $(TOOLS)/oldest/bin/pytest -q -n 4 --dist loadfile -p no:cacheprovider --ignore tests/parity
endif

# The extras come too: what they declare is tried as well.
$(TOOLS)/oldest/ready: clients/python/pyproject.toml clients/python/oldest.txt
	$(PYTHON_OLDEST) -m venv $(TOOLS)/oldest
	$(TOOLS)/oldest/bin/pip install --quiet --disable-pip-version-check -c clients/python/oldest.txt -e 'clients/python[oldest]'
	@touch $@

.PHONY: lint
lint: $(TOOLS)/bin/golangci-lint ## golangci-lint on every module; each module builds without the workspace
	@failed=; for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(TOOLS)/bin/golangci-lint run --config "$(CURDIR)/.golangci.yml" ./...) || failed=1; done; test -z "$$failed"
	@for m in $(MODULES); do echo "GOWORK=off build $$m"; (cd $$m && GOWORK=off go build -tags $(TAGS) -o /dev/null ./... && GOWORK=off go mod tidy -diff) || exit 1; done

.PHONY: generate
generate: tools ## generate Go and Python code from proto/
	proto/generate.sh '$(TOOLS)' '$(CURDIR)/proto/gen' '$(CURDIR)/clients/python/src' '$(TOOLS)/contract.binpb'

.PHONY: check-proto
check-proto: tools $(TOOLS)/bin/buf ## the generated code is fresh; buf lint; buf breaking against proto/baseline.binpb
	rm -rf '$(TOOLS)/fresh' && mkdir -p '$(TOOLS)/fresh/python'
	proto/generate.sh '$(TOOLS)' '$(TOOLS)/fresh/go' '$(TOOLS)/fresh/python' '$(TOOLS)/contract.binpb'
	diff -r '$(TOOLS)/fresh/go' proto/gen
	diff -r -x __pycache__ '$(TOOLS)/fresh/python/obby' clients/python/src/obby
	diff -r -x __pycache__ '$(TOOLS)/fresh/python/obby_clients/_googleapis' clients/python/src/obby_clients/_googleapis
	diff -r '$(TOOLS)/fresh/python/obby_clients/fallback/schema' clients/python/src/obby_clients/fallback/schema
	diff '$(TOOLS)/fresh/python/obby_clients/fallback/_query/unicode61.txt' clients/python/src/obby_clients/fallback/_query/unicode61.txt
	$(TOOLS)/bin/buf lint '$(TOOLS)/contract.binpb' --config proto/buf.yaml
	$(TOOLS)/bin/buf breaking '$(TOOLS)/contract.binpb' --against proto/baseline.binpb --config proto/buf.yaml

.PHONY: baseline
baseline: generate ## make today's contract the one that buf breaking compares with
	cp '$(TOOLS)/contract.binpb' proto/baseline.binpb

.PHONY: tools
tools: $(TOOLS)/venv/ready $(TOOLS)/bin/protoc-gen-go ## install the pinned code generators into .tools/

$(TOOLS)/venv/ready: proto/requirements.txt
	$(PYTHON) -m venv $(TOOLS)/venv
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check -r proto/requirements.txt
	@touch $@

# The tools' versions are in this file: they are installed again when it changes.
$(TOOLS)/bin/protoc-gen-go: Makefile
	GOBIN=$(TOOLS)/bin GOWORK=off go install $(PROTOC_GO)
	GOBIN=$(TOOLS)/bin GOWORK=off go install $(PROTOC_RPC)

$(TOOLS)/bin/buf: Makefile
	GOBIN=$(TOOLS)/bin GOWORK=off go install $(BUF)

$(TOOLS)/bin/golangci-lint: Makefile
	GOBIN=$(TOOLS)/bin GOWORK=off go install $(GOLANGCI)

.PHONY: bench-watcher
bench-watcher: build $(TOOLS)/watchdog/ready ## measure the file-watcher beside Python's watchdog and raw inotify; prints JSON
	@go run ./deploy/bench/watcher --bin bin --python $(TOOLS)/watchdog/bin/python $(BENCH)

.PHONY: bench-tracker
bench-tracker: build ## measure the content-tracker; prints JSON
	@go run ./deploy/bench/tracker --bin bin $(BENCH)

.PHONY: bench-hub
bench-hub: build ## measure the sse-hub beside a goroutine for each client; prints JSON
	@go run ./deploy/bench/hub --bin bin $(BENCH)

.PHONY: bench-query
bench-query: build ## measure the query-service on 100,000 and 1,000,000 versions; prints JSON
	@go run -tags $(TAGS) ./deploy/bench/query --bin bin $(BENCH)

.PHONY: bench-clients
bench-clients: build $(VENV)/ready ## measure what routing costs a Python caller; prints JSON
	@cd clients/python && $(VENV)/bin/python bench/routing.py '$(CURDIR)/bin/content-tracker' $(BENCH)

$(TOOLS)/watchdog/ready: Makefile
	$(PYTHON) -m venv $(TOOLS)/watchdog
	$(TOOLS)/watchdog/bin/pip install --quiet --disable-pip-version-check watchdog==6.0.0
	@touch $@

.PHONY: fmt
fmt: ## format the Go and Python code
	gofmt -w $$(git ls-files '*.go' | grep -v '^proto/gen/')
	$(VENV)/bin/ruff format clients/python

.PHONY: clean
clean: ## remove what was built; the data folder stays
	rm -rf bin $(VENV) $(TOOLS)
