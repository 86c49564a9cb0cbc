# Two commands matter: `make run` and `make test`. `make` alone lists all.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PYTEST_ARGS ?=
APT := $(shell [ "$$(id -u)" = 0 ] && command -v apt-get)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test check lint types sizes migrations vendor messages bench faults pins browser clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1	\2/' | \
		while IFS='	' read -r name text; do printf '%-11s %s\n' "$$name" "$$text"; done

run: $(VENV)/.light ## Start the forum: database, web and worker, until Ctrl-C
	@exec $(BIN)/python -m forum.running

test: $(VENV)/.full browser check ## Everything: lint, types, unit, architecture, browser and fault tests
	$(BIN)/python -m pytest -q $(PYTEST_ARGS)

check: lint types migrations sizes ## What needs no running program: lint, types, migrations, sizes

lint: $(VENV)/.full ## Style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.full ## Strict types of both apps
	$(BIN)/mypy

sizes: $(VENV)/.full ## Sizes of functions and files
	@$(BIN)/python -m tools.sizes

migrations: $(VENV)/.full ## Do the migrations say what the models say?
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

vendor: $(VENV)/.light ## Are the committed files of others unchanged?
	$(BIN)/python -m tools.vendor --check

messages: $(VENV)/.light ## Collect and compile the translations (needs gettext)
	$(MANAGE) makemessages --locale zh_Hans --no-obsolete --no-wrap --add-location file --ignore '$(VENV)' --ignore build
	$(MANAGE) compilemessages --ignore '$(VENV)'

bench: $(VENV)/.full ## Measure; results go to benchmarks/results
	@for one in benchmarks/*.py; do \
		case $$one in */__init__.py) continue;; esac; \
		name=$$(basename $$one .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; \
	done

faults: $(VENV)/.full ## The long form of the fault tests
	FORUM_FAULTS=long $(BIN)/python -m pytest -q -m fault $(PYTEST_ARGS)

pins: ## Write constraints.txt from what is installed now
	@{ echo "# Exact versions of all that is installed, light and full. Written by \`make pins\`."; \
		$(BIN)/pip freeze --exclude-editable --exclude gegenbild --exclude pdqhash | \
		sed -E 's/\+cpu$$//' | grep -E '^[A-Za-z0-9_.-]+==' ; } > constraints.txt
	@grep -c == constraints.txt

clean: ## Remove what was installed and cached; data in var/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build

# --- how the environment is made ------------------------------------------------------------------

$(BIN)/pip:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		[ -n "$(APT)" ] || { echo "Install the package python3-venv first."; exit 1; }; \
		$(APT) update -qq && $(APT) install -qq -y python3-venv; }
	@echo "Making the environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)

# A stamp is as new as the files it was made from, so a start with nothing to install asks nobody.
$(VENV)/.light: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing what the forum needs."
	@$(BIN)/pip install -q -c constraints.txt -e .
# The demo's photographs lie in this package; nothing imports it, so it comes without its own needs.
	@$(BIN)/pip install -q -c constraints.txt --no-deps scikit-image
	@touch $@

$(VENV)/.full: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing what the tests need, torch included."
	@$(BIN)/pip install -q -c constraints.txt -e '.[test,heif,diffusers]'
	@touch $@ $(VENV)/.light

# Browser tests need a Chromium and fonts for Chinese; nothing else does.
browser: $(VENV)/.full
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit 0; done; \
	if [ -n "$(APT)" ]; then \
		$(APT) update -qq && $(APT) install -qq -y --no-install-recommends chromium fonts-noto-cjk; \
	else $(BIN)/playwright install chromium; fi
