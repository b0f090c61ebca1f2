"""runx check and runx schema, as a person or an editor calls them."""

import json


def test_what_a_launch_would_refuse_is_told_file_by_file_and_nothing_is_made(project):
    project.write("bad.yml", "CMD: x\nHPARAMS: {lr: {logspce: 1}}\n")
    project.write("clash.yml", "CMD: x\nARGS: {style: env}\nHPARAMS: {a.b: 1, a_b: 2}\n")
    project.write("list.yml", "CMD: x\nARGS: {list: comma}\nHPARAMS: {a: [['x,y', z]]}\n")
    project.write("nested.yml", "CMD: x\nARGS: {style: file}\nHPARAMS: {opt: 1, opt.lr: 2}\n")
    files = ["bad.yml", "sweep.yml", "clash.yml", "list.yml", "nested.yml"]
    done = project.runx("check", *files, status=2)
    assert done.stdout == "sweep.yml: 4 runs\n"
    printed = done.stderr.splitlines()
    assert len(printed) == 4
    assert "bad.yml:2: lr: logspce is no operator" in printed[0]
    assert "a.b and a_b would both be HP_A_B" in printed[1]
    assert "a has an item with ',' in it" in printed[2]
    assert "opt.lr is both a value and a mapping" in printed[3]
    for file in files[2:]:
        project.runx(file, "-i", status=2)
    assert not (project.path / "runs").exists()


def test_a_template_that_cannot_be_rendered_is_found(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: 'sh -c {{ comand }}'}\n")
    assert "comand" in project.runx("check", "sweep.yml", status=2).stderr


def test_too_many_runs_are_told(project):
    assert "--max-runs 4" in project.runx("check", "sweep.yml", "--max-runs", "3", status=2).stderr


def test_the_schema_is_printed_for_both_files(project):
    experiment = json.loads(project.runx("schema").stdout)
    assert "HPARAMS" in experiment["properties"]
    assert json.loads(project.runx("schema", "runx").stdout)["title"] == "runx: .runx"
    assert "experiment" in project.runx("schema", "other", status=2).stderr
