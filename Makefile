# certdrift. `make` lists the targets. `make demo` and `make test` need only Go. Python tools (the emulator, cfn-lint, the SAM CLI)
# are installed with pip into .cache/ when a target first needs them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(CURDIR)/.cache
GOLANGCI := 2.15.0
STATICCHECK := v0.7.0
ACTIONLINT := v1.7.12
CYCLONEDX := v1.9.0

# Functions by their logical IDs in template.yaml, and the directory where their packages are built.
FUNCTIONS := ProbeFunction InspectFunction VerifyFunction WidgetFunction WorkerFunction
PACKAGES := $(CACHE)/package
# The architecture in the template. make e2e builds the same targets for the local machine.
LAMBDA_GOARCH ?= arm64
# The configuration to package, with the files it names; empty if the functions read theirs from S3 or SSM (ConfigUri).
# PACKAGE_FILES are additional files, for a configuration in SSM.
CONFIG ?= certdrift.yaml
PACKAGE_FILES ?=
ZIP_LIMIT := 6500000
# Further build tags for the functions, each after a comma: `make soak` speeds up their clock.
TAGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Replay the incident on this machine, through to the alerts and the report
	@echo "building certdrift demo…" >&2
	@go run ./cmd/certdrift demo

# `go vet` is part of `make lint`.
.PHONY: test
test: ## Run all tests that need only Go
	@mkdir -p $(CACHE)
	@go test -json -vet=off ./... | go run ./e2e/tally -name test -o $(CACHE)/test.tally

# Apart from `make test`, because instrumenting takes as long as everything else together. The AWS SDK is instrumented without
# optimization, in half the time.
.PHONY: race
race: ## Run the same tests with the race detector; needs a C compiler
	@mkdir -p $(CACHE)
	@CGO_ENABLED=1 go test -json -vet=off -race '-gcflags=github.com/aws/...=-N -l' ./... | go run ./e2e/tally -name race -o $(CACHE)/race.tally

# The short soak test in e2e has the same faults in every run; make soak draws new ones.
.PHONY: e2e
e2e: $(CACHE)/venv/.ready sam-cli cdk-lib $(CACHE)/bin/actionlint ## Deploy the template to an emulator and run the real function binaries against it
	@CERTDRIFT_E2E=1 SOAK_SEED=$${SOAK_SEED:-2026} go test -json -count=1 -timeout 40m ./e2e/... | go run ./e2e/tally -name e2e -o $(CACHE)/e2e.tally

# Lints the workflows in docs/. Without it, they are only parsed.
$(CACHE)/bin/actionlint:
	@mkdir -p $(CACHE)/bin
	@GOBIN=$(CACHE)/bin GOFLAGS=-mod=mod go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT) 2>$(CACHE)/actionlint.log || \
		echo "could not build actionlint (see .cache/actionlint.log)"

.PHONY: soak
soak: $(CACHE)/venv/.ready ## Run hours of rounds against a changing world and a failing AWS; SOAK_SEED, SOAK_ENDPOINTS and SOAK_ROUNDS choose which
	@CERTDRIFT_E2E=1 SOAK_ENDPOINTS=$${SOAK_ENDPOINTS:-2000} SOAK_ROUNDS=$${SOAK_ROUNDS:-200} go test -count=1 -v -timeout 2h -run 'TestSoak$$' ./e2e

# The short form is in e2e.
.PHONY: fanout
fanout: $(CACHE)/venv/.ready ## Probe 20,000 endpoints on 20 workers, one of them killed, one throttled, one slow; FANOUT_ENDPOINTS and FANOUT_WORKERS choose the size
	@CERTDRIFT_E2E=1 FANOUT_ENDPOINTS=$${FANOUT_ENDPOINTS:-20000} FANOUT_WORKERS=$${FANOUT_WORKERS:-20} go test -count=1 -v -timeout 2h -run 'TestFanOut$$' ./e2e

# Without -fuzzminimizetime, Go spends a minute on each new input to make it smaller, and tries few others: with documents of kilobytes,
# as manifests are, none at all. A failing input is kept in the package's testdata/fuzz; commit it with the fix.
FUZZTIME ?= 10m
.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each (10m); FUZZ chooses targets by a regular expression
	@status=0; for found in $$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' internal | grep -E '$(FUZZ)' | sed 's/:func /:/' | sort); do \
		echo "── $${found%%:*} $${found##*:}"; \
		go test "./$$(dirname "$${found%%:*}")" -run '^$$' -fuzz "^$${found##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x || status=1; \
	done; exit $$status

