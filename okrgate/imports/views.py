"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("imports", __name__)
