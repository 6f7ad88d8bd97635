"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("stages", __name__)