.PHONY: lint
lint: lint-go lint-templates ## Run golangci-lint, gofmt, cfn-lint

.PHONY: lint-go
lint-go:
	@unformatted=$$(gofmt -l $$(go list -f '{{.Dir}}' ./...)); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	@bin=$(CACHE)/bin/golangci-lint-$(GOLANGCI); \
	if [ ! -x $$bin ]; then \
		echo "lint: building golangci-lint $(GOLANGCI) (once, takes a few minutes)"; \
		mkdir -p $(CACHE)/bin/tmp && \
		GOBIN=$(CACHE)/bin/tmp GOFLAGS=-mod=mod go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI) 2>$(CACHE)/golangci-lint.log && \
		mv $(CACHE)/bin/tmp/golangci-lint $$bin; \
	fi; \
	if [ -x $$bin ]; then GOLANGCI_LINT_CACHE=$(CACHE)/golangci-lint $$bin run ./...; \
	else \
		echo "lint: could not build golangci-lint (see .cache/golangci-lint.log); running go vet and staticcheck instead"; \
		go vet ./... && GOFLAGS=-mod=mod go run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) ./...; \
	fi

.PHONY: lint-templates
lint-templates:
	@if command -v python3 >/dev/null 2>&1; then \
		$(MAKE) $(CACHE)/venv/.ready && $(CACHE)/venv/bin/cfn-lint template.yaml infra/*.yaml && echo "lint: templates are clean"; \
	else echo "lint: Python 3 not found, so the templates were not linted"; fi

# ── packages: called by `sam build`, and usable by hand ──────────────────────────────────────────────────────────────

ARTIFACTS_DIR ?= $(PACKAGES)/$(patsubst build-%,%,$@)

build-ProbeFunction: FOLDER := probe
build-InspectFunction: FOLDER := inspect
build-VerifyFunction: FOLDER := verify
build-WidgetFunction: FOLDER := widget
build-WorkerFunction: FOLDER := worker
# The worker has no configuration: the probe function sends it what to probe.
build-WorkerFunction: override CONFIG :=
build-WorkerFunction: override PACKAGE_FILES :=

# The AWS SDK is not inlined: it is half of the code, spends its time waiting, and is 5 % of the package smaller so. What handshakes and
# chains run through is.
SMALL := -gcflags=github.com/aws/...=-l

# No version stamp and no paths, so that the same source has the same hash and an unchanged function is not deployed again. The tag
# lambda omits the credential chain of a laptop, and lambda.norpc the retired go1.x runtime.
.PHONY: $(FUNCTIONS:%=build-%)
$(FUNCTIONS:%=build-%):
	@mkdir -p "$(ARTIFACTS_DIR)"
	@if [ -n "$(CONFIG)" ]; then \
		if [ ! -e "$(CONFIG)" ]; then \
			echo "$(CONFIG) not found. Create it: go run ./cmd/certdrift init --from-aws -o $(CONFIG)" >&2; \
			echo "For a configuration in S3 or SSM (parameter ConfigUri), build without one: CONFIG= sam build" >&2; exit 2; \
		fi; \
		go run ./cmd/bundle -c "$(CONFIG)" -to "$(ARTIFACTS_DIR)"; \
	fi
	CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_GOARCH) go build -trimpath -buildvcs=false -tags lambda,lambda.norpc$(TAGS) $(SMALL) -ldflags '-s -w' -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(FOLDER)
	@chmod 755 "$(ARTIFACTS_DIR)/bootstrap"
	@if [ -n "$(PACKAGE_FILES)" ]; then tar -cf - $(PACKAGE_FILES) | tar -xf - -C "$(ARTIFACTS_DIR)"; fi

.PHONY: zip
zip: ## Build the functions' packages, with certdrift.yaml or the example, and show their sizes; fails above 6.5 MB
	@rm -rf $(PACKAGES)
	@for f in $(FUNCTIONS); do $(MAKE) build-$$f ARTIFACTS_DIR=$(PACKAGES)/$$f CONFIG="$(or $(wildcard $(CONFIG)),certdrift.example.yaml)" || exit 1; done
	@go run ./e2e/pack -limit $(ZIP_LIMIT) $(FUNCTIONS:%=$(PACKAGES)/%)

# ── releases ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# The version is the commit's tag, which the go command stamps into the command too. Everything in dist/ depends on the commit and the
# toolchain alone: two builds have the same checksums.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
ARCHITECTURES ?= arm64 amd64
DIST ?= $(CURDIR)/dist
# What a deployment without a clone needs: the template, the nested ones, the functions' packages. RELEASE_BUCKET is where you publish it, if
# everybody is to deploy from there: the default of the template's parameter ReleaseBucket.
STACK := $(DIST)/certdrift-stack_$(VERSION)
RELEASE_BUCKET ?=
# The bill of materials of a binary, without the time at which it was written.
MATERIALS := sh -c '$(CACHE)/bin/cyclonedx-gomod-$(CYCLONEDX) bin -json -std -noserial "$$0" 2>/dev/null | sed "/^ *\"timestamp\": /d"'

# Settings of whoever builds must not show in what is built: the commit is stamped wherever git knows it, and the processors are Go's defaults.
release: export GOFLAGS = -buildvcs=$(shell git status --porcelain >/dev/null 2>&1 && echo true || echo false)
release: export GOAMD64 = v1
release: export GOARM64 = v8.0
release: export GOFIPS140 = off

.PHONY: release
release: $(CACHE)/bin/cyclonedx-gomod-$(CYCLONEDX) ## Build a release in dist/: the command for five platforms, the stack to deploy without a clone, bills of materials, checksums
	@rm -rf "$(DIST)" && mkdir -p "$(STACK)"
	@for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} && exe=certdrift && if [ $$os = windows ]; then exe=certdrift.exe; fi && \
		dir="$(DIST)/certdrift_$(VERSION)_$${os}_$$arch" && mkdir "$$dir" && echo "building $${dir##*/}" && \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags '-s -w' -o "$$dir/$$exe" ./cmd/certdrift && \
		if [ $$platform = linux/amd64 ]; then $(MATERIALS) "$$dir/$$exe" >"$(DIST)/certdrift_$(VERSION).cdx.json"; fi && \
		cp LICENSE README.md CHANGELOG.md certdrift.example.yaml docs/runbook.md "$$dir" && \
		if [ $$os = linux ]; then cp deploy/Dockerfile "$$dir" && go run ./cmd/release -roots "$$dir/roots.pem"; fi && \
		go run ./e2e/pack -limit 50000000 "$$dir" && rm -r "$$dir" || exit 1; \
	done
	@for arch in $(ARCHITECTURES); do for f in $(FUNCTIONS); do \
		lambda=$$arch && if [ $$arch = amd64 ]; then lambda=x86_64; fi && \
		dir="$(STACK)/$${f}_$(VERSION)_$$lambda" && $(MAKE) build-$$f ARTIFACTS_DIR="$$dir" CONFIG= LAMBDA_GOARCH=$$arch && \
		if [ ! -e "$(DIST)/$${f}_$(VERSION).cdx.json" ]; then $(MATERIALS) "$$dir/bootstrap" >"$(DIST)/$${f}_$(VERSION).cdx.json"; fi && \
		go run ./e2e/pack -limit 50000000 "$$dir" && rm -r "$$dir" || exit 1; \
	done; done
	@go run ./cmd/release -version "$(VERSION)" -bucket "$(RELEASE_BUCKET)" -o "$(STACK)/template.json"
	@cp LICENSE README.md "$(STACK)" && mkdir "$(STACK)/deploy" && cp -R deploy/terraform deploy/cdk deploy/grafana "$(STACK)/deploy" && cp certdrift.schema.json "$(DIST)"
	@go run ./e2e/pack -limit 100000000 "$(STACK)" && rm -r "$(STACK)"
	@cd "$(DIST)" && find . -type f ! -name checksums.txt | LC_ALL=C sort | sed 's|^\./||' | while read -r f; do \
		if command -v sha256sum >/dev/null 2>&1; then sha256sum "$$f"; else shasum -a 256 "$$f"; fi; done >checksums.txt && cat checksums.txt

