# Everything here needs make, Python 3.11 with pip, and nothing else.

VENV ?= .venv
PYTHON ?= $(shell for python in python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
# Not the scripts beside it: their first lines break when the folder is moved.
RUN := $(VENV)/bin/python
EMBEDDED := $(RUN) -m core.embedded --end-with-parent
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
# Arguments for pytest; `make test` then runs nothing else.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench format openapi screenshots lock clean

help:
	@echo 'make run       start everything; PORT (8000) and DATA_DIR (.data) from the environment'
	@echo 'make test      everything that must hold before a merge; ARGS="tests/core -k x" for pytest only'
	@echo 'make check     what make test checks, without the tests'
	@echo 'make bench     measure beside the limit of the database; ROUNDS, SECONDS, ONLY, GROWTH (bench/README.md)'
	@echo 'make format    put the code into its standard form'
	@echo 'make openapi   write openapi.yaml from the code'
	@echo 'make screenshots  take the pictures of the documentation anew, in a real browser'
	@echo 'make lock      write the lock files from requirements.txt and requirements-dev.txt'
	@echo 'make clean     remove .venv and caches; the data in DATA_DIR stays'

# exec leaves make and the launcher, and no shell between them to swallow a signal.
run: $(VENV)/.installed
	@exec $(EMBEDDED) run

test: $(VENV)/.installed-dev
ifeq ($(strip $(ARGS)),)
	@exec $(EMBEDDED) test -- $(RUN) -m core.embedded check
else
	@exec $(EMBEDDED) test -- $(RUN) -m pytest $(ARGS)
endif

check: $(VENV)/.installed-dev
	@exec $(EMBEDDED) test -- $(RUN) -m core.embedded check --without pytest --without end-to-end --without browser

# exec, and what make is given (ROUNDS=3) reaches it in the environment.
bench: $(VENV)/.installed
	@exec $(RUN) -m bench $(ARGS)

format: $(VENV)/.installed-dev
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

openapi: $(VENV)/.installed-dev
	@exec $(EMBEDDED) test -- $(RUN) -m core.embedded openapi

screenshots: $(VENV)/.installed-dev
	@exec env SCREENSHOTS=1 $(EMBEDDED) test -- $(RUN) -m pytest tests/browser/test_pictures.py $(ARGS)

# The stamps say what the environment holds, so that an unchanged one costs no time.
$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo 'Windfall needs Python 3.11: install it, or name it with PYTHON=/path/to/python3.11.'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo '$(PYTHON) is not Python 3.11: install that, or name it with PYTHON=/path/to/python3.11.'; exit 1; }
	@echo 'Making $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock $(VENV)/.created
	@echo 'Installing requirements.lock (once)'
	@$(PIP) install --requirement requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo 'Installing requirements-dev.lock (once)'
	@$(PIP) install --requirement requirements-dev.lock
	@touch $@

# Both from one environment, so that the tests run on exactly what is run.
lock:
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(PYTHON) -m venv "$$folder/venv" && \
	for kind in requirements requirements-dev; do \
		echo "Resolving $$kind.txt" && \
		"$$folder/venv/bin/python" -m pip --disable-pip-version-check --quiet install --requirement $$kind.txt && \
		{ echo "# The full tree of $$kind.txt, written by \`make lock\`. Do not edit."; \
		  "$$folder/venv/bin/python" -m pip --disable-pip-version-check freeze | LC_ALL=C sort -f; } > "$$folder/$$kind.lock" || exit 1; \
	done && \
	cp "$$folder/requirements.lock" "$$folder/requirements-dev.lock" .

clean:
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
