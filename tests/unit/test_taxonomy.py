"""Our copy of the fideslang taxonomy is the taxonomy."""

import warnings

import pytest

from tactful.domain.rules import NEVER_CATEGORIES, NEVER_USES, SENSITIVE_CATEGORIES, under
from tactful.domain.taxonomy import DATA_CATEGORIES, DATA_USES


def test_the_copy_equals_the_package() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own business
        pytest.importorskip("fideslang", reason="fideslang comes with the extra `dev`: pip install -e '.[dev]'")
        from fideslang.default_taxonomy import DEFAULT_TAXONOMY

    assert sorted(DATA_CATEGORIES) == sorted(one.fides_key for one in DEFAULT_TAXONOMY.data_category)
    assert sorted(DATA_USES) == sorted(one.fides_key for one in DEFAULT_TAXONOMY.data_use)


def test_no_name_stands_twice_and_each_lies_below_its_parent() -> None:
    for names in (DATA_CATEGORIES, DATA_USES):
        assert len(set(names)) == len(names)
        assert {name.rpartition(".")[0] for name in names} - {""} <= set(names)


def test_what_the_rules_forbid_is_spelt_as_the_taxonomy_spells_it() -> None:
    assert set(NEVER_USES) <= set(DATA_USES)
    assert {*NEVER_CATEGORIES, *SENSITIVE_CATEGORIES} <= set(DATA_CATEGORIES)


def test_under_means_below_not_beginning_with() -> None:
    assert under("user.financial.bank_account", "user.financial")
    assert under("user.financial", "user.financial")
    assert not under("user.financially", "user.financial")
    assert not under("user", "user.financial")