$(CACHE)/bin/cyclonedx-gomod-$(CYCLONEDX):
	@mkdir -p $(CACHE)/bin/tmp
	@GOBIN=$(CACHE)/bin/tmp GOFLAGS=-mod=mod go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX) 2>$(CACHE)/cyclonedx.log || { cat $(CACHE)/cyclonedx.log; exit 1; }
	@mv $(CACHE)/bin/tmp/cyclonedx-gomod $@

# The date is the commit's, so that two builds are the same.
.PHONY: man
man: ## Write manual pages and shell completions to dist/man1 and dist/completions
	@go run ./cmd/manpages -to "$(DIST)" -date "$$(git log -1 --format=%cs 2>/dev/null || echo 1970-01-01)"
	@echo "man pages: $(DIST)/man1; completions: $(DIST)/completions"

# ── generated files ──────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: schema
schema: ## Generate certdrift.schema.json from the configuration's Go types
	@go test ./internal/config/schema -run CheckedIn -update

.PHONY: findings
findings: ## Generate docs/findings.md from the catalogue
	@go test ./internal/catalogue -run FindingsDocument -update

.PHONY: corpus
corpus: ## Save observations of new servers and all verdicts in e2e/servers/testdata
	CERTDRIFT_E2E=1 go test -count=1 -run 'TestServers$$' ./e2e/servers -update
	go test -count=1 -run TestCorpus ./e2e/servers -update

