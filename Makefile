# Each target makes its own .venv on first use; running it again changes nothing that is up to date.
# `.venv/.complete` is the mark that the environment agrees with the lock file.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.complete
HISTORY ?= /tmp/custodiet-history

.PHONY: run test lint bench bench-dashboard bench-latency bench-kills bench-hostile samples producers lock clean

run: $(READY)
	$(BIN)/custodiet demo

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m bench.speed
	$(BIN)/python -m bench.folding

bench-dashboard: $(READY)
	$(BIN)/python -m bench.dashboard

bench-latency: $(READY)
	$(BIN)/python -m bench.latency --history-data $(HISTORY) --rate 1000
	$(BIN)/python -m bench.latency --history-data $(HISTORY) --rate 5000 --seconds 120

bench-kills: $(READY)
	$(BIN)/python -m bench.kills --times 200

bench-hostile: $(READY)
	$(BIN)/python -m bench.hostile

samples: $(READY)
	$(BIN)/python sample_logs/generate.py

producers: $(READY)
	$(BIN)/python tests/producers/run.py $(KEEP)
	$(BIN)/python -m pytest tests/producers

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-header --constraints requirements.lock pyproject.toml -o deploy/run.lock
	printf 'hatchling\nuv\n' | $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-emit-index-url --no-header --constraints requirements.lock -o deploy/build.lock

clean:
	rm -rf .venv custodiet-data build dist

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "custodiet needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
