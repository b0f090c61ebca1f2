"""Reading on in files that others are writing."""

from runx.report.tail import read_log, read_new_rows


def test_a_file_that_was_begun_anew_is_read_from_its_beginning(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("val,acc,1,epoch,1\nval,acc,2,epoch,2\n")
    read_to = {}
    assert len(read_new_rows(file, read_to)) == 2
    file.write_text("val,acc,3,epoch,1\n")
    assert [row.metrics for row in read_new_rows(file, read_to)] == [{"acc": 3}]


def test_a_log_is_followed_in_whole_lines(tmp_path):
    file = tmp_path / "output.log"
    assert read_log(file, -1, False) == ("", 0)
    file.write_text("one\ntw")
    text, place = read_log(file, -1, False)
    assert text == "one\n"
    file.write_text("one\ntwo\n50%\r")
    assert read_log(file, place, False).text == "two\n50%"
    file.write_text("one\ntwo\nend")
    assert read_log(file, place, True).text == "two\nend"
