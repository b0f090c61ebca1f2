from runx.nearest import listed, nearest_first


def test_the_likeliest_name_comes_first_and_none_is_lost():
    assert nearest_first("los", ["acc", "loss", "f1"]) == ["loss", "acc", "f1"]


def test_nothing_is_near_where_there_is_nothing():
    assert nearest_first("loss", []) == []


def test_many_names_are_cut_short():
    assert listed([str(number) for number in range(10)], most=3) == "are: 0, 1, 2 and 7 more"
    assert listed(["loss"]) == "is: loss"
