"""Servers that the tests share, and coroutines as tests."""

import asyncio
import inspect

import pytest
from certificates import Authority
from messaging import API, API_KEY, write_configuration
from programs import Server


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """A test that is a coroutine function runs on an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Issues certificates that the test may trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def shared_echo():
    with Server("echo", "--port", 0) as server:
        yield server


@pytest.fixture
def echo(shared_echo):
    """`martlet echo`, which must still run when the test is over."""
    yield shared_echo
    shared_echo.assert_running()


@pytest.fixture(scope="session")
def shared_demo():
    with Server("serve", "--port", 0, "--demo", env={"MARTLET_API_KEYS": API_KEY}) as server:
        yield server


@pytest.fixture
def demo(shared_demo):
    """`martlet serve --demo`, which must still run when the test is over."""
    yield shared_demo
    shared_demo.assert_running()


@pytest.fixture(scope="session")
def shared_serve(tmp_path_factory):
    with Server("serve", "--port", 0, "--config", write_configuration(tmp_path_factory.mktemp("serve"))) as server:
        yield server


@pytest.fixture
def serve(shared_serve):
    """`martlet serve` with the namespaces of messaging.py, a token secret and an API key."""
    yield shared_serve
    shared_serve.assert_running()


@pytest.fixture
def api(serve):
    return API(serve)
