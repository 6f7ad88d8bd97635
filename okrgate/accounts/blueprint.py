"""The one blueprint of this room; its pages stand in views, account_views and admin_views."""

from flask import Blueprint

blueprint = Blueprint("accounts", __name__)
