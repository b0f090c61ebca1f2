"""Job scripts of schedulers and shell scripts: with loops, with an array, or with a line a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from runx.importers.base import Imported, Importer, Source
from runx.importers.commandlines import Lines, axis_of, settings_of, value_of
from runx.importers.directives import MARKS, TASKS, Header, header_of
from runx.importers.shellscript import Loop, blocks, is_array, literals, statements

_SUFFIXES = (".sh", ".bash", ".sbatch", ".slurm", ".pbs", ".qsub", ".sge", ".lsf", ".oar", ".job")
_RUNS = re.compile(
    r"(?:\w+=\S*\s+)*(?:\S+\s+(?:-\S+\s+)*){0,3}?"
    r"\"?(?:\S*/)?\$?\{?(?i:python)[\d.]*\}?\"?\s+(?!-V|--version|-m\s+(?:venv|pip)|setup\.py)"
    r"|(?:\w+=\S*\s+)*(?:\S+\s+)??(?:torchrun|accelerate|deepspeed|srun|mpirun|julia|Rscript)\s"
    r"|(?:\w+=\S*\s+)*(?:\./\S+|(?:bash|sh|sbatch)\s+(?:-\S+\s+)*\S+\.s\w+)"
)
_PRINTS = re.compile(r"(?:echo|date|hostname|pwd|which|nvidia-smi|sleep|wait|printf|env|whoami)\b")
_OUTPUT = re.compile(
    r"\s*(?:&?>>?\s*(?:\"[^\"]*\"|\S+)|\|\s*tee\s+(?:-a\s+)?\S+)(?:\s+2>&1)?\s*\Z|\s+2>&1\s*\Z"
)
_DEVICES = re.compile(r"(?:export\s+)?CUDA_VISIBLE_DEVICES=(\S*)\s*")


class Script(NamedTuple):
    """A script taken apart: what prepares, the loops, and the lines that they are around."""

    setup: list[str]
    axes: list[tuple[str, tuple[str, ...]]]
    lines: list[str]
    lost: list[str]


def _is_script(source: Source) -> bool:
    first = source.text.partition("\n")[0]
    if first.startswith("#!"):
        return "sh" in first.split("/")[-1]
    lines = source.text.splitlines()
    is_job = any(line.startswith(mark) for line in lines for mark in MARKS if mark != "#$ ")
    return source.path.suffix in _SUFFIXES or is_job


def _read(source: Source) -> Imported:
    header = header_of(source.text.splitlines())
    found = blocks(statements(source.text))
    script = _taken_apart(found) if found is not None else None
    whole: tuple[str, ...] = ()
    if script is None:
        text = "\n".join(statements(source.text))
        remark = "CMD: the whole script, since its loops or conditions can't be taken apart"
        script = Script([], [], [text], [])
        whole = (remark,)
    lines = _settings(script, header, source)
    settings, doubtful = lines.settings, [*whole, *lines.doubtful]
    farm = _farm(header)
    setup = "\n".join(script.setup)
    if setup:
        (farm if header.farm else settings)["SETUP"] = setup
    settings["HPARAMS"] = settings.pop("HPARAMS")
    return Imported(settings, (*header.lost, *script.lost), tuple(doubtful), header.farm, farm)


def _farm(header: Header) -> dict[str, Any]:
    """Return the section of a .runx that a header becomes."""
    farm: dict[str, Any] = {}
    if header.resources:
        farm["RESOURCES"] = header.resources
    if header.directives:
        farm["DIRECTIVES"] = [*header.directives]
    if header.most:
        farm["MAX_PARALLEL"] = header.most
    return farm or ({"RESOURCES": {}} if header.farm else {})


def _taken_apart(found: Sequence[Loop | str]) -> Script | None:
    """Return what is before the first run, and the lines that run with the loops around them."""
    places = [place for place, block in enumerate(found) if _runs(block)]
    if not places:
        return None
    before, work, after = (
        found[: places[0]],
        found[places[0] : places[-1] + 1],
        found[places[-1] + 1 :],
    )
    lost = [f"{line}: it is done once, after all runs" for line in after if not _prints(line)]
    axes, lines = _nested(work)
    if lines is None:
        return None
    setup = []
    for line in before:
        if isinstance(line, Loop):
            return None
        if re.match(r"cd\b", line):
            lost.append(f"{line}: a run starts in its own copy of the code")
        elif re.match(r"set\s+-", line):
            lost.append(f"{line}: a run ends at the first line of SETUP that fails")
        elif not _prints(line):
            setup.append(line)
    return Script(setup, axes, lines, lost)


def _runs(block: Loop | str) -> bool:
    return any(map(_runs, block.body)) if isinstance(block, Loop) else bool(_RUNS.match(block))


def _prints(block: Loop | str) -> bool:
    return isinstance(block, str) and bool(_PRINTS.match(block))


def _nested(
    work: Sequence[Loop | str],
) -> tuple[list[tuple[str, tuple[str, ...]]], list[str] | None]:
    """Return loops within each other and the lines inside; several loops are written out."""
    loops = [block for block in work if isinstance(block, Loop)]
    if len(loops) == 1 and all(isinstance(b, Loop) or not _runs(b) for b in work):
        axes, lines = _nested(loops[0].body)
        around = [block for block in work if isinstance(block, str) and not _prints(block)]
        head = [(loops[0].name, loops[0].values)]
        return head + axes, None if lines is None else around + lines
    if not loops:
        return [], [block for block in work if isinstance(block, str) and not _prints(block)]
    written: list[str] = []
    for block in work:
        lines = _written_out(block)
        if lines is None:
            return [], None
        written += lines
    return [], written


def _written_out(block: Loop | str) -> list[str] | None:
    """Return the lines of a loop with each of its values put in."""
    if isinstance(block, str):
        return [] if _prints(block) else [block]
    lines: list[str] = []
    for value in block.values:
        for inner in block.body:
            texts = _written_out(inner)
            if texts is None:
                return None
            lines += [_filled(text, {block.name: value}) for text in texts]
    is_clean = not any(re.search(rf"\$\{{?#?{block.name}\b", line) for line in lines)
    return lines if is_clean else None


def _filled(text: str, values: dict[str, str]) -> str:
    """Return a line with the plain uses of variables replaced."""
    for name, value in values.items():
        escaped = value.replace("\\", "\\\\")
        text = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", escaped, text)
    return text


def _settings(script: Script, header: Header, source: Source) -> Lines:
    """Return CMD and HPARAMS, and what is doubtful."""
    remarks: list[str] = []
    lines = [_cleaned(line, script.lost, remarks) for line in script.lines]
    runs = [line for line in lines if _RUNS.match(line) or len(lines) == 1]
    assigned = [line for line in script.setup if re.match(r"[A-Za-z_]\w*=", line)]
    own = [*assigned]
    axes = [*_of_array(header, source, own, lines), *script.axes]
    if not axes and len(runs) > 1:
        several = settings_of([_filled(line, _texts(own)) for line in runs], source.path)
        return several._replace(doubtful=(*remarks, *several.doubtful))
    if not axes and len(lines) == 1 and "\n" not in lines[0] and "$" not in lines[0]:
        one = settings_of(lines, source.path)
        return one._replace(doubtful=(*remarks, *one.doubtful))
    kept = [line for line in own if not is_array(line) or _is_used(is_array(line), own, lines)]
    command = _command([name for name, _ in axes], kept, lines)
    script.setup[:] = [line for line in script.setup if line not in assigned]
    zipped = {name: axis for name, axis in axes if name not in dict(script.axes)}
    hparams = {name: axis_of(values) for name, values in script.axes}
    if len(zipped) > 1:
        hparams = {"RUNX.ZIP": {name: [*map(value_of, v)] for name, v in zipped.items()}, **hparams}
    else:
        hparams = {**{name: axis_of(values) for name, values in zipped.items()}, **hparams}
    return Lines({"CMD": command, "HPARAMS": hparams}, tuple(remarks))


def _texts(own: list[str]) -> dict[str, str]:
    """Return the variables that lines assign plain text to."""
    return {name: values[0] for name, values in literals(own).items() if len(values) == 1}


def _is_used(array: str, own: list[str], lines: list[str]) -> bool:
    return any(re.search(rf"\$\{{#?{array}\[", line) for line in (*own, *lines))


def _cleaned(line: str, lost: list[str], remarks: list[str]) -> str:
    """Return a line of a run without what runx does itself."""
    if re.search(r"&\s*\Z", line) and not line.rstrip().endswith("&&"):
        line = line.rstrip().removesuffix("&").rstrip()
        remarks.append("&: how many run at a time is said when launching, `runx FILE -i -j 4`")
    if match := _OUTPUT.search(line):
        lost.append(f"{match[0].strip()}: output is in the run's output.log")
        line = line[: match.start()]
    if match := _DEVICES.match(line):
        lost.append(f"{match[0].strip()}: each run gets GPUs of its own (RESOURCES.gpus)")
        line = line[match.end() :]
    if match := re.match(r"(nohup|exec|time|sbatch(?:\s+-\S+)*)\s+", line):
        if match[1].startswith("sbatch"):
            remarks.append(f"{match[0].strip()}: import that script, too, for what it asks for")
            return f"bash {line[match.end() :]}"
        line = line[match.end() :]
    return line


def _of_array(
    header: Header, source: Source, own: list[str], lines: list[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the axes that the number of an array's task stands for; use them in the lines."""
    if not header.tasks:
        return []
    variable = "PBS_ARRAYID" if "PBS_ARRAYID" in source.text else TASKS[header.farm]
    numbers = tuple(map(str, range(max(header.tasks) + 1)))
    arrays = {"": numbers, **literals(own)}
    picked = {
        name: tuple([texts[task] for task in header.tasks])
        for name, texts in arrays.items()
        if len(texts) >= len(numbers)
    }
    index = rf"\$(?:{variable}\b|\{{{variable}\}})"
    item = re.compile(rf"\$\{{(\w+)\[(?:{index}|{variable})\]\}}|({index})\Z")
    axes: dict[str, tuple[str, ...]] = {}
    for line in [*own]:
        name, _, value = line.partition("=")
        found = item.fullmatch(value.strip('"'))
        if found and (found[1] or "") in picked:
            axes[name] = picked[found[1] or ""]
            own.remove(line)
    _use_items(lines, re.compile(rf"\$\{{(\w+)\[(?:{index}|{variable})\]\}}"), picked, axes)
    if not axes or re.search(variable, "\n".join([*own, *lines])):
        axes[variable] = tuple(map(str, header.tasks))
    return [*axes.items()]


