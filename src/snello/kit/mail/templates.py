"""The templates of one letter: a file a language, and one more where a stage of life has a voice of its own.

    win-back.it.html.j2             the letter in Italian
    win-back.it.lapsed.html.j2      {% extends "win-back.it.html.j2" %} and other blocks, for who has lapsed
    win-back.it.txt.j2              its plain text, where the one made of the HTML will not do

The block ``subject`` is the subject. A value that a row lacks refuses that row; a name that no column has refuses all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
)
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from snello.errors import ConfigError, choices
from snello.kit.mail.formats import FILTERS

KINDS = ("html", "txt")
GIVEN = frozenset({"weekday_phrase", "phrase", "language", "unsubscribe_url", "today"})
GUARDS = frozenset({"defined", "undefined", "default", "d"})


class Unfit(Exception):
    """No letter can be made of this row; ``code`` is one word for why."""

    def __init__(self, code: str, told: str = "") -> None:
        super().__init__(code)
        self.code, self.told = code, told


class _Lacks(UndefinedError):
    """The message is the name of what is lacking, never a value."""


class _Named(StrictUndefined):
    def __init__(self, hint: str | None = None, obj: Any = None, name: str | None = None, _exc: Any = None) -> None:
        super().__init__(name or hint, obj, name, _Lacks)


class _Null(_Named):
    """A column without a value: it may be asked for, as in ``{% if nickname %}``, and not be written."""

    __eq__, __ne__, __hash__ = Undefined.__eq__, Undefined.__ne__, Undefined.__hash__  # type: ignore[assignment]

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


@dataclass(frozen=True)
class Rendered:
    """What a letter says; ``html`` is None when there is a plain template alone."""

    subject: str
    plain: str
    html: str | None


class Letter:
    """One letter in its languages and voices.

    - raises ``ConfigError`` when a language has no template, a template does not parse, or none has a subject
    """

    def __init__(self, folder: Path, name: str, languages: Collection[str], fallback: str | None = None) -> None:
        if not folder.is_dir():
            raise ConfigError("setting templates", f"{folder} is no folder", "name the folder of the templates")
        self.folder, self.name, self.fallback = folder, name, fallback
        self.languages = tuple(languages)
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=lambda file: file is not None and ".html" in file,
            undefined=_Named,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        found = {path.name for path in folder.glob("*.j2")}
        self._files = {file for file in found if file.startswith(f"{name}.")}
        self._known = found
        self._check_languages()
        for file in sorted(self._files):
            self._parsed(file)

    def language(self, given: object) -> str:
        """The language of a row's letter. Raises ``Unfit`` when there is none and no fallback."""
        short = str(given or "").replace("_", "-").partition("-")[0].lower()
        if short in self.languages:
            return short
        if self.fallback is None:
            raise Unfit("no_language")
        return self.fallback

    def check(self, columns: Collection[str]) -> None:
        """Raise ``ConfigError`` when a template speaks of what is neither a column nor given to all."""
        known = {*columns, *GIVEN, *self._environment.globals}
        for file in sorted(self._files):
            wrong = sorted(self._asked(file, set()) - known)
            if wrong:
                raise ConfigError(
                    f"template {file}", f"the audience has no column {wrong[0]}", choices(wrong[0], {*columns, *GIVEN})
                )

    def render(self, language: str, stage: object, values: Mapping[str, Any]) -> Rendered:
        """The letter with these values. Raises ``Unfit`` when the row lacks one that is written."""
        base = self._base(language, stage)
        known = {name: _Null(name=name) if value is None else value for name, value in values.items()}
        html = self._said(f"{base}.html.j2", known)
        plain = self._said(f"{base}.txt.j2", known)
        subject = (plain and plain[0]) or (html and Markup(html[0]).unescape()) or ""
        if not subject.split():
            raise Unfit("no_subject")
        text = plain[1] if plain else _plain_of(html[1] if html else "")
        return Rendered(" ".join(subject.split()), text, html[1] if html else None)

    def _base(self, language: str, stage: object) -> str:
        """The voice of the stage where it has one: both kinds are then of that voice."""
        own = f"{self.name}.{language}.{stage}"
        return own if any(f"{own}.{kind}.j2" in self._files for kind in KINDS) else f"{self.name}.{language}"

    def _said(self, file: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
        if file not in self._files:
            return None
        try:
            return _subject_and_body(self._environment.get_template(file), values)
        except _Lacks as fault:
            raise Unfit(f"missing_{fault.message}", f"template {file} writes {fault.message}") from None
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as fault:
            raise Unfit("template_fault", f"template {file}: {type(fault).__name__}") from None

    def _check_languages(self) -> None:
        named = {*self.languages, *([self.fallback] if self.fallback else ())}
        for language in sorted(named):
            if not any(f"{self.name}.{language}.{kind}.j2" in self._files for kind in KINDS):
                raise ConfigError(
                    "setting templates",
                    f"{self.folder.name} has no {self.name}.{language}.html.j2 nor .txt.j2",
                    f"write it, or take {language} out of languages and fallback",
                )

    def _parsed(self, file: str) -> nodes.Template:
        if file not in self._known:
            raise ConfigError("setting templates", f"there is no {file}", choices(file, self._known))
        try:
            tree = self._environment.parse((self.folder / file).read_text(encoding="utf-8"), file)
        except TemplateSyntaxError as fault:
            raise ConfigError(f"template {file}", f"line {fault.lineno} does not parse", "mend the template") from None
        except (OSError, UnicodeDecodeError) as fault:
            what = f"it cannot be read ({type(fault).__name__})"
            raise ConfigError(f"template {file}", what, "save it as UTF-8, readable by this user") from None
        for line, name in _inside(tree):
            what = f"line {line} reaches for {name}, which is no value of a row"
            raise ConfigError(f"template {file}", what, "write columns and their parts alone")
        return tree

    def _asked(self, file: str, seen: set[str]) -> set[str]:
        """Names that a template and those behind it take from outside, but those that it guards itself."""
        if file in seen:
            return set()
        seen.add(file)
        tree = self._parsed(file)
        asked = meta.find_undeclared_variables(tree) - set(_guarded(tree))
        for other in meta.find_referenced_templates(tree):
            if other is not None:
                asked |= self._asked(other, seen)
        return asked


def _subject_and_body(template: Template, values: Mapping[str, Any]) -> tuple[str, str]:
    """The blocks of the parents are known once the body was written: the subject may be one of theirs."""
    context = template.new_context(dict(values))
    body = "".join(template.root_render_func(context))
    blocks = context.blocks.get("subject")
    return "".join(blocks[0](context)) if blocks else "", body


def _guarded(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all((nodes.Test, nodes.Filter)):
        if isinstance(node, nodes.Test | nodes.Filter) and node.name in GUARDS and isinstance(node.node, nodes.Name):
            yield node.node.name


def _inside(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Where a template reaches into what values are made of; the sandbox would stop it at every row."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Filter)):
        part = node.arg.value if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) else ""
        name = str(getattr(node, "attr", part))
        if name.startswith("_"):
            yield node.lineno, name
        elif isinstance(node, nodes.Filter) and node.name == "attr":
            yield node.lineno, "the filter attr"


def _plain_of(html: str) -> str:
    text: str = get_text(html, ParserConfig(display_links=True))
    return text.strip() + "\n"
