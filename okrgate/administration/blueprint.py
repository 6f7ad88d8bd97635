"""The one blueprint of this room."""

from flask import Blueprint

blueprint = Blueprint("administration", __name__)
