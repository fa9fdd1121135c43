"""Fixtures of the contract suites."""

from tests.contract.storage_kinds import tables, world

__all__ = ["tables", "world"]
