"""The forms of a page, and what a browser sends for a form that a visitor has filled in (HTML, "Form submission")."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from arc.testing.events import field_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Attributes = dict[str, str | None]
    File = tuple[str, bytes] | tuple[str, bytes, str]

_BUTTONS = ("submit", "image")
_UNSENT = ("button", "reset")
_CHECKED = ("checkbox", "radio")
_MULTIPART = "multipart/form-data"
_NO_FILE: File = ("", b"")


class Submission:
    """A request for a form: `method`, `url`, and either `pairs` or a `body` of the type `content_type`."""

    __slots__ = ("body", "content_type", "method", "pairs", "url")

    def __init__(self, method: str, url: str) -> None:
        self.method, self.url = method, url
        self.pairs: list[tuple[str, object]] | None = None
        self.body: bytes | None = None
        self.content_type = ""


class Control:
    """A control of a form. `choices` are the values that it can send, None if it takes any value."""

    def __init__(self, kind: str, attributes: Attributes) -> None:
        self.kind, self.attributes = kind, attributes
        self.name = attributes.get("name") or ""
        self.value = attributes.get("value") or ("on" if kind in _CHECKED and "value" not in attributes else "")
        self.checked = "checked" in attributes
        self.options: list[tuple[str, bool, bool]] = []  # of a select: value, and whether it is selected and disabled

    @property
    def choices(self) -> list[str] | None:
        """The values that this control can send; None for a field that takes any value."""
        if self.kind == "select":
            return [value for value, _, is_disabled in self.options if not is_disabled]
        return [self.value] if self.kind in (*_CHECKED, *_BUTTONS) else None

    def defaults(self) -> list[object]:
        """Return the values of a control that the visitor does not touch."""
        if self.kind == "select":
            return list[object](self._selected())
        if self.kind == "file":
            return [_NO_FILE]
        return [self.value] if self.kind not in _CHECKED or self.checked else []

    def _selected(self) -> list[str]:
        """Return the selected options of a list. Without one, a list of one line shows its first option."""
        selected = [(value, is_disabled) for value, is_selected, is_disabled in self.options if is_selected]
        if "multiple" in self.attributes:
            return [value for value, is_disabled in selected if not is_disabled]
        if not selected and self.attributes.get("size") in (None, "", "0", "1"):
            return (self.choices or [])[:1]
        return [value for value, is_disabled in selected[-1:] if not is_disabled]

    def take(self, values: list[object]) -> list[object]:
        """Remove the values that this control sends from those of its field, and return them."""
        if self.choices is None:
            return [values.pop(0)] if values else []
        if self.kind == "checkbox" and values == [True]:
            values[:] = [self.value]
        single = self.kind == "radio" or (self.kind == "select" and "multiple" not in self.attributes)
        sent = [value for value in self.choices if value in values][: 1 if single else None]
        for value in sent:
            values.remove(value)
        return list[object](sent)


class Form:
    """A form of a page."""

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.controls: list[Control] = []

    @property
    def method(self) -> str:
        """`GET` or `POST`."""
        return "POST" if (self.attributes.get("method") or "").lower() == "post" else "GET"

    @property
    def action(self) -> str:
        """Where the form is sent, as the page has it. It is empty for the page's own address."""
        return self.attributes.get("action") or ""

    @property
    def fields(self) -> dict[str, list[str]]:
        """The choices of each field by its name. The list is empty for a field that takes any value."""
        fields: dict[str, list[str]] = {}
        for control in self.controls:
            if control.name:
                fields.setdefault(control.name, []).extend(control.choices or ())
        return fields

    @property
    def values(self) -> dict[str, str]:
        """The values that the page has filled in, by the fields' names; of several values the first."""
        values: dict[str, str] = {}
        for control in self.controls:
            sent = [value for value in control.defaults() if isinstance(value, str)]
            if control.name and sent and control.kind not in _BUTTONS:
                values.setdefault(control.name, sent[0])
        return values

    def __repr__(self) -> str:
        names = (f"{name}: {' | '.join(choices)}" if choices else name for name, choices in self.fields.items())
        return f"{self.method} {self.action or '(this page)'} with {', '.join(names) or 'no fields'}"

    def fault(self, fields: Mapping[str, object]) -> str:
        """Return why the form cannot be submitted with `fields`; empty if it can."""
        try:
            self.submission("", fields)
        except AssertionError as error:
            return str(error)
        return ""

    def submission(self, page_url: str, fields: Mapping[str, object]) -> Submission:
        """Return the request for the form, filled in with `fields`. Other fields keep their values.

        A button whose name and value are in `fields` is pressed, else the first one. Raises `AssertionError` for a
        field or a value that the form does not have.
        """
        __tracebackhide__ = True
        left = {name: _values(name, value) for name, value in fields.items()}
        for name in left:
            if name not in self.fields:
                raise AssertionError(f"The form has no field {name!r}. Its fields: {', '.join(self.fields) or 'none'}.")
        buttons = [control for control in self.controls if control.kind in _BUTTONS]
        pressed = next((one for one in buttons if one.name in left and one.value in left[one.name]), None)
        if pressed is None:
            pressed = next((one for one in buttons if one.name not in left), None)
        entries: list[tuple[str, object]] = []
        for control in self.controls:
            if not control.name or (control in buttons and control is not pressed):
                continue
            values = control.take(left[control.name]) if control.name in left else control.defaults()
            entries += [(control.name, value) for value in values]
        self._check(left)
        return self._request(page_url, pressed, entries)

    def _check(self, left: Mapping[str, list[object]]) -> None:
        __tracebackhide__ = True
        for name, values in left.items():
            for value in values:
                choices = self.fields[name]
                remedy = f"Its choices: {', '.join(choices)}." if choices else "The form has it only once."
                raise AssertionError(f"The field {name!r} cannot take {value!r}. {remedy}")

    def _request(self, page_url: str, pressed: Control | None, entries: list[tuple[str, object]]) -> Submission:
        __tracebackhide__ = True
        own = {} if pressed is None else pressed.attributes
        method = (own.get("formmethod") or self.method).upper()
        url = urljoin(page_url, own.get("formaction") or self.action).partition("#")[0]
        submission = Submission(method, url)
        encoding = (own.get("formenctype") or self.attributes.get("enctype") or "").lower()
        files = [name for name, value in entries if isinstance(value, tuple) and value != _NO_FILE]
        if files and (method != "POST" or encoding != _MULTIPART):
            raise AssertionError(
                f"The form does not send the file in {files[0]!r}, only its name. "
                f'Add method="post" enctype="{_MULTIPART}" to the form.'
            )
        if method == "POST" and encoding == _MULTIPART:
            submission.content_type, submission.body = _multipart(entries)
            return submission
        pairs = [(name, value[0] if isinstance(value, tuple) else _text(name, value)) for name, value in entries]
        if method == "GET":
            submission.url = f"{url.partition('?')[0]}?{urlencode(pairs)}"
        else:
            submission.pairs = list[tuple[str, object]](pairs)
        return submission


