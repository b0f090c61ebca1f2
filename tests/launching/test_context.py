from runx.launching.context import search_path


def test_a_launcher_called_by_its_path_brings_its_environment():
    assert search_path("/bin", "/v/bin/runx", "/v/bin/python") == "/v/bin:/bin"
    assert search_path("/v/bin:/bin", "/v/bin/runx", "/v/bin/python") == "/v/bin:/bin"
