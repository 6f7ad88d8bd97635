"""What an administrator decides for the whole company. Each save is a new row; the newest counts."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model, UTCDateTime


class CompanySettings(Model):
    """The company's settings as somebody saved them. An installation without a row goes by its environment."""

    __tablename__ = "company_settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    timezone: Mapped[str] = mapped_column(String(60))
    currency: Mapped[str] = mapped_column(String(3))
    welcome: Mapped[str] = mapped_column(Text, default="")
    help_contact: Mapped[str] = mapped_column(String(300), default="")
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
