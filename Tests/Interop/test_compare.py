"""The parts of Benchmarks/compare that measure nothing: statistics, parsing, tables, charts, the page."""

import xml.etree.ElementTree

import pytest

from comparison import charts, load, measuring, page, peers, program, report, results, rows, servers

SVG = "{http://www.w3.org/2000/svg}"


def rounds(*values, figure="cpu_us"):
    return [{figure: value} for value in values]


class TestStatistics:
    def test_a_spread_is_median_least_and_most(self):
        assert results.spread(rounds(5, 1, 9, 2, 3), "cpu_us") == (3, 1, 9)

    def test_rounds_without_the_figure_do_not_count(self):
        assert results.spread([{"problem": "x"}, {}, {"cpu_us": 4}], "cpu_us") == (4, 4, 4)
        assert results.spread([{"problem": "x"}], "cpu_us") is None
        assert results.spread([], "cpu_us") is None

    def test_zero_is_a_value(self):
        assert results.spread(rounds(0, 0, 1), "cpu_us") == (0, 0, 1)

    def test_ratios_are_of_rounds_side_by_side(self):
        # The machine was ten times slower in the second round, for both.
        assert results.ratios(rounds(2, 20, 2), rounds(1, 10, 4), "cpu_us") == (2, 0.5, 2)

    def test_a_round_that_one_of_them_lacks_has_no_ratio(self):
        mine = [{"cpu_us": 1}, {"problem": "x"}, {"cpu_us": 3}]
        theirs = [{}, {"cpu_us": 1}, {"cpu_us": 2}]
        assert results.ratios(mine, theirs, "cpu_us") == (1.5, 1.5, 1.5)
        assert results.ratios(mine, [], "cpu_us") is None

    def test_nothing_is_divided_by_zero(self):
        assert results.ratios(rounds(1), rounds(0), "cpu_us") is None

    def test_the_last_problem_is_told(self):
        assert results.problem([{"problem": "a"}, {"problem": "b"}, {"cpu_us": 1}]) == "b"
        assert results.problem(rounds(1)) is None

    def test_results_are_read_as_they_were_written(self, tmp_path):
        path = tmp_path / "deep" / "results.json"
        assert results.read(path) == {"rows": {}}
        results.write({"rows": {"r": {"p": rounds(1.5)}}}, path)
        assert results.rounds_of(results.read(path), "r", "p") == rounds(1.5)
        assert results.rounds_of(results.read(path), "r", "q") == []


