"""The cases of the suite for targets."""

from __future__ import annotations

from snello.kit.conformance.cases import Case as AnyCase
from snello.kit.conformance.cases import Suite
from snello.kit.conformance.targets.subject import Ability
from snello.kit.conformance.targets.trial import Trial

Case = AnyCase[Trial]
SUITE: Suite[Trial, Ability] = Suite()
CASES, case, cases_of = SUITE.cases, SUITE.case, SUITE.cases_of
