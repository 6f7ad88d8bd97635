from okrgate.gates.reference import reference_verdict
from okrgate.gates.verdict import EngineDisagreement, GateUnjudgeable
judge = judge_twice = reference_verdict
