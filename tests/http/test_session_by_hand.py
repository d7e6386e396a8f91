"""`arc.http.session.read`, `write` and `res` in bare handlers.

They use the settings of the process, so each test runs in a separate process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from tests.mutants import variables


def run(code: str, **environ: str) -> str:
    """The output of `code` in a fresh process with only these variables."""
    aws = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**aws, **variables(), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).strip()


def test_bare_handler_counts() -> None:
    """Its response is ready for Lambda."""
    out = run(
        """
        import arc
        from arc.testing import Browser

        def handler(event, context):
            session = arc.http.session.read(event)
            session["count"] = session.get("count", 0) + 1
            return arc.http.res(event, {"html": str(session["count"]), "session": session})

        visitor = Browser(handler)
        pages = [visitor.get(), visitor.get()]
        print([page.text for page in pages], pages[0].headers["vary"], pages[0].headers["cache-control"])
        """,
        ARC_ENV="testing",
    )
    assert out == "['1', '2'] Accept-Encoding, Cookie private, no-store"


def test_names_of_architect_functions_work() -> None:
    """`session_read`, `session_write`, `res` and `parse_body` keep their meaning."""
    out = run(
        """
        import json
        import arc.http
        from arc.http import parse_body, res, session_read, session_write

        def handler(req, context):
            session = session_read(req)
            session["body"] = parse_body(req)
            return res(req, {"cookie": session_write(session), "location": "/"})

        first = handler({"headers": {"content-type": "application/json"}, "body": '{"a": 1}'}, None)
        cookie = first["headers"]["set-cookie"].split(";")[0]
        print(first["statusCode"], json.dumps(session_read({"headers": {"cookie": cookie}})))
        """,
        ARC_ENV="testing",
    )
    assert out == '302 {"body": {"a": 1}}'


@pytest.mark.parametrize("place", ["cookies", "headers"])
def test_event_with_another_visitors_cookie_is_a_new_request(place: str) -> None:
    """A test may call a handler twice with one dict, while removing the cookie changes nothing."""
    out = run(
        """
        from arc.http.session import read, write

        event = {"version": "2.0"}
        for name in ("ada", "bob", "bob"):
            cookie = write({"name": name}).split(";")[0]
            event["PLACE"] = [cookie] if "PLACE" == "cookies" else {"cookie": cookie}
            session = read(event)
            print(session["name"], read(event) is session, end=" ")
        del event["PLACE"]
        print(read(event) is session)
        """.replace("PLACE", place),
        ARC_ENV="testing",
    )
    assert out == "ada True bob True bob True True"


def test_session_from_another_thread_is_written() -> None:
    """The response's cookie contains all changes from the other thread, including a sign-in."""
    out = run(
        """
        import arc
        from concurrent.futures import ThreadPoolExecutor
        from arc.testing import Browser

        def reading(event):
            session = arc.http.session.read(event)
            session.sign_in("ada")
            return session

        def handler(event, context):
            if event["rawPath"] == "/in":
                with ThreadPoolExecutor(1) as pool:
                    session = pool.submit(reading, event).result()
                return arc.http.res(event, {"text": "hello", "session": session})
            return arc.http.res(event, {"text": arc.http.session.read(event).user_id})

        visitor = Browser(handler)
        visitor.get("/in")
        print(visitor.get("/").text)
        """,
        ARC_ENV="testing",
    )
    assert out == "ada"


