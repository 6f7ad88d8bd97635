"""The one blueprint of this room."""

from flask import Blueprint

blueprint = Blueprint("meetings", __name__)
