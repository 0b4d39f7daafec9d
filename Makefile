# Two commands matter: `make run` and `make test`. The rest is for those who change the code.

PYTHON ?= python3
VENV := .venv/bin/python
PIP_COMPILE := .venv/bin/pip-compile --allow-unsafe --generate-hashes --no-emit-find-links \
	--no-emit-index-url --strip-extras --quiet

.PHONY: run setup test prove lint format lock messages docs screens bench bench-gallery chaos clean

run:  ## prepare what is missing and start the studio; Ctrl-C stops it
	@$(PYTHON) studio/launcher.py run

setup:  ## make .venv with what the program runs on
	@$(PYTHON) studio/launcher.py setup

test: .venv/development  ## everything CI runs
	@$(VENV) -m tests.suite

prove: .venv/development  ## the same, with the full counts of every figure that is claimed
	@DIPTYCH_PROVE=1 $(VENV) -m tests.suite

lint: .venv/development  ## style, types, import rules, templates
	@$(VENV) -m tests.suite lint

format: .venv/development  ## what the linters would rather see
	.venv/bin/ruff check --fix
	.venv/bin/ruff format
	git ls-files -z -- 'templates/*.html' | xargs -0 .venv/bin/djade --target-version 5.2

lock: .venv/development  ## pin requirements.in and requirements-dev.in anew
	$(PIP_COMPILE) --upgrade --output-file=requirements.txt requirements.in
	$(PIP_COMPILE) --upgrade --output-file=requirements-dev.txt requirements-dev.in

messages: .venv/development  ## bring locale/*/LC_MESSAGES/django.po up to date with the code
	@$(VENV) locale/messages.py update
	@$(VENV) locale/messages.py missing || true

docs: .venv/development  ## docs/engines.md from the catalogue
	@$(VENV) docs/engines.py

screens: .venv/development  ## the screenshots of docs/screens, in both themes and languages
	@$(PYTHON) studio/launcher.py build
	@$(VENV) -m tests.browser.screens

bench: .venv/development  ## the engine at 200, 1,000 and 3,000 runs at once, beside blocking tasks; in a browser; 500 viewers
	@$(PYTHON) studio/launcher.py build
	@$(VENV) -m bench.engine

bench-gallery: .venv/development  ## gallery and search at 100,000 runs, on SQLite and PostgreSQL
	@$(PYTHON) studio/launcher.py build
	@sqlite=0; $(VENV) -m bench.gallery 100000 || sqlite=$$?; \
	$(VENV) -m bench.gallery 100000 postgresql://postgres@127.0.0.1:5432/postgres && exit $$sqlite

KILLS ?= 60
JOBS ?= 600
SEED ?= 1
chaos: .venv/development  ## kill everything while people work, then check every row (DATABASE, PRODUCTION=1, UNSAFE=1)
	@$(VENV) -m tests.chaos --kills $(KILLS) --jobs $(JOBS) --seed $(SEED) --database "$(DATABASE)" \
		$(if $(PRODUCTION),--production) $(if $(UNSAFE),--unsafe-requeue)

clean:  ## remove what can be made again; never var/, which holds your pictures
	rm -rf .venv staticfiles var/stamps .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf .hypothesis htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete

.PHONY: .venv/development
.venv/development:  # cheap when nothing changed
	@$(PYTHON) studio/launcher.py setup-development
