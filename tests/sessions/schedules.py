"""A model of sessions, and a state machine that compares a store with it for overlapping requests in any order.

The model knows for each id what a request with its cookie must find. A request takes effect at one moment: when the
store makes its write, whether or not its response is lost. On DynamoDB the client observes that moment. There responses
are lost, calls fail, and other requests commit between the calls of one commit.
"""

from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from arc.errors import StoreError
from arc.http import build_manager
from arc.sessions.keyring import Keyring
from arc.sessions.signing import sign
from arc.sessions.stores.dynamodb.attributes import encode
from arc.sessions.stores.dynamodb.transport import ATTEMPTS
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.store import TOMBSTONE
from arc.settings import Settings
from arc.testing import Clock
from tests.sessions.making import SECRET, WEEK, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.sessions.session import Session
    from tests.engines import Engine

IDLE, ABSOLUTE = 1000, 2500
LATE = 60  # seconds after a session was replaced for which its old cookie begins no session
ACTIONS = st.sampled_from(
    [
        *[("insert", "m"), ("drop", "m"), ("line", "o"), ("count", "o"), ("count", "o"), ("strike", "o")],
        *[("set", "a"), ("set", "b"), ("remove", "a"), ("append", "l"), ("increment", "n"), ("nested", "d")],
        *[("nested increment", "c"), ("nested increment", "c"), ("nested increment", "d")],
        *[("flash", ""), ("replace", "a"), ("sign_in", "ada"), ("sign_in", "bob"), ("regenerate", "")],
        *[("end", "clear"), ("end", "sign_out"), ("end", "destroy"), ("end", "replace")],
    ]
)
# The faults of each call of one commit: it or its response may be lost, and another request may commit before it.
FAULTS = st.lists(st.tuples(st.sampled_from([None, None, None, "lost", "lost", "down"]), st.booleans()), max_size=6)
_IN_FLIGHT = 4


class Stored:
    """What is stored under one id; `versions` are its data and messages after each write, the oldest first.

    It was first replaced at `replaced_at`, Unix seconds.
    """

    def __init__(self, user: str | None, created: int, ends: int, data: dict[str, Any], flashes: list[str]) -> None:
        self.user, self.created, self.ends = user, created, ends
        self.versions = [(data, flashes)]
        self.ended = False
        self.successors: list[str] = []
        self.replaced_at = 0

    def lives(self, now: int) -> bool:
        """True when a request with its cookie loads it."""
        return not self.ended and not self.successors and now < self.ends


class Model:
    """Every session of the run, by id. A table keeps tombstones longer than necessary, and memory does not."""

    def __init__(self, *, keeps_tombstones: bool) -> None:
        self.sessions: dict[str, Stored] = {}
        self._keeps_tombstones = keeps_tombstones

    def family(self, session_id: str, now: int) -> list[str]:
        """Return the id and those of all replacements that the store still knows."""
        ids = [session_id]
        for one in ids:
            stored = self.sessions[one]
            if self._keeps_tombstones or now < stored.replaced_at + TOMBSTONE:
                ids += [successor for successor in stored.successors if successor not in ids]
        return ids

    def end(self, session_id: str) -> None:
        """End one session."""
        if not self.sessions[session_id].successors:
            self.sessions[session_id].ended = True


class Request:
    """One request: its session, and the changes of its handler."""

    def __init__(self, session: Session, now: int, cookie_id: str | None, model: Model) -> None:
        self.session, self.began = session, now
        self.loaded = None if session.is_new else session.id
        self.ends_too = cookie_id if self.loaded is None and cookie_id in model.sessions else None
        replaced = None if self.ends_too is None else model.sessions[self.ends_too]
        self.is_late = replaced is not None and bool(replaced.successors) and now < replaced.replaced_at + LATE
        self.loaded_end = model.sessions[session.id].ends if self.loaded else 0
        self.first_version = len(model.sessions[session.id].versions) - 1 if self.loaded else 0
        self.changes: list[Callable[[dict[str, Any], list[str]], None]] = []
        self.replaced = self.ended = self.signs_in = self.regenerates = False
        self.user = session.user_id
        self.created = session.created_at
        self.earlier = session.cookies  # of an earlier commit of the same handler
        self.had_dict = "d" in session
        self.edits = ""  # how it edits the list `m`
        self.effects = 0

    def change(self, change: Callable[[dict[str, Any], list[str]], None]) -> None:
        """Remember a change as a function of the data at the moment when the request takes effect."""
        self.changes.append(change)

    def forget(self) -> None:
        """Remember that all data was removed."""
        self.changes.clear()
        self.replaced, self.had_dict = True, False

    def on(self, data: dict[str, Any], flashes: list[str]) -> tuple[dict[str, Any], list[str]]:
        """Return data and messages after the request's changes."""
        outcome = ({}, []) if self.replaced else (deepcopy(data), list(flashes))
        for change in self.changes:
            change(*outcome)
        return with_sorted_list(outcome[0]), outcome[1]