def test_threads_and_tasks_share_a_session() -> None:
    """Every thread and task gets the same session for an event."""
    out = run(
        """
        import arc, asyncio
        from concurrent.futures import ThreadPoolExecutor
        from arc.testing import Browser

        def note(event, key="seen"):
            arc.http.session.read(event)[key] = True

        async def noting(event, key):
            note(event, key)

        def in_thread(event):
            with ThreadPoolExecutor() as pool:
                pool.submit(note, event).result()

        def read_first(event):
            arc.http.session.read(event)
            in_thread(event)

        def in_many_threads(event):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(note, [event] * 100, map(str, range(100))))

        def in_tasks(event):
            async def main():
                await asyncio.gather(*(noting(event, str(key)) for key in range(100)))
                await asyncio.to_thread(note, event)
            asyncio.run(main())

        for work in (in_thread, read_first, in_many_threads, in_tasks):
            def handler(event, context):
                work(event)
                session = arc.http.session.read(event)
                return arc.http.res(event, {"text": str(len(session)), "session": session})
            print(Browser(handler).get("/").text, end=" ")
        """,
        ARC_ENV="testing",
    )
    assert out == "1 1 100 101"


def test_threads_load_a_session_once() -> None:
    """The threads of a decorated handler may use the session for the first time at once."""
    out = run(
        """
        import arc
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        from arc.testing import payload_v2

        loaded = []

        @arc.http.handler
        def handler(req):
            barrier = Barrier(8)
            def note(key):
                barrier.wait()
                req.session[key] = True
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(note, "abcdefgh"))
            return {"text": str(len(req.session))}

        print({handler(payload_v2(), None)["body"] for _ in range(50)})
        """,
        ARC_ENV="testing",
    )
    assert out == "{'8'}"


def test_s45_equal_events_have_separate_sessions() -> None:
    """The identity of an event counts and not its content, and nothing refers to it afterwards."""
    out = run(
        """
        import arc
        from concurrent.futures import ThreadPoolExecutor

        def visit(who):
            event = {"headers": {}}
            session = arc.http.session.read(event)
            session["who"] = who
            with ThreadPoolExecutor(1) as pool:
                seen = pool.submit(arc.http.session.read, event).result()
            return seen is session and session == {"who": who}

        with ThreadPoolExecutor(8) as pool:
            print(set(pool.map(visit, range(200))))
        """,
        ARC_ENV="testing",
    )
    assert out == "{True}"


def test_s45_finished_event_is_freed() -> None:
    """A process that has handled other events keeps nothing of earlier ones."""
    out = run(
        """
        import arc, gc, weakref

        class Headers(dict):
            pass

        kept = []
        for _ in range(20):
            event = {"headers": Headers()}
            kept.append(weakref.ref(event["headers"]))
            arc.http.session.read(event)
            arc.http.res(event, {"text": "x"})
        del event
        gc.collect()
        print(sum(one() is not None for one in kept))
        """,
        ARC_ENV="testing",
    )
    assert out == "1"  # the last one, until the next event


EVENT_CLASSES = """
    import arc
    from collections.abc import Mapping
    from arc.testing import alb, payload_v1, payload_v2

    class Plain(Mapping):
        def __init__(self, data):
            self._data = data
        def __getitem__(self, key):
            return self._data[key]
        def __iter__(self):
            return iter(self._data)
        def __len__(self):
            return len(self._data)

    class Powertools:  # its data classes before they were mappings
        def __init__(self, data):
            self._data = data
        @property
        def raw_event(self):
            return self._data
        def __getitem__(self, key):
            return self._data[key]
        def get(self, key, default=None):
            return self._data.get(key, default)
"""


def test_event_classes_are_events() -> None:
    """An event class of AWS Lambda Powertools is read as its event, in bare and decorated handlers."""
    out = run(
        EVENT_CLASSES
        + """
    def bare(event, context):
        session = arc.http.session.read(event)
        session["seen"] = True
        arc.http.session.read(event)["twice"] = True
        return arc.http.res(event, {"json": [session, arc.http.parse_body(event)], "session": session})

    @arc.http.handler
    def decorated(req):
        req.session["seen"] = True
        req.session["twice"] = req["headers"] is not None
        return {"json": [req.session, arc.http.parse_body(req)]}

    replies = [
        handler(kind(build("POST", "/", json=[1])), None)
        for kind in (dict, Plain, Powertools)
        for build in (payload_v1, payload_v2, alb)
        for handler in (bare, decorated)
    ]
    print({reply["body"] for reply in replies}, {"_idx" in str(reply) for reply in replies})
    """,
        ARC_ENV="testing",
    )
    assert out == """{'[{"seen":true,"twice":true},[1]]'} {True}"""


