# Everything a newcomer needs: `make demo`, `make test`. PYTHON=… chooses the interpreter.
# Two targets never set up .venv at the same time, even under -j.
.NOTPARALLEL:
# Tests start many interpreters, and without bytecode each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test test-exhaustive test-speed test-all check bench docs docs-links picture vectors mutants clean setup-demo setup-test setup-docs setup-mutants setup-bench

BIN = .venv/bin
WITH_SPEED = tests/sessions tests/http tests/interop tests/testing tests/vectors # what reads and writes sessions
# Of these, files whose tests neither encode nor decode the JSON of a session: orjson changes nothing in them.
WITHOUT_SPEED = http/test_addresses http/test_assets http/test_body http/test_caching http/test_compression \
    http/test_events http/test_foreign_words http/test_headers http/test_misread http/test_multipart http/test_query \
    http/test_response http/test_response_cookies http/test_session_by_hand interop/test_dotenv_with_node \
    interop/test_messages_with_node interop/test_preferences_with_node interop/test_routes_with_node \
    interop/test_signed_with_node interop/test_tables_with_node sessions/test_cookie sessions/test_foreign_words \
    sessions/test_jwe sessions/test_keyring sessions/test_list_merge sessions/test_secrets \
    sessions/test_session_cookie sessions/test_signing sessions/stores/test_boto sessions/stores/test_choice \
    sessions/stores/test_connections sessions/stores/test_lean sessions/stores/test_memory \
    sessions/stores/test_refused_requests sessions/stores/test_requests sessions/stores/test_session_table \
    sessions/stores/test_signature sessions/stores/test_transport testing/test_app_modules \
    testing/test_events testing/test_jar testing/test_reply
SPHINX = $(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --jobs auto

help:
	@echo "make demo     set up .venv and serve examples/shop; Ctrl-C ends it"
	@echo "make test     set up .venv and run the tests; of thousands of cases a sample"
	@echo "make test-all run every test, all cases of the exhaustive ones too"
	@echo "make test-speed run the tests of sessions with the extra speed (orjson)"
	@echo "make check    lint, format, types, architecture, spelling"
	@echo "make bench    measure sessions and the sandbox beside peers; writes benchmarks/RESULTS.md"
	@echo "make docs     build the documentation into build/docs; warnings are errors"
	@echo "make docs-links fetch every external link of the documentation"
	@echo "make picture  take the README's picture of the shop afresh"
	@echo "make vectors  make the test vectors afresh with Node's own library"
	@echo "make mutants  see which faults in sessions and http no test finds; FOLDER=http/csrf.py takes a part"
	@echo "make clean    remove .venv and every cache"

demo: setup-demo
	@echo "Serving the shop in examples/shop. Open the address below; its page names the file behind each part."
	@trap : INT; $(BIN)/python -m arc sandbox examples/shop || [ $$? -eq 130 ] # Ctrl-C is how it ends

test: setup-test
	@exec $(BIN)/python -m pytest -n auto

test-exhaustive: setup-test
	@exec $(BIN)/python -m pytest -n auto -m "exhaustive or hypothesis" --hypothesis-profile complete

test-speed: setup-test
	@PYTHONPATH=.venv/speed exec $(BIN)/python -m pytest -n auto $(WITH_SPEED) $(WITHOUT_SPEED:%=--ignore=tests/%.py)

test-all: setup-test
	@exec $(BIN)/python -m pytest -n auto -m "exhaustive or not exhaustive" --hypothesis-profile complete

check: setup-test
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python -m codespell_lib

bench: setup-bench
	@exec $(BIN)/python -m benchmarks

docs: setup-docs
	@$(SPHINX) -b html docs build/docs
	@echo "Built build/docs. Open build/docs/index.html in a browser."

docs-links: setup-docs
	@exec $(SPHINX) -b linkcheck docs build/docs-links

picture: setup-test
	$(BIN)/python -m tests.e2e.picture

vectors: setup-test
	$(BIN)/python -m tests.interop.generate

mutants: setup-mutants
	@exec $(BIN)/python -m tests.mutants $(FOLDER)

setup-demo:
	@PYTHON="$(PYTHON)" sh scripts/setup demo

setup-test:
	@PYTHON="$(PYTHON)" sh scripts/setup test

setup-docs:
	@PYTHON="$(PYTHON)" sh scripts/setup docs

setup-mutants:
	@PYTHON="$(PYTHON)" sh scripts/setup mutants

setup-bench:
	@PYTHON="$(PYTHON)" sh scripts/setup bench

clean:
	rm -rf .venv build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/interop/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
