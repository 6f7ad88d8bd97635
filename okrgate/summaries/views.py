"""Pages of this room."""

from flask import Blueprint

blueprint = Blueprint("summaries", __name__)