def with_sorted_list(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with the list `m` sorted, because parallel inserts at one place have no defined order."""
    return {**data, "m": sorted(data["m"])} if "m" in data else data


class Schedules(RuleBasedStateMachine):
    """Overlapping requests on one store, each compared with the model."""

    def __init__(self, engine: Engine | None, table: str | None) -> None:
        super().__init__()
        self.clock = Clock()
        settings = Settings(environment="production", secret=SECRET, idle=IDLE, absolute=ABSOLUTE)
        self.kept = None if engine is None else Kept(engine, table=table, sleep=lambda _seconds: None)
        store = MemoryStore(Keyring(settings)) if self.kept is None else self.kept.store
        self.manager = build_manager(settings, store=store, clock=self.clock, random=os.urandom)
        self.model = Model(keeps_tombstones=self.kept is not None)
        self.cookies: dict[str, str] = {}  # value → id
        self.requests: list[Request] = []
        self.unique = 0
        self.acting: list[Request] = []  # whose commit runs, the innermost last
        self.queue: list[Request] = []  # who commits between the calls of another one
        self.plan: list[tuple[str | None, bool]] = []
        self.failures = 0  # lost answers and dropped calls since the outermost commit began
        self.tokens: set[str] = set()
        if self.kept is not None:
            self.kept.client.plan = self._fault
            self.kept.client.on_effect = self._took_effect

    @property
    def now(self) -> int:
        """The time in Unix seconds."""
        return int(self.clock())

    # -- visitors and handlers

    @initialize(actions=st.lists(ACTIONS, min_size=1, max_size=3), from_node=st.booleans())
    def visitor(self, actions: list[tuple[str, str]], from_node: bool) -> None:
        """Begin with a visitor's session, which Node may have stored in a table."""
        if self.kept is not None and from_node:
            row = {"_idx": "node", "_secret": "of-node", "_ttl": self.now + WEEK, "a": 0}
            self.kept.engine.look("dynamodb").put_item(
                TableName=self.kept.table, Item={name: encode(value) for name, value in row.items()}
            )
            self.cookies[self._signed("node")] = "node"
            self.model.sessions["node"] = Stored(None, self.now, self.now + ABSOLUTE, {"a": 0}, [])
        else:
            self._begin(None, actions)
            self._finish(self.requests[0], explicit=False)

    @precondition(lambda self: len(self.requests) < _IN_FLIGHT)
    @rule(newest=st.integers(0, 3), handlers=st.lists(st.lists(ACTIONS, max_size=3), min_size=1, max_size=_IN_FLIGHT))
    def begin(self, newest: int, handlers: list[list[tuple[str, str]]]) -> None:
        """Begin requests that all have one of the newest cookies, or that all have none, and run their handlers."""
        values = [*self.cookies, None][::-1]
        value = values[(newest + 1) % len(values)]
        for actions in handlers[: _IN_FLIGHT - len(self.requests)]:
            self._begin(value, actions)

    @rule(oldest=st.integers(0, 30), actions=st.lists(ACTIONS, max_size=3))
    def return_with_any_cookie(self, oldest: int, actions: list[tuple[str, str]]) -> None:
        """Begin and finish a request with any cookie that was ever sent."""
        values = [*self.cookies, None]
        self._begin(values[oldest % len(values)], actions)
        self._finish(self.requests[-1], explicit=False)

    @precondition(lambda self: self.requests)
    @rule(pick=st.integers(0, 3), action=ACTIONS)
    def go_on(self, pick: int, action: tuple[str, str]) -> None:
        """Make one more change in a handler."""
        self._act(self.requests[pick % len(self.requests)], *action)

    @rule(seconds=st.sampled_from([1, 60, 150, 600, 999]))
    def wait(self, seconds: int) -> None:
        """Advance the clock by less than the time until a renewal, or by up to nearly an idle lifetime."""
        self.clock.forward(seconds)

    def _begin(self, value: str | None, actions: list[tuple[str, str]]) -> None:
        session = self.manager.load([] if value is None else [value])
        session_id = None if value is None else self.cookies[value]
        self._check(session, session_id)
        request = Request(session, self.now, session_id, self.model)
        self.requests.append(request)
        for action in actions:
            self._act(request, *action)

    def _act(self, request: Request, action: str, key: str) -> None:
        session = request.session
        if action == "replace":
            self._replace(request, key)
        elif action == "sign_in":
            session.sign_in(key)
            if request.user not in (None, key):
                request.forget()
            request.user, request.signs_in, request.regenerates = key, True, True
        elif action == "regenerate":
            session.regenerate()
            request.regenerates = True
        elif action == "end":
            session.replace({}) if key == "replace" else getattr(session, key)()
            request.forget()
            request.ended, request.signs_in, request.user = True, False, None
            request.created = request.began
        elif action == "nested increment":
            self._count(request, (key, "one", str(self._fresh() % 2)) if key == "c" else (key, "count"))
        elif action in ("insert", "drop"):
            self._edit(request, action, key, self._fresh())
        elif action in ("line", "count", "strike"):
            self._edit_lines(request, action, key, self._fresh())
        else:
            self._change(request, action, key)

    def _change(self, request: Request, action: str, key: str) -> None:
        session, value = request.session, self._fresh()
        if action == "set":
            session[key] = value
            request.change(lambda data, _: data.update({key: value}))
        elif action == "remove" and key in session:
            del session[key]
            request.change(lambda data, _: data.pop(key, None))
        elif action == "append":
            session.setdefault(key, []).append(value)
            request.change(lambda data, _: data.setdefault(key, []).append(value))
        elif action == "increment":
            session.increment(key)
            request.change(lambda data, _: data.update({key: data.get(key, 0) + 1}))
        elif action == "flash":
            session.flash("info", str(value))
            request.change(lambda _, flashes: flashes.append(str(value)))
        elif action == "nested":
            session.setdefault(key, {})[str(value % 3)] = value
            creates = not request.had_dict

            def nested(data: dict[str, Any], _: list[str]) -> None:
                if creates or key in data:  # where another request removed the dict, the removal wins
                    data.setdefault(key, {})[str(value % 3)] = value

            request.change(nested)

    def _count(self, request: Request, path: tuple[str, ...]) -> None:
        request.session.increment(path)

        def count(data: dict[str, Any], _: list[str]) -> None:
            for one in path[:-1]:
                data = data.setdefault(one, {})
            data[path[-1]] = data.get(path[-1], 0) + 1

        request.change(count)

    def _edit(self, request: Request, action: str, key: str, value: int) -> None:
        """Insert into a list before its end, or remove from it. Doing both in one request may look like assigning."""
        session = request.session
        if action == "insert" and request.edits != "drop":
            request.edits = action
            session.setdefault(key, []).insert(0, value)
            request.change(lambda data, _: data.setdefault(key, []).insert(0, value))
        elif action == "drop" and request.edits != "insert" and session.get(key):
            request.edits = action
            dropped = session[key].pop()

            def drop(data: dict[str, Any], _: list[str]) -> None:
                if key in data:
                    data[key] = [one for one in data[key] if one != dropped]

            request.change(drop)

    def _edit_lines(self, request: Request, action: str, key: str, value: int) -> None:
        """Append a line to a list of dicts, remove the first one, or set a value in the last one."""
        session = request.session
        lines = session.get(key)
        if action == "line":
            session.setdefault(key, []).append({"id": value, "name": str(value), "made": value})
            added = {"id": value, "name": str(value), "made": value}
            request.change(lambda data, _: data.setdefault(key, []).append(dict(added)))
        elif action == "strike" and lines:
            struck = lines.pop(0)["id"]

            def strike(data: dict[str, Any], _: list[str]) -> None:
                if key in data:
                    data[key] = [one for one in data[key] if one["id"] != struck]

            request.change(strike)
        elif action == "count" and lines:
            line = lines[-1]
            line[f"n{value % 2}"] = value

            def count(data: dict[str, Any], _: list[str]) -> None:
                for one in data.get(key, []):
                    if one["id"] == line["id"]:
                        one[f"n{value % 2}"] = value

            request.change(count)

    def _replace(self, request: Request, key: str) -> None:
        value = self._fresh()
        request.session.replace({key: value})
        messages = [message for _, message in request.session._facts.flashes]
        request.forget()

        def replaced(data: dict[str, Any], flashes: list[str]) -> None:
            data[key] = value
            flashes += messages

        request.change(replaced)

    def _fresh(self) -> int:
        self.unique += 1
        return self.unique

    # -- the commit

    @precondition(lambda self: self.requests)
    @rule(pick=st.integers(0, 3), explicit=st.booleans(), faults=FAULTS, goes_on=st.booleans())
    def finish(self, pick: int, explicit: bool, faults: list[tuple[str | None, bool]], goes_on: bool) -> None:
        """A request ends, and others may end between the calls that this takes, whose answers may be lost.

        Or it commits, and its handler goes on.
        """
        request = self.requests[pick % len(self.requests)]
        self._finish(request, explicit=explicit and not request.earlier, faults=faults)
        if goes_on and request.effects and request.loaded == request.session.id and request.session.cookies:
            self.requests.append(Request(request.session, request.began, request.session.id, self.model))

    def _finish(self, request: Request, *, explicit: bool, faults: Sequence[tuple[str | None, bool]] = ()) -> None:
        self.requests.remove(request)
        if self.kept is not None:
            self.plan, self.failures = list(faults), 0
            self.queue = [other for other in self.requests if any(between for _, between in faults)]
        try:
            self._commit(request, explicit=explicit)
        finally:
            self.plan, self.queue = [], []

    def _commit(self, request: Request, *, explicit: bool = False) -> None:
        self.acting.append(request)
        before = self.now
        try:
            cookies = self.manager.commit(request.session, explicit=explicit)
        except StoreError:
            assert self.failures >= ATTEMPTS
            self._after_an_outage(request)
            return
        finally:
            self.acting.pop()
        assert self.now == before
        if self.kept is None:
            self._take_effect(request, explicit=explicit)
        self._check_the_answer(request, cookies, explicit=explicit)

    def _after_an_outage(self, request: Request) -> None:
        """Expect a 503. Only an end is repeated."""
        assert self.kept is not None
        self.plan = []
        effects = request.effects
        self.acting.append(request)
        try:
            cookies = self.manager.commit(request.session, failed=True)
        finally:
            self.acting.pop()
        assert request.effects == effects
        if request.ended:
            assert [value_of(cookie) for cookie in cookies] == [""]
            self._check_ended(request)
        else:
            assert cookies == request.earlier

    def _check_the_answer(self, request: Request, cookies: tuple[str, ...], *, explicit: bool) -> None:
        value = value_of(cookies[0]) if cookies else None
        if request.ended:
            self._check_ended(request)
        if request.effects:
            assert request.effects == 1
            if not value:
                # After a lost answer it found that another request had replaced or ended the session.
                assert request.loaded is not None
                assert not self.model.sessions[request.loaded].lives(self.now)
                return
            self.cookies[value] = value.partition(".")[0]
            assert self.cookies[value] == request.session.id
            assert self.model.sessions[request.session.id].user == request.user
        elif value:
            # A renewal, or a write of what was there already.
            assert value.partition(".")[0] == request.loaded
        elif value == "":
            assert request.ended or (explicit and request.loaded is None and not request.is_late)
        assert request.effects or not self._would_take_effect(request, explicit=explicit)

    def _check_ended(self, request: Request) -> None:
        """After a sign-out, neither the session nor its replacements can be loaded."""
        for session_id in (request.loaded, request.ends_too):
            for one in [] if session_id is None else self.model.family(session_id, self.now):
                assert not self.model.sessions[one].lives(self.now)

    # -- when a request takes effect

    def _filled(self, request: Request) -> bool:
        session = request.session
        return bool(session or session._facts.flashes or request.user is not None)

    def _would_take_effect(self, request: Request, *, explicit: bool) -> bool:
        """True when a commit now has to store something, except a renewal."""
        if request.loaded is None or request.ended:
            return self._filled(request) and (not request.is_late or request.ended or request.signs_in)
        if request.signs_in:
            return True
        changed = explicit or request.regenerates or bool(request.changes) or request.replaced
        if not changed or not self.model.sessions[request.loaded].lives(self.now):
            return False
        return request.regenerates or explicit or self._differs(request)

    def _differs(self, request: Request) -> bool:
        assert request.loaded is not None
        return (
            request.on(*self.model.sessions[request.loaded].versions[request.first_version])
            != (self.model.sessions[request.loaded].versions[request.first_version])
        )

    def _take_effect(self, request: Request, *, explicit: bool) -> None:
        """Apply everything that a commit does in one step, as in memory."""
        if request.ended:
            for session_id in (request.loaded, request.ends_too):
                for one in [] if session_id is None else self.model.family(session_id, self.now):
                    self.model.end(one)
        if self._would_take_effect(request, explicit=explicit):
            self._write(request)
        elif request.loaded is not None and not request.ended and self._renewal_is_due(request):
            self._renew(request.loaded)

    def _renewal_is_due(self, request: Request) -> bool:
        assert request.loaded is not None
        stored = self.model.sessions[request.loaded]
        moved_by_another = stored.ends != request.loaded_end
        is_renewed = request.session.cookies not in ((), request.earlier)
        return stored.lives(self.now) and not self._differs(request) and not moved_by_another and is_renewed

    def _renew(self, session_id: str) -> None:
        stored = self.model.sessions[session_id]
        assert stored.lives(self.now)
        stored.ends = min(self.now + IDLE, stored.created + ABSOLUTE)

    def _write(self, request: Request) -> None:
        """Store the request's changes of the current data. Fails if nothing may be stored."""
        request.effects += 1
        assert request.effects == 1, "a commit took effect twice"
        now, new = self.now, request.session.id
        old = None if request.loaded is None or request.ended else self.model.sessions[request.loaded]
        if old is None:
            data, flashes, created = (
                with_sorted_list(deepcopy(dict(request.session))),
                [text for _, text in request.session._facts.flashes],
                request.created,
            )
        elif not request.regenerates:
            assert old.lives(now), "an ended session was written"
            old.versions.append(request.on(*old.versions[-1]))
            old.ends = min(now + IDLE, old.created + ABSOLUTE)
            return
        elif old.lives(now):
            data, flashes = request.on(*old.versions[-1])
            created = old.created
            old.successors.append(new)
            old.replaced_at = now
        else:
            assert request.signs_in, "an ended session got a new id"
            data, flashes, created = self._sign_in_beside(request, old, new)
        assert new not in self.model.sessions
        ends = min(now + IDLE, created + ABSOLUTE)
        self.model.sessions[new] = Stored(request.user, created, ends, data, flashes)

    def _sign_in_beside(self, request: Request, old: Stored, new: str) -> tuple[dict[str, Any], list[str], int]:
        """Return the data of a sign-in in an ended session: all of it if a successor exists, else only its changes."""
        assert request.loaded is not None
        if not any(self.model.sessions[one].lives(self.now) for one in self.model.family(request.loaded, self.now)):
            created = self.now if self.now >= old.created + ABSOLUTE else old.created
            return *request.on({}, []), created
        old.successors.append(new)
        known = [request.on(*version) for version in old.versions[request.first_version :]]
        found = self._stored(new)
        assert found in known
        return *found, old.created

    def _stored(self, session_id: str) -> tuple[dict[str, Any], list[str]]:
        """Return what the store has under an id, where the model allows several results."""
        record = self.manager.store.load(self._signed(session_id), self.now)
        return with_sorted_list(record.data), [text for _, text in record.flashes]

    def _signed(self, session_id: str) -> str:
        return sign(session_id, self.manager.keyring.signing[0])

    # -- DynamoDB's client

    def _fault(self, method: str) -> str | None:
        if not self.acting or not self.plan:
            return None
        fault, between = self.plan.pop(0)
        self.failures += fault is not None
        if between and self.queue:
            self._commit_between()
        return fault

    def _commit_between(self) -> None:
        """Commit another request, without faults, before the next call of the current one."""
        other = self.queue.pop(0)
        plan, queue = self.plan, self.queue
        self.plan, self.queue = [], []
        self.requests.remove(other)
        self._commit(other)
        self.plan, self.queue = plan, queue

    def _took_effect(self, method: str, call: dict[str, Any]) -> None:
        if not self.acting or method == "get_item":
            return
        request = self.acting[-1]
        if method == "delete_item":
            self.model.end(call["Key"]["_idx"]["S"])
        elif method == "update_item" and "ADD" not in call["UpdateExpression"]:
            self._renew(call["Key"]["_idx"]["S"])
        elif method != "transact_write_items" or call["ClientRequestToken"] not in self.tokens:
            self.tokens.add(call.get("ClientRequestToken", ""))
            self._write(request)

    # -- checks

    def _check(self, session: Session, session_id: str | None) -> None:
        stored = None if session_id is None else self.model.sessions[session_id]
        if stored is None or not stored.lives(self.now):
            assert session.is_new
            assert (dict(session), session.user_id) == ({}, None)
            return
        assert not session.is_new
        data, flashes = stored.versions[-1]
        assert (session.id, session.user_id, session.created_at) == (session_id, stored.user, stored.created)
        assert (with_sorted_list(dict(session)), [text for _, text in session._facts.flashes]) == (data, flashes)

    @invariant()
    def no_more_than_one_effect_each(self) -> None:
        """A request that has not finished has stored nothing."""
        assert all(request.effects == 0 for request in self.requests)

    def teardown(self) -> None:
        """Every cookie that was ever sent loads what the model has, and nothing else."""
        for value, session_id in self.cookies.items():
            self._check(self.manager.load([value]), session_id)
