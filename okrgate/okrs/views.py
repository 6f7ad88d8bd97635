"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("okrs", __name__)
