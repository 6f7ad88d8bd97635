"""The one blueprint of this room; its pages stand in views and edit_views."""

from flask import Blueprint

blueprint = Blueprint("rulebooks", __name__)