class TestRounds:
    row = rows.Row("r", "title", "echo", None)

    def measure(self, monkeypatch, outcomes, store, names, number, is_added):
        def attempt(row, peer, seconds):
            return outcomes[peer.name].pop(0)
        monkeypatch.setattr(measuring, "attempt", attempt)
        monkeypatch.setattr(results, "write", lambda store: None)
        chosen = [peers.BY_NAME[name] for name in names]
        measuring.measure(self.row, chosen, number, 1, store, is_added)
        return store["rows"]["r"]

    def test_every_peer_has_its_turn_in_each_round(self, monkeypatch):
        outcomes = {"uws": rounds(1, 2), "martlet": rounds(3, 4)}
        kept = self.measure(monkeypatch, outcomes, {"rows": {}}, ["martlet", "uws"], 2, False)
        assert kept == {"uws": rounds(1, 2), "martlet": rounds(3, 4)}

    @pytest.mark.parametrize("earlier", [0, 1])
    def test_every_second_round_goes_backwards(self, monkeypatch, earlier):
        turns = []
        monkeypatch.setattr(measuring, "attempt", lambda row, peer, seconds: turns.append(peer.name) or {})
        monkeypatch.setattr(results, "write", lambda store: None)
        store = {"rows": {"r": {"uws": rounds(*[1] * earlier), "martlet": rounds(*[1] * earlier)}}}
        measuring.measure(self.row, [peers.BY_NAME[name] for name in ("martlet", "uws")], 3, 1, store, True)
        forth, back = ["martlet", "uws"], ["uws", "martlet"]
        assert turns == (back + forth + back if earlier else forth + back + forth)

    def test_a_row_measured_again_takes_the_place_of_the_earlier_one(self, monkeypatch):
        store = {"rows": {"r": {"uws": rounds(9)}, "other": {}}}
        kept = self.measure(monkeypatch, {"martlet": rounds(3)}, store, ["martlet"], 1, False)
        assert kept == {"martlet": rounds(3)}
        assert "other" in store["rows"]
        assert store["commits"]["r"] == ["unknown"]

    def test_added_rounds_stand_beside_those_of_the_same_time(self, monkeypatch):
        store = {"rows": {"r": {"uws": rounds(1, 2)}}}
        outcomes = {"uws": rounds(3), "martlet": rounds(6)}
        kept = self.measure(monkeypatch, outcomes, store, ["uws", "martlet"], 1, True)
        assert results.ratios(kept["martlet"], kept["uws"], "cpu_us") == (2, 2, 2)

    def test_rounds_of_some_peers_leave_no_gap_for_the_next_ones(self, monkeypatch):
        store = {"rows": {"r": {"uws": rounds(1), "martlet": rounds(1)}}}
        self.measure(monkeypatch, {"martlet": rounds(7)}, store, ["martlet"], 1, True)
        outcomes = {"uws": rounds(2), "martlet": rounds(6)}
        kept = self.measure(monkeypatch, outcomes, store, ["uws", "martlet"], 1, True)
        assert results.ratios(kept["martlet"], kept["uws"], "cpu_us") == (2, 1, 3)

    @pytest.mark.parametrize("failure", [load.LoadFailed("3 wrong answers"), servers.DidNotStart("no port")])
    def test_what_goes_wrong_is_kept_and_the_others_go_on(self, failure):
        def fail(peer, seconds):
            raise failure
        row = rows.Row("r", "title", "echo", fail)
        assert measuring.attempt(row, peers.ALL[0], 1) == {"problem": str(failure)}


class TestServers:
    def test_a_server_that_ends_says_why(self):
        words = ["sh", "-c", "echo no such port >&2; exit 3"]
        with pytest.raises(servers.DidNotStart, match="no such port"):
            with servers.running(peers.Peer("x", "X", "x", lambda *_: words)):
                pass

    def test_a_server_runs_until_the_end_of_the_block(self):
        code = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
        peer = peers.Peer("x", "X", "x", lambda port, *_: ["python3", "-c", code, port])
        with servers.running(peer) as (pid, port):
            assert servers.is_listening(port)
            assert servers.resident_kib(pid) > 1000
        assert not servers.is_listening(port)

    @pytest.mark.parametrize("peer", peers.ALL, ids=lambda peer: peer.name)
    def test_every_peer_has_words_to_start_it(self, peer):
        modes = {"echo": "echo", "idle": "echo", "broadcast": "broadcast"}
        for task in peer.tasks:
            command = peer.command(9001, modes.get(task, "echo"), task.startswith("tls"), task == "deflate")
            assert len(command) > 1