def test_invalid_event_is_refused() -> None:
    """The first call with None, text or a list names the type."""
    out = run(
        """
        import arc

        for handler in (arc.http.handler(lambda req: None), arc.http.session.read, arc.http.parse_body):
            for event in (None, "x", [], object()):
                try:
                    handler(event)
                except TypeError as error:
                    print(error)
        """,
        ARC_ENV="testing",
    )
    names = ("None", "str", "list", "object")
    assert (
        out.splitlines() == [f"An event is a dict, not {one}. Pass the handler's first argument." for one in names] * 3
    )


def test_writing_a_plain_dict_starts_a_session() -> None:
    """An empty dict returns the clearing cookie, and a reserved key is refused."""
    out = run(
        """
        import arc
        cookie = arc.http.session.write({"a": 1})
        print(dict(arc.http.session.read({"headers": {"cookie": cookie.split(";")[0]}})))
        print(arc.http.session.write({}).split(";")[:2])
        try:
            arc.http.session.write({"exp": 1})
        except ValueError as error:
            print(error)
        """,
        ARC_ENV="testing",
    ).splitlines()
    assert out[0] == "{'a': 1}"
    assert out[1] == "['_idx=', ' Max-Age=0']"
    assert out[2].startswith("'exp' is a reserved name.")


def test_s03_missing_secret_is_reported_at_first_use() -> None:
    """Except in testing, the error names the command."""
    code = """
        import arc
        try:
            arc.http.session.read({"headers": {}})
        except arc.MissingSecret as error:
            print(error)
        """
    assert "arc env production ARC_APP_SECRET" in run(code, ARC_ENV="production")
    assert "ARC_ENV" in run(code)
    assert "ARC_APP_SECRET" in run(code, ARC_ENV="testing", AWS_LAMBDA_FUNCTION_NAME="real")


def test_s03_development_key_is_refused_in_production() -> None:
    """The public key opens nothing in production, set or not."""
    out = run(
        """
        import arc
        try:
            arc.http.session.read({"headers": {}})
        except arc.ConfigurationError as error:
            print(type(error).__name__, "12345678901234567890123456789012" in str(error))
        """,
        ARC_ENV="production",
        ARC_APP_SECRET="12345678901234567890123456789012",
    )
    assert out == "ConfigurationError False"


def test_unreachable_table_raises_store_error() -> None:
    """Reading raises an error with the reason and does not return an empty session."""
    out = run(
        """
        import arc
        from arc.sessions.signing import sign
        value = sign("A" * 24, b"testapp")
        try:
            arc.http.session.read({"headers": {"cookie": "_idx=" + value}})
        except arc.StoreError as error:
            print(error)
        """,
        ARC_ENV="testing",
        ARC_APP_NAME="testapp",
        ARC_SANDBOX='{"ports": {"tables": 9}}',
        SESSION_TABLE_NAME="testapp-testing-session",
    )
    assert "GetItem failed 3 times on DynamoDB: localhost:9: " in out


def test_testing_never_connects_to_aws() -> None:
    """Outside a sandbox a table's name under ARC_ENV=testing is an error that names the remedy."""
    out = run(
        """
        import arc
        from arc.sessions.signing import sign
        value = sign("A" * 24, b"testapp")
        try:
            arc.http.session.read({"headers": {"cookie": "_idx=" + value}})
        except arc.ConfigurationError as error:
            print(error)
        """,
        ARC_ENV="testing",
        ARC_APP_NAME="testapp",
        SESSION_TABLE_NAME="testapp-testing-session",
    )
    assert "Run the function with arc sandbox, set AWS_ENDPOINT_URL_DYNAMODB" in out


