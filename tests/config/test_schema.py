"""The JSON Schemas: of every example, of everything that is a mistake, and as they are shipped."""

import json
from pathlib import Path

import pytest
from documents import DOCUMENTS, blocks

from runx.config.keys import KEYS
from runx.config.schema import FILES, schema
from runx.sweeps.yaml import parse, plain, read

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).resolve().parents[2]


def problems(text, of="experiment"):
    validator = jsonschema.Draft202012Validator(schema(of))
    return [error.message for error in validator.iter_errors(plain(parse(text, "x").tree))]


BAD = {
    "unknown key": "CMD: x\nHPARAMS: {}\nLOGROT: x\n",
    "unknown key in a farm": "CMD: x\nHPARAMS: {}\nbig: {SUBMIT_CMD: x, RESORCES: {}}\n",
    "no CMD": "HPARAMS: {}\n",
    "no HPARAMS": "CMD: x\n",
    "empty axis": "CMD: x\nHPARAMS: {lr: []}\n",
    "no operator": "CMD: x\nHPARAMS: {opt: {lr: 1}}\n",
    "operator in a case": "CMD: x\nHPARAMS: {RUNX.CASES: [{lr: {logspce: 1}}]}\n",
    "RUNX key": "CMD: x\nHPARAMS: {RUNX.TAGS: x}\n",
    "HPARAMS of text": "CMD: x\nHPARAMS: lr\n",
    "name with dashes": "CMD: x\nHPARAMS: {--f: 1}\n",
    "ablation of a list": "CMD: x\nHPARAMS: {RUNX.ABLATE: [a]}\n",
    "type": "CMD: x\nHPARAMS: {}\nHPARAMS_TYPES: {lr: flaot}\n",
    "key of a type": "CMD: x\nHPARAMS: {}\nHPARAMS_TYPES: {lr: {typ: int}}\n",
    "sweep of text": "CMD: x\nHPARAMS: {}\nSWEEPS: {a: b}\n",
    "zip of no lists": "CMD: x\nHPARAMS: {RUNX.ZIP: 3}\n",
    "choice": "CMD: x\nHPARAMS: {}\nCODE_STAGING: links\n",
    "number": "CMD: x\nHPARAMS: {}\nSAMPLES: many\n",
    "style": "CMD: x\nHPARAMS: {}\nARGS: {style: equal}\n",
    "key of ARGS": "CMD: x\nHPARAMS: {}\nARGS: {styl: equals}\n",
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_for_the_schema_too(case):
    assert problems(BAD[case])


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*/*.yml")), ids=lambda path: f"{path.parent.name}"
)
def test_every_example_is_right(path):
    validator = jsonschema.Draft202012Validator(schema("experiment"))
    assert [error.message for error in validator.iter_errors(plain(read(path).tree))] == []


def test_every_runx_file_that_we_ship_is_right():
    files = [ROOT / "runx/runx.example", *ROOT.glob("examples/*/.runx")]
    assert len(files) > 1
    for path in files:
        assert problems(path.read_text() + "\nNOTE: x\n", "runx") == []


def test_every_yaml_of_the_documents_is_right():
    checked = 0
    for path in DOCUMENTS.values():
        for block in blocks(path.read_text()):
            if block.language == "yaml" and not block.why_not and "/" not in block.text[:20]:
                of = "experiment" if "\nCMD:" in block.text else "runx"
                if parse(block.text, "x", may_be_empty=True).tree.keys() & KEYS.keys():
                    assert problems(block.text, of) == [], block.text
                    checked += 1
    assert checked > 20


@pytest.mark.parametrize("of", FILES)
def test_the_schema_is_one_and_is_shipped_as_it_is_printed(of):
    jsonschema.Draft202012Validator.check_schema(schema(of))
    defaults = {name: key.default for name, key in KEYS.items() if key.default is not None}
    validator = jsonschema.Draft202012Validator(schema("runx"))
    assert [error.message for error in validator.iter_errors(defaults)] == []
    shipped = json.loads((ROOT / f"docs/schemas/{of}.json").read_text())
    assert shipped == schema(of), f"runx schema {of} > docs/schemas/{of}.json"
