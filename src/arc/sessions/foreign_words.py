"""Advice for developers who use the attribute names of other libraries' sessions and requests."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Never

ADVICE = {
    "Call session.flashes() or session.flashes(kind), which returns each message once.": (
        "pop_flashes pop_flash peek_flash get_flashed_messages get_flashes flashed"
    ),
    "Call session.regenerate() to give it a new id and keep its data.": (
        "cycle_key acycle_key regenerate_id set_new_identity migrate"
    ),
    "Call session.destroy() to end it, or session.sign_out() for a visitor who signs out.": (
        "flush aflush invalidate delete reset reset_session empty end"
    ),
    "Call session.sign_in(user_id), which also gives it a new id.": "login log_in logIn signin signIn",
    "Call session.sign_out().": "logout log_out logOut signout signOut",
    "The signed-in user is session.user_id, set by session.sign_in(user_id). Store your own data in session['user'].": (
        "user userId username"
    ),
    "Set ARC_SESSION_TTL (seconds) for every session, or call session.sign_in(user_id, lifetime=seconds) for one.": (
        "permanent max_age maxAge timeout cookie get_expiry_age get_expiry_date expires expires_at"
    ),
    "Call session.sign_in(user_id, lifetime=seconds), or lifetime='browser' for a cookie that ends with the browser. "
    "ARC_SESSION_TTL (seconds) applies to every session.": "set_expiry aset_expiry get_expire_at_browser_close",
    "It is not needed: changes at any depth are detected and stored when the handler returns. "
    "In a bare handler, call arc.http.session.write(session).": (
        "save asave modified changed accessed commit persist touch should_save mark_as_modified"
    ),
    "It is not needed: a session is loaded at its first use.": "load reload create",
    "Use session.is_new.": "new isNew is_empty",
    "Use session.id, and never show or log it.": "session_key session_id sessionID sessionId sid identity",
    "Use session.created_at, in Unix seconds.": "created creation_time",
    "It is a dict: session['key'] = value, 'key' in session, session.pop('key', None).": (
        "put set has has_key forget get_all all data"
    ),
    "Call arc.http.csrf.token(req), or arc.http.csrf.field(req) for a form.": (
        "get_csrf_token new_csrf_token csrf_token regenerateToken"
    ),
    "It is not needed: a session begins as soon as data is set.": (
        "set_test_cookie test_cookie_worked delete_test_cookie"
    ),
}

REQUEST_ADVICE = {
    "Use req.query.": "args GET query_params query_string",
    "Use req.form.": "POST",
    "Use req.files.": "FILES",
    "Use req.cookies.": "COOKIES",
    "Use req.headers.": "META",
    "Use req.params.": "view_args path_params matchdict",
    "Use req.json.": "get_json json_body",
    "Use req.body (bytes) or req.text.": "data get_data",
    "Use req.session.user_id.": "user",
    "Use req['requestContext'], in the event.": "remote_addr client",
}

FOREIGN = {name: text for text, names in ADVICE.items() for name in names.split()}
"""The advice for each name that other libraries' sessions have."""

FOREIGN_OF_REQUEST = {name: text for text, names in REQUEST_ADVICE.items() for name in names.split()}
"""The advice for each name that other libraries' requests have."""


class ForeignWord:
    """An attribute of other libraries' sessions or requests, whose `AttributeError` says what to use instead.

    A descriptor does not slow down other attributes, as `__getattr__` would.
    """

    __slots__ = ("_message",)

    def __init__(self, owner: str, name: str, advice: str) -> None:
        self._message = f"A {owner} has no {name!r}. {advice}"

    def __get__(self, instance: object, owner: type | None = None) -> Never:
        self._refuse()

    def __set__(self, instance: object, value: object) -> Never:
        self._refuse()

    def _refuse(self) -> Never:
        raise AttributeError(self._message)
