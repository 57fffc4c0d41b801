"""The edge of a stage: command line in, whole files with their provenance out.

A stage is one function whose keyword-only parameters are its command line::

    def main(*, lattices: Input, weights: Output, spec: Spec) -> Facts:
        \"\"\"Train one net.\"\"\"

    if __name__ == "__main__":
        run(main)

``python -m stages.<rule> --help`` lists them. Outputs are written beside their final place and
moved there only when the function has returned, so no half-written file is ever seen.
"""

import argparse
import contextlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from coarsegrain.errors import CoarsegrainError
from pipeline import sidecars
from pipeline.digest import code_digest
from pipeline.disk import problem_of
from pipeline.outputs import PendingOutputs
from pipeline.remedies import with_remedy
from pipeline.sidecars import KEEP, is_made_from

Input = Annotated[Path, "input"]
Inputs = Annotated[list[Path], "inputs"]
# Files of which the result may be taken instead of computing it. The same bytes come out, so they
# are not in provenance and another number of them makes nothing stale.
Parts = Annotated[list[Path], "parts"]
Output = Annotated[Path, "output"]
Spec = Annotated[dict[str, Any], "spec"]
# A word that does not decide the result, such as a device that gives the same bits: outside the
# spec, so that changing it makes nothing stale.
Option = Annotated[str, "option"]
# The digest of the code, for stages that keep something under it.
Code = Annotated[str, "code"]
# In the place of the digest of code that no one has told.
UNKNOWN = "unknown"
# In the place of the digest of code that was edited while it ran: no code has it.
EDITED = "edited while it ran"
# What the stage learned while it ran and provenance should keep, e.g. {"device": "cpu"}.
Facts = Mapping[str, str] | None


@dataclass(frozen=True)
class Outcome:
    """Facts, and files beside the outputs to remove once these are in place."""

    facts: Facts
    no_longer_needed: Iterable[Path] = ()


def run(main: Callable[..., Facts | Outcome], arguments: list[str] | None = None) -> None:
    """Run a stage from the command line; exit with status 1 and a sentence if it cannot go on."""
    kinds = {
        name: hint.__metadata__[0]
        for name, hint in get_type_hints(main, include_extras=True).items()
        if name != "return"
    }
    values = vars(_parser(main, kinds).parse_args(arguments))
    stage = inspect.getmodule(main).__spec__.name  # type: ignore[union-attr]
    planned, spec = values.pop("code"), values.pop("spec")
    if "spec" in kinds:
        values["spec"] = spec
    code = _code_now(stage, planned)
    if "code" in kinds:
        values["code"] = code
    finals = {name: values[name] for name, kind in kinds.items() if kind == "output"}
    pending = None
    try:
        inputs = _existing_inputs(values, kinds)
        if planned not in (code, UNKNOWN):
            print(f"{stage} was edited after this job was planned: its sidecar says what ran")
        made_from = {"stage": stage, "spec": spec, "code": code, "inputs": inputs}
        if KEEP in os.environ and all(is_made_from(path, **made_from) for path in finals.values()):
            print("already made from these very inputs, spec and code: left as it is")
            return
        pending = PendingOutputs(finals.values())
        outcome = main(**{**values, **dict(zip(finals, pending.partials))})
        if not isinstance(outcome, Outcome):
            outcome = Outcome(outcome)
        if _code_now(stage, planned) != code:
            made_from["code"] = EDITED
        pending.put_in_place(
            partial(
                sidecars.write_sidecar,
                facts=outcome.facts or {},
                **made_from,
            )
        )
        for path in outcome.no_longer_needed:
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)
    except (CoarsegrainError, OSError, MemoryError) as error:
        sys.exit(f"error: {_sentence(error)}")
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was written.")
    finally:
        if pending is not None:
            pending.discard()


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _parser(
    main: Callable[..., Facts | Outcome], kinds: Mapping[str, str]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {inspect.getmodule(main).__spec__.name}",  # type: ignore[union-attr]
        description=inspect.getdoc(main),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, kind in kinds.items():
        flag = f"--{name.replace('_', '-')}"
        if kind == "input":
            parser.add_argument(flag, type=Path, required=True, metavar="FILE", help="read")
        elif kind in ("inputs", "parts"):
            parser.add_argument(
                flag,
                type=Path,
                required=kind == "inputs",
                default=[],
                nargs="*",
                metavar="FILE",
                help="read, in this order" if kind == "inputs" else "take the result from there",
            )
        elif kind == "output":
            parser.add_argument(flag, type=Path, required=True, metavar="FILE", help="written")
        elif kind == "option":
            parser.add_argument(
                flag, required=True, metavar="WORD", help="does not decide the result"
            )
    parser.add_argument(
        "--spec",
        type=_json_object,
        required="spec" in kinds,
        default={},
        metavar="JSON",
        help="what to compute",
    )
    parser.add_argument(
        "--code", default=UNKNOWN, metavar="DIGEST", help="digest of the code, kept in provenance"
    )
    return parser


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("must be a JSON object, {...}")
    return value


def _code_now(stage: str, planned: str) -> str:
    """The digest of a stage's code as it lies there; what was planned for one that is not ours."""
    try:
        return code_digest(stage)
    except ModuleNotFoundError:
        return planned


def _existing_inputs(
    values: Mapping[str, Any], kinds: Mapping[str, str]
) -> dict[str, list[tuple[Path, str]]]:
    """The files to read, by option, with their checksums before they are read."""
    inputs: dict[str, list[tuple[Path, str]]] = {}
    for name, kind in kinds.items():
        if kind not in ("input", "inputs"):
            continue
        inputs[name] = []
        for path in [values[name]] if kind == "input" else values[name]:
            if not path.is_file():
                raise CoarsegrainError(
                    f"input {path} does not exist; run the rule that makes it first."
                )
            inputs[name].append((path, sidecars.sha256(path)))
    return inputs


def _sentence(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); lower the number of lattices, the batch size or L."
    if isinstance(error, OSError):
        return problem_of(error)
    return with_remedy(error) if isinstance(error, CoarsegrainError) else str(error)