.PHONY: roots
roots: ## Fetch the trust stores of client families from packages of public registries: internal/clients/roots.txt
	go run ./e2e/rootstores
	go test ./internal/clients -update

# PEER is the path of a blackbox_exporter to compare with, if there is one. Absolute figures are those of the machine; see docs/performance.md.
PEER ?=
.PHONY: bench
bench: ## Generate docs/performance.md: what a check costs, against a bare loop over crypto/tls (Linux; PEER is a blackbox_exporter to compare with)
	go run ./bench -o docs/performance.md $(if $(PEER),-peer "$(PEER)")

.PHONY: accuracy
accuracy: ## Generate docs/accuracy.md: run certdrift, curl, openssl s_client and ten clients against hundreds of servers on loopback
	@CERTDRIFT_BROWSERS=1 go test -count=1 -run 'TestBrowsers$$' ./e2e/servers
	go run ./e2e/accuracy

# ── Python, with pip ───────────────────────────────────────────────────────────────────────────────────────────────────

# The files list every package that is installed, with the hashes of its wheels, for all platforms and each Python from 3.10 on. Nothing is
# built, because what a build needs has no hashes, and pip looks for no dependencies beyond the list; pip check says if one is missing.
HASHED := --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all:

$(CACHE)/venv/.ready: e2e/requirements.txt
	@echo "installing into .cache/venv: the emulator, the AWS CLI, the SAM translator, cfn-lint"
	@python3 -m venv --clear $(CACHE)/venv
	@$(CACHE)/venv/bin/pip install $(HASHED) -r e2e/requirements.txt
	@$(CACHE)/venv/bin/pip check --quiet --disable-pip-version-check
	@touch $@

.PHONY: requirements
requirements: ## Pin the Python tools anew: e2e/requirements*.txt, with hashes, from the .in files beside them
	@python3 -m venv --clear $(CACHE)/venv-uv
	@$(CACHE)/venv-uv/bin/pip install $(HASHED) -r e2e/requirements-uv.txt
	@cd e2e && for f in requirements requirements-sam requirements-uv; do \
		$(CACHE)/venv-uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-header --no-annotate --output-file $$f.txt $$f.in || exit 1; \
	done

# The SAM CLI pins other versions of the translator and of cfn-lint, so it has its own environment. If pip cannot install it, the
# test that uses it is skipped with a message.
.PHONY: sam-cli
sam-cli:
	@if [ ! -x $(CACHE)/venv-sam/.ready ]; then \
		echo "installing into .cache/venv-sam: the SAM CLI"; \
		python3 -m venv --clear $(CACHE)/venv-sam && \
		$(CACHE)/venv-sam/bin/pip install $(HASHED) -r e2e/requirements-sam.txt && \
		touch $(CACHE)/venv-sam/.ready && chmod +x $(CACHE)/venv-sam/.ready || \
		echo "could not install the SAM CLI"; \
	fi

# Likewise for the CDK, which deploy/cdk needs. What npm installs is checked against the hashes in the lock file, and none of it is run.
.PHONY: cdk-lib
cdk-lib:
	@if ! cmp -s deploy/cdk/package-lock.json $(CACHE)/cdk/.ready; then \
		echo "installing into .cache/cdk: the AWS CDK" && mkdir -p $(CACHE)/cdk && \
		cp deploy/cdk/package.json deploy/cdk/package-lock.json $(CACHE)/cdk && \
		(cd $(CACHE)/cdk && npm ci --ignore-scripts --no-audit --no-fund --silent) && \
		cp deploy/cdk/package-lock.json $(CACHE)/cdk/.ready || \
		echo "could not install the AWS CDK"; \
	fi

.PHONY: clean
clean: ## Remove build output; keep the Python environments and the linter
	rm -rf .aws-sam bin dist $(PACKAGES) $(CACHE)/*.tally
