"""A small process that the rooms of the workshop are tried on."""

# A process of four stages, with one thing of every kind that forms change.
SMALL = """\
okrgate: 1
vocabulary: application
ruleset: {id: bench, title: Work on the bench}
params: {telling_min: 30}
roles:  # who does what
  proposer: {label: Proposer, kind: project, fact: project.submitter}
  custodian: {label: Custodian, kind: project, fact: project.lead}
  quality: {label: Quality, kind: org}
  safety: {label: Safety, kind: org}
signing: {never: [project.submitter]}
stages:
  sheet: {label: Sheet, initial: true, sections: {problem: {edit: [proposer]}}}
  bench: {label: Bench, escalate_to: [quality], sections: {solution: {edit: [custodian]}, files: {edit: [custodian]}}}
  archive: {label: In force, terminal: true, outcome: in_force}
  refused: {label: Refused, terminal: true, outcome: refused}
transitions:
  hand_in: {label: Hand in, from: sheet, to: bench, by: [proposer], gate: filled, notify: [quality, safety]}
  report: {label: Report it done, from: bench, to: archive, gate: looked_over, auto: true, notify: [quality]}
  refuse: {label: Refuse, from: bench, to: refused, by: [quality], kind: decline, asks: [reason]}
gates:
  filled:
    label: Sheet filled in
    requirements:
      - {id: told, message: "Say why in {telling_min} characters", severity: hard, if: {fact: problem.length, gte: $telling_min}}
      - {id: tagged, message: Say which device it is, severity: hard, if: {fact: answers.tag, is_set: true}}
  looked_over:
    label: Looked over
    material: [answers.tag]
    requirements:
      - {id: looked, message: Quality has to look at it, severity: hard, if: {signoff: {role: quality, quorum: 1}}}
questions:
  tag: {stage: sheet, section: problem, type: string, label: Which device?}
invariants:
  - {id: nothing-unseen, label: Nothing is in force unseen, always: {signoff: {role: quality, quorum: 1}}, at: report}
  - {id: nothing-untold, label: Nothing is in force untold, never_reach: archive, unless: {fact: problem.length, gte: $telling_min}}
fixtures:
  first: {today: 2027-03-01, facts: {project.submitter: u-a, problem.length: 120, answers.tag: C-17}}
tests:
  - {name: filled, transition: hand_in, fixture: first, expect: {allowed: true, missing: []}}
  - {name: no device, transition: hand_in, fixture: first, unset: [answers.tag], expect: {allowed: false, missing: [tagged]}}
  - {name: nothing at all, transition: hand_in, fixture: first, set: {problem.length: 2}, unset: [answers.tag], expect: {missing: [told, tagged]}}
  - {name: seen, transition: report, fixture: first, set: {signoffs: [{role: quality, by: u-q, decision: approved}]}, expect: {allowed: true}}
"""
