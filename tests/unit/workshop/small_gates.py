"""Small rules with one of everything that gates and requirements can say."""

GATES = """\
okrgate: 1
ruleset: {id: bench, title: Work on the bench}
params: {telling_min: 30, big: 50000.00}
roles:
  proposer: {label: Proposer, kind: project, fact: project.submitter}
  quality: {label: Quality, kind: org}
  safety: {label: Safety, kind: org}
stages:
  sheet: {label: Sheet, initial: true}
  bench: {label: Bench}
  archive: {label: In force, terminal: true, outcome: in_force}
transitions:
  report: {label: Report it done, from: bench, to: archive, gate: looked_over, auto: true}
  hand_in: {label: Hand in, from: sheet, to: bench, by: [proposer], gate: filled}
  stop_it: {label: Stop it, from: bench, to: archive, by: [quality], kind: stop}
gates:
  looked_over:
    label: Looked over
    requirements:
      # Quality looks at everything.
      - {id: looked, message: Quality has to look at it, severity: hard, if: {signoff: {role: quality, quorum: 1, exclude: [project.lead]}}}
      - id: looked-twice
        message: Above {big} two have to look
        severity: hard
        when: {fact: scope.budget, gt: $big}
        if: {signoff: {role: [quality, safety], quorum: 2}}
  filled:
    label: Sheet filled in
    requirements:
      - {id: told, message: "Say why in {telling_min} characters", severity: hard, if: {fact: problem.length, gte: $telling_min}}
      - {id: linked, message: Link a key result, severity: soft, waiver: {by: [quality, safety], reason_min: 20, expires_days: 90}, if: {fact: key_results.count, gte: 1}}  # the company's goals
      - {id: planned, message: Say who does what, severity: advisory, mode: evaluate, fix: raci, if: {each: {in: raci, at_least: 1, must: {all: [{fact: accountable, eq: 1}, {fact: responsible, gte: 1}]}}}}
      - {id: affordable, message: State the budget, severity: hard, if: {fact: scope.budget, gte: 0}}
fixtures:
  first:
    today: 2027-03-01
    facts: {project.submitter: u-a, problem.length: 120, key_results.count: 1, scope.budget: 10}
    raci: [{activity: Work, responsible: 1, accountable: 1}]
    waivers: [{requirement: linked, role: quality, by: u-q}]
tests:
  - {name: a full sheet, transition: hand_in, fixture: first, expect: {allowed: true, missing: []}}
  - {name: no link, transition: hand_in, fixture: first, set: {key_results.count: 0, waivers: []}, expect: {allowed: false, missing: [linked]}}
  - {name: no link is needed, transition: hand_in, fixture: first, set: {key_results.count: 0, waivers: [{requirement: linked, role: safety, by: u-s}]}, expect: {waived: [linked]}}
  - {name: nobody answers for it, transition: hand_in, fixture: first, set: {raci: [{activity: Work, responsible: 1, accountable: 0}], key_results.count: 0}, expect: {missing: [planned], waived: [linked], items: {planned: [Work]}}}
  - {name: nobody looked, transition: report, fixture: first, expect: {missing: [looked], na: [looked-twice]}}
"""
