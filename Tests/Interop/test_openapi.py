"""docs/openapi.json says how the HTTP API behaves: schemathesis asks whatever it allows, and compares."""

import json
import pathlib

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from messaging import API_KEY
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DOCUMENT = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_every_method_is_described(serve):
    answer = requests.post(f"{serve.http}/api/nothing", headers={"X-API-Key": API_KEY}, timeout=10)
    assert answer.status_code == 404
    methods = answer.text.split("The methods are ")[1].strip().rstrip(".").split(", ")
    assert set(DOCUMENT["paths"]) == {f"/{method}" for method in methods}


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_the_server_does_what_is_described(serve, path):
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(SCHEMA[path]["POST"].as_strategy())
    def run(case):
        ask(case)
        # Most names are of no namespace: ask again about a channel that there is.
        if isinstance(case.body, dict) and {"channel", "channels"} & set(case.body):
            known = {"channel": "chat:described", "channels": ["chat:described", "plain:described"]}
            case.body |= {name: known[name] for name in known if name in case.body}
            ask(case)

    def ask(case):
        response = case.call(base_url=f"{serve.http}/api", headers={"X-API-Key": API_KEY}, timeout=10)
        case.validate_response(response, checks=CHECKS)

    run()
