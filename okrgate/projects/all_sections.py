"""Every section of this room."""

from okrgate.projects.backlog import BACKLOG
from okrgate.projects.commitments import KEY_RESULTS, TEAMS
from okrgate.projects.people import PEOPLE
from okrgate.projects.raci import RACI
from okrgate.projects.review import REVIEW
from okrgate.projects.scope import SCOPE
from okrgate.projects.sections import Section
from okrgate.projects.surroundings import DEPENDENCIES, FILES
from okrgate.projects.ticket import PROBLEM, SOLUTION, VALUE

SECTIONS: tuple[Section, ...] = (
    PROBLEM,
    VALUE,
    SOLUTION,
    KEY_RESULTS,
    TEAMS,
    REVIEW,
    BACKLOG,
    RACI,
    SCOPE,
    DEPENDENCIES,
    FILES,
    PEOPLE,
)
