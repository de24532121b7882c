# SPDX-License-Identifier: BSD-3-Clause
import argparse
import json
import time

import numpy as np
import pytest

from sktransrec import EASERecommender, ItemKNNRecommender, VotingRecommender, ranking_scorer

# Of more parameters than scikit-learn prints.
MANY = [(f"neighbours of kind {i}", ItemKNNRecommender(shrinkage=i)) for i in range(24)]


@pytest.fixture
def record(benchmark_module):
    return benchmark_module("_record")


@pytest.fixture
def arguments(tmp_path):
    return argparse.Namespace(record=tmp_path, markdown=False, data="phone", models=None)


DOCUMENTATION = """Quality of models.

    python benchmarks/quality.py

All unseen items are ranked.
"""


def written(folder, name):
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def test_a_record_says_what_was_run_and_what_came_of_it(record, arguments, tmp_path, capsys):
    run = record.Record(
        "quality",
        DOCUMENTATION,
        arguments,
        ["numpy"],
        seeds=range(2),
        parameters={"EASE": EASERecommender(), "kNN": VotingRecommender(MANY)},
    )
    run.parameters["ALS"] = {"regularization": np.float32(0.5), "scorer": ranking_scorer}
    estimate = record.Estimate(np.float64(0.123456789), 0.01)
    columns = {"model": "", "NDCG@10": ".3f", "fit, CPU s": ".1f"}
    run.add("Phones", columns, [["ALS", estimate, np.nan], ["published", 0.2, None]])
    while record.cpu_seconds() < 0.1:
        pass
    run.save()
    assert "ALS        0.123 ± 0.010" in capsys.readouterr().out
    content = written(tmp_path, "quality")
    assert content["protocol"] == ["Quality of models.", "All unseen items are ranked."]
    assert content["options"] == {"data": "phone"}
    assert content["seeds"] == [0, 1]
    assert content["versions"]["numpy"] == np.__version__
    parameters = content["parameters"]
    assert parameters["ALS"]["regularization"] == 0.5
    assert " at 0x" not in parameters["ALS"]["scorer"]
    assert parameters["EASE"] == "EASERecommender()"
    assert parameters["kNN"].count("ItemKNNRecommender(shrinkage=") == len(MANY)
    assert 0.1 <= content["cpu_seconds"] < time.process_time()
    assert str(tmp_path) not in json.dumps(content)
    rows = content["tables"]["Phones"]["rows"]
    assert rows["ALS"] == {"NDCG@10": {"value": 0.123457, "error": 0.01}, "fit, CPU s": None}
    assert rows["published"] == {"NDCG@10": 0.2, "fit, CPU s": None}
    with pytest.raises(ValueError, match="already"):
        run.add("Phones", columns, [])


@pytest.mark.parametrize("forgotten", ["seeds", "parameters"])
def test_seeds_and_parameters_cannot_be_forgotten(record, arguments, forgotten):
    given = {"seeds": [0], "parameters": {}}
    del given[forgotten]
    with pytest.raises(TypeError, match=forgotten):
        record.Record("quality", DOCUMENTATION, arguments, [], **given)


def test_nothing_is_written_unless_asked(record, arguments, tmp_path):
    arguments.record = None
    run = record.Record("quality", DOCUMENTATION, arguments, [], seeds=[], parameters={})
    run.add("Phones", {"model": ""}, [["ALS"]])
    run.save()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["--record"], ["--record", "somewhere"]])
def test_a_command_does_not_say_where_its_record_goes(record, words):
    argv = ["/home/benchmarks/quality.py", "--data", "phone", *words, "--models", "item kNN"]
    expected = "python benchmarks/quality.py --data phone --models 'item kNN'"
    assert record.command(argv) == expected


def test_what_a_search_chose_is_read_from_its_record(record, arguments, tmp_path):
    searches = record.SearchRecord("quality", arguments, ["numpy"], folds="a fifth held out")
    for name, optimum in (("ALS", 0.1), ("EASE", np.inf), ("ALS", 1.0)):
        searches.search(
            name,
            lambda parameters, optimum=optimum: {
                "NDCG@10": float(parameters["regularization"] == optimum)
            },
            {"regularization": [0.01, 0.1, 1.0, np.inf]},
            bounds={"regularization": {np.inf: "nothing but the source"}},
        )
    assert record.chosen("quality", "ALS", tmp_path) == {"regularization": 1.0}
    later = record.SearchRecord("quality", arguments, ["numpy"], folds="a fifth held out")
    assert searches.choice("ALS") == later.choice("ALS") == {"regularization": 1.0}
    assert record.chosen("quality", "EASE", tmp_path) == {"regularization": np.inf}
    content = written(tmp_path, "quality-tuning")["searches"]["EASE"]
    assert content["folds"] == "a fifth held out"
    assert [point["figures"]["NDCG@10"] for point in content["results"]] == [0, 0, 0, 1]
    with pytest.raises(SystemExit, match=r"No search for 'BPR'.*--tune --record"):
        record.chosen("quality", "BPR", tmp_path)


def test_a_choice_at_the_edge_is_not_written(record, arguments, tmp_path):
    searches = record.SearchRecord("quality", arguments, [], folds="none")
    with pytest.raises(ValueError, match="edge of the grid"):
        searches.search("kNN", lambda parameters: {"NDCG": parameters["n"]}, {"n": [1, 2]})
    assert not list(tmp_path.iterdir())
