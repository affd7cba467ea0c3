"""Letters in words: the texts of the letter's language with its values, as plain text and as a little HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from auth_gateway.core.letter import Posted, Written
from auth_gateway.core.texts import LANGUAGES, Texts

LONGEST_VALUE: Final = 200
MOMENTS: Final = ("at",)
"""Values that are epoch seconds."""
LINK: Final = "link"
_PAGE: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="font-family:sans-serif;line-height:1.5;max-width:36em">{body}</body></html>\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWriter:
    """Writes letters. `service` is what the operator calls the gateway, `default_language` the operator's own."""

    texts: Texts
    service: str
    default_language: str

    def write(self, posted: Posted) -> Written:
        """The letter in its language; a value that holds anything but printable characters loses that. A letter that
        names no moment is about the one it was posted at."""
        letter = posted.letter
        language = letter.language if letter.language in LANGUAGES else self.default_language
        given = {"at": str(posted.posted_at), **letter.values}
        values = {"service": _plain(self.service), **_shown(given)}
        for name in ("place", "device"):
            if name in values and not values[name]:
                values[name] = self._text(language, f"unknown_{name}", {})
        parts = [
            self._text(language, f"{letter.kind}_text", values),
            self._text(language, "footer", values),
        ]
        link, label = values.get(LINK, ""), ""
        if link:
            label = self._text(language, f"{letter.kind}_button", values)
        subject = self._text(language, f"{letter.kind}_subject", values)
        return Written(
            subject=subject,
            text=_as_text(parts, link=link, label=label),
            html=_as_html(parts, link=link, label=label, title=subject, language=language),
        )

    def _text(self, language: str, key: str, values: Mapping[str, str]) -> str:
        return self.texts.text(language, f"mail.{key}").format_map(_Tolerant(values)).strip()


class _Tolerant(dict[str, str]):
    """What nobody gave is left out: a letter with a gap is of more use than none."""

    def __missing__(self, _name: str) -> str:
        return ""


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _moment(value) if name in MOMENTS else _plain(value) for name, value in values.items()}


def _plain(value: str) -> str:
    """A value on one line: what a stranger may have chosen can end no line and begin no other one."""
    return "".join(sign for sign in value if sign.isprintable())[:LONGEST_VALUE]


def _moment(epoch_seconds: str) -> str:
    return datetime.fromtimestamp(float(epoch_seconds), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_text(parts: list[str], *, link: str, label: str) -> str:
    body, *rest = parts
    shown = [body, f"{label}:\n{link}"] if link else [body]
    return "\n\n".join([*shown, *("-- \n" + part for part in rest)]) + "\n"


def _as_html(parts: list[str], *, link: str, label: str, title: str, language: str) -> str:
    body, *rest = ("".join(f"<p>{escape(each)}</p>" for each in part.split("\n\n")) for part in parts)
    if link:
        body += f'<p><a href="{escape(link)}">{escape(label)}</a></p>'
    return _PAGE.format(language=language, title=escape(title), body=body + "<hr>" + "".join(rest))
