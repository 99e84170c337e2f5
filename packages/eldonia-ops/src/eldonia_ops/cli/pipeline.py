"""``eldonia-ops pipeline``: what a log pipeline does, without running it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eldonia_ops.cli.session import print_json
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME

if TYPE_CHECKING:
    from eldonia_ops.lint.pipeline import LoadedPipeline
    from eldonia_ops.pipeline.inputs import Input

app = typer.Typer(help="The log pipeline of fluent.conf: check it, explain it, try it.", no_args_is_help=True)

FLUENT_CONF = "fluent.conf"
_WHICH = f"fluent.conf, Fluentd's YAML, or {FILE_NAME}; default: {FILE_NAME} here, else {FLUENT_CONF}."
File = Annotated[Path | None, typer.Option("--file", "-f", help=_WHICH)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
MAX_SAMPLE = 64 << 20


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help=_WHICH)] = None,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Take every warning for an error.")] = False,
) -> None:
    """Say what is wrong with a pipeline: every fault, matches that get nothing, tags that nothing takes, and parsers
    that read no line of the files that are here.

    Exit code 0: it can run (warnings allowed, but for --strict). 1: it cannot. 2: no such file.
    """
    from eldonia_ops.cli.pipeline_text import checked_json, checked_text
    from eldonia_ops.lint.pipeline_samples import with_samples
    from eldonia_ops.services.clock import SystemClock

    loaded = with_samples(_loaded(file), SystemClock().now())
    if as_json:
        print_json(checked_json(loaded))
    else:
        typer.echo(checked_text(loaded))
    grave = [one for one in loaded.problems if strict or one.level is Level.ERROR]
    if grave:
        raise typer.Exit(1)


@app.command()
def explain(
    tag: Annotated[str, typer.Argument(help="A tag, such as app.web.access.")],
    file: File = None,
    label: Annotated[str, typer.Option("--label", help="Begin in this label; @ROOT is the top.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say where an event with a tag goes, and why: every rule that is asked, in its order.

    Exit code 0: a match takes it. 1: nothing takes it. 2: no such file, or one that cannot be read.
    """
    from eldonia_ops.cli.pipeline_text import explained_json, explained_text
    from eldonia_ops.pipeline.explain import explain as explained

    loaded = _loaded(file)
    begin = None if not label else "" if label == "@ROOT" else label
    found = explained(loaded.pipeline, tag, begin)
    if as_json:
        print_json(explained_json(found))
    else:
        typer.echo(explained_text(found))
    if not found.taken:
        raise typer.Exit(1)


@app.command()
def run(
    sample: Annotated[str, typer.Argument(help="A file of lines, or - for the standard input.")],
    file: File = None,
    source: Annotated[
        str, typer.Option("--source", help="Its @id, its line, or a tag; default: the one that reads such a file.")
    ] = "",
    shown: Annotated[int, typer.Option("--lines", min=0, help="How many lines are shown step by step.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Send a sample of lines through parser, filters and match, and show what each step changes. Nothing is written.

    Exit code 0: every line was read, and a match took it. 1: not so. 2: no such file, source or pipeline.
    """
    from eldonia_ops.cli.pipeline_text import tried_json, tried_text
    from eldonia_ops.pipeline.inputs import TailInput
    from eldonia_ops.pipeline.trial import try_lines
    from eldonia_ops.services.clock import SystemClock

    loaded = _loaded(file)
    if loaded.faulty:
        hint = "eldonia-ops pipeline check names its faults"
        raise ConfigError([*loaded.problems, Diagnostic("the pipeline has faults: nothing was tried", hint=hint)])
    lines = _lines(sample)
    found = _source(loaded, source, sample)
    path = "" if sample == "-" else os.path.abspath(sample)
    tag = (
        source if found.tags is not None and found.tags.matches(source) else str(getattr(found, "tag", "")) or "sample"
    )
    if isinstance(found, TailInput):
        path = path if _reads(found, path) else _standing_for(found, path)
        tag = found.tag_of(path)
    trial = try_lines(loaded.pipeline, found, tag, lines, SystemClock().now(), path=path)
    if as_json:
        print_json(tried_json(trial, found, shown))
    else:
        typer.echo(tried_text(trial, found, shown))
    if trial.unread or trial.lost():
        raise typer.Exit(1)


def _loaded(file: Path | None) -> "LoadedPipeline":
    from eldonia_ops.lint.pipeline import load_pipeline

    if file is None:
        file = next((Path(name) for name in (FILE_NAME, FLUENT_CONF) if Path(name).is_file()), None)
    if file is None:
        hint = "name the file"
        raise ConfigError(Diagnostic(f"there is neither {FILE_NAME} nor {FLUENT_CONF} in this folder", hint=hint))
    if not file.is_file():
        raise ConfigError(Diagnostic("there is no such file", str(file)))
    loaded = load_pipeline(file, os.environ)
    if not loaded.settings.used and not loaded.faulty:
        raise ConfigError(Diagnostic("there is no pipeline in it", str(file), hint="write pipeline: file: fluent.conf"))
    return loaded


def _lines(sample: str) -> list[str]:
    try:
        if sample == "-":
            data = sys.stdin.buffer.read(MAX_SAMPLE)
        else:
            with open(sample, "rb") as opened:
                data = opened.read(MAX_SAMPLE)
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be read: {error.strerror or error}", sample)) from None
    return [line.removesuffix("\r") for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n")]


def _source(loaded: "LoadedPipeline", wanted: str, sample: str) -> "Input":
    sources = [one for one in loaded.pipeline.sources if hasattr(one, "parser")]
    if wanted:
        sources = [
            one
            for one in sources
            if wanted in (one.id, str(one.place.line)) or (one.tags is not None and one.tags.matches(wanted))
        ]
    elif (reading := [one for one in sources if _reads(one, os.path.abspath(sample))]) or len(sources) > 1:
        sources = reading or sources
    if len(sources) == 1:
        return sources[0]
    known = ", ".join(f"{one.place.line} ({one.type})" for one in loaded.pipeline.sources) or "none"
    if not sources:
        raise ConfigError(Diagnostic(f"there is no source {wanted or 'that reads lines'}", hint=f"lines: {known}"))
    raise ConfigError(Diagnostic("more than one source could read this", hint=f"--source LINE, one of {known}"))


def _reads(source: "Input", path: str) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(path, pattern) for pattern in getattr(source, "paths", ()))


def _standing_for(source: "Input", path: str) -> str:
    """The path of a file that the source reads and that has the sample's name."""
    pattern = getattr(source, "paths", ("",))[0]
    name = Path(path).stem if path else "sample"
    return pattern.replace("**", name).replace("*", name)
