"""The one blueprint of this room."""

from flask import Blueprint

blueprint = Blueprint("workshop", __name__)