class TestTables:
    @pytest.mark.parametrize("value, text", [
        (0, "0.00"), (0.478, "0.48"), (9.994, "9.99"), (27.21, "27.2"), (99.9, "99.9"), (1445.4, "1,445"),
    ])
    def test_numbers_have_three_digits_that_say_something(self, value, text):
        assert page.number(value) == text

    def test_a_table_is_markdown(self):
        assert page.table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"

    def drawing(self, **found):
        return page.Drawing({"rows": {"echo-64x100": found}}, rows.ALL)

    def test_a_cell_has_the_part_in_user_space_and_a_mark_where_rounds_failed(self):
        row = next(row for row in rows.ALL if row.name == "echo-64x100")
        martlet, uws = peers.BY_NAME["martlet"], peers.BY_NAME["uws"]
        drawing = self.drawing(martlet=[{"cpu_us": 5.5, "user_us": 0.5}, {"problem": "3 wrong answers"}],
                               uws=[{"problem": "did not start"}])
        assert drawing.cell(row, martlet) == "5.50 (0.50) †"
        assert drawing.cell(row, uws) == "did not start"
        assert drawing.cell(row, peers.BY_NAME["picows"]) == ""

    def test_what_martlet_loses_is_listed_with_the_largest_first(self):
        drawing = self.drawing(martlet=rounds(4), uws=rounds(2), gorilla=rounds(1), picows=rounds(3.95), floor=rounds(1))
        first, second = drawing.losses()
        assert "4.00 times gorilla" in first
        assert "2.00 times uWebSockets" in second

    def test_losses_of_the_async_path_and_of_further_figures_are_listed(self):
        martlet, uws = [{"cpu_us": 1, "start_kib": 30}], [{"cpu_us": 2, "start_kib": 10}]
        drawing = self.drawing(**{"martlet": martlet, "martlet-async": rounds(5), "uws": uws, "gorilla": rounds(1)})
        assert drawing.losses() == [
            "- Memory at start, Martlet: 3.00 times uWebSockets (3.00–3.00)",
            "- Echo, 64 B, 100 connections, Martlet, async/await: 2.50 times uWebSockets (2.50–2.50)",
        ]

    def test_wins_are_no_losses(self):
        assert self.drawing(martlet=rounds(1), uws=rounds(2)).losses() == []

    def test_the_ratio_to_the_reference_has_its_range(self):
        text = self.drawing(martlet=rounds(2, 3, 5), uws=rounds(2, 2, 2)).ratios("echo")
        assert "1.50 (1.00–2.50)" in text


class TestCharts:
    def test_a_chart_is_svg_with_a_bar_for_each(self):
        text = charts.bars("a < b", "note", [
            charts.Bar("x & y", 10, "10 µs", True, part=4, least=8, most=20), charts.Bar("z", 5, "5 µs"),
        ])
        drawn = xml.etree.ElementTree.fromstring(text)
        widths = {each.get("class"): float(each.get("width")) for each in drawn.iter(f"{SVG}rect")}
        assert widths["own"] == pytest.approx(2 * widths["other"], abs=0.1)
        assert widths["part"] == pytest.approx(0.4 * widths["own"], abs=0.1)
        line = drawn.find(f"{SVG}line")
        assert float(line.get("x2")) <= charts.WIDTH - charts.VALUE_WIDTH
        assert [each.text for each in drawn.iter(f"{SVG}text")][2] == "x & y"
        assert "prefers-color-scheme: dark" in text

    def test_a_chart_of_nothing_but_zeros_can_be_drawn(self):
        xml.etree.ElementTree.fromstring(charts.bars("t", "n", [charts.Bar("x", 0, "0")]))


class TestPage:
    def test_only_what_is_between_the_markers_changes(self):
        before = f"head\n{page.BEGIN}\nold\n{page.END}\ntail\n"
        assert page.replace(before, "new\n") == f"head\n{page.BEGIN}\n\nnew\n\n{page.END}\ntail\n"

    def test_writing_twice_changes_nothing_more(self):
        once = page.replace(f"{page.BEGIN}{page.END}", "x")
        assert page.replace(once, "x") == once

    @pytest.mark.parametrize("text", ["", page.BEGIN, page.END, page.END + page.BEGIN])
    def test_a_page_without_markers_is_left_alone(self, text):
        with pytest.raises(page.PageHasNoMarkers):
            page.replace(text, "x")

    def test_the_page_is_made_of_what_was_measured(self, tmp_path):
        store = {
            "rows": {
                "echo-64x100": {"martlet": [{"cpu_us": 5, "user_us": 1, "start_kib": 2048}], "uws": rounds(4)},
                "idle": {"martlet": [{"bytes": 500, "handshake_us": 30, "resident_kib": 10240}]},
            },
            "machine": {"processor": "CPU", "cores": 2, "virtual": True, "kernel": "6.1", "system": "Debian"},
            "versions": {"martlet": "0.1"}, "missing": {"gorilla": "no such package"}, "seconds": 3,
            "commits": {"echo-64x100": ["abc"], "idle": ["abc", "def"]},
        }
        text = report.text(store, rows.ALL, tmp_path)
        assert "| 64 B, 100 connections | 5.00 (1.00) | 4.00 |" in text
        assert "| Martlet | 2.00 | 500 | 10.0 | 30.0 |" in text
        assert "gorilla (Go) could not be installed: no such package" in text
        assert "1.25 times uWebSockets" in text
        assert "1 rounds of 3 s after one of warming up, Martlet at commit abc and def" in text
        assert (tmp_path / "compare-echo-64x100.svg").exists()

    def test_the_page_in_docs_has_its_markers(self):
        from comparison import places
        page.replace(places.PAGE.read_text(), "x")


