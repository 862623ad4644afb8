"""Commands and options as click has them, with the names that other programs use.

An option takes `_` for `-`, one dash for two, and hidden names: `-rnn_size 128`, as
char-rnn has it, is `--hidden-sizes 128`. A flag of theirs that means nothing here is
refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias, cast

import click

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Option(click.Option):
    """An option with further names that help does not show."""

    def __init__(
        self,
        declarations: Sequence[str] | None = None,
        *,
        also: Sequence[str] = (),
        **settings: Any,  # noqa: ANN401
    ) -> None:
        settings.setdefault("show_default", settings.get("default") is not None)
        kind = settings.get("type")
        if isinstance(kind, (click.IntRange, click.FloatRange)):
            settings.setdefault(
                "metavar", "N" if isinstance(kind, click.IntRange) else "X"
            )
        super().__init__(declarations, **settings)
        self._also = also
        self.section = "Options"

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ANN401
        """Tell the parser all names."""
        shown, self.opts = self.opts, self._all(self.opts)
        off, self.secondary_opts = (
            self.secondary_opts,
            self._single(self.secondary_opts),
        )
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts, self.secondary_opts = shown, off

    def get_help_extra(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Without ranges: whoever leaves one is told it."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra

    def _all(self, shown: Sequence[str]) -> list[str]:
        return self._single([*shown, *(f"--{name}" for name in self._also)])

    @staticmethod
    def _single(names: Sequence[str]) -> list[str]:
        """The names, and each long one with a single dash."""
        return [*names, *(name[1:] for name in names if name.startswith("--"))]


class Command(click.Command):
    """A command that knows why it lacks some flags of other programs."""

    foreign: ClassVar[Mapping[str, str]] = {}
    # Settings of another command, which a file for both may have.
    elsewhere: ClassVar[Sequence[str]] = ()

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                title = getattr(parameter, "section", "Options")
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, or say why a flag has no meaning here."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            for word in given:
                name = word.split("=")[0].lstrip("-").replace("_", "-")
                if word.startswith("-") and name in self.foreign:
                    hint = self.foreign[name]
                    raise click.UsageError(f"{word.split('=')[0]}: {hint}") from None
            # Of the names that are alike, those that help shows.
            shown = {name for parameter in self.params for name in parameter.opts}
            alike = [name for name in error.possibilities or () if name in shown]
            raise click.NoSuchOption(
                error.option_name, possibilities=alike, ctx=ctx
            ) from None


def option(*declarations: str, **settings: Any) -> Decorator:  # noqa: ANN401
    """A `click.option` of our kind."""
    return click.option(*declarations, cls=Option, **settings)


def options(*groups: Sequence[Decorator]) -> Decorator:
    """Several options, in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for group in reversed(groups):
            for decorator in reversed(group):
                function = decorator(function)
        return function

    return decorate


def section(title: str, *decorators: Decorator) -> list[Decorator]:
    """Options below a heading of their own in help texts."""

    def titled(decorator: Decorator) -> Decorator:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            function = decorator(function)
            parameters: list[click.Parameter] = vars(function)["__click_params__"]
            cast(Option, parameters[-1]).section = title
            return function

        return decorate

    return [titled(decorator) for decorator in decorators]


def example(text: str) -> str:
    """The end of a help text: a line to copy."""
    return f"\b\nExample:\n  {text}\n"