def _use_items(
    lines: list[str],
    item: re.Pattern[str],
    picked: dict[str, tuple[str, ...]],
    axes: dict[str, tuple[str, ...]],
) -> None:
    """Replace items of arrays in lines by variables, which become axes."""
    for place, line in enumerate(lines):
        for found in item.finditer(line):
            if found[1] in picked:
                name = found[1].lower()
                axes[name] = picked[found[1]]
                lines[place] = lines[place].replace(found[0], f"${{{name}}}")


def _command(names: list[str], own: list[str], lines: list[str]) -> str:
    """Return CMD: ``{x}`` in the place of ``$x``, or ``x={x}`` before the lines."""
    texts = _texts(own)
    used = [name for name in texts if re.search(rf"\$\{{?{name}\b", " ".join(lines))]
    needed = [line for line in own if line.partition("=")[0] not in texts]
    if len(lines) == 1 and not any(re.search(rf"\$\{{?{_name(n)}\b", lines[0]) for n in needed):
        line = _filled(
            lines[0],
            {name: texts[name] for name in used if re.match(r"[\w./:@%+-]*\Z", texts[name])},
        )
        for name in names:
            line = re.sub(rf"\"\$(?:{name}|\{{{name}\}})\"", f"{{{name}}}", line)
            line = _filled(line, {name: f"{{{name}}}"})
        rest = [*names, *used]
        if not any(re.search(rf"\$[{{(]*#?{name}\b|\(\(.*\b{name}\b", line) for name in rest):
            return line
    assigned = " ".join([f"{name}={{{name}}}" for name in names])
    return "\n".join([assigned, *own, *lines])


def _name(line: str) -> str:
    return re.escape(line.partition("=")[0])


IMPORTER = Importer("job and shell scripts", _is_script, _read)