class TestArguments:
    def test_a_name_chooses_itself_and_a_beginning_all_that_begin_so(self):
        names = [row.name for row in program.chosen("echo-64x100", rows.ALL, "row")]
        assert names == ["echo-64x100"]
        chosen = program.chosen("echo, idle", rows.ALL, "row")
        assert {row.task for row in chosen} == {"echo", "idle"}

    def test_an_unknown_name_is_refused_with_those_that_there_are(self):
        with pytest.raises(SystemExit, match="no row begins with 'nothing'.*echo-64x1"):
            program.chosen("echo,nothing", rows.ALL, "row")

    @pytest.mark.parametrize("words", [["--rounds", "0"], ["--seconds", "x"], ["--unknown"]])
    def test_bad_values_are_refused(self, words, capsys):
        with pytest.raises(SystemExit) as stop:
            program.arguments(words)
        assert stop.value.code == 2

    def test_names_are_unique(self):
        assert len({row.name for row in rows.ALL}) == len(rows.ALL)
        assert len(peers.BY_NAME) == len(peers.ALL)


class TestGenerator:
    def test_figures_are_found_in_what_it_says(self):
        echo = {
            "benchmark": "echo", "messages_per_second": 2.5, "errors": 0,
            "latency_us": {"p50": 60.1, "p99": 80, "p999": 99.5},
            "server": {"cpu_us_per_message": 5.1, "user_us_per_message": 0.5, "rss_kib": 9000},
        }
        assert load.figures(echo) == {
            "rate": 2.5, "errors": 0, "p50_us": 60.1, "p99_us": 80, "p999_us": 99.5, "cpu_us": 5.1, "user_us": 0.5,
            "resident_kib": 9000,
        }
        fanout = {
            "benchmark": "fanout", "deliveries_per_second": 7, "last_delivery_us": {"p50": 3, "max": 4},
            "server": {"cpu_us_per_delivery": 6},
        }
        assert load.figures(fanout) == {"rate": 7, "last_us": 3, "last_max_us": 4, "cpu_us": 6}
        idle = {"benchmark": "idle", "server": {"cpu_us_per_handshake": 40, "rss_bytes_per_connection": 400}}
        assert load.figures(idle) == {"cpu_us": 40, "bytes": 400}
        assert load.figures({}) == {}

    @pytest.mark.parametrize("program, reason", [
        ("""echo '{"errors":3}'; exit 1""", "3 wrong answers"), ("echo no route >&2; exit 4", "no route"),
        ("exit 4", "exit status 4"), ("exit 0", "exit status 0"),
    ])
    def test_a_generator_that_fails_says_why(self, program, reason):
        with pytest.raises(load.LoadFailed, match=reason):
            load.generate("sh", "-c", program)

    def test_a_server_that_sends_nothing_back_has_failed(self, monkeypatch):
        monkeypatch.setattr(load, "generate", lambda *words: {"benchmark": "echo", "messages_per_second": 0})
        with pytest.raises(load.LoadFailed, match="no message came back"):
            load.echo(1, 9001, 1, 1, 64, 1)
