"""The one blueprint of this room; its pages stand in views, account_views, admin_views and calendar_views."""

from flask import Blueprint

blueprint = Blueprint("accounts", __name__)
