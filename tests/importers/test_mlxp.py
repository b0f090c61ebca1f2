"""MLXP's settings."""

import yaml

from tests.support.importing import argvs, imported

TEXT = """
logger: {name: mlxp.DefaultLogger, parent_log_dir: ./logs, forced_log_id: -1}
use_version_manager: true
interactive_mode: false
use_scheduler: true
scheduler:
  name: mlxp.OARScheduler
  directive: '#OAR'
  option_cmd: ['-l gpu=1', '-t besteffort']
  env_cmd: module load x
"""


def test_settings_of_mlxp_are_settings_of_runx(tmp_path):
    found = imported(tmp_path, "configs/mlxp.yaml", TEXT)
    settings = yaml.safe_load(found.experiment)
    assert (settings["LOGROOT"], settings["GIT_DIRTY"]) == ("./logs", "error")
    assert yaml.safe_load(found.runx_file) == {
        "FARM": "oar",
        "oar": {"DIRECTIVES": ["#OAR -l gpu=1", "#OAR -t besteffort"], "SETUP": "module load x"},
    }


def test_a_configuration_with_mlxp_in_it_is_recognised(tmp_path):
    text = "defaults: [model: small]\nmlxp: {logger: {parent_log_dir: out}, use_logger: false}\n"
    found = imported(tmp_path, "config.yaml", text)
    assert any("own values" in line for line in found.warnings)
    assert any("use_logger" in line for line in found.lost)
    assert argvs(tmp_path, "config.yaml", text) == [["python", "main.py"]]