def test_s45_events_in_one_process_have_separate_sessions() -> None:
    """Reading one event's session returns nothing of the other's, in any order."""
    out = run(
        """
        import arc, json
        cookies = [arc.http.session.write({"n": n}).split(";")[0] for n in (1, 2)]
        events = [{"headers": {"cookie": cookie}} for cookie in cookies] + [{"headers": {}}]
        print(json.dumps([arc.http.session.read(events[i]) for i in (0, 1, 2, 1, 0, 2)]))
        """,
        ARC_ENV="testing",
    )
    assert json.loads(out) == [{"n": 1}, {"n": 2}, {}, {"n": 2}, {"n": 1}, {}]


AFTER = """
    import arc, json, logging
    from arc.testing import Browser, payload_v2

    logging.disable()

    class Context:
        left = 10_000

        def get_remaining_time_in_millis(self):
            return self.left

    @arc.http.handler
    def plain(req, context):
        context.left = 100
        req.session.sign_in("ada")
        return {"text": "hello"}

    @arc.http.handler
    async def later(req, context):
        return plain.__wrapped__(req, context)

    @arc.http.handler
    def nested(req, context):
        plain(req, context)
        return plain.__wrapped__(req, context)

    @arc.http.handler
    def failing(req, context):
        plain.__wrapped__(req, context)
        raise ZeroDivisionError

    @arc.http.handler
    def refusing(req, context):
        plain.__wrapped__(req, context)
        raise arc.BadRequest("no")

    def signed_in(handler):
        try:
            handler(payload_v2(), Context())
        except ZeroDivisionError:
            pass
"""


def test_s45_bare_handler_gets_no_earlier_request() -> None:
    """A plain dict starts a new session after any end of a decorated handler, and an empty one ends none."""
    out = run(
        AFTER
        + """
    for handler in (plain, later, nested, failing, refusing):
        signed_in(handler)
        cookie = arc.http.session.write({"page": 1})
        session = arc.http.session.read({"headers": {"cookie": cookie.split(";")[0]}})
        print(handler.__name__, session, session.user_id, end=" ")
        signed_in(handler)
        print(arc.http.session.write({}).split(";")[:2])
    """,
        ARC_ENV="testing",
    )
    assert out.splitlines() == [
        f"{name} <Session {{'page': 1}}> None ['_idx=', ' Max-Age=0']"
        for name in ("plain", "later", "nested", "failing", "refusing")
    ]


def test_s45_bare_handler_gets_no_earlier_deadline() -> None:
    """After a decorated handler that ran out of time, the next invocation has all of its time."""
    out = run(
        AFTER
        + """
    from arc.sessions.signing import sign
    manager = arc.http.build_manager(arc.Settings(environment="testing"))
    for handler in (plain, later, nested, failing, refusing):
        try:
            arc.http.handler(manager=manager)(handler.__wrapped__)(payload_v2(), Context())
        except ZeroDivisionError:
            pass
        try:
            arc.http.session.read({"headers": {"cookie": "_idx=" + sign("A" * 24, b"testapp")}})
        except arc.StoreError as error:
            print(handler.__name__, str(error).partition(":")[0])
    """,
        ARC_ENV="testing",
        ARC_APP_NAME="testapp",
        ARC_SANDBOX='{"ports": {"tables": 9}}',
        SESSION_TABLE_NAME="testapp-testing-session",
    )
    assert out.splitlines() == [
        f"{name} GetItem failed 3 times on DynamoDB" for name in ("plain", "later", "nested", "failing", "refusing")
    ]


def test_s45_nested_handler_restores_time_and_request() -> None:
    """After a handler called another one, a plain dict that it writes is its own visitor's session."""
    out = run(
        AFTER
        + """
    @arc.http.handler
    def outer(req, context):
        plain(payload_v2(), Context())
        arc.http.session.write({"page": "outer"})
        return {"text": f"{json.dumps(req.session)} {time_left()}"}

    from arc.sessions.visit import time_left
    print(outer(payload_v2(), Context())["body"], time_left())
    """,
        ARC_ENV="testing",
    )
    assert out == '{"page": "outer"} 9.5 None'
