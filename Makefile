# Every target says what it does; `make` lists them.
# GO, FUZZTIME and BENCH may be set from outside: make fuzz FUZZTIME=10m, make bench BENCH=-long

GO       ?= go
FUZZTIME ?= 60s
BENCH    ?=

# The tools of check have a module of their own, so that nobody who uses
# skynet downloads them.
TOOL = $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help build test check scenarios results golden bench fuzz soak vuln release

help: ## print this list
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the programs into bin/
	$(GO) build -trimpath -o bin/ ./cmd/...

# SKYNET_LONG=1 adds the heavy rows of the closed forms (several minutes).
# Whatever a test needs to run beside it (a database, say) is started here.
test: ## run every test
	@scripts/emulator
	@scripts/install-slurm
	@scripts/install-chromium
	@scripts/install-postgres
	@scripts/install-prometheus
	$(GO) test ./...

check: ## format, vet, staticcheck, import arrows, generated files; every scenario against its baseline
	@scripts/check-format "$(TOOL) gofumpt"
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) test -run '^TestHouse' .
	@scripts/check-generated
	@$(MAKE) --no-print-directory scenarios

# A changed policy needs new baselines: bin/skynet check --update --reason "…"
scenarios: build ## run every scenario and compare it with its baseline
	bin/skynet check

# Finished runs are kept in out/results: what was stopped goes on where it
# stopped, and after a change of the policy skynet only its own runs are done
# again. POLICIES=… (files or names), RUNS=… (seeds), BOUND=…, TUNE=… (sets of
# parameters that every policy but the first tries) and PARALLEL=… may be set;
# DECIDES=… keeps the finished runs of a build whose difference decides nothing.
results: build ## rewrite docs/results.md: recorded traces × billings × policies
	$(GO) build -trimpath -o bin/ -ldflags "-X main.decidesRuns=$(or $(DECIDES),$$(scripts/decides runs)) -X main.decidesBounds=$$(scripts/decides bounds)" ./cmd/skynet
	@mkdir -p out
	bin/skynet compare scenarios/recorded $(or $(POLICIES),all) --runs $(or $(RUNS),5) --bound $(or $(BOUND),lower) \
		--tune $(or $(TUNE),12) $(if $(PARALLEL),--parallel $(PARALLEL)) \
		--resume out/results --markdown docs/results.md --json out/results.json --title Results

golden: ## rewrite the expected output of every test that has one
	@scripts/golden

bench: ## measure; the engine is compared with a bare loop in the same run
	$(GO) run ./bench $(BENCH)

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@scripts/fuzz $(FUZZTIME)

# Two real processes, SQLite and PostgreSQL, 10^5 operations each: about half an
# hour. SEED=… draws other faults. Then 10 000 storms over the controller, about
# half an hour of CPU time; SEEDS=… says how many. Then the queue at half of what
# it must bear, for an hour, its memory watched; FOR=… says how long.
soak: ## torture the queue and the controller for long; figures go into docs/benchmarks.md
	SKYNET_TORTURE_SEED=$(or $(SEED),1) SKYNET_TORTURE_OPS=$(or $(OPS),100000) \
		$(GO) test -count=1 -timeout 2h -run '^TestTorture$$' -v ./cmd/skynetd
	SKYNET_SEEDS=$(or $(SEEDS),10000) $(GO) test -count=1 -timeout 4h -run '^TestStorms$$' -v ./live/controller
	$(GO) run ./bench/queuehttp -store sqlite -soak $(or $(FOR),1h) -rate 5000

# Not a part of check: it needs the network.
vuln: ## ask the Go project's database whether anything with a known hole is called
	@scripts/vuln "$(TOOL) govulncheck"

# Nothing is unsigned by accident: without KEY, or MINISIGN_KEY in the
# environment, UNSIGNED=1 must say so. See docs/releasing.md.
release: ## build dist/VERSION of the tag checked out, for linux and darwin; KEY=FILE signs it
	$(GO) run ./scripts/release build -out dist $(if $(KEY),-key "$(KEY)") $(if $(UNSIGNED),-unsigned)
