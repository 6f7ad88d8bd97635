"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("rulebooks", __name__)
