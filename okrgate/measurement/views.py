"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("measurement", __name__)