def find_forms(html: str) -> list[Form]:
    """Return the forms of a page, in their order."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.finish()


def choose_form(forms: list[Form], url: str, which: str | int | None, fields: Mapping[str, object]) -> Form:
    """Return the form of the page `url` with the action or number `which`, else the only one that takes `fields`.

    Raises `AssertionError`, with the page's forms.
    """
    __tracebackhide__ = True
    known = f" The page {url} has:" + "".join(f"\n  {number}: {form!r}" for number, form in enumerate(forms))
    if not forms:
        raise AssertionError(f"The page {url} has no form.")
    if isinstance(which, int):
        if not 0 <= which < len(forms):
            raise AssertionError(f"No form has the number {which}.{known}")
        return forms[which]
    found = forms if which is None else [form for form in forms if _leads_to(form, url, which)]
    if not found:
        raise AssertionError(f"No form has the action {which!r}.{known}")
    if len(found) > 1:
        fitting = [form for form in found if not form.fault(fields)]
        if len(fitting) != 1:
            problem = "Several forms take" if fitting else "No form takes"
            values = ", ".join(f"{name}={value!r}" for name, value in fields.items()) or "no fields"
            raise AssertionError(f"{problem} {values}. Choose a form by its action or its number.{known}")
        found = fitting
    return found[0]


def _leads_to(form: Form, url: str, action: str) -> bool:
    sent, wanted = urlsplit(urljoin(url, form.action)), urlsplit(urljoin(url, action))
    return sent[:3] == wanted[:3] and (not wanted.query or sent.query == wanted.query)


def _values(name: str, value: object) -> list[object]:
    """Return the values given for a field: texts, files, and True for a box to check. False is none."""
    values = value if isinstance(value, list) else [value]
    return [
        one if isinstance(one, tuple) or one is True else field_text(name, one) for one in values if one is not False
    ]


def _text(name: str, value: object) -> str:
    """Return a value with line breaks as forms send them."""
    return field_text(name, value).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _multipart(entries: Iterable[tuple[str, object]]) -> tuple[str, bytes]:
    """Return the content type and the body of a form with files (RFC 7578)."""
    parts = [_part(name, value) for name, value in entries]
    boundary = "arc-testing-form"
    while any(boundary.encode() in part for part in parts):
        boundary += "-"
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return f"{_MULTIPART}; boundary={boundary}", body + b"--%s--\r\n" % boundary.encode()


def _part(name: str, value: Any) -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if not isinstance(value, tuple):
        return f"{head}\r\n\r\n{_text(name, value)}".encode()
    filename, content, *kinds = value
    kind = kinds[0] if kinds else "application/octet-stream"
    return b"%s\r\n\r\n%s" % (f'{head}; filename="{_quoted(filename)}"\r\nContent-Type: {kind}'.encode(), content)


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class _Parser(HTMLParser):
    """Collects forms and their controls, also those that name their form by its id."""

    def __init__(self) -> None:
        super().__init__()
        self._forms: list[Form] = []
        self._form: Form | None = None
        self._controls: list[tuple[Form | None, Control]] = []
        self._select: Control | None = None
        self._text: Control | None = None  # an option or a textarea, whose text is its value
        self._fieldsets: list[bool] = []  # whether each is disabled, which its legend is not
        self._legends: list[bool] = []
        self._disables_options = False
        self._templates = 0

    def finish(self) -> list[Form]:
        """Return the forms with their controls."""
        self._end_option()
        by_id = {form.attributes["id"]: form for form in reversed(self._forms) if form.attributes.get("id")}
        for form, control in self._controls:
            owner = by_id.get(control.attributes["form"]) if "form" in control.attributes else form
            if owner is not None:
                owner.controls.append(control)
        for form in self._forms:
            checked = {
                control.name: control for control in form.controls if control.kind == "radio" and control.checked
            }
            for control in form.controls:
                control.checked &= control.kind != "radio" or checked.get(control.name) is control
        return self._forms

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form or a control."""
        attributes = dict(reversed(attrs))  # of two attributes with one name, the first counts
        if tag == "template" or self._templates:
            self._templates += tag == "template"
        elif tag == "form" and self._form is None:
            self._form = Form(attributes)
            self._forms.append(self._form)
        elif tag == "fieldset":
            self._fieldsets.append("disabled" in attributes)
        elif tag == "legend" and self._fieldsets:
            self._legends.append(self._fieldsets[-1])
            self._fieldsets[-1] = False
        elif tag in ("input", "button"):
            self._add((attributes.get("type") or ("text" if tag == "input" else "submit")).lower(), attributes)
        elif tag == "textarea":
            self._text = self._add(tag, {**attributes, "value": ""})
        elif tag == "select":
            self._select = self._add(tag, attributes)
        elif tag in ("option", "optgroup") and self._select is not None:
            self._end_option()
            if tag == "option":
                self._text = Control(tag, attributes)
            else:
                self._disables_options = "disabled" in attributes

    def handle_endtag(self, tag: str) -> None:
        """End a form or a control."""
        if tag == "template":
            self._templates = max(0, self._templates - 1)
        elif tag == "form":
            self._form = None
        elif tag == "fieldset" and self._fieldsets:
            self._fieldsets.pop()
        elif tag == "legend" and self._legends and self._fieldsets:
            self._fieldsets[-1] = self._legends.pop()
        elif tag == "textarea" and self._text is not None:
            self._text.value = self._text.value.removeprefix("\n")
            self._text = None
        elif tag in ("option", "optgroup", "select"):
            self._end_option()
            self._disables_options &= tag == "option"
            self._select = None if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        """Add to the value of a textarea, or of an option without one."""
        if self._text is not None and (self._text.kind == "textarea" or "value" not in self._text.attributes):
            self._text.value += data

    def _add(self, kind: str, attributes: Attributes) -> Control:
        control = Control(kind, attributes)
        if "disabled" not in attributes and not any(self._fieldsets) and kind not in _UNSENT:
            self._controls.append((self._form, control))
        return control

    def _end_option(self) -> None:
        option = self._text
        if option is None or self._select is None:
            return
        self._text = None
        value = option.value if "value" in option.attributes else " ".join(option.value.split())
        disabled = self._disables_options or "disabled" in option.attributes
        self._select.options.append((value, "selected" in option.attributes, disabled))
