"""Servers that the tests share, and coroutines as tests."""

import asyncio
import inspect

import pytest
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
    with Server("serve", "--port", 0, "--demo", env={"MARTLET_API_KEY": "demo-key"}) as server:
        yield server


@pytest.fixture
def demo(shared_demo):
    """`martlet serve --demo`, which must still run when the test is over."""
    yield shared_demo
    shared_demo.assert_running()
