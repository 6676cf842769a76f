"""agent.toml and its rules: one line for each wrong field, and where things go."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET
from configparser import ConfigParser
from pathlib import Path

import pytest

import cid_client as cid
from cid_client.agent import config, telling
from cid_client.agent.rules import PATTERNS, TARGETS, judge
from cid_client.commands import agent

PAGE = (Path(__file__).parents[3] / "docs/operator/agent.md").read_text(encoding="utf-8")


def shown(language: str) -> str:
    [text] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(shown("toml"), encoding="utf-8")
    return file


def test_the_example_of_the_page_does_what_the_page_says(toml: Path) -> None:
    read = config.read(toml)
    assert (read.jobs, read.status_port, read.timing) == (3, 8095, config.Timing())
    [watch] = read.watched
    goal, why = judge(read.rules, "Ana/dish 3/z", "HeLa_1.tif", watch.instrument)
    assert goal is not None, why
    assert (goal.project, goal.team, goal.dataset) == ("Ana-raw", "Ana", "dish 3")
    assert (goal.instrument, goal.mask) == ("Spinning disk", "Spinning disk")
    assert goal.tags == {"Cell type": "HeLa"}
    assert judge(read.rules, "Ana", "HeLa_1.tif", watch.instrument)[0] is None


def test_every_table_and_field_is_explained() -> None:
    told = tomllib.loads(shown("toml"))
    assert set(told["timing"]) == set(config.TIMING)
    assert set(told["watch"][0]) == set(config.Watch.__dataclass_fields__)
    assert {"name", "tags", *PATTERNS, *TARGETS} == set(told["rules"][0])
    silent = [line for line in shown("toml").splitlines() if "=" in line and "# " not in line]
    assert [line.split()[0] for line in silent] == ["folder", "project", "dataset"]


def test_the_services_of_the_page_start_the_command_that_there_is() -> None:
    unit = ConfigParser(interpolation=None)
    unit.read_string(shown("ini"))
    xml = ET.fromstring(shown("xml"))
    starts = [unit["Service"]["ExecStart"], f"cid {xml.findtext('arguments')}"]
    for line in [*starts, *re.findall(r"^cid agent .*$", PAGE, re.MULTILINE)]:
        words = line.split()
        assert words[words.index("agent") + 1] in ("run", "check", "status")
        assert "--config" in words
    assert "CID_STATE" in unit["Service"]["Environment"]
    assert agent.COMMAND.name == "agent"


def test_all_that_is_wrong_is_told_at_once_a_line_for_each_field(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        f"""
agnet = 1
[agent]
state = '{tmp_path}/data/state'
jobs = 0
[catalog]
token = "secret"
[timing]
quiet = "long"
[[watch]]
folder = '{tmp_path}/data'
[[watch]]
folder = '{tmp_path}/data/deeper'
[[watch]]
folder = "relative"
ignore = "x"
[[rules]]
folder = '('
project = "x"
[[rules]]
folder = '(?P<team>.*)'
project = "{{lab}}"
tags = {{"Cell type" = 3}}
[[rules]]
project = 7
"""
    )
    with pytest.raises(cid.NotConfigured) as told:
        config.read(file)
    wrong = [line.removeprefix("agent.toml: ") for line in str(told.value).splitlines()]
    assert "secret" not in str(told.value)
    assert [line.split(": ")[0] for line in wrong] == [
        *("agnet", "catalog.token", "watch 3.folder", "watch 3.ignore"),
        *("rule 1.folder", "rule 2.project", "rule 2.tags.Cell type", "rule 3.folder"),
        *("rule 3.project", "timing.quiet", "agent.jobs", "agent.state", "watch 2.folder"),
    ]


@pytest.mark.parametrize("text", ["[agent", "", "watch = 3\nrules = []\nagent = 1"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.toml").write_text(text)
    with pytest.raises(cid.NotConfigured, match=r"agent\.toml"):
        config.read(tmp_path / "agent.toml")
    with pytest.raises(cid.NotConfigured, match="does not exist"):
        config.read(tmp_path / "absent.toml")


def test_address_and_token_come_from_files_or_the_environment(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"url": "https://hub.example.org/services/cid/\n", "token": " t0 \n"}.items():
        (tmp_path / name).write_text(text)
        told = toml.read_text().replace(f"/etc/cid-agent/{name}", str(tmp_path / name))
        toml.write_text(told)
    access = config.read(toml).access()
    assert access.url == "https://hub.example.org/services/cid/"
    assert access.authorization == "token t0"
    (tmp_path / "token").unlink()
    with pytest.raises(cid.NotConfigured, match="token"):
        config.read(toml).access()
    toml.write_text(re.sub(r"(?m)^(url|token)_file.*$", "", toml.read_text()))
    monkeypatch.setenv("CID_URL", "https://other.example.org/")
    monkeypatch.setenv("CID_TOKEN", "t1")
    assert config.read(toml).access().authorization == "token t1"


def test_a_token_that_is_not_taken_says_where_a_new_one_goes() -> None:
    told = telling.away(cid.NotLoggedIn("log in first: send a hub token or open the hub's page"))
    assert told.startswith("the catalog does not take the agent's token: make a new one")
    assert "token_file" in told
    assert telling.away(cid.Unavailable("no answer")) == "no answer"


def test_the_first_rule_counts_and_what_it_lacks_sends_nothing_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        f"""
[agent]
state = '{tmp_path}/state'
[[watch]]
folder = '{tmp_path}/data'
[[rules]]
name = "first"
file = '((?P<lab>[a-z]+)-)?.*[.]tif'
project = "{{lab}}"
[[rules]]
file = '.*'
project = "all {{instrument}}"
"""
    )
    rules = config.read(file).rules
    goal, _ = judge(rules, "", "biology-{lab}.TIF", "SIM")
    assert goal is not None
    assert goal.project == "biology"
    goal, why = judge(rules, "", "1.tif", "SIM")
    assert goal is None
    assert why == "rule 'first' matches and gives no project: its group is empty"
    goal, _ = judge(rules, "", "notes.txt", "SIM")
    assert goal is not None
    assert goal.project == "all SIM"
