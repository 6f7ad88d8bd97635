PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: run test test-long check fix lock bench screenshots clean

run: $(VENV)/.installed            ## Set up, seed a demo company, start server, worker and mail catcher
	$(BIN)/okrgate demo

test: $(VENV)/.installed     ## Every test, on SQLite and on PostgreSQL
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# By what its parts took one at a time, about 80 minutes of one core, so within an hour on two idle ones: races 6, kills 10,
# judges 5, random acts 12, mail and workers 5, odd posts to every form 45. A busy machine takes three times as long.
test-long: $(VENV)/.installed   ## Races, kills, faults, judges and random acts, many times over: about an hour
	OKRGATE_TEST_PROFILE=long $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/faults tests/unit/gates tests/integration/notifications tests/browser/test_workshop.py tests/browser/test_every_page.py tests/integration/approvals/test_signing_floor.py

check: $(VENV)/.installed   ## Style, types, the order of the rooms, templates, the rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --profile jinja --lint templates
	for file in rules/*.yaml rules/examples/*.yaml; do $(BIN)/okrgate rules check $$file && $(BIN)/okrgate rules test $$file || exit 1; done

bench: $(VENV)/.installed   ## What it costs, the quick ones; never fails. The others: bench/README.md
	$(BIN)/python bench/pages.py
	$(BIN)/python bench/crossing.py
	$(BIN)/python bench/gate.py --judgements 12000
	$(BIN)/python bench/reading.py --projects 1000
	$(BIN)/python bench/mail.py
	$(BIN)/python bench/start.py

screenshots: $(VENV)/.installed   ## Take the guide's pictures anew, out of a demo of their own
	$(BIN)/python docs/screenshots.py

fix: $(VENV)/.installed     ## Mend what a tool can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.installed    ## Write requirements.lock anew from pyproject.toml
	$(BIN)/pip install --quiet "pip-tools>=7.5,<8"
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra test --extra check --output-file requirements.lock pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

clean:                             ## Forget the environment and the demo company
	rm -rf $(VENV) var
